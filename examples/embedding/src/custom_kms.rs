//! A KMS of one's own: [`DrawerKms`].

use std::future::ready;

use object_cipher::{
    AwsLc, BoxFuture, CryptoBackend as _, KeyError, KeyErrorKind, SourceKey, cobblestone,
    kms::{
        Capabilities, DataKey, Describe, Encrypt, Generate, KeyId, KeyInfo, KeyState, Kms,
        KmsResult, Rewrap, Unwrap, Unwrapped, WrappedKey, context_bytes, data_key,
    },
};
use zeroize::Zeroizing;

/// A KMS whose keys lie in a drawer: by name, in memory, without versions.
///
/// Behind the same five methods may stand any service. Time-outs, retries, caches, authorisation and
/// audit are put around it by `object_cipher::kms::Stack`.
#[derive(Default)]
pub struct DrawerKms {
    keys: Vec<(KeyId, Zeroizing<[u8; 32]>)>,
}

impl DrawerKms {
    /// Puts a new key into the drawer, as `drawer:NAME`.
    ///
    /// # Errors
    /// When the name is none, or there is no randomness.
    pub fn with_key(mut self, name: &str) -> KmsResult<Self> {
        let mut key = Zeroizing::new([0; 32]);
        AwsLc.random(&mut *key).map_err(|error| internal(&error))?;
        self.keys.push((KeyId::new(format!("drawer:{name}"))?, key));
        Ok(self)
    }

    /// A key by its name, or by the id that objects keep.
    fn find(&self, name: &str) -> KmsResult<(&KeyId, &[u8; 32])> {
        let named =
            |id: &KeyId| id.as_str() == name || id.as_str().strip_prefix("drawer:") == Some(name);
        let found = self.keys.iter().find(|(id, _)| named(id));
        let missing =
            || KeyError::new(KeyErrorKind::NotFound, "there is no such key in the drawer");
        found.map(|(id, key)| (id, &**key)).ok_or_else(missing)
    }

    fn wrap(&self, rq: &Encrypt<'_>) -> KmsResult<WrappedKey> {
        let (id, key) = self.find(rq.key.as_str())?;
        // The context is bound by the wrap: under another one it does not open.
        let (context, plain) = (context_bytes(rq.context), rq.data_key.expose_bytes());
        let blob = cobblestone::seal_message(&AwsLc, key, &[&context], plain);
        WrappedKey::new(id.clone(), "", &blob.map_err(|error| internal(&error))?)
    }

    fn open(&self, rq: &Unwrap<'_>) -> KmsResult<Unwrapped> {
        let (id, key) = self.find(rq.wrapped.id().as_str())?;
        let (context, blob) = (context_bytes(rq.context), rq.wrapped.ciphertext());
        let opened = cobblestone::open_message(&AwsLc, key, &[&context], blob);
        let altered =
            |_| KeyError::new(KeyErrorKind::Integrity, "blob or context are not what was wrapped");
        Ok(Unwrapped { key: data_key(&opened.map_err(altered)?)?, id: id.clone() })
    }
}

impl Kms for DrawerKms {
    fn provider(&self) -> &'static str {
        "drawer"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side_rewrap: false, tells_version: false, max_context_len: 8_192 }
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        now(SourceKey::try_fill(|bytes| AwsLc.random(bytes))
            .map_err(|error| internal(&error))
            .and_then(|key| {
                let Generate { key: name, context, call } = rq;
                let wrapped = self.wrap(&Encrypt { key: name, data_key: &key, context, call })?;
                Ok(DataKey { key, wrapped })
            }))
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        now(self.open(&rq))
    }

    /// There is one version of a key, so what opens is under the current one.
    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        now(self.open(&rq).map(|_| Rewrap::Unchanged))
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        let found = self.find(rq.key.as_str());
        now(found.map(|(id, _)| KeyInfo::new(id.clone(), KeyState::Enabled)))
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        now(self.wrap(&rq))
    }
}

/// An answer that is at hand.
fn now<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, T> {
    Box::pin(ready(answer))
}

fn internal(error: &dyn std::fmt::Display) -> KeyError {
    KeyError::new(KeyErrorKind::Internal, error.to_string())
}
