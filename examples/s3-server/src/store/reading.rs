//! Reading objects.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use object_cipher_core::{ETag, ObjectCipher, Opener, ReadRange, Segment, State, resolve_now};

use super::{
    BodyName, BucketName, Error, ObjectKey, ObjectRecord, Result, Store,
    identity::Identity,
    in_use::Use,
    record::{Content, PartsTable},
};

/// An object as it is stored. Its bodies stay while this, or what was opened from it, lives.
pub struct StoredObject {
    store: Store,
    identity: Identity,
    record: ObjectRecord,
    table: Option<PartsTable>,
    /// Keeps the bodies.
    _in_use: Use,
}

/// An object that its cipher has opened: Envelope, lengths and metadata are what was sealed.
pub struct OpenObject {
    stored: StoredObject,
    opener: Opener,
}

impl Store {
    /// An object, to be opened and read.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub async fn get(&self, bucket: &BucketName, key: &ObjectKey) -> Result<StoredObject> {
        let held = self.hold(self.identity(bucket, key)).await?;
        let record = held.record.clone().ok_or(Error::NoSuchKey)?;
        let table = match &record.content {
            Content::Body(_) => None,
            Content::Parts { .. } | Content::Keyless { .. } => Some(self.table(&record).await?),
        };
        let parts = table.iter().flat_map(|table| &table.parts).map(|part| part.body.clone());
        let in_use = self.shared.in_use.keep(parts.chain([record.body().clone()]).collect());
        let identity = held.identity().clone();
        Ok(StoredObject { store: self.clone(), identity, record, table, _in_use: in_use })
    }
}

impl Store {
    /// The ETag that is sealed in an object's Envelope, by a cipher that has its keys at hand.
    ///
    /// # Errors
    /// [`Error::Cipher`] when it does not open.
    pub fn sealed_etag(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        record: &ObjectRecord,
        cipher: &dyn ObjectCipher,
    ) -> Result<Option<ETag>> {
        let identity = self.identity(bucket, key);
        let opened = resolve_now(cipher.open(&identity.object(record.body()), &record.envelope));
        Ok(opened.transpose()?.and_then(|opener| opener.etag()))
    }
}

impl StoredObject {
    /// The record: nothing in it is to be trusted but the Envelope, once it is open.
    pub fn record(&self) -> &ObjectRecord {
        &self.record
    }

    /// Opens it: no body is read.
    ///
    /// An object whose upload was completed without its key is finished first, by whoever comes
    /// first with the key.
    ///
    /// # Errors
    /// [`Error::Cipher`] when key, identity or Envelope are not what was sealed;
    /// [`Error::Altered`] when size or metadata in the record are not.
    pub async fn open(mut self, cipher: &dyn ObjectCipher) -> Result<OpenObject> {
        if self.record.envelope.state() == State::KeylessUpload {
            self = self.finish_keyless(cipher).await?;
        }
        let mut context = self.identity.object(self.record.body());
        if let Content::Parts { index, .. } = &self.record.content {
            context = context.with_part_index(index);
        }
        let opener = cipher.open(&context, &self.record.envelope).await?;
        if opener.plaintext_len() != self.record.size {
            return Err(Error::Altered("size"));
        }
        if opener.part_count() != self.record.part_count() {
            return Err(Error::Altered("number of parts"));
        }
        if opener.attributes().metadata_digest != Some(self.record.metadata.digest()) {
            return Err(Error::Altered("metadata"));
        }
        Ok(OpenObject { stored: self, opener })
    }

    async fn finish_keyless(self, cipher: &dyn ObjectCipher) -> Result<Self> {
        let Self { store, identity, .. } = self;
        store.finish_keyless(&identity, cipher).await?;
        let (bucket, key) = (identity.bucket, identity.key);
        store.get(&bucket, &key).await
    }
}

impl OpenObject {
    /// The record, whose size, metadata and number of parts are verified now.
    pub fn record(&self) -> &ObjectRecord {
        &self.stored.record
    }

    /// What was sealed.
    pub fn opener(&self) -> &Opener {
        &self.opener
    }

    /// The range of the plaintext that a part of the object takes, by its number from 1; in an
    /// object of one body, number 1 is all of it. None for a part that is not there.
    ///
    /// # Errors
    /// As [`OpenObject::parts`].
    pub fn part(&self, number: u32) -> Result<Option<Range<u64>>> {
        if self.stored.table.is_none() {
            return Ok((number == 1).then_some(0..self.stored.record.size));
        }
        let mut start = 0;
        for (part, length) in self.parts()? {
            let end = start + length;
            if part == number {
                return Ok(Some(start..end));
            }
            start = end;
        }
        Ok(None)
    }

    /// Number and length in bytes of each part, as they were sealed: none in an object of one body.
    ///
    /// # Errors
    /// [`Error::Cipher`] and [`Error::Altered`] when the table of parts is not what was sealed.
    pub fn parts(&self) -> Result<Vec<(u32, u64)>> {
        let Some(table) = &self.stored.table else { return Ok(Vec::new()) };
        let mut parts = Vec::new();
        for (number, bytes) in (0..).zip(&table.pages) {
            let page = self.opener.page(number, &bytes.0)?;
            parts.extend(page.entries().iter().map(|entry| (entry.part(), entry.length())));
        }
        // Less than all pages, say.
        let sealed = (self.opener.part_count(), Some(self.opener.plaintext_len()));
        let found = (
            u32::try_from(parts.len()).ok(),
            parts.iter().try_fold(0, |sum: u64, (_, length)| sum.checked_add(*length)),
        );
        if sealed == found { Ok(parts) } else { Err(Error::Altered("table of parts")) }
    }

    /// Reads a range: fetches the chunks that it touches, opens them in order. An error ends the
    /// stream; what came before it is verified.
    ///
    /// # Errors
    /// [`Error::Cipher`] with `RangeNotSatisfiable` for a range behind the end.
    pub fn read(
        self,
        range: &ReadRange,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + 'static> {
        let segments = self.segments(range)?;
        let this = Arc::new(self);
        Ok(stream::iter(segments)
            .then(move |segment| {
                let this = Arc::clone(&this);
                async move {
                    let body = this.body(segment.part())?;
                    this.stored.store.read_segment(body, &this.opener, &segment).await
                }
            })
            .try_flatten())
    }

    fn segments(&self, range: &ReadRange) -> Result<Vec<Segment>> {
        let plan = self.opener.plan(range)?;
        let Some(table) = &self.stored.table else {
            return Ok(self.opener.segments(&plan, None)?);
        };
        let mut segments = Vec::new();
        for number in plan.pages() {
            let bytes = usize::try_from(number).ok().and_then(|number| table.pages.get(number));
            let bytes = bytes.ok_or(Error::Altered("table of parts"))?;
            let page = self.opener.page(number, &bytes.0)?;
            for segment in plan.segments(self.opener.layout(), &page) {
                segments.push(segment?);
            }
        }
        Ok(segments)
    }

    /// The body of a part; of number 0, the only one.
    fn body(&self, part: u32) -> Result<&BodyName> {
        let Some(table) = &self.stored.table else { return Ok(self.stored.record.body()) };
        let found = table.parts.iter().find(|stored| stored.part == part);
        found.map(|stored| &stored.body).ok_or(Error::Altered("table of parts"))
    }
}
