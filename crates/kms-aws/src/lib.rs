#![doc = include_str!("../README.md")]

mod client;
mod error;
mod fault;
mod kms;

pub use aws_sdk_kms;
pub use client::Timeouts;
pub use error::{Error, Result};
pub use kms::AwsKms;
