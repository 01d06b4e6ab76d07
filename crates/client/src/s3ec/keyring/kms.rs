//! Keys of a KMS: [`KmsKeyring`], [`KmsDiscoveryKeyring`].

use std::{fmt, future, sync::Arc};

use object_cipher_core::{BoxFuture, EncryptionContext, KeyError, KeyErrorKind};
use object_cipher_kms::{
    Describe, Discover, Generate, KeyId, KeyName, KeyNameKind, Kms, KmsCall, KmsDiscovery, Unwrap,
    WrappedKey,
};

use super::{KeyRequest, Keyring};
use crate::{
    Error, Result,
    s3ec::{
        CEK_ALGORITHM_PAIR, DataKey, Description, EncryptedDataKey, LEGACY_KEY_ID_PAIR,
        WrapAlgorithm,
    },
};

/// Data keys of a KMS: of AWS KMS for objects that the other clients read, of any
/// [`Kms`](object_cipher_kms::Kms) otherwise.
///
/// The encryption context is stored beside the wrapped key, in clear, and readers have to give it too.
#[derive(Clone)]
pub struct KmsKeyring {
    kms: Arc<dyn Kms>,
    key: KeyName,
}

impl KmsKeyring {
    /// Wraps under a key of a KMS, and unwraps what this key has wrapped.
    pub fn new(kms: Arc<dyn Kms>, key: KeyName) -> Self {
        Self { kms, key }
    }

    async fn generate_now(&self, rq: &KeyRequest<'_>) -> Result<(DataKey, EncryptedDataKey)> {
        let context = stored_context(rq)?;
        let asked = Generate { key: &self.key, context: &context, call: rq.call.clone() };
        let made = self.kms.generate(asked).await?;
        if !self.key.admits(made.wrapped.id()) {
            return Err(other_key().into());
        }
        let data_key = DataKey::from_slice(made.key.expose_bytes())?;
        let bytes = made.wrapped.ciphertext().to_vec();
        let wrap = Some(WrapAlgorithm::KmsContext);
        Ok((data_key, EncryptedDataKey { wrap, bytes, description: (&context).into() }))
    }

    async fn unwrap_now(
        &self,
        rq: &KeyRequest<'_>,
        wrap: WrapAlgorithm,
        key: &EncryptedDataKey,
    ) -> Result<DataKey> {
        let context = checked_context(rq, wrap, &key.description)?;
        let wrapped = WrappedKey::new(self.id(&rq.call).await?, "", &key.bytes)?;
        let asked = Unwrap { wrapped: &wrapped, context: &context, call: rq.call.clone() };
        let opened = self.kms.unwrap(asked).await?;
        if !self.key.admits(&opened.id) {
            return Err(other_key().into());
        }
        DataKey::from_slice(opened.key.expose_bytes())
    }

    /// The key, as a KMS is asked to unwrap by it: what a name other than an ARN means, it says itself.
    async fn id(&self, call: &KmsCall<'_>) -> Result<KeyId> {
        if self.key.kind() == KeyNameKind::Arn {
            return Ok(KeyId::new(self.key.as_str())?);
        }
        let asked = Describe { key: &self.key, call: call.clone() };
        Ok(self.kms.describe(asked).await?.id)
    }
}

impl Keyring for KmsKeyring {
    fn unwraps_by(&self, wrap: Option<WrapAlgorithm>, _: &Description) -> Option<WrapAlgorithm> {
        wrap.filter(|wrap| wrap.is_kms())
    }

    fn generate<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
    ) -> BoxFuture<'a, Result<(DataKey, EncryptedDataKey)>> {
        Box::pin(self.generate_now(rq))
    }

    fn unwrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        wrap: WrapAlgorithm,
        key: &'a EncryptedDataKey,
    ) -> BoxFuture<'a, Result<DataKey>> {
        Box::pin(self.unwrap_now(rq, wrap, key))
    }
}

