//! Test machinery for `object-cipher`: keys that stand in for a KMS, a customer or a client
//! ([`TestKeys`]) or for a loaded master key ([`KeptKey`]), a backend that watches what is done with it
//! ([`Watched`]), a store in memory to attack ([`StoredObject`]), and the frozen vectors ([`vectors`]).
//!
//! Put your own through what every cipher, source of keys and backend must hold:
//! [`object_cipher_tests!`], [`key_source_tests!`], [`backend_tests!`], [`message_backend_tests!`].
//!
//! Nothing here is for production.

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
pub use watched::{Watch, Watched, WatchedAead, WatchedExpander};
