//! The encrypting client against an S3 in this process that keeps what it is sent, tells of every request,
//! and goes wrong where it is told to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod conditions;
mod copies;
mod deletes;
mod fake;
mod gets;
mod instruction_files;
mod puts;
mod ranges;
mod re_encryption;
mod secrecy;
mod setup;
mod uploads;
