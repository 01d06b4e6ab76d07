#![doc = include_str!("../README.md")]

mod sse_kms;

pub use sse_kms::SseKms;
