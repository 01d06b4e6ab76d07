//! What can go wrong in a store.

use std::error::Error as StdError;

use object_store::path::Path;

use super::BodyName;

/// The result of a store's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A bucket cannot have that name.
    #[error("a bucket cannot have that name")]
    BucketName,
    /// There is no such bucket.
    #[error("there is no such bucket")]
    NoSuchBucket,
    /// The bucket is there already.
    #[error("the bucket is there already")]
    BucketExists,
    /// The bucket has objects.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// An object cannot have that key.
    #[error("a key is 1 to 1,024 bytes without NUL")]
    Key,
    /// There is no such object.
    #[error("there is no such object")]
    NoSuchKey,
    /// There is no such upload.
    #[error("there is no such upload")]
    NoSuchUpload,
    /// A part is not there, or not the one that was named.
    #[error("part {0} is not there, or is another than the one named")]
    Part(u32),
    /// The parts are not in rising order.
    #[error("the parts are not in rising order")]
    PartOrder,
    /// A part other than the last has less than 5 MiB.
    #[error("part {0} is too small")]
    PartTooSmall(u32),
    /// A condition of the request does not hold.
    #[error("a condition does not hold")]
    Condition,
    /// What is stored is not what was sealed: sizes or metadata were changed.
    #[error("the stored {0} is not what was sealed")]
    Altered(&'static str),
    /// A record cannot be read.
    #[error("the record {path} is damaged")]
    Damaged {
        /// Where it is.
        path: Path,
        /// Why it cannot be read.
        #[source]
        error: serde_json::Error,
    },
    /// A body is not there. The record that names it may be stale.
    #[error("the body {0} is not there")]
    BodyGone(BodyName),
    /// The client's own stream failed.
    #[error("the request's body failed")]
    Source(#[source] Box<dyn StdError + Send + Sync>),
    /// The cipher refused.
    #[error(transparent)]
    Cipher(#[from] object_cipher_core::Error),
    /// The store below failed.
    #[error(transparent)]
    Store(#[from] object_store::Error),
    /// There was no randomness.
    #[error("no randomness: {0}")]
    Random(getrandom::Error),
}

impl Error {
    /// Whether a record is there that cannot be read.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Altered(_))
    }
}