/// Any key of a KMS that tells by the wrapped data key alone which one wrapped it: for readers of objects
/// under keys of several hands. It wraps nothing.
///
/// # Security
/// Whoever can write the bucket chooses the key, among those that `allowed` lets pass and the KMS lets this
/// program use.
#[derive(Clone)]
pub struct KmsDiscoveryKeyring {
    kms: Arc<dyn KmsDiscovery>,
    allowed: Arc<dyn Fn(&KeyId) -> bool + Send + Sync>,
}

impl KmsDiscoveryKeyring {
    /// Unwraps what any key that `allowed` lets pass has wrapped: go by account and region of its
    /// [ARN](KeyId::arn). It is asked once the KMS has answered.
    pub fn new(
        kms: Arc<dyn KmsDiscovery>,
        allowed: impl Fn(&KeyId) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { kms, allowed: Arc::new(allowed) }
    }

    async fn unwrap_now(
        &self,
        rq: &KeyRequest<'_>,
        wrap: WrapAlgorithm,
        key: &EncryptedDataKey,
    ) -> Result<DataKey> {
        let context = checked_context(rq, wrap, &key.description)?;
        let (ciphertext, context) = (&*key.bytes, &context);
        let asked = Discover { ciphertext, context, call: rq.call.clone() };
        let opened = self.kms.discover(asked).await?;
        if !(self.allowed)(&opened.id) {
            let message = "the data key is wrapped by a key that is not allowed";
            return Err(KeyError::new(KeyErrorKind::Denied, message).into());
        }
        DataKey::from_slice(opened.key.expose_bytes())
    }
}

impl Keyring for KmsDiscoveryKeyring {
    fn unwraps_by(&self, wrap: Option<WrapAlgorithm>, _: &Description) -> Option<WrapAlgorithm> {
        wrap.filter(|wrap| wrap.is_kms())
    }

    fn generate<'a>(
        &'a self,
        _: &'a KeyRequest<'a>,
    ) -> BoxFuture<'a, Result<(DataKey, EncryptedDataKey)>> {
        let refused = Error::Unsupported("a keyring that discovers keys wraps none");
        Box::pin(future::ready(Err(refused)))
    }

    fn unwrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        wrap: WrapAlgorithm,
        key: &'a EncryptedDataKey,
    ) -> BoxFuture<'a, Result<DataKey>> {
        Box::pin(self.unwrap_now(rq, wrap, key))
    }
}

impl fmt::Debug for KmsDiscoveryKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsDiscoveryKeyring").finish_non_exhaustive()
    }
}

impl fmt::Debug for KmsKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsKeyring").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The request's context, and the content's algorithm.
fn stored_context(rq: &KeyRequest<'_>) -> Result<EncryptionContext> {
    let mut context = rq.context.cloned().unwrap_or_default();
    if [CEK_ALGORITHM_PAIR, LEGACY_KEY_ID_PAIR].iter().any(|key| context.get(key).is_some()) {
        return Err(Error::Configuration(
            "`aws:x-amz-cek-alg` and `kms_cmk_id` are the S3 Encryption Client's to set",
        ));
    }
    context
        .insert_reserved(CEK_ALGORITHM_PAIR, rq.content.name())
        .map_err(object_cipher_core::Error::from)?;
    Ok(context)
}

/// The stored context, once it is what the request says and what the client itself adds. No subset will
/// do.
fn checked_context(
    rq: &KeyRequest<'_>,
    wrap: WrapAlgorithm,
    stored: &Description,
) -> Result<EncryptionContext> {
    if !wrap.is_kms() {
        return Err(Error::OtherKeyring(wrap));
    }
    if wrap == WrapAlgorithm::Kms {
        rq.refuse_context(wrap)?;
        return stored.to_context();
    }
    let of_client =
        |(key, _): &(&str, &str)| [CEK_ALGORITHM_PAIR, LEGACY_KEY_ID_PAIR].contains(key);
    let of_request = stored.iter().filter(|pair| !of_client(pair));
    let given = rq.context.into_iter().flat_map(EncryptionContext::iter);
    if of_request.eq(given) { stored.to_context() } else { Err(Error::Context) }
}

fn other_key() -> KeyError {
    KeyError::new(KeyErrorKind::Internal, "the KMS answered with another key than it was asked for")
}
