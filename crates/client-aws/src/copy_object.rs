//! Copying within S3: [`CopyObject`].

use aws_sdk_s3::operation::copy_object::CopyObjectOutput;
use object_cipher_client::s3ec::{Found, INSTRUCTION_SUFFIX};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    Error, Result, S3EncryptionClient,
    client::{NO_BUCKET, NO_KEY, found, need, refuse_file_name},
    error,
};

/// Copies an object as it is stored, with its metadata and its instruction file. Made by
/// [`S3EncryptionClient::copy_object`].
///
/// No key is used: the copy has the source's data key, and is read with the source's encryption context.
#[must_use]
pub struct CopyObject<'c> {
    client: &'c S3EncryptionClient,
    source: [Option<String>; 2],
    target: [Option<String>; 2],
}

impl<'c> CopyObject<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        Self { client, source: [None, None], target: [None, None] }
    }

    /// The bucket and key to copy from.
    pub fn source(mut self, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        self.source = [Some(bucket.into()), Some(key.into())];
        self
    }

    /// The bucket to copy to.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.target[0] = Some(bucket.into());
        self
    }

    /// The key to copy to.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.target[1] = Some(key.into());
        self
    }

    /// Copies the instruction file, if there is one, then the object. If the object's copy fails, an
    /// object of the target's name that has an instruction file too has lost it to the copy's.
    ///
    /// # Errors
    /// [`Error::Request`](crate::Error::Request) for more than 5 GiB;
    /// [`Error::S3`](crate::Error::S3), [`Error::Client`](crate::Error::Client) when the source is not an
    /// encrypted object.
    pub async fn send(self) -> Result<CopyObjectOutput> {
        let source_bucket = need(self.source[0].as_ref(), NO_BUCKET)?;
        let source_key = need(self.source[1].as_ref(), NO_KEY)?;
        let bucket = need(self.target[0].as_ref(), NO_BUCKET)?;
        let key = need(self.target[1].as_ref(), NO_KEY)?;
        refuse_file_name(key)?;
        let s3 = &self.client.shared.s3;
        let head = s3.head_object().bucket(source_bucket).key(source_key);
        let head = head.send().await.map_err(error::of("HeadObject"))?;
        if head.content_length.is_some_and(|length| length > MAX_COPY_LEN) {
            return Err(Error::Request("S3 copies no more than 5 GiB at once: get and put it"));
        }
        if matches!(found(head.metadata.as_ref())?, Found::InInstructionFile(_)) {
            let from = copy_source(source_bucket, &format!("{source_key}{INSTRUCTION_SUFFIX}"));
            let request = s3.copy_object().copy_source(from).bucket(bucket);
            let request = request.key(format!("{key}{INSTRUCTION_SUFFIX}"));
            request.send().await.map_err(error::of("CopyObject of the instruction file"))?;
        }
        let from = copy_source(source_bucket, source_key);
        let request = s3.copy_object().copy_source(from).bucket(bucket).key(key);
        // Else the file might be another object's by now.
        let request = request.set_copy_source_if_match(head.e_tag);
        request.send().await.map_err(error::of("CopyObject"))
    }
}

/// The most that S3 copies in one request, in bytes.
const MAX_COPY_LEN: i64 = 5 << 30;

/// What stands in a URL's path as it is, slashes among it.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// The value of `x-amz-copy-source`.
fn copy_source(bucket: &str, key: &str) -> String {
    format!("{bucket}/{}", utf8_percent_encode(key, PATH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_percent_encoded_but_for_their_slashes() {
        assert_eq!(copy_source("b", "a/b c+ü?"), "b/a/b%20c%2B%C3%BC%3F");
    }
}
