//! Instruction files, and when they are stored: [`PendingFile`].

use object_cipher_client::s3ec::InstructionFile;
use object_cipher_core::BoxFuture;

use crate::{Error, Result, S3EncryptionClient, error};

/// An instruction file that is still to be stored.
pub(crate) struct PendingFile {
    bucket: String,
    name: String,
    file: InstructionFile,
}

/// Which of an object and its instruction file is stored first.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// As the other clients do: a new object is never there without its file.
    FileFirst,
    /// Where the object may be refused for a condition: the file of the one that stays must stay too,
    /// and of two writers the one that won has to write it.
    ObjectFirst,
}

impl PendingFile {
    pub(crate) fn new(bucket: &str, key: &str, suffix: &str, file: InstructionFile) -> Self {
        Self { bucket: bucket.to_owned(), name: format!("{key}{suffix}"), file }
    }
}

impl Order {
    pub(crate) fn of(if_none_match: Option<&String>, if_match: Option<&String>) -> Self {
        if if_none_match.or(if_match).is_some() { Self::ObjectFirst } else { Self::FileFirst }
    }
}

impl S3EncryptionClient {
    /// Stores an object and, if it has one, its instruction file.
    pub(crate) async fn store_both<T>(
        &self,
        file: Option<PendingFile>,
        order: Order,
        object: BoxFuture<'_, Result<T>>,
    ) -> Result<T> {
        let Some(file) = file else { return object.await };
        let file = Box::pin(self.store_file(file));
        match order {
            Order::FileFirst => {
                file.await?;
                object.await
            }
            Order::ObjectFirst => {
                let stored = object.await?;
                file.await?;
                Ok(stored)
            }
        }
    }

    pub(crate) async fn store_file(&self, pending: PendingFile) -> Result<()> {
        let PendingFile { bucket, name, file } = pending;
        let request = self.shared.s3.put_object().bucket(bucket).key(name);
        let metadata = file.metadata.into_iter().collect();
        let request = request.set_metadata(Some(metadata)).body(file.body.into_bytes().into());
        request.send().await.map_err(error::of("PutObject of the instruction file"))?;
        Ok(())
    }
}

/// Another name than that of the object, which would be overwritten, and not the beginning of a longer
/// key.
pub(crate) fn check_suffix(suffix: Option<&String>) -> Result<()> {
    match suffix {
        Some(suffix) if suffix.len() < 2 || !suffix.starts_with('.') => {
            Err(Error::Request("the suffix of an instruction file begins with a dot: `.partner`"))
        }
        _ => Ok(()),
    }
}
