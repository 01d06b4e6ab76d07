//! Which parts a multipart object has: [`PartTable`], stored wherever the host likes.
//!
//! The sealed info block holds the digest of the index, and the index the digests of the pages, so
//! a range read fetches the index (at most 1,764 bytes) and the pages it touches.

use alloc::vec::Vec;
use core::ops::Range;

use crate::{
    Error, Headers, Item, MAX_PARTS, ObjectId, PartTableFault, Result, Suite,
    data_keys::DataKeys,
    reader::{Reader, write_u32},
};

/// Entries of a full page.
pub const PAGE_PARTS: usize = 256;

/// One part of a multipart object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartEntry {
    pub(crate) part: u32,
    pub(crate) length: u64,
    pub(crate) headers: Headers,
}

/// A part table as it is stored: an index, and pages of 256 parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartTable {
    index: Vec<u8>,
    pages: Vec<Vec<u8>>,
}

/// A part table's index, verified against the Envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartIndex {
    object: ObjectId,
    suite: Suite,
    count: u32,
    pages: Vec<PageSummary>,
}

/// A page of a part table, verified against the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartPage {
    number: u32,
    /// Where the page's content begins in the object.
    start: u64,
    entries: Vec<PartEntry>,
}

/// What the index says of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PageSummary {
    first_part: u32,
    /// Where the page's content lies in the object.
    start: u64,
    length: u64,
    digest: [u8; 32],
}

impl PartEntry {
    /// The part number, 1 to 10,000.
    pub fn part(&self) -> u32 {
        self.part
    }

    /// The part's plaintext length, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The headers that the part's body begins with.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    fn stored_len(suite: Suite) -> usize {
        12 + 56 * suite.layers()
    }
}

impl PartTable {
    /// The index, to be given to reads by
    /// [`ObjectContext::with_part_index`](crate::ObjectContext::with_part_index).
    pub fn index(&self) -> &[u8] {
        &self.index
    }

    /// The pages, in order: each 256 entries, the last 1 to 256.
    pub fn pages(&self) -> &[Vec<u8>] {
        &self.pages
    }

    /// Index and pages in one byte string.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.index.clone();
        self.pages.iter().for_each(|page| bytes.extend_from_slice(page));
        bytes
    }

    /// Takes [`PartTable::to_bytes`] apart again. The form is checked here, the content when an
    /// [`Opener`](crate::Opener) verifies it.
    ///
    /// # Errors
    /// [`Error::Malformed`] when sizes and counts do not fit.
    pub fn parse(suite: Suite, bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(Item::PartIndex, bytes);
        let count = part_count(&mut reader)?;
        let page_count = page_count(count);
        reader.take(page_count * PageSummary::LEN)?;
        let index = bytes[..bytes.len() - reader.rest().len()].to_vec();
        let entry_len = PartEntry::stored_len(suite);
        let mut left = count as usize;
        let mut pages = Vec::with_capacity(page_count);
        for _ in 0..page_count {
            let entries = left.min(PAGE_PARTS);
            left -= entries;
            pages.push(reader.take(entries * entry_len)?.to_vec());
        }
        reader.end()?;
        Ok(Self { index, pages })
    }

    /// Builds the table of parts in rising order, and the index's digest.
    pub(crate) fn build(keys: &DataKeys, entries: &[PartEntry]) -> Result<(Self, [u8; 32])> {
        let mut index = Vec::with_capacity(4 + page_count_of(entries.len()) * PageSummary::LEN);
        write_u32(entries.len(), &mut index)?;
        let mut pages = Vec::with_capacity(page_count_of(entries.len()));
        for parts in entries.chunks(PAGE_PARTS) {
            let mut page = Vec::with_capacity(parts.len() * PartEntry::stored_len(keys.suite()));
            for entry in parts {
                page.extend_from_slice(&entry.part.to_be_bytes());
                page.extend_from_slice(&entry.length.to_be_bytes());
                page.extend_from_slice(entry.headers.as_bytes());
            }
            index.extend_from_slice(&parts[0].part.to_be_bytes());
            index.extend_from_slice(&total_len(parts)?.to_be_bytes());
            index.extend_from_slice(&keys.sha256(&page)?);
            pages.push(page);
        }
        let digest = keys.sha256(&index)?;
        Ok((Self { index, pages }, digest))
    }
}

