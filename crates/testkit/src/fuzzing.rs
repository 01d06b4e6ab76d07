//! What the fuzz targets do with their bytes, as functions: the project's own targets call them, and
//! so may yours.
//!
//! [`bodies`] and [`objects`] take any [`ObjectCipher`](object_cipher_core::ObjectCipher), also one of
//! a third party. [`records`] and [`plans`] reach the parsers behind authentication with
//! [`NoSecurity`](crate::NoSecurity). A function that returns found nothing; one that panics did.

#![allow(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a finding is a panic, as in any fuzz target"
)]

pub mod bodies;
mod lenient;
pub mod objects;
pub mod plans;
pub mod records;

use arbitrary::{Arbitrary, Unstructured};

/// What a fuzzer's bytes say, if they say anything.
fn input<'a, T: Arbitrary<'a>>(data: &'a [u8]) -> Option<T> {
    T::arbitrary_take_rest(Unstructured::new(data)).ok()
}
