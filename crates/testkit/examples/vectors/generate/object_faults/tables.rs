//! Faults in the part table: made without the key, and sealed by a key holder.

use object_cipher_core::CryptoBackend;
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::vectors::{ObjectVector, VerdictStep::PartTable};

use crate::generate::{
    kinds::{DSSE_KMS, Kind, SSE_C},
    message::shorten,
    objects::{many_parts, multipart},
    samples::Sample,
};

pub(super) fn all() -> Vec<ObjectVector> {
    let small =
        [SSE_C, DSSE_KMS].into_iter().flat_map(|kind| [indices(kind), pages(kind)].concat());
    small.chain(two_pages()).chain(sealed()).chain(sealed_indices()).collect()
}

/// Bytes of an entry of the part table.
fn entry_len(kind: Kind) -> usize {
    12 + 56 * kind.layers()
}

fn with_index(sample: &Sample, reason: &str, edit: impl FnOnce(&mut Vec<u8>)) -> ObjectVector {
    let mut vector = sample.refuse(PartTable, reason);
    edit(&mut vector.part_index.as_mut().unwrap().0);
    vector
}

fn with_page(
    sample: &Sample,
    number: usize,
    reason: &str,
    edit: impl FnOnce(&mut Vec<u8>),
) -> ObjectVector {
    let mut vector = sample.refuse(PartTable, reason);
    edit(&mut vector.part_pages[number].0);
    vector
}

fn indices(kind: Kind) -> Vec<ObjectVector> {
    let sample = multipart(kind);
    let with = |reason: &str, edit: fn(&mut Vec<u8>)| with_index(&sample, reason, edit);
    let other = many_parts(kind).vector.part_index;
    vec![
        ObjectVector { part_index: None, ..sample.refuse(PartTable, "the index is missing") },
        ObjectVector {
            part_index: other,
            ..sample.refuse(PartTable, "the index of another object")
        },
        with("the index is empty", Vec::clear),
        with("the count in the index changed", |index| index[3] ^= 1),
        with("the count in the index is 0", |index| index[3] = 0),
        with("the count in the index is 10,001", |index| {
            index[2..4].copy_from_slice(&[0x27, 0x11]);
        }),
        with("the first part in the index changed", |index| index[7] ^= 2),
        with("the sum in the index changed", |index| index[15] ^= 1),
        with("the page digest in the index changed", |index| index[16] ^= 0x80),
        with("the last byte of the index dropped", shorten),
        with("one zero byte behind the index", |index| index.push(0)),
        with("the index's one page twice", |index| index.extend_from_within(4..)),
    ]
}

fn pages(kind: Kind) -> Vec<ObjectVector> {
    let sample = multipart(kind);
    let entry = entry_len(kind);
    let with = |reason: &str, edit: &dyn Fn(&mut Vec<u8>)| with_page(&sample, 0, reason, edit);
    vec![
        ObjectVector { part_pages: vec![], ..sample.refuse(PartTable, "the page is missing") },
        with("entry 1 of the page dropped", &|page| drop(page.drain(entry..2 * entry))),
        with("the last entry of the page dropped", &|page| page.truncate(2 * entry)),
        with("entry 1 of the page repeated", &|page| page.extend_from_within(entry..2 * entry)),
        with("entry 0 put in place of entry 1", &|page| page.copy_within(..entry, entry)),
        with("the part number in entry 2 changed", &|page| page[2 * entry + 3] = 4),
        with("entries 0 and 2 swapped", &|page| {
            let (first, rest) = page.split_at_mut(entry);
            first.swap_with_slice(&mut rest[entry..]);
        }),
        with("the length in entry 0 one less", &|page| page[11] -= 1),
        with("the length in entry 0 one more and in entry 2 one less", &|page| {
            page[11] += 1;
            page[2 * entry + 11] -= 1;
        }),
        with("the headers of entries 0 and 2 swapped", &|page| {
            let (first, rest) = page.split_at_mut(entry);
            first[12..].swap_with_slice(&mut rest[entry + 12..]);
        }),
        with("the last byte of the page dropped", &shorten),
        with("one zero byte behind the page", &|page| page.push(0)),
    ]
}

fn two_pages() -> Vec<ObjectVector> {
    let sample = many_parts(SSE_C);
    let swapped = |reason: &str, edit: fn(&mut ObjectVector)| {
        let mut vector = sample.refuse(PartTable, reason);
        edit(&mut vector);
        vector
    };
    vec![
        swapped("the pages swapped", |vector| vector.part_pages.reverse()),
        swapped("the second page missing", |vector| vector.part_pages.truncate(1)),
        swapped("the last entry of page 0 moved to page 1", |vector| {
            let moved = vector.part_pages[0].0.split_off(255 * 68);
            vector.part_pages[1].0.splice(..0, moved);
        }),
        swapped("the pages joined", |vector| {
            let second = vector.part_pages.remove(1);
            vector.part_pages[0].0.extend(second.0);
        }),
        with_page(&sample, 1, "the part number on page 1 changed", |page| page[3] ^= 1),
        with_index(&sample, "the pages in the index swapped", |index| {
            let (first, second) = index[4..].split_at_mut(44);
            first.swap_with_slice(second);
        }),
        with_index(&sample, "the second page in the index dropped", |index| index.truncate(48)),
    ]
}

