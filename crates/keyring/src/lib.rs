#![doc = include_str!("../README.md")]

mod builder;
mod counter;
mod disk;
mod error;
mod file;
mod keyring;
mod private_file;
mod record;
mod rotation;
mod secret;
mod shared;
mod unlock;

pub mod format;

pub use builder::KeyringBuilder;
pub use counter::{MAX_WRAPS, WRAP_BLOCK};
pub use disk::WriterLock;
pub use error::{Error, Result, WeakKey};
pub use file::KeyringFile;
pub use keyring::{Keyring, MAX_VERSIONS, MasterKey, VersionInfo};
pub use private_file::PrivateFile;
pub use record::VersionState;
pub use rotation::RotationPolicy;
pub use secret::SecretBytes;
pub use shared::{SharedKeyring, VersionedKeys};
pub use unlock::{Argon2Params, Unlock};
