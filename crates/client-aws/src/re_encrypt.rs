//! New keys for old objects: [`ReEncryptInstructionFile`].

use std::sync::Arc;

use object_cipher_client::s3ec::{
    Found, Header, INSTRUCTION_SUFFIX, Keyring, Request, WrapAlgorithm,
};
use object_cipher_core::EncryptionContext;

use crate::{
    Error, HeaderStorage, Result, S3EncryptionClient,
    client::{NO_BUCKET, NO_KEY, Stored, found, need},
    error,
    instruction_file::{PendingFile, check_suffix},
};

/// Wraps the key of an object anew and writes its instruction file. Made by
/// [`S3EncryptionClient::re_encrypt_instruction_file`].
///
/// The object is not touched, and keeps its data key: whoever once had that keeps access. Encrypt anew
/// after a leak.
///
/// ```no_run
/// use object_cipher_client_aws::{S3EncryptionClient, object_cipher_client::s3ec::AesKeyring};
///
/// # async fn example(
/// #     client: S3EncryptionClient,
/// #     new_key: [u8; 32],
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let new = AesKeyring::new(&new_key)?.with_description([("key", "photos-2027")]);
/// let rotate = client.re_encrypt_instruction_file().bucket("photos").key("cat.jpg");
/// rotate.new_keyring(new).enforce_rotation().send().await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct ReEncryptInstructionFile<'c> {
    client: &'c S3EncryptionClient,
    bucket: Option<String>,
    key: Option<String>,
    keyring: Option<Arc<dyn Keyring>>,
    context: Option<EncryptionContext>,
    suffix: Option<String>,
    enforce_rotation: bool,
}

impl<'c> ReEncryptInstructionFile<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        Self {
            client,
            bucket: None,
            key: None,
            keyring: None,
            context: None,
            suffix: None,
            enforce_rotation: false,
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

    /// The raw keyring that is to unwrap the object's key. Its material description has to be another
    /// than the one that is stored.
    pub fn new_keyring(mut self, keyring: impl Keyring + 'static) -> Self {
        self.keyring = Some(Arc::new(keyring));
        self
    }

    /// The encryption context that the object was written with, where its key is a KMS's so far.
    pub fn encryption_context(mut self, context: EncryptionContext) -> Self {
        self.context = Some(context);
        self
    }

    /// Writes another instruction file beside the first, for a partner's RSA key: by what stands behind
    /// the object's key, such as `.partner`. AES keys take the place of the old ones.
    pub fn instruction_file_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.suffix = Some(suffix.into());
        self
    }

    /// Fails if this client's own keyring could still unwrap the key.
    pub fn enforce_rotation(mut self) -> Self {
        self.enforce_rotation = true;
        self
    }

    /// Reads the object's metadata and instruction file, and writes the new one. Nobody may write the
    /// object meanwhile: it would lose its own file to this one.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a client that keeps no instruction files, [`Error::Request`] for what
    /// cannot be done, [`Error::Client`] when the key does not unwrap, [`Error::S3`].
    pub async fn send(self) -> Result<Header> {
        let bucket = need(self.bucket.as_ref(), NO_BUCKET)?;
        let key = need(self.key.as_ref(), NO_KEY)?;
        check_suffix(self.suffix.as_ref())?;
        let suffix = self.suffix.as_deref().unwrap_or(INSTRUCTION_SUFFIX);
        let keyring = self.keyring.as_ref().ok_or(Error::Request("it has no new keyring"))?;
        let shared = &self.client.shared;
        if shared.storage != HeaderStorage::InstructionFile {
            return Err(Error::Configuration("this client keeps no instruction files"));
        }
        let head = shared.s3.head_object().bucket(bucket).key(key);
        let head = head.send().await.map_err(error::of("HeadObject"))?;
        let metadata = head.metadata.as_ref();
        if matches!(found(metadata)?, Found::Complete(_)) {
            return Err(Error::Request("the object's key is in its metadata, not in a file"));
        }
        let stored = Stored { bucket, key, metadata, suffix: None };
        let header = self.client.header(&stored).await?;
        let rq = Request { context: self.context.as_ref(), ..Request::default() };
        let rewrapped = shared.cipher.rewrap(&header, &rq, &**keyring).await?;
        let by_rsa = rewrapped.encrypted_data_key().wrap == Some(WrapAlgorithm::RsaOaepSha1);
        if suffix != INSTRUCTION_SUFFIX && !by_rsa {
            return Err(Error::Request("a file of another suffix is for an RSA key"));
        }
        if self.enforce_rotation && shared.cipher.may_unwrap(&rewrapped, &rq).await {
            return Err(Error::Request("the old keyring could still unwrap the key"));
        }
        let file = rewrapped.to_instruction_file()?;
        self.client.store_file(PendingFile::new(bucket, key, suffix, file)).await?;
        Ok(rewrapped)
    }
}
