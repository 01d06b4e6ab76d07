//! Deleting objects with their instruction files: [`DeleteObject`], [`DeleteObjects`].

use aws_sdk_s3::{
    operation::{
        delete_object::{DeleteObjectOutput, builders::DeleteObjectFluentBuilder},
        delete_objects::DeleteObjectsOutput,
    },
    types::{Delete, ObjectIdentifier},
};
use object_cipher_client::s3ec::INSTRUCTION_SUFFIX;

use crate::{
    Error, Result, S3EncryptionClient,
    client::{NO_BUCKET, NO_KEY, need},
    error,
};

/// S3 deletes so many objects in one request, of which each may have an instruction file.
const MAX_OBJECTS: usize = 1_000;

/// Deletes an object and its instruction file. Made by [`S3EncryptionClient::delete_object`].
#[must_use]
pub struct DeleteObject<'c> {
    client: &'c S3EncryptionClient,
    request: DeleteObjectFluentBuilder,
}

/// Deletes objects and their instruction files. Made by [`S3EncryptionClient::delete_objects`].
#[must_use]
pub struct DeleteObjects<'c> {
    client: &'c S3EncryptionClient,
    bucket: Option<String>,
    keys: Vec<String>,
}

impl<'c> DeleteObject<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        Self { client, request: client.shared.s3.delete_object() }
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

    /// Everything else that the SDK's request can say. With a version id, the instruction file stays:
    /// it may be another version's.
    pub fn configure(
        mut self,
        configure: impl FnOnce(DeleteObjectFluentBuilder) -> DeleteObjectFluentBuilder,
    ) -> Self {
        self.request = configure(self.request);
        self
    }

    /// Deletes the object, then its instruction file, whether it has one or not. Files of another
    /// suffix stay.
    ///
    /// # Errors
    /// [`Error::S3`].
    pub async fn send(self) -> Result<DeleteObjectOutput> {
        let bucket = need(self.request.get_bucket().as_ref(), NO_BUCKET)?.to_owned();
        let key = need(self.request.get_key().as_ref(), NO_KEY)?.to_owned();
        let of_version = self.request.get_version_id().is_some();
        let deleted = self.request.send().await.map_err(error::of("DeleteObject"))?;
        if !of_version {
            let file = format!("{key}{INSTRUCTION_SUFFIX}");
            let request = self.client.shared.s3.delete_object().bucket(bucket).key(file);
            request.send().await.map_err(error::of("DeleteObject of the instruction file"))?;
        }
        Ok(deleted)
    }
}

impl<'c> DeleteObjects<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        Self { client, bucket: None, keys: Vec::new() }
    }

    /// The bucket.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// Adds an object's key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.keys.push(key.into());
        self
    }

    /// Adds objects' keys, of any number.
    pub fn keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Deletes them, in as many requests as S3 needs; gives the answers. What S3 could not delete is
    /// in their `errors`.
    ///
    /// # Errors
    /// [`Error::S3`] for a request that failed whole: those before it have deleted what they could.
    pub async fn send(self) -> Result<Vec<DeleteObjectsOutput>> {
        let bucket = need(self.bucket.as_ref(), NO_BUCKET)?;
        if self.keys.iter().any(String::is_empty) {
            return Err(Error::Request(NO_KEY));
        }
        let mut answers = Vec::new();
        for keys in self.keys.chunks(MAX_OBJECTS / 2) {
            let mut delete = Delete::builder();
            for key in keys {
                for name in [key.clone(), format!("{key}{INSTRUCTION_SUFFIX}")] {
                    let object = ObjectIdentifier::builder().key(name).build();
                    delete = delete.objects(object.map_err(|_| Error::Request(NO_KEY))?);
                }
            }
            let delete = delete.build().map_err(|_| Error::Request(NO_KEY))?;
            let request = self.client.shared.s3.delete_objects().bucket(bucket).delete(delete);
            answers.push(request.send().await.map_err(error::of("DeleteObjects"))?);
        }
        Ok(answers)
    }
}
