#![doc = include_str!("../README.md")]

mod blob;
mod counter;
mod error;
#[cfg(test)]
mod fake;
mod fault;
mod fitness;
mod kms;
mod module;
mod pin;
mod pool;
mod reply;
mod settings;
mod token;
mod version;
mod worker;

pub use counter::{MAX_WRAPS, ProcessCounter, WrapCounter};
pub use error::{Error, Result};
pub use kms::Pkcs11Kms;
pub use pin::Pin;
pub use settings::{Settings, TokenName};
