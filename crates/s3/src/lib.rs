#![doc = include_str!("../README.md")]

mod arrival;
mod bucket_encryption;
mod condition_keys;
mod context_header;
mod customer_key;
mod encryption;
mod error;
mod error_xml;
mod fields;
pub mod header;
mod object_encryption;
mod operation;
mod part_key;
mod profile;
mod read_key;
pub mod redact;
mod sent_key;
mod shown;
mod sse_request;
mod xml;

pub use arrival::Arrival;
pub use bucket_encryption::{BucketEncryption, DefaultEncryption};
pub use condition_keys::ConditionKeys;
pub use context_header::ARN_PAIR;
pub use customer_key::{CUSTOMER_ALGORITHM, CustomerKey, KeyMd5};
pub use encryption::Encryption;
pub use error::{Answer, Error, KmsFault, Result};
pub use error_xml::ErrorXml;
pub use fields::{Fields, FormFields};
pub use object_encryption::{ObjectEncryption, UpdateScope};
pub use operation::Operation;
pub use part_key::PartKey;
pub use profile::Profile;
pub use read_key::ReadKey;
pub use shown::ShownEncryption;
pub use sse_request::SseRequest;
