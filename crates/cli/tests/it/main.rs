//! The built binary, run as a user runs it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod advice;
mod bench;
mod crashes;
mod demo;
mod inspecting;
mod keyrings;
mod kms;
mod kms_files;
mod lake;
mod outputs;
mod passphrases;
mod refusals;
mod rekey;
mod rekey_kills;
#[cfg(feature = "s3")]
mod rekey_s3;
mod rekey_stores;
mod rekey_wrong;
mod rewraps;
mod round_trips;
mod shared_folders;
mod streams;
mod terminal;
