#![doc = include_str!("../README.md")]

mod customer_key;
mod error;
pub mod header;
mod operation;
mod profile;

pub use customer_key::{CUSTOMER_ALGORITHM, CustomerKey, KeyMd5};
pub use error::{Answer, Error, Result};
pub use operation::Operation;
pub use profile::Profile;
