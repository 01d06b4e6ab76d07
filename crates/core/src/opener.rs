//! Reading a stored object: [`Opener`].

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::fmt;

use once_cell::race::OnceBox;

use crate::{
    Attributes, ChunkOpener, ETag, Envelope, Error, Layout, Mode, ObjectChecksum, ObjectId,
    OpenStream, PartPage, PartTable, PartTableFault, ReadPlan, ReadRange, Result, Segment, State,
    chunk_cipher::Chunks,
    context::Identity,
    data_keys::{DataKeys, Purpose},
    info::{Content, Info},
    part_table::PartIndex,
    sealer::{commit, finished_head},
    wrapping::Wrapping,
};

/// A stored object whose Envelope was verified: its true length and attributes, and the way to its
/// content. Made by [`ObjectCipher::open`](crate::ObjectCipher::open); sync, and free of I/O.
///
/// Everything it tells comes from the sealed info block. Plan a range, fetch what the plan says,
/// open it.
pub struct Opener {
    keys: DataKeys,
    mode: Mode,
    info: Info,
    /// The info block as it is stored.
    info_message: Vec<u8>,
    /// Attributes for the next rewrap, in place of the sealed ones.
    replaced: Option<Attributes>,
    index: Option<PartIndex>,
    /// The chunk cipher of a single body, once it was needed.
    body: OnceBox<Arc<Chunks>>,
}

impl Opener {
    /// Opens the info block of an Envelope whose data keys were unwrapped.
    pub(crate) fn new(
        keys: DataKeys,
        envelope: &Envelope,
        part_index: Option<&[u8]>,
    ) -> Result<Self> {
        envelope.expect_state(State::Finished)?;
        let block = keys.open_message(Purpose::Info, envelope.info())?;
        let info = Info::parse(keys.suite(), envelope.is_multipart(), &block)?;
        let mut opener = Self {
            keys,
            mode: envelope.mode(),
            info,
            info_message: envelope.info().to_vec(),
            replaced: None,
            index: None,
            body: OnceBox::new(),
        };
        if let Some(index) = part_index {
            opener.set_part_index(index)?;
        }
        Ok(opener)
    }

    /// The object's random name.
    pub fn object_id(&self) -> ObjectId {
        self.keys.object
    }

    /// The mode it was sealed in.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The plaintext's length, in bytes.
    pub fn plaintext_len(&self) -> u64 {
        self.info.length
    }

    /// The ETag's bytes, if they were sealed. Shown with `-` and the part count behind it when
    /// there is one.
    pub fn etag(&self) -> Option<ETag> {
        self.info.attributes.etag
    }

    /// The checksum, if one was sealed.
    pub fn checksum(&self) -> Option<&ObjectChecksum> {
        self.info.attributes.checksum.as_ref()
    }

    /// All sealed attributes.
    pub fn attributes(&self) -> &Attributes {
        &self.info.attributes
    }

    /// The number of parts of a multipart object.
    pub fn part_count(&self) -> Option<u32> {
        match self.info.content {
            Content::Body(_) => None,
            Content::Parts { count, .. } => Some(count),
        }
    }

    /// The sizes of its bodies.
    pub fn layout(&self) -> Layout {
        self.keys.layout()
    }

    /// Gives the index of the part table, if the context had none. It is verified.
    ///
    /// # Errors
    /// [`Error::PartTable`] when it is not the one that was sealed, [`Error::Misuse`] when the
    /// object is a single body.
    pub fn set_part_index(&mut self, index: &[u8]) -> Result<()> {
        let Content::Parts { count, index_digest } = &self.info.content else {
            return Err(Error::Misuse("a single body has no part table"));
        };
        let length = self.info.length;
        self.index = Some(PartIndex::verify(&self.keys, index, index_digest, *count, length)?);
        Ok(())
    }

