//! Multipart uploads: [`CreateUpload`], [`Upload`].

use std::{collections::HashMap, fmt};

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use object_cipher_client::s3ec::{Request, is_reserved_name};
use object_cipher_core::EncryptionContext;
use tokio::task::JoinSet;

use crate::{
    Error, PutObjectOutput, Result, S3EncryptionClient,
    client::{NO_BUCKET, NO_KEY, need, refuse_file_name},
    error,
    instruction_file::{Order, PendingFile},
    sealed_parts::SealedParts,
};

/// S3 takes no more parts.
const MAX_PARTS: i32 = 10_000;
/// S3 keeps no more user metadata, in bytes.
const MAX_METADATA_LEN: usize = 2_048;

/// Begins a multipart upload. Made by [`S3EncryptionClient::create_upload`].
///
/// ```no_run
/// # use object_cipher_client_aws::{Error, S3EncryptionClient};
/// # async fn example(client: S3EncryptionClient, rows: Vec<String>) -> Result<(), Error> {
/// let mut upload = client.create_upload().bucket("photos").key("list.csv").send().await?;
/// for row in rows {
///     if let Err(error) = upload.write(row.as_bytes()).await {
///         upload.abort().await?;
///         return Err(error);
///     }
/// }
/// upload.complete().await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct CreateUpload<'c> {
    pub(crate) client: &'c S3EncryptionClient,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) context: Option<EncryptionContext>,
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) content_type: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_match: Option<String>,
}

/// A multipart upload in progress. The content is one message, so it is encrypted in order; the parts
/// of it are sent side by side.
///
/// [Complete](Upload::complete) or [abort](Upload::abort) it: one that is dropped stops sending, and
/// leaves its parts with S3, which charges for them. A lifecycle rule of the bucket
/// (`AbortIncompleteMultipartUpload`) sweeps up what crashes leave.
pub struct Upload {
    client: S3EncryptionClient,
    target: Target,
    parts: SealedParts,
    next: i32,
    sending: JoinSet<Result<CompletedPart>>,
    sent: Vec<CompletedPart>,
    /// Content was taken in, and may not have been sent.
    broken: bool,
    file: Option<PendingFile>,
    if_none_match: Option<String>,
    if_match: Option<String>,
}

/// Which upload a part is of.
#[derive(Clone)]
struct Target {
    bucket: String,
    key: String,
    upload_id: String,
}

impl<'c> CreateUpload<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        Self {
            client,
            bucket: None,
            key: None,
            context: None,
            metadata: HashMap::new(),
            content_type: None,
            if_none_match: None,
            if_match: None,
        }
    }

    /// The bucket.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// The object's key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The encryption context, for a keyring of a KMS. It is stored in clear, and every reader has to
    /// give it.
    pub fn encryption_context(mut self, context: EncryptionContext) -> Self {
        self.context = Some(context);
        self
    }

    /// A pair of user metadata, which stays in clear.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// The media type of the content.
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.content_type = Some(media_type.into());
        self
    }

    /// Completes the object only if there is none of this key (`*`).
    pub fn if_none_match(mut self, condition: impl Into<String>) -> Self {
        self.if_none_match = Some(condition.into());
        self
    }

    /// Completes the object only over one of this ETag.
    pub fn if_match(mut self, e_tag: impl Into<String>) -> Self {
        self.if_match = Some(e_tag.into());
        self
    }

    /// Draws the object's keys and creates the upload.
    ///
    /// # Errors
    /// [`Error::MetadataTooLong`] for more metadata than S3 keeps, [`Error::Client`] when there is no key
    /// to be had, [`Error::S3`].
    pub async fn send(self) -> Result<Upload> {
        let parts = self.seal().await?;
        self.begin(parts).await
    }

    /// Draws the object's keys.
    pub(crate) async fn seal(&self) -> Result<SealedParts> {
        need(self.bucket.as_ref(), NO_BUCKET)?;
        refuse_file_name(need(self.key.as_ref(), NO_KEY)?)?;
        refuse_reserved(&self.metadata)?;
        let user = metadata_len(&self.metadata);
        check_metadata_len(user, user)?;
        let shared = &self.client.shared;
        let rq = Request { context: self.context.as_ref(), ..Request::default() };
        Ok(SealedParts::new(shared.cipher.seal(&rq).await?, shared.part_len))
    }

    /// Creates the upload for content of which some was sealed.
    pub(crate) async fn begin(&self, parts: SealedParts) -> Result<Upload> {
        let bucket = need(self.bucket.as_ref(), NO_BUCKET)?.to_owned();
        let key = need(self.key.as_ref(), NO_KEY)?.to_owned();
        let (metadata, file) = self.share_out(parts.header())?;
        let request = self.client.shared.s3.create_multipart_upload();
        let created = request
            .bucket(&bucket)
            .key(&key)
            .set_metadata(Some(metadata))
            .set_content_type(self.content_type.clone())
            .send()
            .await
            .map_err(error::of("CreateMultipartUpload"))?;
        let upload_id = created.upload_id.ok_or(Error::Answer("the upload has no id"))?;
        Ok(Upload {
            client: self.client.clone(),
            target: Target { bucket, key, upload_id },
            parts,
            next: 1,
            sending: JoinSet::new(),
            sent: Vec::new(),
            broken: false,
            file,
            if_none_match: self.if_none_match.clone(),
            if_match: self.if_match.clone(),
        })
    }
}

