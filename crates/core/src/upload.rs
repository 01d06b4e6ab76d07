//! Multipart uploads: [`Uploader`] and [`PartSealer`].

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use crate::{
    Attributes, BodySealer, Checksum, ChunkSealer, ETag, Envelope, Error, Headers, Layout,
    MAX_PARTS, ObjectContext, ObjectId, PartFault, PartReceipt, PartTable, Result, SealChunks,
    SealStream, State,
    chunk_cipher::Chunks,
    context::Identity,
    data_keys::{DataKeys, Purpose, Salts},
    envelope::Head,
    info::{Content, Info},
    part_table::{PartEntry, total_len},
    sealer::{commit, sealing},
    wrapping::Wrapping,
};

/// The longest plaintext of one part: 5 GiB.
pub const MAX_PART_LEN: u64 = 5 << 30;

/// A multipart upload in progress: seals parts in any order, in any process, any number of times,
/// whose receipts then complete the object
/// ([`ObjectCipher::complete_upload`](crate::ObjectCipher::complete_upload)).
///
/// Made by [`ObjectCipher::create_upload`](crate::ObjectCipher::create_upload), and in any other
/// process by [`ObjectCipher::resume_upload`](crate::ObjectCipher::resume_upload) from the stored
/// Envelope.
pub struct Uploader {
    keys: Arc<DataKeys>,
    wrapping: Wrapping,
    identity: Identity,
    envelope: Envelope,
}

/// Seals one attempt of one part, under a salt of its own: a part sent twice never repeats a
/// nonce.
///
/// Store body and receipt as **one unit**, under a name of that attempt (its
/// [`headers`](BodySealer::headers) serve) or in one atomic write; never the two separately under
/// the part number.
pub struct PartSealer {
    keys: Arc<DataKeys>,
    part: u32,
    chunks: Chunks,
    headers: Headers,
    receipt_salts: Salts,
}

/// What is stored of a part, for [`Uploader::open_receipt`].
#[derive(Clone, Copy, Debug)]
pub struct StoredPart<'a> {
    /// The part number.
    pub part: u32,
    /// The sealed receipt of the part's latest attempt.
    pub receipt: &'a [u8],
    /// The first [`Layout::header_len`] bytes of the stored body.
    pub body_headers: &'a [u8],
    /// The stored body's length in bytes.
    pub body_len: u64,
    /// The ETag that the client named, if any.
    pub etag: Option<ETag>,
    /// The checksum that the client named, if any.
    pub checksum: Option<Checksum>,
}

/// A completed upload: what the host stores, the table first and the Envelope last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedUpload {
    /// The object's Envelope.
    pub envelope: Envelope,
    /// The object's part table.
    pub part_table: PartTable,
}

impl Uploader {
    /// A new upload: wraps the data keys into a state-2 Envelope.
    pub(crate) fn create(
        keys: DataKeys,
        wrapping: Wrapping,
        identity: Identity,
        keyless: bool,
        salts: &Salts,
    ) -> Result<Self> {
        let head = Head {
            mode: wrapping.mode(),
            state: State::Upload,
            multipart: true,
            bucket_key: wrapping.has_bucket_key(),
            keyless,
            bound: identity.bound(),
            object: keys.object,
        };
        let envelope = wrapping.wrap(&keys, head, &identity, &[], salts)?;
        Ok(Self { keys: Arc::new(keys), wrapping, identity, envelope })
    }

    pub(crate) fn resume(
        keys: DataKeys,
        wrapping: Wrapping,
        identity: Identity,
        envelope: Envelope,
    ) -> Self {
        Self { keys: Arc::new(keys), wrapping, identity, envelope }
    }

    /// The upload's Envelope: keep it with the upload id, and give it to
    /// [`ObjectCipher::resume_upload`](crate::ObjectCipher::resume_upload).
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The random name the object will have.
    pub fn object_id(&self) -> ObjectId {
        self.keys.object
    }

    /// The sizes of its parts.
    pub fn layout(&self) -> Layout {
        self.keys.layout()
    }

    /// Begins an attempt of a part, 1 to 10,000.
    ///
    /// # Errors
    /// [`Error::Part`] for another number, [`Error::Backend`] when there is no randomness.
    pub fn part(&self, part: u32) -> Result<PartSealer> {
        self.envelope.expect_state(State::Upload)?;
        self.check_part(part)?;
        let [body_salts, receipt_salts] = self.keys.draw_salts()?;
        let (headers, chunks) = self.keys.derive(Purpose::Body { part }, &body_salts)?;
        let keys = Arc::clone(&self.keys);
        Ok(PartSealer { keys, part, chunks, headers, receipt_salts })
    }

    /// Opens the receipt of a stored part and compares it with the stored body, so that an object
    /// is never completed from a body and a receipt of different attempts.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the receipt does not verify, [`Error::Part`] when the stored body
    /// is not the attempt it tells of, or the client named another ETag or checksum (S3's
    /// `InvalidPart`).
    pub fn open_receipt(&self, stored: &StoredPart<'_>) -> Result<PartReceipt> {
        self.check_part(stored.part)?;
        let receipt = PartReceipt::open(&self.keys, stored.part, stored.receipt)?;
        let length = receipt.plaintext_len();
        let matches = stored.body_headers == receipt.headers().as_bytes()
            && length <= MAX_PART_LEN
            && self.layout().sealed_len(length)? == stored.body_len;
        if !matches {
            return Err(self.fault(stored.part, PartFault::Body));
        }
        if stored.etag.is_some_and(|etag| etag != receipt.etag()) {
            return Err(self.fault(stored.part, PartFault::ETag));
        }
        match stored.checksum {
            Some(named) if !receipt.checksums().contains(&named) => {
                Err(self.fault(stored.part, PartFault::Checksum))
            }
            _ => Ok(receipt),
        }
    }

