//! From what a request asks for to the cipher that does it.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{ETag, EncryptionContext, Envelope, KeyRef, Mode, ObjectCipher, Opener};
use object_cipher_dsse_kms::DsseKms;
use object_cipher_kms::{Describe, KeyName, KmsCall, bucket_arn, effective_context, object_arn};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::{
    Arrival, CustomerKey, ETagRule, Encryption, Error, Fields, KeyMd5, ObjectETag, Operation,
    ReadKey, ShownEncryption, SseRequest,
};
use object_cipher_sse_c::SseC;
use object_cipher_sse_kms::SseKms;
use object_cipher_sse_s3::SseS3;

use super::{
    Front, Refusal, Result, metadata,
    request_cipher::{Caller, RequestCipher},
};
use crate::{
    key_service::KeyService,
    library::Library,
    store::{self, BucketName, Metadata, ObjectKey, ObjectRecord, OpenObject, StoredObject},
};

/// A cipher with what answers show of it.
#[derive(Clone)]
pub(super) struct Chosen {
    pub(super) cipher: Arc<dyn ObjectCipher>,
    key_md5: Option<KeyMd5>,
    /// The caller's encryption context.
    pub(super) context: EncryptionContext,
}

/// The object that a cipher is chosen for, and on whose behalf.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) bucket: &'a BucketName,
    pub(super) key: &'a ObjectKey,
    pub(super) caller: Caller,
}

impl Front {
    /// What protects a new object: by request, else by the bucket's default.
    pub(super) async fn to_write<F: Fields + Sync>(
        &self,
        arrival: Arrival,
        fields: &F,
        place: Place<'_>,
    ) -> Result<(Chosen, SseRequest)> {
        let default = self.bucket_encryption(place.bucket).await?;
        let request = SseRequest::parse(fields, arrival, &default, self.profile())?;
        let chosen = match &request.encryption {
            Encryption::SseKms { key, context, bucket_key } => {
                self.sse_kms(key.as_deref(), context, *bucket_key, place)?
            }
            Encryption::DsseKms { key, context } => {
                self.dsse_kms(key.as_deref(), context, place)?
            }
            Encryption::SseC(key) => self.chosen(Mode::SseC, Some(key), place.caller)?,
            other => self.chosen(other.mode(), None, place.caller)?,
        };
        Ok((chosen, request))
    }

    /// New objects, or new wraps, under a key of the KMS.
    pub(super) fn sse_kms(
        &self,
        key: Option<&str>,
        context: &EncryptionContext,
        bucket_key: bool,
        place: Place<'_>,
    ) -> Result<Chosen> {
        let KeyService { kms, bucket_keys, .. } = self.key_service()?;
        let name = self.named_key(key)?;
        let whole = whole_context(context, bucket_key, &place)?;
        let cipher: Arc<dyn ObjectCipher> = if bucket_key {
            let bucket_keys = Arc::clone(bucket_keys);
            Arc::new(SseKms::with_bucket_keys(Arc::clone(kms), name, bucket_keys, Library))
        } else {
            Arc::new(SseKms::new(Arc::clone(kms), name, Library))
        };
        let cipher = Arc::new(RequestCipher::new(cipher, Some(whole), place.caller));
        Ok(Chosen { cipher, key_md5: None, context: context.clone() })
    }

    /// New objects in two layers, under a key of the KMS.
    fn dsse_kms(
        &self,
        key: Option<&str>,
        context: &EncryptionContext,
        place: Place<'_>,
    ) -> Result<Chosen> {
        let (kms, name) = (Arc::clone(&self.key_service()?.kms), self.named_key(key)?);
        let whole = whole_context(context, false, &place)?;
        let cipher = Arc::new(DsseKms::new(kms, name, RustCrypto, AwsLc));
        let cipher = Arc::new(RequestCipher::new(cipher, Some(whole), place.caller));
        Ok(Chosen { cipher, key_md5: None, context: context.clone() })
    }

    /// The key of a name, or the one for who names none.
    fn named_key(&self, key: Option<&str>) -> Result<KeyName> {
        let default_key = &self.key_service()?.default_key;
        let name = key.map_or_else(|| Ok(default_key.clone()), KeyName::parse);
        name.map_err(|error| refused(&error))
    }

    /// What opens a stored object or goes on with an upload, by Envelope and metadata.
    pub(super) fn to_open(
        &self,
        envelope: &Envelope,
        metadata: &Metadata,
        customer: Option<&CustomerKey>,
        place: Place<'_>,
    ) -> Result<Chosen> {
        match envelope.mode() {
            Mode::SseKms => {
                let context = metadata::context(metadata)?;
                self.sse_kms(None, &context, envelope.has_bucket_key(), place)
            }
            Mode::DsseKms => self.dsse_kms(None, &metadata::context(metadata)?, place),
            mode => self.chosen(mode, customer, place.caller),
        }
    }

