//! Range reads against a plain slice, and attacks on them (group G).

use crate::{StoredObject, cx, drive, plaintext, upload_cx};
use object_cipher_core::{Attributes, Error, ObjectCipher, ReadRange};

fn seal(cipher: &dyn ObjectCipher, content: &[u8]) -> StoredObject {
    StoredObject::seal(cipher, &cx(), content, &Attributes::default()).unwrap()
}

/// Parts of odd sizes: full chunks, one byte, none, sparse numbers.
fn upload(cipher: &dyn ObjectCipher) -> (StoredObject, Vec<u8>) {
    let content = plaintext(90_000);
    let edges = [0, 16_384, 16_384, 50_000, 50_001, 82_768, 90_000];
    let numbers = [1, 2, 7, 8, 600, 10_000];
    let parts: Vec<_> =
        numbers.into_iter().zip(edges.windows(2).map(|edge| &content[edge[0]..edge[1]])).collect();
    let stored =
        StoredObject::upload(cipher, &upload_cx(), &parts, &Attributes::default()).unwrap();
    (stored, content)
}

fn edges(length: u64) -> Vec<u64> {
    let around = [0, 16_384, 32_768, 50_000, 50_001, 65_536, 82_768, length];
    let mut edges: Vec<u64> =
        around.iter().flat_map(|at| [at.saturating_sub(1), *at, at + 1]).collect();
    edges.retain(|at| *at <= length + 1);
    edges.dedup();
    edges
}

fn judge(cipher: &dyn ObjectCipher, stored: &StoredObject, content: &[u8]) {
    let length = content.len() as u64;
    let read = |range: &ReadRange| stored.read(cipher, &cx(), range);
    for start in edges(length) {
        let from = usize::try_from(start).unwrap().min(content.len());
        for end in edges(length).into_iter().filter(|end| *end > start && start < length) {
            let to = usize::try_from(end.min(length)).unwrap();
            assert_eq!(read(&ReadRange::Bytes(start..end)).unwrap(), &content[from..to]);
        }
        if start < length {
            assert_eq!(read(&ReadRange::From(start)).unwrap(), &content[from..]);
        }
        if start > 0 {
            let last = content.len().saturating_sub(usize::try_from(start).unwrap());
            assert_eq!(read(&ReadRange::Last(start)).unwrap(), &content[last..]);
        }
    }
    assert_eq!(read(&ReadRange::Whole).unwrap(), content);
}

/// G1: ranges of a body equal slices in every mode.
pub fn g1_ranges_of_a_body_equal_slices_in_every_mode(cipher: &dyn ObjectCipher) {
    let content = plaintext(83_000);
    judge(cipher, &seal(cipher, &content), &content);
}

/// G9: ranges over parts equal slices in every mode.
pub fn g9_ranges_over_parts_equal_slices_in_every_mode(cipher: &dyn ObjectCipher) {
    let (stored, content) = upload(cipher);
    judge(cipher, &stored, &content);
}

/// G2, G3: a bad chunk spoils the ranges that touch it and no other.
pub fn g2_g3_a_bad_chunk_spoils_the_ranges_that_touch_it_and_no_other(cipher: &dyn ObjectCipher) {
    let content = plaintext(3 * 16_384);
    let mut stored = seal(cipher, &content);
    let at = 56 * cipher.mode().suite().layers() + 16_384 + 500;
    stored.bodies.get_mut(&0).unwrap()[at] ^= 4;
    let read = |range| stored.read(cipher, &cx(), &ReadRange::Bytes(range));
    assert_eq!(read(0..16_384).unwrap(), &content[..16_384]);
    assert_eq!(read(32_768..49_152).unwrap(), &content[32_768..]);
    for range in [16_383..16_385, 16_384..16_385, 20_000..20_001, 0..49_152] {
        assert!(matches!(read(range), Err(Error::Rejected { .. })));
    }
}

/// G4: suffixes and open ends are those of the sealed length, whatever the store has.
pub fn g4_suffixes_and_open_ends_are_counted_from_the_sealed_length(cipher: &dyn ObjectCipher) {
    let content = plaintext(2 * 16_384 + 100);
    let stored = seal(cipher, &content);
    let body = &stored.bodies[&0];
    let layers = cipher.mode().suite().layers();
    let edges = (0..=2).map(|chunk| 56 * layers + chunk * (16_384 + 16 * layers));
    let ranges = [ReadRange::Last(1), ReadRange::Last(20_000), ReadRange::From(32_800)];
    for range in ranges {
        let right = stored.read(cipher, &cx(), &range).unwrap();
        assert!(content.ends_with(&right));
        let shorter = edges.clone().chain([body.len() - 1]).map(|length| body[..length].to_vec());
        for body in shorter {
            let stored = StoredObject { bodies: [(0, body)].into(), ..stored.clone() };
            assert!(stored.read(cipher, &cx(), &range).is_err());
        }
        let longer = [body.clone(), body[56 * layers..].to_vec()].concat();
        let stored = StoredObject { bodies: [(0, longer)].into(), ..stored.clone() };
        assert_eq!(stored.read(cipher, &cx(), &range).unwrap(), right);
    }
}

