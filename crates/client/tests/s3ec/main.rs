//! Attacks on the S3 Encryption Client's formats, by both libraries: what is stored is changed, mixed
//! and swapped, and must be refused, or open to what was sealed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod algorithm_binding;
mod commitment;
mod descriptions;
mod faults;
mod formats;
mod instruction_files;
mod keyrings;
mod metadata;
mod padding;
mod policies;
mod ranges;
mod round_trips;
mod setup;
mod streams;
mod two_keys;
