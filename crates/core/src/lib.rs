#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod backend;
mod body_stream;
mod chunk_cipher;
mod context;
mod data_keys;
mod encryption_context;
mod envelope;
mod error;
mod headers;
mod info;
mod key_ref;
mod layered_cipher;
mod layout;
mod message_backend;
mod message_stream;
mod mode;
mod object_cipher;
mod opener;
mod part_table;
mod peeler;
mod per_layer;
mod read_plan;
mod reader;
mod receipt;
mod seal_chunks;
mod sealer;
mod secret;
mod source;
mod source_key;
mod stored_parts;
mod unit_stream;
mod upload;
mod wiped;
mod wrapping;

pub mod cobblestone;

pub use backend::{Aes256Gcm, BackendError, CryptoBackend, HkdfExpander, Lineage};
pub use body_stream::{BodyStream, OpenStream, SealStream};
pub use chunk_cipher::{ChunkOpener, ChunkSealer};
pub use context::{Bound, Call, ObjectContext};
pub use encryption_context::{
    EncryptionContext, EncryptionContextError, MAX_ENCRYPTION_CONTEXT_LEN,
};
pub use envelope::{ENVELOPE_PAIR_NAME, Envelope, LayerKey, MAX_ENVELOPE_LEN, WRAPPED_KEY_LEN};
pub use error::{
    Error, Fault, IdentityFault, IdentityItem, Item, KeyError, KeyErrorKind, PartFault,
    PartTableFault, Result, State, Step,
};
pub use headers::Headers;
pub use info::{
    Attributes, Checksum, ChecksumAlgorithm, ChecksumKind, ETag, MAX_PARTS, ObjectChecksum,
};
pub use key_ref::{
    EkSource, KeyBlob, KeyRef, KeyringId, MAX_KEY_BLOB_LEN, MAX_KEY_REF_LEN, MasterKeyRef,
};
pub use layered_cipher::{LayeredCipher, resolve_now};
pub use layout::Layout;
pub use message_backend::{MAX_MESSAGE_LEN, MessageBackend, MessageDecryptor, MessageEncryptor};
pub use message_stream::{OpenUnverified, OpenVerified, SealMessage, TailDecryptor};
pub use mode::{Mode, ObjectId, Suite};
pub use object_cipher::{Completion, ObjectCipher};
pub use opener::Opener;
pub use part_table::{PAGE_PARTS, PartEntry, PartPage, PartTable};
pub use peeler::{BodyPeeler, LayerPosition, Peeler, verify_layer_key};
pub use read_plan::{ReadPlan, ReadRange, Segment};
pub use receipt::{KeylessReceipts, MAX_RECEIPT_CHECKSUMS, PartReceipt};
pub use seal_chunks::SealChunks;
pub use sealer::{AnnouncedSealer, BodySealer, Sealer};
pub use source::{BoxFuture, FreshKey, KeySource};
pub use source_key::SourceKey;
pub use stored_parts::{Fetch, StoredParts};
pub use upload::{CompletedUpload, MAX_PART_LEN, PartSealer, StoredPart, Uploader};