/// G5: ranges behind the end are not satisfiable and fetch nothing.
pub fn g5_ranges_behind_the_end_are_not_satisfiable_and_fetch_nothing(cipher: &dyn ObjectCipher) {
    for length in [0_u64, 10, 16_384] {
        let stored = seal(cipher, &plaintext(usize::try_from(length).unwrap()));
        let opener = stored.open(cipher, &cx()).unwrap();
        for range in [
            ReadRange::Bytes(length..length + 1),
            ReadRange::Bytes(u64::MAX - 1..u64::MAX),
            ReadRange::Bytes(5..5),
            #[allow(clippy::reversed_empty_ranges)]
            ReadRange::Bytes(6..5),
            ReadRange::From(length),
            ReadRange::From(u64::MAX),
            ReadRange::Last(0),
        ] {
            assert_eq!(opener.plan(&range), Err(Error::RangeNotSatisfiable { length }));
        }
    }
    let empty = seal(cipher, b"").open(cipher, &cx()).unwrap();
    assert!(empty.plan(&ReadRange::Last(5)).is_err());
    assert!(empty.plan(&ReadRange::Bytes(0..1)).is_err());
}

/// G6: chunks outside a segment give nothing, whatever their index.
pub fn g6_chunks_outside_a_segment_give_nothing(cipher: &dyn ObjectCipher) {
    let opener = seal(cipher, &plaintext(100_000)).open(cipher, &cx()).unwrap();
    let plan = opener.plan(&ReadRange::Bytes(20_000..40_000)).unwrap();
    let segment = plan.body().unwrap();
    assert_eq!(segment.chunks(), 1..3);
    for index in [0, 3, 6, 7, 1 << 32, u64::MAX - 1, u64::MAX] {
        assert!(segment.wanted_of(index).is_empty(), "{index}");
    }
}

/// G6: offsets at the edge of u64 are cut to the object.
pub fn g6_offsets_at_the_edge_of_u64_are_cut_to_the_object(cipher: &dyn ObjectCipher) {
    let content = plaintext(40_000);
    let stored = seal(cipher, &content);
    for range in [ReadRange::Bytes(39_990..u64::MAX), ReadRange::Last(u64::MAX)] {
        let read = stored.read(cipher, &cx(), &range).unwrap();
        assert!(content.ends_with(&read) && !read.is_empty());
    }
}

/// G8: short long and shifted answers of a store are refused.
pub fn g8_short_long_and_shifted_answers_of_a_store_are_refused(cipher: &dyn ObjectCipher) {
    let content = plaintext(100_000);
    let stored = seal(cipher, &content);
    let opener = stored.open(cipher, &cx()).unwrap();
    let plan = opener.plan(&ReadRange::Bytes(20_000..60_000)).unwrap();
    let segment = plan.body().unwrap();
    let body = &stored.bodies[&0];
    let at = |at: u64| usize::try_from(at).unwrap();
    let (start, end) = (at(segment.fetch().start), at(segment.fetch().end));
    for wrong in
        [start..end - 1, start..end + 1, start + 1..end + 1, start - 1..end - 1, 0..body.len()]
    {
        let mut stream = opener.open_segment(segment).unwrap();
        let driven = drive(&mut stream, &body[wrong], 5_000);
        assert!(driven.result.is_err());
        assert!(content[20_000..60_000].starts_with(&driven.released));
    }
}

/// G11: a body replaced between two reads is refused.
pub fn g11_a_body_replaced_between_two_reads_is_refused(cipher: &dyn ObjectCipher) {
    let content = plaintext(50_000);
    let (first, second) = (seal(cipher, &content), seal(cipher, &content));
    let opener = first.open(cipher, &cx()).unwrap();
    let plan = opener.plan(&ReadRange::Bytes(0..10)).unwrap();
    let segment = plan.body().unwrap();
    let fetch = usize::try_from(segment.fetch().start).unwrap()
        ..usize::try_from(segment.fetch().end).unwrap();
    let mut stream = opener.open_segment(segment).unwrap();
    assert!(drive(&mut stream, &first.bodies[&0][fetch.clone()], 100).result.is_ok());
    let mut stream = opener.open_segment(segment).unwrap();
    assert!(drive(&mut stream, &second.bodies[&0][fetch], 100).result.is_err());
}

/// G7: a range fetches its covering chunks and nothing else.
pub fn g7_a_range_fetches_its_covering_chunks_and_nothing_else(cipher: &dyn ObjectCipher) {
    let opener = seal(cipher, &plaintext(100_000)).open(cipher, &cx()).unwrap();
    let layout = opener.layout();
    for (range, first, end) in
        [(0..1, 0, 1), (16_383..16_385, 0, 2), (16_384..32_768, 1, 2), (90_000..99_999, 5, 7)]
    {
        let plan = opener.plan(&ReadRange::Bytes(range)).unwrap();
        let fetch = plan.body().unwrap().fetch();
        assert_eq!(fetch.start, layout.chunk_offset(first));
        let sealed = layout.sealed_len(100_000).unwrap();
        assert_eq!(fetch.end, layout.chunk_offset(end).min(sealed));
    }
    // A range to the end of full chunks leaves the empty last chunk alone.
    let opener = seal(cipher, &plaintext(32_768)).open(cipher, &cx()).unwrap();
    let plan = opener.plan(&ReadRange::From(0)).unwrap();
    assert_eq!(plan.body().unwrap().fetch(), layout.chunk_offset(0)..layout.chunk_offset(2));
}

/// G10: each part can be read by its number.
pub fn g10_each_part_can_be_read_by_its_number(cipher: &dyn ObjectCipher) {
    let (stored, content) = upload(cipher);
    let opener = stored.open(cipher, &cx()).unwrap();
    let page = opener.page(0, &stored.table.as_ref().unwrap().pages()[0]).unwrap();
    let mut start = 0;
    for entry in page.entries() {
        let end = start + entry.length();
        if entry.length() > 0 {
            let read = stored.read(cipher, &cx(), &ReadRange::Bytes(start..end)).unwrap();
            assert_eq!(
                read,
                &content[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()]
            );
        }
        start = end;
    }
    assert_eq!(start, opener.plaintext_len());
}