    /// What a range read needs to fetch.
    ///
    /// # Errors
    /// [`Error::RangeNotSatisfiable`] (HTTP 416) when the range starts behind the end,
    /// [`Error::PartTable`] when the object has parts and no index was given.
    pub fn plan(&self, range: &ReadRange) -> Result<ReadPlan> {
        let whole = *range == ReadRange::Whole;
        let range = range.resolve(self.info.length)?;
        let (pages, body) = match &self.info.content {
            Content::Body(headers) => {
                let (layout, length) = (self.layout(), self.info.length);
                let segment = Segment::new(layout, 0, length, *headers, range.clone(), whole)?;
                (0..0, Some(segment))
            }
            Content::Parts { .. } => (self.index()?.pages_of(&range, whole), None),
        };
        Ok(ReadPlan { range, whole, pages, body })
    }

    /// Verifies a fetched page of the part table, by its number from 0.
    ///
    /// # Errors
    /// [`Error::PartTable`] when it is not the one that was sealed.
    pub fn page(&self, number: u32, bytes: &[u8]) -> Result<PartPage> {
        self.index()?.page(&self.keys, number, bytes)
    }

    /// The segments of a plan, in order, for hosts that hold the whole part table; of a single body
    /// without one.
    ///
    /// # Errors
    /// [`Error::PartTable`] when a page is missing or not the one that was sealed.
    pub fn segments(&self, plan: &ReadPlan, table: Option<&PartTable>) -> Result<Vec<Segment>> {
        if let Some(body) = plan.body() {
            return Ok(alloc::vec![body.clone()]);
        }
        let missing = Error::PartTable { object: self.object_id(), fault: PartTableFault::Missing };
        let pages = table.ok_or(missing.clone())?.pages();
        let mut segments = Vec::new();
        for number in plan.pages() {
            let bytes = pages.get(number as usize).ok_or(missing.clone())?;
            let page = self.page(number, bytes)?;
            for segment in plan.segments(self.layout(), &page) {
                segments.push(segment?);
            }
        }
        Ok(segments)
    }

    /// Opens what was fetched for a segment, in order.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the body's headers do not commit to this object's key.
    pub fn open_segment(&self, segment: &Segment) -> Result<OpenStream> {
        let chunks = self.segment_chunks(segment)?;
        Ok(OpenStream::new(self.object_id(), chunks, segment.clone()))
    }

    /// Positioned access to the chunks of a segment's body.
    ///
    /// # Errors
    /// As [`Opener::open_segment`].
    pub fn chunks(&self, segment: &Segment) -> Result<Arc<dyn ChunkOpener>> {
        Ok(self.segment_chunks(segment)?)
    }

    /// Attributes that the next [`rewrap`](crate::ObjectCipher::rewrap) seals in place of the
    /// object's, such as the digest of replaced metadata. What this Opener tells stays the object's.
    pub fn replace_attributes(&mut self, attributes: Attributes) {
        self.replaced = Some(attributes);
    }

    /// The Envelope of the same body under another wrapping and identity.
    pub(crate) fn rewrap(&self, wrapping: &Wrapping, identity: &Identity) -> Result<Envelope> {
        let [info_salts, wrap_salts] = &wrapping.draw_salts()?;
        if let Some(attributes) = &self.replaced {
            let info = Info { attributes: attributes.clone(), ..self.info.clone() };
            return commit(&self.keys, wrapping, identity, &info, [info_salts, wrap_salts]);
        }
        let multipart = self.part_count().is_some();
        let head = finished_head(&self.keys, wrapping, identity, multipart)?;
        wrapping.wrap(&self.keys, head, identity, &self.info_message, wrap_salts)
    }

    fn index(&self) -> Result<&PartIndex> {
        let fault = PartTableFault::Missing;
        self.index.as_ref().ok_or(Error::PartTable { object: self.object_id(), fault })
    }

    fn segment_chunks(&self, segment: &Segment) -> Result<Arc<Chunks>> {
        let recover = || {
            let purpose = Purpose::Body { part: segment.part };
            Ok(Box::new(Arc::new(self.keys.recover(purpose, &segment.headers)?)))
        };
        match &self.info.content {
            Content::Body(headers) if *headers == segment.headers && segment.part == 0 => {
                self.body.get_or_try_init(recover).map(Arc::clone)
            }
            _ => recover().map(|chunks| *chunks),
        }
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener")
            .field("object_id", &self.object_id())
            .field("mode", &self.mode)
            .field("plaintext_len", &self.info.length)
            .finish_non_exhaustive()
    }
}
