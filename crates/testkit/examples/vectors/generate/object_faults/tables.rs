//! Faults in the part table, made without the key.

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
    let small = [SSE_C, DSSE_KMS]
        .into_iter()
        .flat_map(|kind| [indices(kind), pages(kind), made_anew(kind)].concat());
    small.chain(two_pages()).collect()
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

/// Tables that agree with themselves, and not with the info block.
fn made_anew(kind: Kind) -> Vec<ObjectVector> {
    let sample = multipart(kind);
    let entry = entry_len(kind);
    let with = |reason: &str, edit: &dyn Fn(&mut Vec<u8>)| {
        let reason = format!("page and index made anew with {reason}");
        let mut vector = with_page(&sample, 0, &reason, edit);
        let digest = RustCrypto.sha256(&[&vector.part_pages[0]]);
        vector.part_index.as_mut().unwrap().0[16..48].copy_from_slice(&digest);
        vector
    };
    vec![
        with("another number for the empty part", &|page| page[entry + 3] = 3),
        with("one byte of part 1 counted to part 5", &|page| {
            page[11] -= 1;
            page[2 * entry + 11] += 1;
        }),
        with("the headers of parts 1 and 5 swapped", &|page| {
            let (first, rest) = page.split_at_mut(entry);
            first[12..].swap_with_slice(&mut rest[entry + 12..]);
        }),
        with("bit 0 of the empty part's salt flipped", &|page| page[entry + 12] ^= 1),
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
