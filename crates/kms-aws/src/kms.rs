//! AWS KMS as a provider: [`AwsKms`].

use std::{borrow::Cow, collections::HashMap, error, fmt, future::Future, sync::Arc};

use aws_sdk_kms::{
    Client,
    config::ProvideCredentials,
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
    primitives::Blob,
    types::{DataKeySpec, KeyMetadata, KeySpec, KeyState as AwsKeyState},
};
use object_cipher_core::{BoxFuture, EncryptionContext, KeyError, KeyErrorKind, SourceKey};
use object_cipher_kms::{
    Capabilities, DataKey, Describe, Discover, Encrypt, Generate, KeyId, KeyInfo, KeyName,
    KeyState, Kms, KmsCall, KmsDiscovery, KmsResult, Rewrap, Unwrap, Unwrapped, WrappedKey,
    data_key,
};
use zeroize::Zeroizing;

use crate::{Result, Timeouts, client, fault};

/// AWS KMS, or what speaks as it does.
///
/// Keys are stored as the ARNs that KMS answers, and every answer has to name the key that was
/// asked for. The version of a key is KMS's `KeyMaterialId`.
///
/// Its futures need tokio's runtime, with time and I/O.
#[derive(Clone)]
pub struct AwsKms {
    client: Client,
    region: String,
    related: Vec<String>,
}

impl AwsKms {
    /// The KMS of a region, over TLS with the certificates that the system trusts.
    ///
    /// # Errors
    /// [`Error::Region`](crate::Error::Region).
    pub fn of_region(region: &str, credentials: impl ProvideCredentials + 'static) -> Result<Self> {
        Ok(Self::new(client::connect(region, None, credentials)?))
    }

    /// A KMS at an endpoint of its own, such as a VPC's or an emulator's; the region is what
    /// requests are signed for.
    ///
    /// # Errors
    /// [`Error::Region`](crate::Error::Region); [`Error::Endpoint`](crate::Error::Endpoint) for one
    /// without TLS that is not on this machine.
    pub fn at_endpoint(
        endpoint: &str,
        region: &str,
        credentials: impl ProvideCredentials + 'static,
    ) -> Result<Self> {
        Ok(Self::new(client::connect(region, Some(endpoint), credentials)?))
    }

    /// A client of the caller's. Its retries are turned off and its time-outs replaced by
    /// [`Timeouts::default`]: the SDK's own may wait without end.
    pub fn new(client: Client) -> Self {
        let region = client.config().region().map(ToString::to_string).unwrap_or_default();
        Self { client, region, related: Vec::new() }.with_timeouts(Timeouts::default())
    }

    /// Other time-outs.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.client = client::bounded(&self.client, timeouts);
        self
    }

    /// Regions whose multi-Region keys (`mrk-…`) have replicas in this region: what was wrapped there
    /// is unwrapped here, under the same key id. Without this, and for any other key, a key is only
    /// asked for in the region that its ARN names.
    #[must_use]
    pub fn with_related_regions<R: Into<String>>(
        mut self,
        regions: impl IntoIterator<Item = R>,
    ) -> Self {
        self.related = regions.into_iter().map(Into::into).collect();
        self
    }

    async fn generated(&self, rq: Generate<'_>) -> KmsResult<DataKey> {
        let request = self
            .client
            .generate_data_key()
            .key_id(rq.key.as_str())
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(pairs(rq.context));
        let answer = asked(&rq.call, request.send()).await?;
        let key = clear(answer.plaintext)?;
        let id = admitted(rq.key, answer.key_id.as_deref())?;
        let version = answer.key_material_id.unwrap_or_default();
        Ok(DataKey { key, wrapped: wrapped(id, &version, answer.ciphertext_blob)? })
    }

    async fn unwrapped(&self, rq: Unwrap<'_>) -> KmsResult<Unwrapped> {
        let id = self.here(rq.wrapped.id());
        let request = self
            .client
            .decrypt()
            .key_id(id.as_ref())
            .ciphertext_blob(Blob::new(rq.wrapped.ciphertext()))
            .set_encryption_context(pairs(rq.context));
        let answer = asked(&rq.call, request.send()).await?;
        let key = clear(answer.plaintext)?;
        same_key(&id, answer.key_id.as_deref())?;
        Ok(Unwrapped { key, id: rq.wrapped.id().clone() })
    }

    async fn discovered(&self, rq: Discover<'_>) -> KmsResult<Unwrapped> {
        let request = self
            .client
            .decrypt()
            .ciphertext_blob(Blob::new(rq.ciphertext))
            .set_encryption_context(pairs(rq.context));
        let answer = asked(&rq.call, request.send()).await?;
        let (key, id) = (clear(answer.plaintext)?, key_id(answer.key_id.as_deref())?);
        Ok(Unwrapped { key, id })
    }

    /// KMS tells the key material that was before and that is now. So one call finds out, checks the
    /// blob and its context, and is right also where no version was stored.
    async fn rewrapped(&self, rq: Unwrap<'_>) -> KmsResult<Rewrap> {
        let id = self.here(rq.wrapped.id());
        let context = pairs(rq.context);
        let request = self
            .client
            .re_encrypt()
            .source_key_id(id.as_ref())
            .destination_key_id(id.as_ref())
            .ciphertext_blob(Blob::new(rq.wrapped.ciphertext()))
            .set_source_encryption_context(context.clone())
            .set_destination_encryption_context(context);
        let answer = asked(&rq.call, request.send()).await?;
        same_key(&id, answer.source_key_id.as_deref())?;
        same_key(&id, answer.key_id.as_deref())?;
        let now = answer.destination_key_material_id;
        if now.is_some() && now == answer.source_key_material_id {
            return Ok(Rewrap::Unchanged);
        }
        let version = now.unwrap_or_default();
        let wrapped = wrapped(rq.wrapped.id().clone(), &version, answer.ciphertext_blob)?;
        Ok(Rewrap::Rewrapped(wrapped))
    }

    async fn described(&self, rq: Describe<'_>) -> KmsResult<KeyInfo> {
        let request = self.client.describe_key().key_id(rq.key.as_str());
        let answer = asked(&rq.call, request.send()).await?;
        let key = answer.key_metadata.ok_or_else(|| malformed("tells nothing of the key"))?;
        let id = admitted(rq.key, key.arn())?;
        let mut info = KeyInfo::new(id, state(&key));
        info.version = key.current_key_material_id;
        Ok(info)
    }

    async fn encrypted(&self, rq: Encrypt<'_>) -> KmsResult<WrappedKey> {
        let request = self
            .client
            .encrypt()
            .key_id(rq.key.as_str())
            .plaintext(Blob::new(rq.data_key.expose_bytes()))
            .set_encryption_context(pairs(rq.context));
        let answer = asked(&rq.call, request.send()).await?;
        let id = admitted(rq.key, answer.key_id.as_deref())?;
        // This call alone tells no key material.
        wrapped(id, "", answer.ciphertext_blob)
    }

    /// The name of a stored key in this region.
    fn here<'a>(&self, stored: &'a KeyId) -> Cow<'a, str> {
        let related = stored.arn().filter(|arn| {
            arn.resource.starts_with("key/mrk-")
                && self.related.iter().any(|region| region == arn.region)
        });
        match related {
            Some(arn) => {
                let (region, resource) = (&self.region, arn.resource);
                Cow::Owned(format!("arn:{}:kms:{region}:{}:{resource}", arn.partition, arn.account))
            }
            None => Cow::Borrowed(stored.as_str()),
        }
    }
}

