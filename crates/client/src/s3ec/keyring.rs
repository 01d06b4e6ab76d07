//! Who wraps data keys: [`Keyring`].

use std::sync::Arc;

use object_cipher_core::{BoxFuture, EncryptionContext};
use object_cipher_kms::KmsCall;

use super::{
    ContentAlgorithm, DataKey, Description, EncryptedDataKey, WrapAlgorithm, engine::Engine,
};
use crate::{Error, Result};

mod aes;
mod described;
mod kms;
#[cfg(feature = "rsa")]
mod rsa;

pub use aes::AesKeyring;
pub use described::DescribedKeyrings;
pub use kms::{KmsDiscoveryKeyring, KmsKeyring};
#[cfg(feature = "rsa")]
pub use rsa::RsaKeyring;

/// Wraps and unwraps data keys: raw AES and RSA keys, keys of a KMS, or your own.
///
/// Whether a legacy wrap may be used, whether the policy allows the content, and whether the stored
/// description names the content's algorithm, is settled before a keyring is asked; that the data key
/// is the one the content commits to, after.
pub trait Keyring: Send + Sync {
    /// How this keyring unwraps what is wrapped by `wrap` and so described: by `wrap`, or in V1, which
    /// does not say, by its own kind of key. None if it cannot.
    fn unwraps_by(
        &self,
        wrap: Option<WrapAlgorithm>,
        description: &Description,
    ) -> Option<WrapAlgorithm>;

    /// A new data key, in clear and wrapped.
    ///
    /// # Errors
    /// [`Error::ContextNotBound`] for an encryption context that it cannot bind; those of its keys.
    fn generate<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
    ) -> BoxFuture<'a, Result<(DataKey, EncryptedDataKey)>>;

    /// The data key that was wrapped by `wrap`, which is what [`Keyring::unwraps_by`] gave.
    ///
    /// # Errors
    /// [`Error::Unwrap`] whatever is wrong with the wrapped bytes; those of its keys.
    fn unwrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        wrap: WrapAlgorithm,
        key: &'a EncryptedDataKey,
    ) -> BoxFuture<'a, Result<DataKey>>;

    /// Wraps a data key that exists, to move an object to this keyring.
    ///
    /// # Errors
    /// [`Error::Unsupported`], as by default, when only new keys are wrapped.
    fn wrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        data_key: &'a DataKey,
    ) -> BoxFuture<'a, Result<EncryptedDataKey>> {
        let _ = (rq, data_key);
        let refused = Error::Unsupported(
            "this keyring cannot wrap a key that exists: take a raw AES or RSA keyring",
        );
        Box::pin(std::future::ready(Err(refused)))
    }
}

/// For which content, and on whose behalf, a keyring is asked.
pub struct KeyRequest<'a> {
    /// How the content is encrypted: what the wrap has to bind.
    pub content: ContentAlgorithm,
    /// The encryption context of the request.
    pub context: Option<&'a EncryptionContext>,
    /// On whose behalf a KMS is asked.
    pub call: KmsCall<'a>,
    pub(crate) engine: &'a dyn Engine,
}

impl KeyRequest<'_> {
    /// Fills `out` with random bytes of the client's library.
    ///
    /// # Errors
    /// [`Error::Core`] when there is no entropy.
    pub fn random(&self, out: &mut [u8]) -> Result<()> {
        Ok(self.engine.random(out)?)
    }

    /// A new data key.
    ///
    /// # Errors
    /// [`Error::Core`] when there is no entropy.
    pub fn new_data_key(&self) -> Result<DataKey> {
        let mut key = DataKey::zeroed();
        self.random(key.expose_mut())?;
        Ok(key)
    }

    /// Refuses an encryption context, for wraps that bind none.
    ///
    /// # Errors
    /// [`Error::ContextNotBound`] when there is one.
    pub fn refuse_context(&self, wrap: WrapAlgorithm) -> Result<()> {
        match self.context {
            Some(context) if !context.is_empty() => Err(Error::ContextNotBound(wrap)),
            _ => Ok(()),
        }
    }
}

/// A key that is at hand, so that nothing has to be waited for. Such a keyring wraps keys that exist as it
/// wraps new ones.
trait RawKey: Send + Sync {
    /// As [`Keyring::unwraps_by`], whatever the description.
    fn unwraps_by(&self, wrap: Option<WrapAlgorithm>) -> Option<WrapAlgorithm>;

    fn wrap(&self, rq: &KeyRequest<'_>, data_key: &DataKey) -> Result<EncryptedDataKey>;

    fn unwrap(&self, rq: &KeyRequest<'_>, wrap: WrapAlgorithm, wrapped: &[u8]) -> Result<DataKey>;
}

impl<R: RawKey> Keyring for R {
    fn unwraps_by(&self, wrap: Option<WrapAlgorithm>, _: &Description) -> Option<WrapAlgorithm> {
        RawKey::unwraps_by(self, wrap)
    }

    fn generate<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
    ) -> BoxFuture<'a, Result<(DataKey, EncryptedDataKey)>> {
        Box::pin(async move {
            let data_key = rq.new_data_key()?;
            let wrapped = RawKey::wrap(self, rq, &data_key)?;
            Ok((data_key, wrapped))
        })
    }

    fn unwrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        wrap: WrapAlgorithm,
        key: &'a EncryptedDataKey,
    ) -> BoxFuture<'a, Result<DataKey>> {
        Box::pin(async move { RawKey::unwrap(self, rq, wrap, &key.bytes) })
    }

    fn wrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        data_key: &'a DataKey,
    ) -> BoxFuture<'a, Result<EncryptedDataKey>> {
        Box::pin(async move { RawKey::wrap(self, rq, data_key) })
    }
}

impl<K: Keyring + ?Sized> Keyring for Arc<K> {
    fn unwraps_by(
        &self,
        wrap: Option<WrapAlgorithm>,
        description: &Description,
    ) -> Option<WrapAlgorithm> {
        (**self).unwraps_by(wrap, description)
    }

    fn generate<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
    ) -> BoxFuture<'a, Result<(DataKey, EncryptedDataKey)>> {
        (**self).generate(rq)
    }

    fn unwrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        wrap: WrapAlgorithm,
        key: &'a EncryptedDataKey,
    ) -> BoxFuture<'a, Result<DataKey>> {
        (**self).unwrap(rq, wrap, key)
    }

    fn wrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        data_key: &'a DataKey,
    ) -> BoxFuture<'a, Result<EncryptedDataKey>> {
        (**self).wrap(rq, data_key)
    }
}
