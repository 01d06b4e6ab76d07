#![doc = include_str!("../README.md")]

mod client_keys;
mod client_side;
mod keyring_keys;
mod own_format;

pub use client_keys::ClientKeys;
pub use client_side::ClientSide;
pub use keyring_keys::KeyringKeys;
pub use own_format::{
    COMPANION_PAIR_NAME, Companion, CompanionName, MAX_COMPANION_LEN, MAX_OBJECT_KEY_LEN,
    MAX_PAIR_LEN, OwnFormatError, StoredEnvelope,
};

mod error;

pub mod s3ec;

pub use error::{Error, MetadataFault, Result};
