//! What to fetch for a range of an object, and what of it to give out.

use core::ops::Range;

use crate::{Error, Headers, Layout, PartPage, Result};

/// A range of an object's plaintext, as a client asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadRange {
    /// All of it. The stored headers and the last chunk are verified too.
    Whole,
    /// From `start` up to, not including, `end`; an end behind the object's is cut (`bytes=0-99` is
    /// `0..100`).
    Bytes(Range<u64>),
    /// From an offset to the end (`bytes=100-`).
    From(u64),
    /// The last so many bytes (`bytes=-100`).
    Last(u64),
}

/// What a range read needs: for a single body one [`Segment`], for a multipart object the segments
/// on some pages of its part table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPlan {
    pub(crate) range: Range<u64>,
    pub(crate) whole: bool,
    pub(crate) pages: Range<u32>,
    pub(crate) body: Option<Segment>,
}

/// A piece of a range that lies in one stored body: which bytes to fetch and what they give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub(crate) layout: Layout,
    pub(crate) part: u32,
    /// The body's plaintext length.
    pub(crate) length: u64,
    pub(crate) headers: Headers,
    /// The bytes of the body's plaintext that are given out.
    pub(crate) wanted: Range<u64>,
    pub(crate) chunks: Range<u64>,
    pub(crate) fetch: Range<u64>,
    /// Whether the stored headers are fetched too, and compared.
    pub(crate) whole: bool,
}

impl ReadRange {
    /// The range within an object of `length` bytes.
    ///
    /// # Errors
    /// [`Error::RangeNotSatisfiable`] when it starts behind the end or is empty: HTTP 416.
    pub fn resolve(&self, length: u64) -> Result<Range<u64>> {
        let range = match self {
            Self::Whole => return Ok(0..length),
            Self::Bytes(range) => range.start..range.end.min(length),
            Self::From(start) => *start..length,
            Self::Last(count) => length.saturating_sub(*count)..length,
        };
        if range.is_empty() { Err(Error::RangeNotSatisfiable { length }) } else { Ok(range) }
    }
}

impl ReadPlan {
    /// The range of the object's plaintext that is given out.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The pages of the part table to fetch: their numbers, from 0. Empty for a single body.
    pub fn pages(&self) -> Range<u32> {
        self.pages.clone()
    }

    /// The one segment of a single body.
    pub fn body(&self) -> Option<&Segment> {
        self.body.as_ref()
    }

    /// The segments on a page of the part table, in order.
    ///
    /// # Errors
    /// [`Error::Limit`] when a part is longer than a body can be.
    pub fn segments<'a>(
        &'a self,
        layout: Layout,
        page: &'a PartPage,
    ) -> impl Iterator<Item = Result<Segment>> + 'a {
        page.placed().filter_map(move |(start, entry)| {
            let end = start.saturating_add(entry.length);
            let wanted = self.range.start.max(start)..self.range.end.min(end);
            if wanted.is_empty() && !self.whole {
                return None;
            }
            let wanted = wanted.start - start..wanted.end.max(wanted.start) - start;
            Some(Segment::new(layout, entry.part, entry.length, entry.headers, wanted, self.whole))
        })
    }
}

impl Segment {
    pub(crate) fn new(
        layout: Layout,
        part: u32,
        length: u64,
        headers: Headers,
        wanted: Range<u64>,
        whole: bool,
    ) -> Result<Self> {
        let (chunks, fetch) = if whole {
            (0..layout.chunk_count(length)?, 0..layout.sealed_len(length)?)
        } else {
            let chunks = layout.covering_chunks(&wanted);
            let fetch = layout.stored_range(&chunks, length)?;
            (chunks, fetch)
        };
        Ok(Self { layout, part, length, headers, wanted, chunks, fetch, whole })
    }

    /// The part that holds it; 0 for a single body.
    pub fn part(&self) -> u32 {
        self.part
    }

    /// The bytes to fetch of that stored body.
    pub fn fetch(&self) -> Range<u64> {
        self.fetch.clone()
    }

    /// The bytes of that body's plaintext that are given out.
    pub fn plaintext(&self) -> Range<u64> {
        self.wanted.clone()
    }

    /// Bytes at the beginning of what is fetched that are the stored headers: 0, 56 or 112.
    pub fn header_len(&self) -> usize {
        if self.whole { self.layout.header_len() } else { 0 }
    }

    /// The chunks that are fetched, by their indices in the body.
    pub fn chunks(&self) -> Range<u64> {
        self.chunks.clone()
    }

    /// Stored bytes of a chunk, tags and all.
    pub fn chunk_len(&self, index: u64) -> usize {
        let full = self.layout.stride();
        let length = if self.is_last(index) {
            self.length % self.layout.chunk_len() + self.layout.overhead() as u64
        } else {
            full
        };
        usize::try_from(length).unwrap_or(usize::MAX)
    }

    /// Whether a chunk is its body's last.
    pub fn is_last(&self, index: u64) -> bool {
        index == self.length / self.layout.chunk_len()
    }

    /// The bytes of an opened chunk that are given out: none of a chunk outside the segment.
    pub fn wanted_of(&self, index: u64) -> Range<usize> {
        let start = index.saturating_mul(self.layout.chunk_len());
        let length = self.chunk_len(index) - self.layout.overhead();
        let end = start.saturating_add(length as u64);
        let clamp = |at: u64| usize::try_from(at.clamp(start, end) - start).unwrap_or(0);
        clamp(self.wanted.start)..clamp(self.wanted.end)
    }

    /// The headers of the body.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }
}
