//! The mode itself: [`SseKms`].

use std::sync::Arc;

use object_cipher_core::{CryptoBackend, LayeredCipher, Mode, forward_object_cipher};
use object_cipher_kms::{BucketKeys, KeyName, Kms, KmsKeys};

/// SSE-KMS: objects under data keys or Bucket Keys of a KMS. An
/// [`ObjectCipher`](object_cipher_core::ObjectCipher).
///
/// The object's context has to hold the whole encryption context
/// ([`effective_context`](object_cipher_kms::effective_context)), for as long as the object lives:
/// seal and open take it from there. Who asks, the request's id and its deadline come from
/// [`Call`](object_cipher_core::Call).
///
/// Making one is cheap: a server makes one for each request, over a KMS that all share.
#[derive(Clone, Debug)]
pub struct SseKms(LayeredCipher<KmsKeys>);

impl SseKms {
    /// New objects get a data key each, under `key`: one call of the KMS, and one when it is opened.
    /// Opens objects under any key of the KMS, also those under Bucket Keys.
    pub fn new<B: CryptoBackend>(kms: Arc<dyn Kms>, key: KeyName, backend: B) -> Self {
        Self(LayeredCipher::sse_kms(KmsKeys::new(kms, key, Mode::SseKms), backend))
    }

    /// New objects get their wraps from Bucket Keys: most are written and read without a call.
    pub fn with_bucket_keys<B: CryptoBackend>(
        kms: Arc<dyn Kms>,
        key: KeyName,
        bucket_keys: Arc<BucketKeys>,
        backend: B,
    ) -> Self {
        let keys = KmsKeys::new(kms, key, Mode::SseKms).with_bucket_keys(bucket_keys);
        Self(LayeredCipher::sse_kms(keys, backend))
    }
}

forward_object_cipher!([] SseKms, cipher => &cipher.0);
