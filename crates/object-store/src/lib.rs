#![doc = include_str!("../README.md")]

mod builder;
mod ciphers;
mod error;
mod paths;
mod record;
#[cfg(feature = "rekey")]
pub mod rekey;
mod request;
mod seal;
mod store;

pub use builder::Builder;
pub use ciphers::{CipherTable, Ciphers};
pub use error::{Error, Result};
pub use record::{MAX_RECORD_LEN, Record, RecordFault};
pub use request::{Caller, RequestCipher, RequestContext};
pub use store::{EncryptedStore, Rewrapped, Swept};
