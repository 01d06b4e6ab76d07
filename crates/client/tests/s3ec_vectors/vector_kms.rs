//! A KMS that knows the vectors' wrapped keys: [`VectorKms`].

use std::{collections::HashMap, future, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_core::{BoxFuture, EncryptionContext, KeyError, KeyErrorKind, SourceKey};
use object_cipher_kms::{
    Capabilities, DataKey, Describe, Encrypt, Generate, KeyInfo, Kms, KmsResult, Rewrap, Unwrap,
    Unwrapped, WrappedKey,
};

use crate::schema::{Vector, WrappedBlob, context_of, key_bytes};

/// Unwraps the same bytes under the same key and context, and nothing else.
#[derive(Default)]
pub(crate) struct VectorKms(HashMap<Vec<u8>, Known>);

struct Known {
    key_id: String,
    context: EncryptionContext,
    data_key: Arc<SourceKey>,
}

impl VectorKms {
    pub(crate) fn learn(&mut self, vector: &Vector) {
        if let Some((blob, data_key)) =
            vector.key.blob.as_ref().zip(vector.key.data_key_hex.as_ref())
        {
            self.learn_blob(blob, data_key);
        }
        for extra in &vector.kms_extra {
            self.learn_blob(&extra.blob, &extra.data_key_hex);
        }
    }

    fn learn_blob(&mut self, blob: &WrappedBlob, data_key: &str) {
        let known = Known {
            key_id: blob.key_id.clone(),
            context: context_of(&blob.kms_encryption_context),
            data_key: SourceKey::from_bytes(&key_bytes(data_key)),
        };
        self.0.insert(STANDARD.decode(&blob.ciphertext_blob_b64).unwrap(), known);
    }

    fn unwrap_now(&self, rq: &Unwrap<'_>) -> KmsResult<Unwrapped> {
        let id = rq.wrapped.id();
        self.0
            .get(rq.wrapped.ciphertext())
            .filter(|known| known.key_id == id.as_str() && known.context == *rq.context)
            .map(|known| Unwrapped { key: Arc::clone(&known.data_key), id: id.clone() })
            .ok_or_else(|| KeyError::new(KeyErrorKind::Integrity, "InvalidCiphertextException"))
    }
}

fn unsupported<'a, T: Send + 'a>() -> BoxFuture<'a, KmsResult<T>> {
    let error = KeyError::new(KeyErrorKind::Unsupported, "the vectors are read only");
    Box::pin(future::ready(Err(error)))
}

impl Kms for VectorKms {
    fn provider(&self) -> &'static str {
        "vectors"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side_rewrap: false, tells_version: false, max_context_len: 8_192 }
    }

    fn generate<'a>(&'a self, _: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        unsupported()
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        Box::pin(future::ready(self.unwrap_now(&rq)))
    }

    fn rewrap<'a>(&'a self, _: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        unsupported()
    }

    fn describe<'a>(&'a self, _: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        unsupported()
    }

    fn encrypt<'a>(&'a self, _: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        unsupported()
    }
}