    /// A mode without a KMS.
    pub(super) fn chosen(
        &self,
        mode: Mode,
        key: Option<&CustomerKey>,
        caller: Caller,
    ) -> Result<Chosen> {
        let (cipher, key_md5): (Arc<dyn ObjectCipher>, _) = match (mode, key) {
            (Mode::SseS3, _) => {
                (Arc::new(SseS3::new(Arc::clone(&self.shared.keyring), Library)), None)
            }
            (Mode::SseC, Some(key)) => (Arc::new(SseC::new(key, Library)), Some(key.md5())),
            _ => {
                let message = "This server does not have this mode.";
                return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message));
            }
        };
        let cipher = Arc::new(RequestCipher::new(cipher, None, caller));
        Ok(Chosen { cipher, key_md5, context: EncryptionContext::new() })
    }

    /// Opens an object for a request that reads it, with the customer's key that it brings.
    pub(super) async fn open(
        &self,
        object: StoredObject,
        key: &ReadKey,
        place: Place<'_>,
    ) -> Result<(OpenObject, Chosen)> {
        let record = object.record();
        let mode = record.envelope.mode();
        let key = key.for_object(mode)?;
        let chosen = self.to_open(&record.envelope, &record.metadata, key.as_ref(), place)?;
        let opened = object.open(&*chosen.cipher).await;
        let told = |error| Refusal::told(error, |error| Error::from_open(error, mode));
        Ok((opened.map_err(told)?, chosen))
    }

    /// The key that the KMS would use for a request: what policies see. None if it would use none.
    pub(super) async fn kms_key_of<F: Fields + Sync>(
        &self,
        fields: &F,
        bucket: &BucketName,
        caller: &Caller,
    ) -> Option<String> {
        let default = self.bucket_encryption(bucket).await.ok()?;
        // Whether the request is in order is not for a policy to tell.
        let arrival = Arrival { secure: true, signature_v4: true };
        let request = SseRequest::parse(fields, arrival, &default, self.profile()).ok()?;
        let (mode, key) = match &request.encryption {
            Encryption::SseKms { key, .. } => (Mode::SseKms, key),
            Encryption::DsseKms { key, .. } => (Mode::DsseKms, key),
            _ => return None,
        };
        let (kms, name) = (&self.key_service().ok()?.kms, self.named_key(key.as_deref()).ok()?);
        let call = KmsCall {
            principal: caller.principal.as_deref(),
            request_id: caller.request_id.as_deref(),
            ..KmsCall::new(mode)
        };
        let described = kms.describe(Describe { key: &name, call }).await;
        Some(described.ok()?.id.as_str().to_owned())
    }

    /// Shows an object's encryption in the headers of an answer.
    pub(super) fn show(
        &self,
        chosen: &Chosen,
        envelope: &Envelope,
        operation: Operation,
        headers: &mut HeaderMap,
    ) {
        let (key_arn, context) = (key_arn(envelope), &chosen.context);
        let shown = match (envelope.mode(), chosen.key_md5) {
            (_, Some(key_md5)) => ShownEncryption::SseC { key_md5 },
            (Mode::SseKms, _) => {
                ShownEncryption::SseKms { key_arn, bucket_key: envelope.has_bucket_key(), context }
            }
            (Mode::DsseKms, _) => ShownEncryption::DsseKms { key_arn, context },
            _ => ShownEncryption::SseS3,
        };
        shown.write(operation, self.profile(), headers);
    }

    /// The ETag of a stored object as lists and conditions need it, without a customer's key: those
    /// of SSE-S3 are sealed under the server's own. None if it does not open.
    pub(super) fn recorded_etag(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        record: &ObjectRecord,
    ) -> Option<ObjectETag> {
        if let Some(etag) = &record.etag {
            return ObjectETag::parse(etag.as_bytes());
        }
        let cipher = self.chosen(record.envelope.mode(), None, Caller::default()).ok()?.cipher;
        let etag = self.store().sealed_etag(bucket, key, record, &*cipher).ok()??;
        Some(shown_etag(etag, record.part_count()))
    }

    fn key_service(&self) -> Result<&KeyService> {
        self.shared.key_service.as_ref().ok_or_else(|| {
            let message = "This server has no key management service.";
            Refusal::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
        })
    }
}

impl Chosen {
    /// What the ETag of a content in one piece is made of.
    pub(super) fn etag_rule(&self) -> ETagRule {
        ETagRule::of(self.cipher.mode())
    }

    /// The ETag of a content in one piece, and whether records show it.
    pub(super) fn etag(&self, digests: &object_cipher_s3::Digests) -> Result<(ETag, bool)> {
        let rule = self.etag_rule();
        Ok((rule.etag(digests, &Library)?, rule == ETagRule::Random))
    }

    /// What a failure to write by this cipher tells the client.
    pub(super) fn told(&self) -> impl Fn(store::Error) -> Refusal + use<> {
        let mode = self.cipher.mode();
        move |error| Refusal::told(error, |error| Error::from_open(error, mode))
    }
}

/// An object's ETag as clients see it.
pub(super) fn etag_of(record: &ObjectRecord, opener: &Opener) -> Option<ObjectETag> {
    match &record.etag {
        Some(etag) => ObjectETag::parse(etag.as_bytes()),
        None => Some(shown_etag(opener.etag()?, record.part_count())),
    }
}

/// S3's answer to what the KMS said.
pub(super) fn refused(error: &object_cipher_core::KeyError) -> Refusal {
    Error::from(error).into()
}

/// The caller's context and the ARN of the object, or of the bucket under a Bucket Key.
fn whole_context(
    context: &EncryptionContext,
    bucket_key: bool,
    place: &Place<'_>,
) -> Result<EncryptionContext> {
    let bucket = place.bucket.as_str();
    let arn = if bucket_key { bucket_arn(bucket) } else { object_arn(bucket, place.key.as_str()) };
    effective_context(context, &arn).map_err(|error| refused(&error))
}

fn key_arn(envelope: &Envelope) -> &str {
    match envelope.layers().next().map(object_cipher_core::LayerKey::key_ref) {
        Some(KeyRef::Kms(id) | KeyRef::BucketKey(id)) => id,
        _ => "",
    }
}

fn shown_etag(etag: ETag, parts: Option<u32>) -> ObjectETag {
    match parts {
        None => ObjectETag::Single(etag),
        Some(parts) => ObjectETag::Multipart { digest: etag, parts },
    }
}