/// A table as a key holder could seal it: entries, and what the info block says.
struct Sealed {
    entries: Vec<(u32, u64)>,
    index: Option<Vec<u8>>,
    length: u64,
    count: u32,
}

impl Sealed {
    fn honest() -> Self {
        Self { entries: vec![(1, 100), (2, 0), (5, 50)], index: None, length: 150, count: 3 }
    }

    /// The object with this table; each entry takes the headers of the stored parts in turn.
    fn refuse(&self, reason: &str) -> ObjectVector {
        let sample = multipart(SSE_C);
        let headers: Vec<_> = [1, 2, 5].map(|part| sample.headers(part)).into();
        let entries = self.entries.iter().zip(headers.iter().cycle());
        let page: Vec<u8> =
            entries.flat_map(|((part, length), headers)| entry(*part, *length, headers)).collect();
        let index = self.index.clone().unwrap_or_else(|| {
            let sum =
                self.entries.iter().fold(0, |sum: u64, (_, length)| sum.wrapping_add(*length));
            let count = u32::try_from(self.entries.len()).unwrap();
            index(count, &[(self.entries[0].0, sum, &page)])
        });
        let mut vector =
            sample.with_index(&index, self.length, self.count).refuse(PartTable, reason);
        vector.part_index = Some(index.as_slice().into());
        vector.part_pages = vec![page.as_slice().into()];
        vector
    }
}

fn entry(part: u32, length: u64, headers: &[u8]) -> Vec<u8> {
    [&part.to_be_bytes()[..], &length.to_be_bytes(), headers].concat()
}

fn index(count: u32, pages: &[(u32, u64, &[u8])]) -> Vec<u8> {
    let mut index = count.to_be_bytes().to_vec();
    for (first, sum, page) in pages {
        index.extend(first.to_be_bytes());
        index.extend(sum.to_be_bytes());
        index.extend(RustCrypto.sha256(&[page]));
    }
    index
}

fn sealed() -> Vec<ObjectVector> {
    let with = |reason: &str, edit: fn(&mut Sealed)| {
        let mut sealed = Sealed::honest();
        edit(&mut sealed);
        sealed.refuse(&format!("sealed with {reason}"))
    };
    vec![
        with("part number 0", |table| table.entries[0].0 = 0),
        with("part number 10,001", |table| table.entries[2].0 = 10_001),
        with("part number 2^32 - 1", |table| table.entries[2].0 = u32::MAX),
        with("a part number twice", |table| table.entries[1].0 = 1),
        with("falling part numbers", |table| table.entries[1].0 = 9),
        with("lengths that exceed 2^64", |table| table.entries[1].1 = u64::MAX),
        with("lengths that do not add up to tag 1", |table| table.length = 151),
        with("a count that is not tag 2", |table| table.count = 4),
        with("a page that has an entry more than the count", |table| {
            let page = table.entries.clone();
            table.entries.push((6, 0));
            let bytes: Vec<u8> =
                page.iter().flat_map(|(part, length)| entry(*part, *length, &[0; 56])).collect();
            table.index = Some(index(3, &[(1, 150, &bytes)]));
        }),
    ]
}

fn sealed_indices() -> Vec<ObjectVector> {
    let sample = multipart(SSE_C);
    let page = sample.vector.part_pages[0].0.clone();
    let with = |reason: &str, count: u32, pages: &[(u32, u64, &[u8])]| {
        let index = index(count, pages);
        let tag_2 = if (1..=10_000).contains(&count) { count } else { 3 };
        let sealed = sample.with_index(&index, 150, tag_2);
        let reason = format!("sealed with an index that has {reason}");
        ObjectVector {
            part_index: Some(index.as_slice().into()),
            ..sealed.refuse(PartTable, &reason)
        }
    };
    vec![
        with("another first part than the page", 3, &[(2, 150, &page)]),
        with("another sum than tag 1", 3, &[(1, 149, &page)]),
        with("count 0 and no pages", 0, &[]),
        with("count 10,001", 10_001, &[(1, 150, &page)]),
        with("two pages for three parts", 3, &[(1, 150, &page), (6, 0, &[])]),
        with("no page for three parts", 3, &[]),
        with("pages whose sums exceed 2^64", 257, &[(1, u64::MAX, &page), (5, 151, &page)]),
        with("pages whose first parts fall", 257, &[(5, 150, &page), (1, 0, &page)]),
        with("one page for 257 parts", 257, &[(1, 150, &page)]),
    ]
}