impl PartIndex {
    /// Verifies an index against what the info block says: its digest, the number of parts and the
    /// object's length.
    pub(crate) fn verify(
        keys: &DataKeys,
        index: &[u8],
        expected_digest: &[u8; 32],
        expected_count: u32,
        expected_length: u64,
    ) -> Result<Self> {
        let rejected = Error::PartTable { object: keys.object, fault: PartTableFault::Rejected };
        let mut reader = Reader::new(Item::PartIndex, index);
        let count = part_count(&mut reader)?;
        let page_count = page_count(count);
        if reader.rest().len() != page_count * PageSummary::LEN {
            return Err(reader.field("page count"));
        }
        if keys.sha256(index)? != *expected_digest || count != expected_count {
            return Err(rejected);
        }
        let mut start = 0_u64;
        let mut pages: Vec<PageSummary> = Vec::with_capacity(page_count);
        for _ in 0..page_count {
            let page = PageSummary {
                first_part: reader.u32()?,
                start,
                length: reader.u64()?,
                digest: reader.array()?,
            };
            if pages.last().is_some_and(|before| before.first_part >= page.first_part) {
                return Err(rejected);
            }
            start = start.checked_add(page.length).ok_or(rejected.clone())?;
            pages.push(page);
        }
        if start != expected_length {
            return Err(rejected);
        }
        Ok(Self { object: keys.object, suite: keys.suite(), count, pages })
    }

    /// The pages that a range of the content touches. Empty parts count to the page they are on, so
    /// the whole content touches every page.
    pub(crate) fn pages_of(&self, range: &Range<u64>, whole: bool) -> Range<u32> {
        if whole {
            return 0..u32::try_from(self.pages.len()).unwrap_or(u32::MAX);
        }
        let first = self.pages.partition_point(|page| page.start + page.length <= range.start);
        let end = self.pages.partition_point(|page| page.start < range.end);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        number(first)..number(end.max(first))
    }

    /// Verifies page `number` (from 0) against the index.
    pub(crate) fn page(&self, keys: &DataKeys, number: u32, bytes: &[u8]) -> Result<PartPage> {
        let rejected = Error::PartTable { object: self.object, fault: PartTableFault::Rejected };
        let at = number as usize;
        let summary = self.pages.get(at).ok_or(Error::Misuse("there is no such page"))?;
        let before = at * PAGE_PARTS;
        let expected = (self.count as usize - before).min(PAGE_PARTS);
        let entry_len = PartEntry::stored_len(self.suite);
        if bytes.len() != expected * entry_len {
            return Err(Reader::new(Item::PartPage, bytes).field("entry count"));
        }
        if keys.sha256(bytes)? != summary.digest {
            return Err(rejected);
        }
        let entries = bytes
            .chunks_exact(entry_len)
            .map(|entry| self.entry(entry))
            .collect::<Result<Vec<_>>>()?;
        let rising = entries.windows(2).all(|pair| pair[0].part < pair[1].part);
        // The next page's first part may be any number until that page is checked.
        let next = self.pages.get(at + 1).map_or(u32::MAX, |page| page.first_part);
        let next = next.min(MAX_PARTS + 1);
        let fits = entries.first().is_some_and(|entry| entry.part == summary.first_part)
            && entries.last().is_some_and(|entry| entry.part < next)
            && total_len(&entries)? == summary.length;
        if !rising || !fits || summary.first_part == 0 {
            return Err(rejected);
        }
        Ok(PartPage { number, start: summary.start, entries })
    }

    fn entry(&self, bytes: &[u8]) -> Result<PartEntry> {
        let mut reader = Reader::new(Item::PartPage, bytes);
        Ok(PartEntry {
            part: reader.u32()?,
            length: reader.u64()?,
            headers: Headers::parse(self.suite, reader.rest())?,
        })
    }
}

impl PartPage {
    /// The page's number, from 0.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The parts on the page, rising.
    pub fn entries(&self) -> &[PartEntry] {
        &self.entries
    }

    /// The parts with the place of their content in the object.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (u64, &PartEntry)> {
        self.entries.iter().scan(self.start, |start, entry| {
            let at = *start;
            *start = start.checked_add(entry.length)?;
            Some((at, entry))
        })
    }
}

impl PageSummary {
    const LEN: usize = 44;
}

fn part_count(reader: &mut Reader<'_>) -> Result<u32> {
    let count = reader.u32()?;
    if (1..=MAX_PARTS).contains(&count) { Ok(count) } else { Err(reader.field("part count")) }
}

fn page_count(parts: u32) -> usize {
    page_count_of(parts as usize)
}

fn page_count_of(parts: usize) -> usize {
    parts.div_ceil(PAGE_PARTS)
}

/// The parts' lengths added up, without overflow.
pub(crate) fn total_len(entries: &[PartEntry]) -> Result<u64> {
    entries
        .iter()
        .try_fold(0_u64, |sum, entry| sum.checked_add(entry.length))
        .ok_or(Error::Limit("the parts' lengths exceed 2^64 bytes"))
}