    /// The object of the parts, wrapped by `fresh` or, without it, by the upload's own keys.
    pub(crate) fn complete(
        &self,
        fresh: Option<&Wrapping>,
        identity: &Identity,
        parts: &[PartReceipt],
        attributes: &Attributes,
    ) -> Result<CompletedUpload> {
        let wrapping = fresh.unwrap_or(&self.wrapping);
        let entries = self.entries(parts)?;
        let count = u32::try_from(entries.len())
            .ok()
            .filter(|count| (1..=MAX_PARTS).contains(count))
            .ok_or(Error::Misuse("an object is completed from 1 to 10,000 parts"))?;
        let (part_table, index_digest) = PartTable::build(&self.keys, &entries)?;
        let info = Info {
            length: total_len(&entries)?,
            content: Content::Parts { count, index_digest },
            attributes: attributes.clone(),
        };
        let [info_salts, wrap_salts] = &wrapping.draw_salts()?;
        let salts = [info_salts, wrap_salts];
        let envelope = commit(&self.keys, wrapping, identity, &info, salts)?;
        Ok(CompletedUpload { envelope, part_table })
    }

    /// The identity of the object that the upload becomes.
    pub(crate) fn object_identity(&self, cx: &ObjectContext<'_>) -> Result<Identity> {
        let identity = cx.object_identity()?;
        if self.identity.becomes(&identity) {
            Ok(identity)
        } else {
            Err(Error::Misuse("an upload becomes the object it was created for"))
        }
    }

    /// The upload's Envelope under another wrapping; its parts and receipts stay good.
    pub(crate) fn rewrap(&self, wrapping: &Wrapping, identity: &Identity) -> Result<Envelope> {
        self.envelope.expect_state(State::Upload)?;
        if wrapping.mode() != self.wrapping.mode() {
            return Err(Error::Misuse("an upload keeps its mode"));
        }
        if !self.identity.is_same_upload(identity) {
            return Err(Error::Misuse("an upload keeps its upload id"));
        }
        let head = Head {
            bucket_key: wrapping.has_bucket_key(),
            bound: identity.bound(),
            ..*self.envelope.head()
        };
        let [salts] = &wrapping.draw_salts()?;
        wrapping.wrap(&self.keys, head, identity, &[], salts)
    }

    fn entries(&self, parts: &[PartReceipt]) -> Result<Vec<PartEntry>> {
        for (at, receipt) in parts.iter().enumerate() {
            if receipt.object != self.keys.object {
                return Err(self.fault(receipt.part(), PartFault::Foreign));
            }
            if at > 0 && parts[at - 1].part() >= receipt.part() {
                return Err(self.fault(receipt.part(), PartFault::Order));
            }
        }
        Ok(parts.iter().map(|receipt| receipt.entry).collect())
    }

    fn check_part(&self, part: u32) -> Result<()> {
        if (1..=MAX_PARTS).contains(&part) {
            Ok(())
        } else {
            Err(self.fault(part, PartFault::Number))
        }
    }

    fn fault(&self, part: u32, fault: PartFault) -> Error {
        Error::Part { object: self.keys.object, part, fault }
    }
}

impl PartSealer {
    /// The part number.
    pub fn part(&self) -> u32 {
        self.part
    }

    /// Seals in order from now on.
    pub fn into_stream(self) -> SealStream<Self> {
        SealStream::new(self)
    }

    /// Seals by position from now on.
    pub fn into_chunks(self) -> SealChunks<Self> {
        SealChunks::new(self)
    }

    pub(crate) fn receipt(
        self,
        plaintext_len: u64,
        etag: ETag,
        checksums: &[Checksum],
    ) -> Result<Vec<u8>> {
        self.check_len(plaintext_len, true)?;
        let entry = PartEntry { part: self.part, length: plaintext_len, headers: self.headers };
        PartReceipt::seal(&self.keys, &self.receipt_salts, &entry, etag, checksums)
    }
}

impl SealStream<PartSealer> {
    /// The sealed receipt of the part that went through.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the stream has not ended or output waits, for more than four checksums
    /// or two of one algorithm; [`Error::Backend`] when the library fails.
    pub fn finish(self, etag: ETag, checksums: &[Checksum]) -> Result<Vec<u8>> {
        let (sealer, length) = self.into_sealed()?;
        sealer.receipt(length, etag, checksums)
    }
}

impl sealing::Body for PartSealer {
    fn chunks(&self) -> &dyn ChunkSealer {
        &self.chunks
    }
}

impl BodySealer for PartSealer {
    fn headers(&self) -> &Headers {
        &self.headers
    }

    fn layout(&self) -> Layout {
        self.keys.layout()
    }

    fn check_len(&self, plaintext_len: u64, _: bool) -> Result<()> {
        if plaintext_len > MAX_PART_LEN {
            return Err(Error::Limit("a part has at most 5 GiB"));
        }
        Ok(())
    }
}

impl fmt::Debug for Uploader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploader")
            .field("object_id", &self.object_id())
            .field("mode", &self.wrapping.mode())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PartSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartSealer").field("part", &self.part).finish_non_exhaustive()
    }
}