impl Upload {
    /// Seals content and sends the parts that it fills. Waits while as many are being sent as the
    /// client is set up for.
    ///
    /// # Errors
    /// [`Error::Client`] for more content than one message may have, [`Error::S3`] for this part or one
    /// before. The upload is then good for nothing but to be aborted, as it is when the future is dropped
    /// before it has ended: whatever else is asked of it gives [`Error::BrokenUpload`].
    pub async fn write(&mut self, content: &[u8]) -> Result<()> {
        self.check()?;
        // Else a part that was lost on the way would be missing in the middle of the object.
        self.broken = true;
        self.write_now(content).await?;
        self.broken = false;
        Ok(())
    }

    async fn write_now(&mut self, mut content: &[u8]) -> Result<()> {
        loop {
            if self.parts.is_full() {
                let part = self.parts.take_part();
                self.send_part(part).await?;
            }
            if content.is_empty() {
                return Ok(());
            }
            let taken = self.parts.take_in(content)?;
            content = &content[taken..];
        }
    }

    /// Sends the last part and completes the object. If that fails, the upload is aborted.
    ///
    /// # Errors
    /// [`Error::S3`], [`Error::BrokenUpload`] after a write that failed.
    pub async fn complete(mut self) -> Result<PutObjectOutput> {
        match self.complete_now().await {
            Ok(stored) => Ok(stored),
            Err(error) => {
                // What went wrong first is what is told.
                let _ = self.abort().await;
                Err(error)
            }
        }
    }

    /// Gives the upload up: S3 throws its parts away.
    ///
    /// # Errors
    /// [`Error::S3`].
    pub async fn abort(mut self) -> Result<()> {
        self.sending.shutdown().await;
        let Target { bucket, key, upload_id } = self.target;
        let request = self.client.shared.s3.abort_multipart_upload();
        let request = request.bucket(bucket).key(key).upload_id(upload_id);
        request.send().await.map_err(error::of("AbortMultipartUpload"))?;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        if self.broken { Err(Error::BrokenUpload) } else { Ok(()) }
    }

    async fn complete_now(&mut self) -> Result<PutObjectOutput> {
        self.check()?;
        let last = self.parts.finish()?;
        self.send_part(last).await?;
        while !self.sending.is_empty() {
            self.wait_for_one().await?;
        }
        self.sent.sort_by_key(|part| part.part_number);
        let parts = std::mem::take(&mut self.sent);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let Target { bucket, key, upload_id } = self.target.clone();
        let request = self.client.shared.s3.complete_multipart_upload();
        let request = request
            .bucket(bucket)
            .key(key)
            .upload_id(upload_id)
            .multipart_upload(parts)
            .set_if_none_match(self.if_none_match.clone())
            .set_if_match(self.if_match.clone());
        let complete = async {
            let completed = request.send().await.map_err(error::of("CompleteMultipartUpload"))?;
            Ok(PutObjectOutput { e_tag: completed.e_tag, version_id: completed.version_id })
        };
        // As late as can be: an upload that is given up leaves the file of the object that is there.
        let order = Order::of(self.if_none_match.as_ref(), self.if_match.as_ref());
        self.client.store_both(self.file.take(), order, Box::pin(complete)).await
    }

    async fn send_part(&mut self, part: Bytes) -> Result<()> {
        if self.next > MAX_PARTS {
            return Err(Error::Request("more than 10,000 parts: set the client a longer part_len"));
        }
        while self.sending.len() >= self.client.shared.concurrency {
            self.wait_for_one().await?;
        }
        let (client, target, number) = (self.client.clone(), self.target.clone(), self.next);
        self.next += 1;
        self.sending.spawn(async move { client.send_part(target, number, part).await });
        Ok(())
    }

    async fn wait_for_one(&mut self) -> Result<()> {
        if let Some(part) = self.sending.join_next().await {
            self.sent.push(part.map_err(|_| Error::PartCutOff)??);
        }
        Ok(())
    }
}

impl S3EncryptionClient {
    async fn send_part(&self, target: Target, number: i32, part: Bytes) -> Result<CompletedPart> {
        let Target { bucket, key, upload_id } = target;
        let request = self.shared.s3.upload_part();
        let sent = request
            .bucket(bucket)
            .key(key)
            .upload_id(upload_id)
            .part_number(number)
            .body(part.into())
            .send()
            .await
            .map_err(error::of("UploadPart"))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .set_checksum_crc32(sent.checksum_crc32)
            .set_checksum_crc32_c(sent.checksum_crc32_c)
            .set_checksum_crc64_nvme(sent.checksum_crc64_nvme)
            .set_checksum_sha1(sent.checksum_sha1)
            .set_checksum_sha256(sent.checksum_sha256)
            .build())
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("bucket", &self.target.bucket)
            .field("key", &self.target.key)
            .finish_non_exhaustive()
    }
}

/// What S3 counts: bytes of names, without `x-amz-meta-`, and values.
pub(crate) fn metadata_len(metadata: &HashMap<String, String>) -> usize {
    metadata.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// Whether S3 keeps so much metadata, of which so much is the user's.
pub(crate) fn check_metadata_len(user: usize, total: usize) -> Result<()> {
    if total > MAX_METADATA_LEN {
        return Err(Error::MetadataTooLong { user, total });
    }
    Ok(())
}

/// User metadata may not look like the format's own.
fn refuse_reserved(metadata: &HashMap<String, String>) -> Result<()> {
    if metadata.keys().any(|name| is_reserved_name(name)) {
        return Err(Error::Request("its user metadata has a name of the S3 Encryption Client's"));
    }
    Ok(())
}
