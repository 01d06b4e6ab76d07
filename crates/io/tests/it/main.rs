//! What the adapters promise: the same bytes whatever the way and the cut, memory that stays
//! constant, and an error where something is missing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod allocations;
#[cfg(feature = "tokio")]
mod async_io;
mod blocking;
#[cfg(feature = "stream")]
mod byte_streams;
mod fixture;
mod seeking;
#[cfg(feature = "rayon")]
mod threads;
