//! What can be wrong with what a bucket keeps beside a body: [`OwnFormatError`].

use object_cipher_core::{Fault, ObjectId};

/// Why metadata or a companion object was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnFormatError {
    /// The metadata has a pair of ours twice, perhaps in another case.
    #[error("the metadata pair {0} occurs more than once")]
    RepeatedPair(&'static str),
    /// The metadata holds an Envelope and names a companion too.
    #[error("the metadata holds an Envelope and names a companion object too")]
    TwoPlaces,
    /// The metadata names a companion by something else than an object id.
    #[error("the metadata does not name a companion object by 32 lower-case hexadecimal digits")]
    CompanionId,
    /// An Envelope is too long for S3's metadata.
    #[error("an Envelope and its pair's name have at most 2,048 bytes in an object's metadata")]
    MetadataTooLong,
    /// The object's key leaves no room for that of a companion.
    #[error("an object that comes in parts has a key of at most 977 bytes")]
    KeyTooLong,
    /// The object's key is a companion's, or empty.
    #[error("an object's key is neither empty nor that of a companion object")]
    ReservedKey,
    /// The companion's bytes are not in canonical form.
    #[error("the companion of object {object} {fault}")]
    Malformed {
        /// Whose companion was asked for.
        object: ObjectId,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The companion is another object's.
    #[error("the companion of object {object} is that of {found}")]
    Foreign {
        /// Whose companion was asked for.
        object: ObjectId,
        /// Whose it says it is.
        found: ObjectId,
    },
    /// The Envelope of an object in one piece stands in a companion, or one of an object in parts in
    /// the metadata.
    #[error("object {object}: the Envelope is not where one of its kind stands")]
    OtherPlace {
        /// Which object.
        object: ObjectId,
    },
    /// The Envelope, the part table or a length in them was refused.
    #[error(transparent)]
    Core(#[from] object_cipher_core::Error),
}
