//! Where parts lie in an object that a store put together from them: [`StoredParts`].

use alloc::{collections::BTreeMap, vec::Vec};
use core::ops::Range;

use crate::{Error, Layout, Opener, PartPage, PartTable, ReadPlan, Result, Segment};

/// Where the parts of an object lie in the stored object, when that is their bodies one after the
/// other, as stores with multipart uploads put them together. Made once for any number of reads.
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
    /// Reads a part table, which is verified.
    ///
    /// # Errors
    /// [`Error::PartTable`] when the opener has no index, or the table is not the one that was sealed
    /// with its object; [`Error::Misuse`] for the table of another object.
    pub fn verify(opener: &Opener, table: &PartTable) -> Result<Self> {
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
            return Err(Error::Misuse("the table is another object's"));
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
    /// [`Error::Misuse`] for the plan of another object.
    pub fn fetches(&self, plan: &ReadPlan) -> Result<Vec<Fetch>> {
        let another = Error::Misuse("the plan is another object's");
        if plan.body().is_some() {
            return Err(another);
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
