//! Test machinery for `object-cipher`: keys that stand in for a KMS, a customer or a client
//! ([`TestKeys`]) or for a loaded master key ([`KeptKey`]), a backend that watches what is done with it ([`Watched`]), a store in memory to
//! attack ([`StoredObject`]), the promises that every backend must keep ([`backend_tests!`]), and the
//! frozen vectors ([`vectors`]).
//!
//! Nothing here is for production.

pub mod backend_suite;
pub mod conformance;
mod drive;
mod kept_key;
mod seeded;
mod stored_object;
mod subject;
mod test_keys;
pub mod vectors;
mod watched;

pub use drive::{Driven, drive, now};
pub use kept_key::KeptKey;
pub use seeded::Seeded;
pub use stored_object::StoredObject;
pub use subject::{cx, plaintext, upload_cx};
pub use test_keys::TestKeys;
pub use watched::{Watch, Watched, WatchedAead};
