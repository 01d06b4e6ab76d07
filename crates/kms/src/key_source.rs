//! A KMS as a source of the keys that wrap data keys: [`KmsKeys`].

use std::{fmt, sync::Arc};

use object_cipher_core::{
    BoxFuture, EncryptionContext, Envelope, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef,
    KeySource, Mode, ObjectContext, Result, SourceKey,
};

use crate::{
    BucketKeys, Generate, KeyName, Kms, KmsCall, KmsResult, Rewrap, Unwrap, WrappedKey, bucket_arn,
    bucket_context,
    kms::{is_drawn, no_data_key, other_key},
};

/// KMS data keys, or Bucket Keys: what SSE-KMS, DSSE-KMS and client-side encryption wrap data keys
/// with.
///
/// The object's encryption context, which is the whole one
/// ([`effective_context`](crate::effective_context)), goes to the KMS as it is. Of objects under a
/// Bucket Key the KMS sees the bucket's ARN alone.
///
/// What the KMS answers is not believed: that the key is the one that was asked for, or that is
/// stored, and that a new data key may have been drawn, is checked here whatever the provider. Which
/// key an alias means, a [`Stack`](crate::Stack) asks first.
#[derive(Clone)]
pub struct KmsKeys {
    kms: Arc<dyn Kms>,
    key: KeyName,
    mode: Mode,
    bucket_keys: Option<Arc<BucketKeys>>,
}

impl KmsKeys {
    /// Data keys under a key, for objects of a mode. Objects under other keys of the KMS are opened
    /// too.
    pub fn new(kms: Arc<dyn Kms>, key: KeyName, mode: Mode) -> Self {
        Self { kms, key, mode, bucket_keys: None }
    }

    /// New objects get their wraps from Bucket Keys. SSE-KMS only.
    #[must_use]
    pub fn with_bucket_keys(mut self, keys: Arc<BucketKeys>) -> Self {
        self.bucket_keys = Some(keys);
        self
    }

    fn call<'a>(&self, cx: &ObjectContext<'a>) -> KmsCall<'a> {
        KmsCall::of(cx.call(), self.mode)
    }

    async fn fresh_key(&self, cx: &ObjectContext<'_>) -> Result<FreshKey> {
        let nothing = EncryptionContext::new();
        let context = cx.encryption_context().unwrap_or(&nothing);
        let (key, call, bucket_key) = (&self.key, self.call(cx), self.bucket_keys.is_some());
        let made = match &self.bucket_keys {
            Some(keys) => keys.get(cx.realm(), &bucket_of(cx), key, &call).await?,
            None => self.kms.generate(Generate { key, context, call }).await?,
        };
        let id = made.wrapped.id();
        if !self.key.admits(id) {
            return Err(other_key(id).into());
        }
        if !is_drawn(made.key.expose_bytes()) {
            return Err(no_data_key().into());
        }
        let id = id.as_str().to_owned();
        let key_ref = if bucket_key { KeyRef::BucketKey(id) } else { KeyRef::Kms(id) };
        Ok(FreshKey { key: made.key, key_ref, blob: made.wrapped.blob().clone() })
    }

    async fn recovered_key(
        &self,
        cx: &ObjectContext<'_>,
        key_ref: &KeyRef,
        blob: &KeyBlob,
    ) -> Result<Arc<SourceKey>> {
        let stored = stored(cx, key_ref, blob)?;
        let call = KmsCall { bucket_key: stored.bucket_key, ..self.call(cx) };
        let rq = Unwrap { wrapped: &stored.wrapped, context: &stored.context, call };
        let opened = self.kms.unwrap(rq).await?;
        if opened.id != *stored.wrapped.id() {
            return Err(other_key(&opened.id).into());
        }
        Ok(opened.key)
    }
}

/// Lets the KMS wrap the keys of an Envelope under the current version of their key, under the same
/// context. Where the KMS can do that itself, no key is seen, and one call a layer is made. None when
/// they are under it already.
///
/// The body, and all of the Envelope but the blobs, stay.
///
/// # Errors
/// [`Error::Key`](object_cipher_core::Error::Key) with the KMS's; with [`KeyErrorKind::Invalid`] for an Envelope under no KMS.
pub async fn rewrap_blobs(
    kms: &dyn Kms,
    cx: &ObjectContext<'_>,
    envelope: &Envelope,
) -> Result<Option<Envelope>> {
    let (mut blobs, mut changed) = (Vec::new(), false);
    for layer in envelope.layers() {
        let stored = stored(cx, layer.key_ref(), layer.blob())?;
        let call =
            KmsCall { bucket_key: stored.bucket_key, ..KmsCall::of(cx.call(), envelope.mode()) };
        let rq = Unwrap { wrapped: &stored.wrapped, context: &stored.context, call };
        blobs.push(match kms.rewrap(rq).await? {
            Rewrap::Unchanged => layer.blob().clone(),
            Rewrap::Rewrapped(now) if now.id() == stored.wrapped.id() => {
                changed = true;
                now.blob().clone()
            }
            Rewrap::Rewrapped(now) => return Err(other_key(now.id()).into()),
        });
    }
    if changed { envelope.with_blobs(&blobs).map(Some) } else { Ok(None) }
}

impl KeySource for KmsKeys {
    fn fresh<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(self.fresh_key(cx))
    }

    fn recover<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        blob: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(self.recovered_key(cx, key_ref, blob))
    }
}

impl fmt::Debug for KmsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsKeys").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A layer's wrapped key, and the context it is under at the KMS.
struct Stored {
    wrapped: WrappedKey,
    context: EncryptionContext,
    bucket_key: bool,
}

fn stored(cx: &ObjectContext<'_>, key_ref: &KeyRef, blob: &KeyBlob) -> KmsResult<Stored> {
    let nothing = EncryptionContext::new();
    let context = cx.encryption_context().unwrap_or(&nothing);
    let (id, context, bucket_key) = match key_ref {
        KeyRef::Kms(id) => (id, context.clone(), false),
        KeyRef::BucketKey(id) => (id, bucket_context(&bucket_of(cx))?, true),
        _ => {
            let message = "the object was not wrapped under a key of a KMS";
            return Err(KeyError::new(KeyErrorKind::Invalid, message));
        }
    };
    Ok(Stored { wrapped: WrappedKey::stored(id, blob)?, context, bucket_key })
}

/// The ARN of the object's bucket. S3's names are plain; of others, what no context can hold is
/// percent-encoded. The object's wrap binds the name as it is.
fn bucket_of(cx: &ObjectContext<'_>) -> String {
    let mut name = String::new();
    for chunk in cx.bucket().utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\0' => name.push_str("%00"),
                character => name.push(character),
            }
        }
        name.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02X}")));
    }
    bucket_arn(&name)
}
