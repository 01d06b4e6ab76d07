#![doc = include_str!("../README.md")]

mod master_keys;
mod sse_s3;

pub use master_keys::MasterKeys;
pub use sse_s3::SseS3;
