//! Who may use which key: [`Authorize`].

use std::fmt;

use object_cipher_core::{BoxFuture, EncryptionContext, KeyError, KeyErrorKind};

use crate::{
    Capabilities, DataKey, Describe, Encrypt, Generate, KeyId, KeyInfo, KeyName, KeyNameKind, Kms,
    KmsCall, KmsResult, Operation, Rewrap, Unwrap, Unwrapped, WrappedKey, kms::other_key,
};

/// The host's say in who may use which key.
pub trait Authorizer: Send + Sync {
    /// Whether the call may go on. `key` is the key that will be used, as the KMS resolved it, never
    /// an alias. Neither cache nor KMS has been asked for anything yet but which key a name means, where
    /// it is not an ARN.
    ///
    /// # Errors
    /// What the caller is told: [`denied`] makes it.
    fn authorize(
        &self,
        operation: Operation,
        key: &KeyId,
        context: Option<&EncryptionContext>,
        call: &KmsCall<'_>,
    ) -> KmsResult<()>;
}

/// Lets everybody use every key: the KMS's own policies are enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

/// Asks the host before anything else is asked, also before a cache, but for what a name means.
pub struct Authorize<K, A> {
    inner: K,
    authorizer: A,
}

/// The error of who may not use a key.
pub fn denied(key: &KeyId, call: &KmsCall<'_>) -> KeyError {
    let who = call.principal.unwrap_or("an unnamed principal");
    KeyError::new(KeyErrorKind::Denied, format!("{who} may not use the key {key}"))
        .with_code("AccessDeniedException")
}

impl<K: Kms, A: Authorizer> Authorize<K, A> {
    /// Over a KMS.
    pub fn new(inner: K, authorizer: A) -> Self {
        Self { inner, authorizer }
    }

    /// The key that a name means: what is authorised is what is used, whatever becomes of an alias
    /// meanwhile.
    async fn resolve(&self, name: &KeyName, call: &KmsCall<'_>) -> KmsResult<KeyId> {
        if name.kind() == KeyNameKind::Arn {
            return KeyId::new(name.as_str());
        }
        Ok(self.inner.describe(Describe { key: name, call: call.clone() }).await?.id)
    }

    fn admit(
        &self,
        operation: Operation,
        key: &KeyId,
        context: Option<&EncryptionContext>,
        call: &KmsCall<'_>,
    ) -> KmsResult<()> {
        call.note(|noted| noted.key = Some(key.clone()));
        self.authorizer.authorize(operation, key, context, call)
    }

    async fn named(
        &self,
        operation: Operation,
        name: &KeyName,
        context: &EncryptionContext,
        call: &KmsCall<'_>,
    ) -> KmsResult<KeyName> {
        let key = self.resolve(name, call).await?;
        // Of what the name means, not of the call itself.
        call.note(|noted| noted.cache_hit = false);
        self.admit(operation, &key, Some(context), call)?;
        Ok(KeyName::from(&key))
    }
}

impl<K: Kms, A: Authorizer> Kms for Authorize<K, A> {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    fn provider_of(&self, key: &str) -> &str {
        self.inner.provider_of(key)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        Box::pin(async move {
            let key = self.named(Operation::Generate, rq.key, rq.context, &rq.call).await?;
            let made = self.inner.generate(Generate { key: &key, ..rq }).await?;
            expect(&key, made.wrapped.id()).map(|()| made)
        })
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        Box::pin(async move {
            self.admit(Operation::Unwrap, rq.wrapped.id(), Some(rq.context), &rq.call)?;
            self.inner.unwrap(rq).await
        })
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        Box::pin(async move {
            self.admit(Operation::Rewrap, rq.wrapped.id(), Some(rq.context), &rq.call)?;
            self.inner.rewrap(rq).await
        })
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        Box::pin(async move {
            let call = rq.call.clone();
            let info = self.inner.describe(rq).await?;
            self.admit(Operation::Describe, &info.id, None, &call)?;
            Ok(info)
        })
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        Box::pin(async move {
            let key = self.named(Operation::Encrypt, rq.key, rq.context, &rq.call).await?;
            let wrapped = self.inner.encrypt(Encrypt { key: &key, ..rq }).await?;
            expect(&key, wrapped.id()).map(|()| wrapped)
        })
    }
}

/// Whether the KMS used the key that was authorised.
fn expect(authorized: &KeyName, used: &KeyId) -> KmsResult<()> {
    if authorized.admits(used) { Ok(()) } else { Err(other_key(used)) }
}

impl Authorizer for AllowAll {
    fn authorize(
        &self,
        _: Operation,
        _: &KeyId,
        _: Option<&EncryptionContext>,
        _: &KmsCall<'_>,
    ) -> KmsResult<()> {
        Ok(())
    }
}

impl<A: Authorizer + ?Sized> Authorizer for std::sync::Arc<A> {
    fn authorize(
        &self,
        operation: Operation,
        key: &KeyId,
        context: Option<&EncryptionContext>,
        call: &KmsCall<'_>,
    ) -> KmsResult<()> {
        (**self).authorize(operation, key, context, call)
    }
}

impl<K, A> fmt::Debug for Authorize<K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorize").finish_non_exhaustive()
    }
}
