//! Parts of uploads.

use bytes::Bytes;
use futures::Stream;
use object_cipher_core::{Checksum, ETag, PartSealer};
use object_cipher_io::Sealed;

use super::{
    BodyName, Error, PartRecord, Result, Upload, in_use::Use, locks::to_its_end, record::now,
};

/// An attempt of a part that is stored and that nothing names yet. Dropped, it goes.
#[must_use = "it is no part before it is committed"]
pub struct StagedPart {
    upload: Upload,
    part: u32,
    body: BodyName,
    sealed: Option<Sealed<PartSealer>>,
    size: u64,
    in_use: Option<Use>,
}

impl Upload {
    /// Seals and stores an attempt of a part, 1 to 10,000. Attempts may go on at the same time.
    ///
    /// # Errors
    /// [`Error::Part`] for another number; as [`Store::stage`](super::Store::stage).
    pub async fn stage<St, E>(&self, part: u32, source: St) -> Result<StagedPart>
    where
        St: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let sealer = self.uploader().part(part).map_err(|_| Error::Part(part))?;
        let (store, body) = (self.store(), BodyName::random()?);
        let in_use = Some(store.shared.in_use.keep(vec![body.clone()]));
        let upload = self.clone();
        let mut staged = StagedPart { upload, part, body, sealed: None, size: 0, in_use };
        let sealed = store.write_body(&staged.body, sealer, source).await?;
        staged.size = sealed.plaintext_len();
        staged.sealed = Some(sealed);
        Ok(staged)
    }
}

impl StagedPart {
    /// The plaintext's length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes it the part of its number, in place of any attempt before. `shown` is whether the ETag
    /// is random and so kept in clear.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`] when the upload has ended meanwhile.
    pub async fn commit(
        mut self,
        etag: ETag,
        shown: bool,
        checksums: &[Checksum],
    ) -> Result<PartRecord> {
        let sealed = self.sealed.take().ok_or(Error::Altered("staged part"))?;
        let record = PartRecord {
            body: self.body.clone(),
            receipt: sealed.finish(etag, checksums)?,
            size: self.size,
            etag: shown.then(|| hex::encode(etag.0)),
            modified: now(),
        };
        let store = self.upload.store().clone();
        let path = self.upload.id().part_path(self.part);
        let lock = store.shared.uploads.lock(self.upload.id().as_str()).await;
        self.upload.expect_there().await?;
        let before: Option<PartRecord> = store.read(&path).await?;
        // From here on a record may name it: it stays, whatever becomes of this call.
        let in_use = self.in_use.take();
        to_its_end(async move {
            store.write(&path, &record).await?;
            store.shared.in_use.remove(before.map(|before| before.body));
            drop((in_use, lock));
            Ok(record)
        })
        .await
    }
}

impl Drop for StagedPart {
    fn drop(&mut self) {
        if let Some(in_use) = self.in_use.take() {
            in_use.discard();
        }
    }
}
