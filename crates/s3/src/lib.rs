#![doc = include_str!("../README.md")]

mod bucket_encryption;
mod customer_key;
mod error;
pub mod header;
mod operation;
mod profile;
mod xml;

pub use bucket_encryption::{BucketEncryption, CustomerKeyUse, DefaultEncryption};
pub use customer_key::{CUSTOMER_ALGORITHM, CustomerKey, KeyMd5};
pub use error::{Answer, Error, Result};
pub use operation::Operation;
pub use profile::Profile;
