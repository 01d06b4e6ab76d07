//! The formats of the Amazon S3 Encryption Client: V3 and V2 written and read, V1 read.
//!
//! [`S3ec`] seals and opens, [`Found`] reads metadata and instruction files, a [`Keyring`] wraps data
//! keys. None does I/O.

mod algorithm;
mod cbc;
mod cipher;
mod data_key;
mod description;
mod double_encoding;
mod engine;
mod header;
mod keyring;
mod metadata;
mod policy;
mod range;

pub use algorithm::{ContentAlgorithm, FormatVersion, WrapAlgorithm};
pub use cipher::{Builder, ContentOpener, Request, S3ec, Sealed};
pub use data_key::DataKey;
pub use description::Description;
pub use header::{EncryptedDataKey, Header};
#[cfg(feature = "rsa")]
pub use keyring::RsaKeyring;
pub use keyring::{
    AesKeyring, DescribedKeyrings, KeyRequest, Keyring, KmsDiscoveryKeyring, KmsKeyring,
};
pub use metadata::{
    Found, INSTRUCTION_SUFFIX, InstructionFile, MAX_INSTRUCTION_FILE_LEN, METADATA_PREFIX, Partial,
    is_reserved_name,
};
pub use policy::CommitmentPolicy;
pub use range::{UnauthenticatedOpener, UnauthenticatedRanges};

/// The pair of an encryption context by which a KMS binds the content's algorithm.
const CEK_ALGORITHM_PAIR: &str = "aws:x-amz-cek-alg";
/// The pair that legacy clients put into the encryption context.
const LEGACY_KEY_ID_PAIR: &str = "kms_cmk_id";
