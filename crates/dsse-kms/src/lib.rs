#![doc = include_str!("../README.md")]

mod dsse_kms;
mod independence;

pub use dsse_kms::DsseKms;
pub use independence::IndependentOf;
