//! Part tables that a key holder sealed wrong: everything agrees but the one fault.

use object_cipher_core::CryptoBackend;
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{
    plaintext,
    vectors::{
        Base64, ObjectVector,
        VerdictStep::{self, Body, Info, PartTable},
    },
};

use crate::generate::{kinds::SSE_C, objects::multipart};

pub(super) fn all() -> Vec<ObjectVector> {
    [one_page(), page_counts(), vec![no_parts()]].concat()
}

/// A table of one page, and what index and info block say of it.
struct Sealed {
    /// Part numbers and lengths.
    entries: Vec<(u32, u64)>,
    /// The first part and the sum of the lengths in the index.
    first: u32,
    sum: u64,
    /// The count in the index.
    count: u32,
    /// Length and count in the info block.
    tag_1: u64,
    tag_2: u32,
}

fn one_page() -> Vec<ObjectVector> {
    let at = |step, reason: &str, edit: fn(&mut Sealed)| {
        let entries = vec![(1, 100), (2, 0), (5, 50)];
        let mut sealed = Sealed { entries, first: 1, sum: 150, count: 3, tag_1: 150, tag_2: 3 };
        edit(&mut sealed);
        sealed.refuse(step, &format!("sealed with {reason}"))
    };
    let with = |reason: &str, edit: fn(&mut Sealed)| at(PartTable, reason, edit);
    vec![
        with("part number 0", |table| (table.entries[0].0, table.first) = (0, 0)),
        with("part number 10,001", |table| table.entries[2].0 = 10_001),
        with("part number 2^32 - 1", |table| table.entries[2].0 = u32::MAX),
        with("a part number twice", |table| table.entries[1].0 = 1),
        with("falling part numbers", |table| table.entries[1].0 = 9),
        with("lengths that exceed 2^64", |table| {
            table.entries[1].1 = u64::MAX;
            (table.sum, table.tag_1) = (149, 149);
        }),
        with("a sum that is not tag 1", |table| table.tag_1 = 151),
        with("a sum that is not the page's", |table| (table.sum, table.tag_1) = (149, 149)),
        with("a count that is not tag 2", |table| table.tag_2 = 4),
        with("a count of one more than the entries", |table| (table.count, table.tag_2) = (4, 4)),
        with("a count of one less than the entries", |table| (table.count, table.tag_2) = (2, 2)),
        with("a count of 257 and one page", |table| (table.count, table.tag_2) = (257, 257)),
        with("a first part that is not the page's", |table| table.first = 2),
        at(Body, "a part length of 2^46", |table| {
            table.entries[1].1 = 1 << 46;
            (table.sum, table.tag_1) = ((1 << 46) + 150, (1 << 46) + 150);
        }),
    ]
}

impl Sealed {
    /// An object with this table and a body for each entry.
    fn refuse(&self, step: VerdictStep, reason: &str) -> ObjectVector {
        let sample = multipart(SSE_C);
        let object = sample.raw.object_id();
        let mut page = Vec::new();
        let mut bodies = Vec::new();
        for (part, length) in &self.entries {
            let content = plaintext(usize::try_from(*length).unwrap().min(100));
            let body = sample.secrets.seal(object, "body", Some(*part), &content);
            page.extend([&part.to_be_bytes()[..], &length.to_be_bytes(), &body[..56]].concat());
            bodies.push((*part, Base64(body)));
        }
        let index = index(self.count, &[(self.first, self.sum, &page)]);
        ObjectVector {
            bodies: bodies.into_iter().collect(),
            part_index: Some(index.as_slice().into()),
            part_pages: vec![page.as_slice().into()],
            ..sample.with_index(&index, self.tag_1, self.tag_2).refuse(step, reason)
        }
    }
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

/// The three parts of an object under another index.
fn reindexed(
    step: VerdictStep,
    reason: &str,
    index: &[u8],
    (length, count): (u64, u32),
) -> ObjectVector {
    let sealed = multipart(SSE_C).with_index(index, length, count);
    let reason = format!("sealed with {reason}");
    ObjectVector { part_index: Some(index.into()), ..sealed.refuse(step, &reason) }
}

fn page_counts() -> Vec<ObjectVector> {
    let page = multipart(SSE_C).vector.part_pages[0].0.clone();
    let with = |reason: &str, count: u32, pages: &[(u32, u64, &[u8])]| {
        reindexed(PartTable, reason, &index(count, pages), (150, count))
    };
    vec![
        with("two pages for three parts", 3, &[(1, 150, &page), (6, 0, &[])]),
        with("no page for three parts", 3, &[]),
        with("pages whose sums exceed 2^64", 257, &[(1, u64::MAX, &page), (5, 151, &page)]),
        with("pages whose first parts fall", 257, &[(5, 150, &page), (1, 0, &page)]),
        with("pages of the same first part", 257, &[(1, 150, &page), (1, 0, &page)]),
    ]
}

/// No parts, and everything agrees on it.
fn no_parts() -> ObjectVector {
    let vector = reindexed(Info, "no parts", &index(0, &[]), (0, 0));
    ObjectVector { bodies: [].into(), part_pages: vec![], ..vector }
}
