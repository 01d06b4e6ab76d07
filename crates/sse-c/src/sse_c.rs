//! The mode itself: [`SseC`].

use object_cipher_core::{CryptoBackend, LayeredCipher, forward_object_cipher};
use object_cipher_s3::CustomerKey;

use crate::CustomerKeys;

/// SSE-C: objects under the key that a request brought. An
/// [`ObjectCipher`](object_cipher_core::ObjectCipher) for that request.
///
/// Its futures are ready at once. Clones share the key, which is wiped with the last of them.
#[derive(Clone, Debug)]
pub struct SseC(LayeredCipher<CustomerKeys>);

impl SseC {
    /// SSE-C under a customer's key, by one cryptographic library.
    pub fn new<B: CryptoBackend>(key: &CustomerKey, backend: B) -> Self {
        Self(LayeredCipher::sse_c(CustomerKeys::new(key), backend))
    }
}

forward_object_cipher!([] SseC, cipher => &cipher.0);