impl Kms for AwsKms {
    fn provider(&self) -> &'static str {
        "aws"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side_rewrap: true, tells_version: true, max_context_len: 8_192 }
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        Box::pin(self.generated(rq))
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        Box::pin(self.unwrapped(rq))
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        Box::pin(self.rewrapped(rq))
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        Box::pin(self.described(rq))
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        Box::pin(self.encrypted(rq))
    }
}

impl KmsDiscovery for AwsKms {
    fn discover<'a>(&'a self, rq: Discover<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        Box::pin(self.discovered(rq))
    }
}

impl fmt::Debug for AwsKms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AwsKms");
        shown.field("region", &self.region).field("related", &self.related).finish_non_exhaustive()
    }
}

/// One call, with KMS's id of it put down for audit.
async fn asked<T, E>(
    call: &KmsCall<'_>,
    send: impl Future<Output = std::result::Result<T, SdkError<E>>>,
) -> KmsResult<T>
where
    T: RequestId,
    E: ProvideErrorMetadata + error::Error + 'static,
{
    let answer = send.await;
    if let Some(id) = answer.request_id() {
        call.note(|noted| noted.kms_request_id = Some(id.to_owned()));
    }
    answer.map_err(|error| fault::key_error(&error))
}

/// The key that wrapped, if it is the one that was meant.
fn admitted(name: &KeyName, answered: Option<&str>) -> KmsResult<KeyId> {
    let id = key_id(answered)?;
    if name.admits(&id) { Ok(id) } else { Err(wrong_key()) }
}

/// Only a key's ARN is stored.
fn key_id(answered: Option<&str>) -> KmsResult<KeyId> {
    let id = KeyId::new(answered.unwrap_or_default())?;
    if id.arn().is_none_or(|arn| !arn.resource.starts_with("key/")) {
        return Err(malformed("names a key by what is no key's ARN"));
    }
    Ok(id)
}

fn same_key(asked: &str, answered: Option<&str>) -> KmsResult<()> {
    if answered == Some(asked) { Ok(()) } else { Err(wrong_key()) }
}

/// The SDK's own bytes become ours, and are wiped.
fn clear(plaintext: Option<Blob>) -> KmsResult<Arc<SourceKey>> {
    data_key(&Zeroizing::new(plaintext.map(Blob::into_inner).unwrap_or_default()))
}

fn wrapped(id: KeyId, version: &str, blob: Option<Blob>) -> KmsResult<WrappedKey> {
    WrappedKey::new(id, version, &blob.map(Blob::into_inner).unwrap_or_default())
}

fn pairs(context: &EncryptionContext) -> Option<HashMap<String, String>> {
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    (!context.is_empty()).then(|| context.iter().map(owned).collect())
}

/// A key that is not for data keys is not said to be enabled.
fn state(key: &KeyMetadata) -> KeyState {
    if key.key_spec().is_some_and(|spec| *spec != KeySpec::SymmetricDefault) {
        return KeyState::Other;
    }
    let seconds = key.deletion_date().and_then(|date| u64::try_from(date.secs()).ok());
    match (key.key_state(), seconds) {
        (Some(AwsKeyState::Enabled), _) => KeyState::Enabled,
        (Some(AwsKeyState::Disabled), _) => KeyState::Disabled,
        (Some(AwsKeyState::PendingDeletion), Some(deletion)) => {
            KeyState::PendingDeletion { deletion }
        }
        _ => KeyState::Other,
    }
}

fn wrong_key() -> KeyError {
    KeyError::new(KeyErrorKind::WrongKey, "AWS KMS answered for another key")
}

fn malformed(what: &str) -> KeyError {
    KeyError::new(KeyErrorKind::Internal, format!("the answer of AWS KMS {what}"))
}
