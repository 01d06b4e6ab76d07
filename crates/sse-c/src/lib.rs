#![doc = include_str!("../README.md")]

mod customer_keys;
mod sse_c;

pub use customer_keys::CustomerKeys;
pub use sse_c::SseC;
