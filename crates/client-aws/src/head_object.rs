//! Telling of an object: [`HeadObject`].

use aws_sdk_s3::operation::head_object::{
    HeadObjectOutput as SdkOutput, builders::HeadObjectFluentBuilder,
};
use object_cipher_client::s3ec::{FormatVersion, Header};

use crate::{
    Error, Result, S3EncryptionClient,
    client::{NO_BUCKET, NO_KEY, Stored, need},
    error,
};

/// Tells of an object. Made by [`S3EncryptionClient::head_object`].
#[must_use]
pub struct HeadObject<'c> {
    client: &'c S3EncryptionClient,
    request: HeadObjectFluentBuilder,
}

/// What is known of an object without its key. Nothing of it is authenticated.
#[derive(Debug)]
#[non_exhaustive]
pub struct HeadObjectOutput {
    /// The SDK's answer, as S3 gave it: its `content_length` is the stored body's.
    pub stored: SdkOutput,
    /// The length of the content in bytes; none for AES-CBC, of which the last block would have to be
    /// decrypted.
    pub plaintext_len: Option<u64>,
    /// How it is encrypted.
    pub header: Header,
}

impl HeadObjectOutput {
    /// The version of the format.
    pub fn version(&self) -> FormatVersion {
        self.header.version()
    }
}

impl<'c> HeadObject<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        Self { client, request: client.shared.s3.head_object() }
    }

    /// The bucket.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.request = self.request.bucket(bucket);
        self
    }

    /// The object's key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.request = self.request.key(key);
        self
    }

    /// Everything else that the SDK's request can say, but for a range or a part, whose length would be
    /// taken for the object's.
    pub fn configure(
        mut self,
        configure: impl FnOnce(HeadObjectFluentBuilder) -> HeadObjectFluentBuilder,
    ) -> Self {
        self.request = configure(self.request);
        self
    }

    /// Sends the request, and reads the instruction file if the object has one. No key is used.
    ///
    /// # Errors
    /// [`Error::S3`](crate::Error::S3), and [`Error::Client`](crate::Error::Client) when the object is
    /// not an encrypted one.
    pub async fn send(self) -> Result<HeadObjectOutput> {
        if self.request.get_range().is_some() || self.request.get_part_number().is_some() {
            return Err(Error::Request("it tells of an object, not of a range or a part"));
        }
        let bucket = need(self.request.get_bucket().as_ref(), NO_BUCKET)?.to_owned();
        let key = need(self.request.get_key().as_ref(), NO_KEY)?.to_owned();
        let stored = self.request.send().await.map_err(error::of("HeadObject"))?;
        let metadata = stored.metadata.as_ref();
        let object = Stored { bucket: &bucket, key: &key, metadata, suffix: None };
        let header = self.client.header(&object).await?;
        let stored_len = stored.content_length.and_then(|length| u64::try_from(length).ok());
        let plaintext_len = stored_len.and_then(|length| header.plaintext_len(length));
        Ok(HeadObjectOutput { stored, plaintext_len, header })
    }
}
