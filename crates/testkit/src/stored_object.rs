//! A sealed object as a store keeps it, in memory, every byte within reach.

use std::collections::BTreeMap;

use object_cipher_core::{
    Attributes, Completion, ETag, Envelope, ObjectCipher, ObjectContext, Opener, PartTable,
    ReadRange, Result, StoredPart, Uploader,
};

use crate::{Driven, drive, now};

/// What a store keeps of one object.
#[derive(Clone, Debug)]
pub struct StoredObject {
    /// The Envelope.
    pub envelope: Envelope,
    /// The stored bodies by part number; 0 for a single body.
    pub bodies: BTreeMap<u32, Vec<u8>>,
    /// The part table of a multipart object.
    pub table: Option<PartTable>,
}

impl StoredObject {
    /// Seals a plaintext as one body.
    ///
    /// # Errors
    /// The cipher's own.
    pub fn seal(
        cipher: &dyn ObjectCipher,
        cx: &ObjectContext<'_>,
        plaintext: &[u8],
        attributes: &Attributes,
    ) -> Result<Self> {
        let mut stream = now(cipher.seal(cx))?.into_stream();
        let body = drive(&mut stream, plaintext, usize::MAX).complete()?;
        let envelope = stream.finish(attributes)?;
        Ok(Self { envelope, bodies: [(0, body)].into(), table: None })
    }

    /// Uploads parts in the order given and completes the object from all of them.
    ///
    /// # Errors
    /// The cipher's own.
    pub fn upload(
        cipher: &dyn ObjectCipher,
        cx: &ObjectContext<'_>,
        parts: &[(u32, &[u8])],
        attributes: &Attributes,
    ) -> Result<Self> {
        let uploader = now(cipher.create_upload(cx, Completion::WithKey))?;
        let mut bodies = BTreeMap::new();
        let mut receipts = BTreeMap::new();
        for (part, plaintext) in parts {
            let (body, receipt) = Self::seal_part(&uploader, *part, plaintext)?;
            bodies.insert(*part, body);
            receipts.insert(*part, receipt);
        }
        let opened = receipts
            .iter()
            .map(|(part, receipt)| {
                uploader.open_receipt(&Self::stored_part(&uploader, *part, receipt, &bodies[part]))
            })
            .collect::<Result<Vec<_>>>()?;
        let completed = now(cipher.complete_upload(&uploader, cx, &opened, attributes))?;
        Ok(Self { envelope: completed.envelope, bodies, table: Some(completed.part_table) })
    }

    /// Seals one attempt of a part: its body and its receipt, under a made-up `ETag`.
    ///
    /// # Errors
    /// The uploader's own.
    pub fn seal_part(
        uploader: &Uploader,
        part: u32,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>)> {
        let mut stream = uploader.part(part)?.into_stream();
        let body = drive(&mut stream, plaintext, usize::MAX).complete()?;
        Ok((body, stream.finish(ETag([0xE7; 16]), &[])?))
    }

    /// A stored part as [`Uploader::open_receipt`] wants it, without a client's claims.
    pub fn stored_part<'a>(
        uploader: &Uploader,
        part: u32,
        receipt: &'a [u8],
        body: &'a [u8],
    ) -> StoredPart<'a> {
        let header_len = uploader.layout().header_len().min(body.len());
        StoredPart {
            part,
            receipt,
            body_headers: &body[..header_len],
            body_len: body.len() as u64,
            etag: None,
            checksum: None,
        }
    }

    /// Opens the Envelope, with the part table's index if there is one.
    ///
    /// # Errors
    /// The cipher's own.
    pub fn open(&self, cipher: &dyn ObjectCipher, cx: &ObjectContext<'_>) -> Result<Opener> {
        let cx = match &self.table {
            Some(table) => cx.clone().with_part_index(table.index()),
            None => cx.clone(),
        };
        now(cipher.open(&cx, &self.envelope))
    }

    /// Reads a range.
    ///
    /// # Errors
    /// The cipher's own.
    pub fn read(
        &self,
        cipher: &dyn ObjectCipher,
        cx: &ObjectContext<'_>,
        range: &ReadRange,
    ) -> Result<Vec<u8>> {
        self.fetch(cipher, cx, range).complete()
    }

    /// Reads a range and tells what was given out before an error.
    pub fn fetch(
        &self,
        cipher: &dyn ObjectCipher,
        cx: &ObjectContext<'_>,
        range: &ReadRange,
    ) -> Driven {
        let mut released = Vec::new();
        let result = self
            .open(cipher, cx)
            .and_then(|opener| self.fetch_opened(&opener, range, &mut released));
        Driven { released, result }
    }

    fn fetch_opened(
        &self,
        opener: &Opener,
        range: &ReadRange,
        released: &mut Vec<u8>,
    ) -> Result<()> {
        let plan = opener.plan(range)?;
        for segment in opener.segments(&plan, self.table.as_ref())? {
            let body = self.bodies.get(&segment.part()).map_or(&[][..], Vec::as_slice);
            let clamp = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(body.len());
            let fetch = segment.fetch();
            // A whole read takes whatever the store has, so that trailing bytes are noticed.
            let whole = *range == ReadRange::Whole;
            let end = if whole { body.len() } else { clamp(fetch.end) };
            let mut stream = opener.open_segment(&segment)?;
            let driven = drive(&mut stream, &body[clamp(fetch.start).min(end)..end], usize::MAX);
            released.extend_from_slice(&driven.released);
            driven.result?;
        }
        Ok(())
    }
}
