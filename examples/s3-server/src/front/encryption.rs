//! From what a request asks for to the cipher that does it.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{ETag, Mode, ObjectCipher, Opener};
use object_cipher_s3::{
    CustomerKey, ETagRule, Encryption, Error, Fields, KeyMd5, ObjectETag, Operation, ReadKey,
    ShownEncryption, SseRequest,
};
use object_cipher_sse_c::SseC;
use object_cipher_sse_s3::SseS3;

use super::{Front, Refusal, Result};
use crate::store::{self, BucketName, ObjectRecord, OpenObject, StoredObject};

/// A cipher with what answers show of it.
#[derive(Clone)]
pub(super) struct Chosen {
    pub(super) cipher: Arc<dyn ObjectCipher>,
    key_md5: Option<KeyMd5>,
}

impl Front {
    /// What protects a new object: by request, else by the bucket's default.
    pub(super) async fn to_write<F: Fields + Sync>(
        &self,
        fields: &F,
        bucket: &BucketName,
    ) -> Result<(Chosen, SseRequest)> {
        let default = self.bucket_encryption(bucket).await?;
        let request = SseRequest::parse(fields, self.arrival(), &default, self.profile())?;
        let key = match &request.encryption {
            Encryption::SseC(key) => Some(key),
            _ => None,
        };
        Ok((self.chosen(request.encryption.mode(), key)?, request))
    }

    /// What opens a stored object or goes on with an upload.
    pub(super) fn chosen(&self, mode: Mode, key: Option<&CustomerKey>) -> Result<Chosen> {
        match (mode, key) {
            (Mode::SseS3, _) => {
                let keyring = Arc::clone(&self.shared.keyring);
                Ok(Chosen { cipher: Arc::new(SseS3::new(keyring, AwsLc)), key_md5: None })
            }
            (Mode::SseC, Some(key)) => {
                let cipher = Arc::new(SseC::new(key, AwsLc));
                Ok(Chosen { cipher, key_md5: Some(key.md5()) })
            }
            _ => Err(Refusal::new(
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "This server has no key management service.",
            )),
        }
    }

    /// Opens an object for a request that reads it, with the customer's key that it brings.
    pub(super) async fn open(
        &self,
        object: StoredObject,
        key: &ReadKey,
    ) -> Result<(OpenObject, Chosen)> {
        let mode = object.record().envelope.mode();
        let key = key.for_object(mode)?;
        let chosen = self.chosen(mode, key.as_ref())?;
        let opened = object.open(&*chosen.cipher).await;
        let told = |error| Refusal::told(error, |error| Error::from_open(error, mode));
        Ok((opened.map_err(told)?, chosen))
    }

    /// Shows an object's encryption in the headers of an answer.
    pub(super) fn show(&self, chosen: &Chosen, operation: Operation, headers: &mut HeaderMap) {
        let shown = match chosen.key_md5 {
            Some(key_md5) => ShownEncryption::SseC { key_md5 },
            None => ShownEncryption::SseS3,
        };
        shown.write(operation, self.profile(), headers);
    }

    /// The ETag of a stored object as lists and conditions need it, without a customer's key: those
    /// of SSE-S3 are sealed under the server's own. None if it does not open.
    pub(super) fn recorded_etag(
        &self,
        bucket: &BucketName,
        key: &store::ObjectKey,
        record: &ObjectRecord,
    ) -> Option<ObjectETag> {
        if let Some(etag) = &record.etag {
            return ObjectETag::parse(etag.as_bytes());
        }
        let cipher = self.chosen(record.envelope.mode(), None).ok()?.cipher;
        let etag = self.store().sealed_etag(bucket, key, record, &*cipher).ok()??;
        Some(shown_etag(etag, record.part_count()))
    }
}

impl Chosen {
    /// The ETag of a content in one piece, and whether records show it.
    pub(super) fn etag(&self, digests: &object_cipher_s3::Digests) -> Result<(ETag, bool)> {
        let rule = ETagRule::of(self.cipher.mode());
        Ok((rule.etag(digests, &AwsLc)?, rule == ETagRule::Random))
    }
}

/// An object's ETag as clients see it.
pub(super) fn etag_of(record: &ObjectRecord, opener: &Opener) -> Option<ObjectETag> {
    match &record.etag {
        Some(etag) => ObjectETag::parse(etag.as_bytes()),
        None => Some(shown_etag(opener.etag()?, record.part_count())),
    }
}

fn shown_etag(etag: ETag, parts: Option<u32>) -> ObjectETag {
    match parts {
        None => ObjectETag::Single(etag),
        Some(parts) => ObjectETag::Multipart { digest: etag, parts },
    }
}
