//! Reading an object: [`GetObject`].

use aws_sdk_s3::{
    operation::get_object::{GetObjectOutput, builders::GetObjectFluentBuilder},
    primitives::ByteStream,
};
use object_cipher_client::s3ec::Request;
use object_cipher_core::EncryptionContext;

use crate::{
    Error, Result, S3EncryptionClient,
    client::{NO_BUCKET, NO_KEY, Stored, need},
    error,
    instruction_file::check_suffix,
    opened_body::OpenedBody,
};

/// Reads and decrypts an object. Made by [`S3EncryptionClient::get_object`].
#[must_use]
pub struct GetObject<'c> {
    client: &'c S3EncryptionClient,
    request: GetObjectFluentBuilder,
    context: Option<EncryptionContext>,
    suffix: Option<String>,
}

impl<'c> GetObject<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        Self { client, request: client.shared.s3.get_object(), context: None, suffix: None }
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

    /// Everything else that the SDK's request can say, but for a range or a part: neither can be
    /// verified.
    pub fn configure(
        mut self,
        configure: impl FnOnce(GetObjectFluentBuilder) -> GetObjectFluentBuilder,
    ) -> Self {
        self.request = configure(self.request);
        self
    }

    /// The encryption context that the object was written with.
    pub fn encryption_context(mut self, context: EncryptionContext) -> Self {
        self.context = Some(context);
        self
    }

    /// Another instruction file than the default one, by what stands behind the key: `.partner`.
    pub fn instruction_file_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.suffix = Some(suffix.into());
        self
    }

    /// Sends the request. `body` and `content_length` in the answer are of the content; its checksums
    /// were of the stored body, and are gone.
    ///
    /// All of the content has verified by then, unless delayed authentication is enabled.
    ///
    /// # Errors
    /// [`Error::S3`], and [`Error::Client`] when the object does not open.
    pub async fn send(self) -> Result<GetObjectOutput> {
        let Self { client, request, context, suffix } = self;
        check_suffix(suffix.as_ref())?;
        if request.get_range().is_some() || request.get_part_number().is_some() {
            return Err(Error::Request(
                "neither ranges nor parts can be verified: see get_unauthenticated_range",
            ));
        }
        let bucket = need(request.get_bucket().as_ref(), NO_BUCKET)?.to_owned();
        let key = need(request.get_key().as_ref(), NO_KEY)?.to_owned();
        let mut output = request.send().await.map_err(error::of("GetObject"))?;
        if output.content_range.is_some() {
            return Err(Error::Answer("it is a range, and none was asked for"));
        }
        let stored = Stored {
            bucket: &bucket,
            key: &key,
            metadata: output.metadata.as_ref(),
            suffix: suffix.as_deref(),
        };
        let header = client.header(&stored).await?;
        let rq = Request { context: context.as_ref(), ..Request::default() };
        let opener = client.shared.cipher.open(&header, &rq).await?;
        let stored_len = output.content_length.and_then(|length| u64::try_from(length).ok());
        let stored_len = stored_len.ok_or(Error::Answer("it does not tell its length"))?;
        let mut plaintext_len = header.plaintext_len(stored_len);
        let body = std::mem::take(&mut output.body);
        output.body = if client.shared.delayed_authentication {
            OpenedBody::new(body, opener.into_unverified(), plaintext_len).into_byte_stream()
        } else {
            let stream = opener.into_verified(stored_len, client.shared.max_buffered_len)?;
            let mut body = OpenedBody::new(body, stream, plaintext_len);
            plaintext_len = Some(body.take_all_in().await?);
            body.into_byte_stream()
        };
        output.content_length = plaintext_len.and_then(|length| i64::try_from(length).ok());
        clear_checksums(&mut output);
        Ok(output)
    }

    /// Sends the request, and gives the content alone.
    ///
    /// # Errors
    /// As [`GetObject::send`].
    pub async fn send_for_body(self) -> Result<ByteStream> {
        Ok(self.send().await?.body)
    }
}

/// They are the stored body's, and would be taken for the content's.
fn clear_checksums(output: &mut GetObjectOutput) {
    output.checksum_crc32 = None;
    output.checksum_crc32_c = None;
    output.checksum_crc64_nvme = None;
    output.checksum_sha1 = None;
    output.checksum_sha256 = None;
    output.checksum_type = None;
}
