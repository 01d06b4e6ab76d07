//! Storing an object: [`PutObject`].

use std::collections::HashMap;

use aws_sdk_s3::{operation::put_object::builders::PutObjectFluentBuilder, primitives::ByteStream};
use object_cipher_client::s3ec::{Header, INSTRUCTION_SUFFIX};
use object_cipher_core::EncryptionContext;

use crate::{
    CreateUpload, HeaderStorage, Result, S3EncryptionClient,
    client::{NO_BUCKET, NO_KEY, need},
    error,
    instruction_file::{Order, PendingFile},
    sealed_parts::SealedParts,
    upload::{Upload, check_metadata_len, metadata_len},
};

/// Encrypts and stores an object. Made by [`S3EncryptionClient::put_object`].
///
/// What is longer than a part goes up as a multipart upload. No more than the parts in flight is held in
/// memory, whatever the length, which need not be known.
#[must_use]
pub struct PutObject<'c> {
    upload: CreateUpload<'c>,
    body: ByteStream,
}

/// An object that was stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PutObjectOutput {
    /// The ETag that S3 gave: of the stored body.
    pub e_tag: Option<String>,
    /// The version id, in buckets that have versions.
    pub version_id: Option<String>,
}

impl<'c> PutObject<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        Self { upload: CreateUpload::new(client), body: ByteStream::default() }
    }

    /// The bucket.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.upload = self.upload.bucket(bucket);
        self
    }

    /// The object's key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.upload = self.upload.key(key);
        self
    }

    /// The content.
    pub fn body(mut self, body: ByteStream) -> Self {
        self.body = body;
        self
    }

    /// The encryption context, for a keyring of a KMS. It is stored in clear, and every reader has to
    /// give it.
    pub fn encryption_context(mut self, context: EncryptionContext) -> Self {
        self.upload = self.upload.encryption_context(context);
        self
    }

    /// A pair of user metadata, which stays in clear.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.upload = self.upload.metadata(name, value);
        self
    }

    /// The media type of the content.
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.upload = self.upload.content_type(media_type);
        self
    }

    /// Stores the object only if there is none of this key (`*`).
    pub fn if_none_match(mut self, condition: impl Into<String>) -> Self {
        self.upload = self.upload.if_none_match(condition);
        self
    }

    /// Stores the object only over one of this ETag.
    pub fn if_match(mut self, e_tag: impl Into<String>) -> Self {
        self.upload = self.upload.if_match(e_tag);
        self
    }

    /// Reads the content, and stores it sealed. On a failure nothing is left, and what was stored before
    /// is untouched; but see [`HeaderStorage::InstructionFile`]. A future that is dropped may leave parts
    /// with S3, as an [`Upload`] does.
    ///
    /// # Errors
    /// [`Error::MetadataTooLong`](crate::Error::MetadataTooLong) for more metadata than S3 keeps,
    /// [`Error::Client`](crate::Error::Client) when there is no key to be had,
    /// [`Error::Body`](crate::Error::Body) for the content, [`Error::S3`](crate::Error::S3).
    pub async fn send(self) -> Result<PutObjectOutput> {
        let Self { upload, mut body } = self;
        let mut parts = upload.seal().await?;
        while let Some(content) = body.try_next().await? {
            let taken = parts.take_in(&content)?;
            if parts.is_full() {
                let mut upload = upload.begin(parts).await?;
                let sent = send_rest(&mut upload, &content[taken..], body).await;
                return match sent {
                    Ok(()) => upload.complete().await,
                    Err(error) => {
                        // What went wrong first is what is told.
                        let _ = upload.abort().await;
                        Err(error)
                    }
                };
            }
        }
        upload.put_whole(parts).await
    }
}

async fn send_rest(upload: &mut Upload, content: &[u8], mut body: ByteStream) -> Result<()> {
    upload.write(content).await?;
    while let Some(content) = body.try_next().await? {
        upload.write(&content).await?;
    }
    Ok(())
}

impl CreateUpload<'_> {
    /// The object in one request.
    async fn put_whole(&self, mut parts: SealedParts) -> Result<PutObjectOutput> {
        let bucket = need(self.bucket.as_ref(), NO_BUCKET)?;
        let key = need(self.key.as_ref(), NO_KEY)?;
        let (metadata, file) = self.share_out(parts.header())?;
        let request: PutObjectFluentBuilder = self.client.shared.s3.put_object();
        let request = request
            .bucket(bucket)
            .key(key)
            .set_metadata(Some(metadata))
            .set_content_type(self.content_type.clone())
            .set_if_none_match(self.if_none_match.clone())
            .set_if_match(self.if_match.clone())
            .body(parts.finish()?.into());
        drop(parts);
        let put = async {
            let stored = request.send().await.map_err(error::of("PutObject"))?;
            Ok(PutObjectOutput { e_tag: stored.e_tag, version_id: stored.version_id })
        };
        let order = Order::of(self.if_none_match.as_ref(), self.if_match.as_ref());
        self.client.store_both(file, order, Box::pin(put)).await
    }

    /// All metadata of the object, and the instruction file, if keys are kept in one.
    pub(crate) fn share_out(
        &self,
        header: &Header,
    ) -> Result<(HashMap<String, String>, Option<PendingFile>)> {
        let (pairs, file) = match self.client.shared.storage {
            HeaderStorage::Metadata => (header.to_metadata()?, None),
            HeaderStorage::InstructionFile => {
                let bucket = need(self.bucket.as_ref(), NO_BUCKET)?;
                let key = need(self.key.as_ref(), NO_KEY)?;
                let mut file = header.to_instruction_file()?;
                let pairs = std::mem::take(&mut file.object_metadata);
                (pairs, Some(PendingFile::new(bucket, key, INSTRUCTION_SUFFIX, file)))
            }
        };
        let user = metadata_len(&self.metadata);
        let metadata = self.metadata.clone().into_iter().chain(pairs).collect();
        check_metadata_len(user, metadata_len(&metadata))?;
        Ok((metadata, file))
    }
}
