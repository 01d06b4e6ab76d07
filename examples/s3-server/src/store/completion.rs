//! Completion of uploads, with their key and without.

use std::collections::BTreeMap;

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use object_cipher_core::{Attributes, ETag, ObjectCipher, PartReceipt, State};
use object_cipher_s3::ObjectETag;
use tokio::sync::OwnedMutexGuard;

use super::{
    BodyName, BucketName, Error, NamedPart, ObjectKey, ObjectRecord, PartRecord, Result, Store,
    There, Upload, UploadId,
    identity::Identity,
    in_use::Use,
    locks::to_its_end,
    record::{Content, Page, PartBody, PartsTable, now},
    uploads::UNDER_WAY,
};

impl Upload {
    /// Makes an object of the parts that the client names, in rising order. Each part but the last
    /// has at least `least` bytes. `attributes` tells what is sealed with the object, and the ETag
    /// that is shown in clear if it is random. `admit` may refuse on sight of what is replaced.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`], [`Error::Part`], [`Error::PartOrder`], [`Error::PartTooSmall`];
    /// those of `attributes` and `admit`; [`Error::Cipher`]. The upload stays then.
    pub async fn complete(
        &self,
        cipher: &dyn ObjectCipher,
        named: &[NamedPart],
        least: u64,
        attributes: impl FnOnce(&[PartReceipt]) -> Result<(Attributes, Option<String>)> + Send,
        admit: impl FnOnce(There<'_>) -> Result<()> + Send,
    ) -> Result<ObjectRecord> {
        let store = self.store();
        let lock = store.shared.uploads.lock(self.id().as_str()).await;
        self.expect_there().await?;
        let records = store.named_parts(self.id(), named, least).await?;
        let receipts = self.receipts(named, &records).await?;
        let (mut attributes, etag) = attributes(&receipts)?;
        attributes.metadata_digest = Some(self.record().metadata.digest());

        let table = BodyName::random()?;
        let in_use = store.shared.in_use.keep(vec![table.clone()]);
        let context = self.identity.object(&table);
        let completed =
            cipher.complete_upload(self.uploader(), &context, &receipts, &attributes).await?;
        let pages = completed.part_table.pages().iter().cloned().map(Page).collect();
        let parts = stored_parts(named, &records, false);
        store.write(&table.path(), &PartsTable { pages, parts }).await?;
        let record = ObjectRecord {
            content: Content::Parts {
                index: completed.part_table.index().to_vec(),
                table,
                count: u32::try_from(named.len()).unwrap_or(u32::MAX),
                upload: self.id().clone(),
            },
            envelope: completed.envelope,
            size: records.iter().map(|record| record.size).sum(),
            etag,
            modified: now(),
            metadata: self.record().metadata.clone(),
        };
        store.complete(self.identity.clone(), (lock, in_use), record, admit).await
    }

    async fn receipts(
        &self,
        named: &[NamedPart],
        records: &[PartRecord],
    ) -> Result<Vec<PartReceipt>> {
        let receipts = named.iter().zip(records);
        let receipts: Vec<_> = receipts
            .map(|(named, record)| self.receipt(named.part, record, Some(named)).boxed())
            .collect();
        futures::stream::iter(receipts).buffered(UNDER_WAY).try_collect().await
    }
}

impl Store {
    /// Completes an SSE-C upload without its key, as S3 lets clients do: nothing is verified but
    /// the random ETags, kept in clear. The first request that brings the key seals the object.
    ///
    /// # Errors
    /// As [`Upload::complete`]; [`Error::Cipher`] when the upload was not created for it.
    pub async fn complete_keyless(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: &UploadId,
        named: &[NamedPart],
        least: u64,
        admit: impl FnOnce(There<'_>) -> Result<()> + Send,
    ) -> Result<ObjectRecord> {
        let lock = self.shared.uploads.lock(id.as_str()).await;
        let upload = self.upload(bucket, key, id).await?;
        let envelope = upload.envelope.complete_without_key()?;
        let records = self.named_parts(id, named, least).await?;
        for (named, record) in named.iter().zip(&records) {
            if record.etag != Some(hex::encode(named.etag.0)) || named.checksum.is_some() {
                return Err(Error::Part(named.part));
            }
        }
        let table = BodyName::random()?;
        let in_use = self.shared.in_use.keep(vec![table.clone()]);
        let parts = stored_parts(named, &records, true);
        self.write(&table.path(), &PartsTable { pages: Vec::new(), parts }).await?;
        let count = u32::try_from(named.len()).unwrap_or(u32::MAX);
        let record = ObjectRecord {
            envelope,
            content: Content::Keyless { table, count, upload: id.clone() },
            size: records.iter().map(|record| record.size).sum(),
            etag: Some(etag_of_parts(named.iter().map(|named| named.etag))?.0),
            modified: now(),
            metadata: upload.metadata,
        };
        self.complete(self.identity(bucket, key), (lock, in_use), record, admit).await
    }

    /// Seals an object whose upload was completed without its key. When another request was first,
    /// that is no error.
    pub(super) async fn finish_keyless(
        &self,
        identity: &Identity,
        cipher: &dyn ObjectCipher,
    ) -> Result<()> {
        let held = self.hold(identity.clone()).await?;
        let Some(mut record) = held.record.clone() else { return Ok(()) };
        let Content::Keyless { table: _, count, upload } = &record.content else { return Ok(()) };
        if record.envelope.state() != State::KeylessUpload {
            return Err(Error::Altered("state"));
        }
        let context = identity.upload(upload);
        let uploader = cipher.resume_keyless_upload(&context, &record.envelope).await?;
        let mut kept = self.table(&record).await?;
        let mut receipts = Vec::with_capacity(kept.parts.len());
        for part in &kept.parts {
            let PartBody { part, body, size, receipt } = part;
            receipts.push(self.receipt(&uploader, *part, (body, receipt, *size), None).await?);
        }
        let (etag, raw) = etag_of_parts(receipts.iter().map(PartReceipt::etag))?;
        let attributes = Attributes {
            etag: Some(raw),
            metadata_digest: Some(record.metadata.digest()),
            ..Attributes::default()
        };
        let table = BodyName::random()?;
        let _in_use = self.shared.in_use.keep(vec![table.clone()]);
        let (upload, count) = (upload.clone(), *count);
        let object = identity.object(&table);
        let completed = cipher.complete_upload(&uploader, &object, &receipts, &attributes).await?;
        kept.pages = completed.part_table.pages().iter().cloned().map(Page).collect();
        kept.parts.iter_mut().for_each(|part| part.receipt.clear());
        self.write(&table.path(), &kept).await?;
        let index = completed.part_table.index().to_vec();
        let old = record.body().clone();
        record.content = Content::Parts { index, table, count, upload };
        record.envelope = completed.envelope;
        record.etag = Some(etag);
        held.replace(&record, vec![old]).await
    }

    /// Puts the object and ends its upload, whose lock is held until then.
    async fn complete(
        &self,
        identity: Identity,
        kept: (OwnedMutexGuard<()>, Use),
        record: ObjectRecord,
        admit: impl FnOnce(There<'_>) -> Result<()> + Send,
    ) -> Result<ObjectRecord> {
        let held = self.hold_to_replace(identity.clone()).await?;
        admit(held.there())?;
        let store = self.clone();
        to_its_end(async move {
            held.put(&record).await?;
            if let Some(id) = record.upload() {
                // The object stands. What cannot be removed now is ended by the next sweep.
                let _ = store.end_upload(&identity, id).await;
            }
            drop(kept);
            Ok(record)
        })
        .await
    }

    /// The records of the parts that a client names.
    async fn named_parts(
        &self,
        id: &UploadId,
        named: &[NamedPart],
        least: u64,
    ) -> Result<Vec<PartRecord>> {
        if !named.windows(2).all(|pair| pair[0].part < pair[1].part) {
            return Err(Error::PartOrder);
        }
        let kept: BTreeMap<u32, PartRecord> = self.parts(id).await?.into_iter().collect();
        let records =
            named.iter().map(|named| kept.get(&named.part).cloned().ok_or(Error::Part(named.part)));
        let records = records.collect::<Result<Vec<_>>>()?;
        let all_but_last = named.iter().zip(&records).rev().skip(1);
        match all_but_last.rev().find(|(_, record)| record.size < least) {
            Some((named, _)) => Err(Error::PartTooSmall(named.part)),
            None => Ok(records),
        }
    }
}

/// The ETag of an object of parts: as it is shown, and as it is sealed.
fn etag_of_parts(parts: impl Iterator<Item = ETag>) -> Result<(String, ETag)> {
    match ObjectETag::of_parts(parts) {
        Some(etag @ ObjectETag::Multipart { digest, .. }) => Ok((etag.to_string(), digest)),
        _ => Err(Error::PartOrder),
    }
}

fn stored_parts(named: &[NamedPart], records: &[PartRecord], receipts: bool) -> Vec<PartBody> {
    named
        .iter()
        .zip(records)
        .map(|(named, record)| PartBody {
            part: named.part,
            body: record.body.clone(),
            size: record.size,
            receipt: if receipts { record.receipt.clone() } else { Vec::new() },
        })
        .collect()
}
