//! The mode itself: [`SseS3`].

use std::sync::Arc;

use object_cipher_core::{CryptoBackend, LayeredCipher, forward_object_cipher};
use object_cipher_keyring::VersionedKeys;

use crate::MasterKeys;

/// SSE-S3: objects under the server's master keyring. An
/// [`ObjectCipher`](object_cipher_core::ObjectCipher).
///
/// Clones share the keyring. Its futures are ready at once.
#[derive(Clone, Debug)]
pub struct SseS3(LayeredCipher<MasterKeys>);

impl SseS3 {
    /// SSE-S3 under a keyring, by one cryptographic library. See [`MasterKeys::new`] for what
    /// serves as a keyring.
    pub fn new<B: CryptoBackend>(keys: Arc<dyn VersionedKeys>, backend: B) -> Self {
        Self(LayeredCipher::sse_s3(MasterKeys::new(keys), backend))
    }
}

forward_object_cipher!([] SseS3, cipher => &cipher.0);
