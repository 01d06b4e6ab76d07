//! Unwrapping by the wrapped bytes alone: [`KmsDiscovery`].

use object_cipher_core::{BoxFuture, EncryptionContext};

use crate::{KmsCall, KmsResult, Unwrapped};

/// What some KMSs do beside [`Kms`](crate::Kms): find out by the wrapped bytes themselves which of their
/// keys wrapped them. Only formats of others need it: an Envelope names its key.
///
/// # Security
/// Whoever stores the wrapped bytes chooses the key. No [`Stack`](crate::Stack) is around it: look at the
/// key that is answered before the data key is used.
pub trait KmsDiscovery: Send + Sync {
    /// The data key that was wrapped, under the same context, and by which key.
    ///
    /// # Errors
    /// [`KeyErrorKind::Integrity`](object_cipher_core::KeyErrorKind::Integrity) when blob or context are not
    /// what was wrapped; the KMS's.
    fn discover<'a>(&'a self, rq: Discover<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>>;
}

/// Asks for a wrapped data key without a word on what wrapped it.
#[derive(Clone, Debug)]
pub struct Discover<'a> {
    /// The KMS's own bytes.
    pub ciphertext: &'a [u8],
    /// What was bound to it.
    pub context: &'a EncryptionContext,
    /// On whose behalf.
    pub call: KmsCall<'a>,
}
