#![doc = include_str!("../README.md")]

pub mod backend_suite;
pub mod conformance;
mod drive;
mod fake_kms;
pub mod fuzzing;
mod kept_key;
pub mod key_source_suite;
pub mod kms_suite;
pub mod message_suite;
mod no_security;
mod seeded;
mod stored_object;
mod subject;
mod test_keys;
mod unencrypted;
pub mod vectors;
mod watched;

pub use drive::{Driven, drive, now};
pub use fake_kms::{FakeKms, KmsFault};
pub use kept_key::KeptKey;
pub use no_security::NoSecurity;
pub use seeded::Seeded;
pub use stored_object::StoredObject;
pub use subject::{cx, plaintext, upload_cx};
pub use test_keys::TestKeys;
pub use unencrypted::Unencrypted;
pub use watched::{Watch, Watched, WatchedAead, WatchedExpander};
