//! Words, formats and traits of object-cipher.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod backend;
mod context;
mod encryption_context;
mod error;
mod key_ref;
mod mode;
mod secret;
mod source;
mod source_key;

pub mod cobblestone;

pub use backend::{Aes256Gcm, BackendError, CryptoBackend, Lineage};
pub use context::{Bound, Call, ObjectContext};
pub use encryption_context::{
    EncryptionContext, EncryptionContextError, MAX_ENCRYPTION_CONTEXT_LEN,
};
pub use error::{
    Error, Fault, IdentityItem, Item, KeyError, KeyErrorKind, PartFault, PartTableFault, Result,
    State, Step,
};
pub use key_ref::{
    EkSource, KeyBlob, KeyRef, KeyringId, MAX_KEY_BLOB_LEN, MAX_KEY_REF_LEN, MasterKeyRef,
};
pub use mode::{Mode, ObjectId, Suite};
pub use source::{BoxFuture, FreshKey, KeySource};
pub use source_key::SourceKey;
