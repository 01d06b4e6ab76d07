//! The frozen vectors of `vectors/`: their schema as types, and loaders, so that any implementation
//! of the formats can be judged by them.
//!
//! `vectors/README.md` describes the JSON for foreign programs; the types here are the same schema.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use object_cipher_testkit::vectors::Vectors;
//!
//! # fn my_opener(dek: &[u8], context: &[u8], body: &[u8]) -> Option<Vec<u8>> { None }
//! let vectors = Vectors::load(Path::new("vectors"))?;
//! for vector in vectors.bodies.vectors.iter().filter(|vector| vector.layers == 1) {
//!     let opened = my_opener(&vector.dek, &vector.context, &vector.body);
//!     assert_eq!(opened.is_none(), vector.verdict.reject, "{}", vector.name);
//! }
//! # Ok::<(), object_cipher_testkit::vectors::LoadError>(())
//! ```

mod buckets;
mod bytes;
mod cavp;
mod file;
mod given_keys;
mod messages;
mod names;
mod objects;
mod plaintext;
mod uploads;
mod verdict;

pub use buckets::{BucketObjectVector, CompanionNameVector, HeldKeys, MetadataPairVector};
pub use bytes::{Base64, Hex};
pub use cavp::Case;
pub use file::{FILE_NAMES, LoadError, VectorFile, Vectors};
pub use given_keys::GivenKeys;
pub use messages::{BodyVector, EncryptionContextVector, SizeVector, WrapVector};
pub use objects::{IdentityRecord, ObjectVector, SealedAttributes, SealedChecksum};
pub use plaintext::Plaintext;
pub use uploads::{PartChecksum, PartVector, UploadState, UploadVector};
pub use verdict::{Verdict, VerdictStep};
