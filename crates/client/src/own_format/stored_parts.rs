//! Where parts lie in an object that S3 put together from them: [`StoredParts`].

use std::{collections::BTreeMap, ops::Range};

use object_cipher_core::{Error, Layout, Opener, PartPage, PartTable, ReadPlan, Segment};

use super::OwnFormatError;

/// Where the parts of an object lie in the stored object, which is their bodies one after the other.
/// Made by [`Companion::parts`](crate::Companion::parts), once for any number of reads.
#[derive(Clone, Debug)]
pub struct StoredParts {
    layout: Layout,
    pages: Vec<PartPage>,
    /// Where each part begins in the stored object.
    starts: BTreeMap<u32, u64>,
    stored_len: u64,
}

/// What to fetch of a stored object, and the segment that opens it
/// ([`Opener::open_segment`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The bytes of the stored object.
    pub bytes: Range<u64>,
    /// What they are.
    pub segment: Segment,
}

impl StoredParts {
    pub(super) fn verify(opener: &Opener, table: &PartTable) -> Result<Self, OwnFormatError> {
        let layout = opener.layout();
        let (mut pages, mut starts, mut stored_len) = (Vec::new(), BTreeMap::new(), 0_u64);
        for (number, bytes) in (0..).zip(table.pages()) {
            let page = opener.page(number, bytes)?;
            for entry in page.entries() {
                starts.insert(entry.part(), stored_len);
                stored_len = stored_len
                    .checked_add(layout.sealed_len(entry.length())?)
                    .ok_or(Error::Limit("the parts' bodies exceed 2^64 bytes"))?;
            }
            pages.push(page);
        }
        if usize::try_from(opener.part_count().unwrap_or(0)) != Ok(starts.len()) {
            return Err(Error::Misuse("the table is another object's").into());
        }
        Ok(Self { layout, pages, starts, stored_len })
    }

    /// The stored object's length in bytes. Who reads all of it compares this with what the store
    /// has: no segment reaches behind the last part.
    pub fn stored_len(&self) -> u64 {
        self.stored_len
    }

    /// What to fetch for a plan of the object's [`Opener`], in order. Neighbours may be fetched at
    /// once.
    ///
    /// # Errors
    /// [`OwnFormatError::Core`] for the plan of another object.
    pub fn fetches(&self, plan: &ReadPlan) -> Result<Vec<Fetch>, OwnFormatError> {
        let another = Error::Misuse("the plan is another object's");
        if plan.body().is_some() {
            return Err(another.into());
        }
        let mut fetches = Vec::new();
        for number in plan.pages() {
            let page = self.pages.get(number as usize).ok_or(another.clone())?;
            for segment in plan.segments(self.layout, page) {
                let segment = segment?;
                let start = self.starts.get(&segment.part()).ok_or(another.clone())?;
                let Range { start: from, end: to } = segment.fetch();
                fetches.push(Fetch { bytes: start + from..start + to, segment });
            }
        }
        Ok(fetches)
    }
}
