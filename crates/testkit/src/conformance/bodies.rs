//! Attacks on stored bodies (group F of the catalogue).

use crate::{StoredObject, cx, drive, now, plaintext};
use object_cipher_core::{
    Attributes, BodyStream, ChunkSealer, Error, ObjectCipher, ReadRange, Step,
};

/// Two full chunks and 100 bytes.
const LENGTH: usize = 2 * 16_384 + 100;

fn seal(cipher: &dyn ObjectCipher, content: &[u8]) -> StoredObject {
    StoredObject::seal(cipher, &cx(), content, &Attributes::default()).unwrap()
}

/// Reads everything after an attack: it must fail, and give out only a true prefix.
fn refused(cipher: &dyn ObjectCipher, stored: &StoredObject, content: &[u8]) -> Error {
    let driven = stored.fetch(cipher, &cx(), &ReadRange::Whole);
    assert!(content.starts_with(&driven.released), "only verified plaintext leaves");
    driven.result.expect_err("an altered object must not open")
}

fn with_body(stored: &StoredObject, body: Vec<u8>) -> StoredObject {
    StoredObject { bodies: [(0, body)].into(), ..stored.clone() }
}

/// The stored chunks of a body, without its headers.
fn chunks(cipher: &dyn ObjectCipher, body: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let layers = cipher.mode().suite().layers();
    let (headers, chunks) = body.split_at(56 * layers);
    let stride = 16_384 + 16 * layers;
    (headers.to_vec(), chunks.chunks(stride).map(<[u8]>::to_vec).collect())
}

/// Every length around chunk edges comes back in every mode.
pub fn every_length_around_chunk_edges_comes_back_in_every_mode(cipher: &dyn ObjectCipher) {
    for length in [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 70_000] {
        let content = plaintext(length);
        let stored = seal(cipher, &content);
        let opener = stored.open(cipher, &cx()).unwrap();
        assert_eq!(opener.plaintext_len(), length as u64);
        let sealed = opener.layout().sealed_len(length as u64).unwrap();
        assert_eq!(stored.bodies[&0].len() as u64, sealed, "the closed form holds");
        assert_eq!(stored.read(cipher, &cx(), &ReadRange::Whole).unwrap(), content);
    }
}

/// F1: every flipped bit of the body is refused.
pub fn f1_every_flipped_bit_of_the_body_is_refused(cipher: &dyn ObjectCipher) {
    let content = plaintext(LENGTH);
    let stored = seal(cipher, &content);
    let opener = stored.open(cipher, &cx()).unwrap();
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let mut body = stored.bodies[&0].clone();
    for at in 0..body.len() {
        for bit in 0..8 {
            body[at] ^= 1 << bit;
            let mut stream = opener.open_segment(plan.body().unwrap()).unwrap();
            let driven = drive(&mut stream, &body, usize::MAX);
            assert!(driven.result.is_err(), "byte {at}, bit {bit}");
            assert!(content.starts_with(&driven.released), "only verified plaintext leaves");
            body[at] ^= 1 << bit;
        }
    }
}

/// F2: a body cut to any length is refused.
pub fn f2_a_body_cut_to_any_length_is_refused(cipher: &dyn ObjectCipher) {
    let content = plaintext(LENGTH);
    let stored = seal(cipher, &content);
    for length in 0..stored.bodies[&0].len() {
        let cut = with_body(&stored, stored.bodies[&0][..length].to_vec());
        let error = refused(cipher, &cut, &content);
        assert!(matches!(error, Error::Truncated { .. }), "{length}: {error}");
    }
}

/// F3: bytes behind the end are refused, however many.
pub fn f3_bytes_behind_the_end_are_refused(cipher: &dyn ObjectCipher) {
    let content = plaintext(LENGTH);
    let stored = seal(cipher, &content);
    let (_, chunks) = chunks(cipher, &stored.bodies[&0]);
    for extension in chunks {
        let body = [stored.bodies[&0].clone(), extension].concat();
        let error = refused(cipher, &with_body(&stored, body), &content);
        assert!(matches!(error, Error::TrailingBytes { .. }), "{error}");
    }
    let stored = seal(cipher, b"short");
    let filler = plaintext(16_416);
    for length in 1..=filler.len() {
        let body = [&stored.bodies[&0], &filler[..length]].concat();
        let error = refused(cipher, &with_body(&stored, body), b"short");
        assert!(matches!(error, Error::TrailingBytes { .. }), "{length}: {error}");
    }
}

/// F4: a body cut at a chunk's edge is refused even if the host was told the shorter size: what
/// counts is the sealed length.
pub fn f4_a_body_cut_at_a_chunk_edge_is_refused_whatever_size_is_told(cipher: &dyn ObjectCipher) {
    for full in 0..=3 {
        let content = plaintext(full * 16_384 + 100);
        let stored = seal(cipher, &content);
        let (headers, chunks) = chunks(cipher, &stored.bodies[&0]);
        for kept in 0..chunks.len() {
            let body = [headers.clone(), chunks[..kept].concat()].concat();
            let cut = with_body(&stored, body);
            assert!(matches!(refused(cipher, &cut, &content), Error::Truncated { .. }));
            // Reading only up to the size told is to read a range, and tells what is missing.
            let opener = cut.open(cipher, &cx()).unwrap();
            assert_eq!(opener.plaintext_len(), content.len() as u64);
            let behind = ReadRange::From(kept as u64 * 16_384);
            assert!(cut.read(cipher, &cx(), &behind).is_err());
        }
    }
}

/// F5: swapped repeated dropped and reversed chunks are refused.
pub fn f5_swapped_repeated_dropped_and_reversed_chunks_are_refused(cipher: &dyn ObjectCipher) {
    let content = plaintext(7 * 16_384 + 5);
    let stored = seal(cipher, &content);
    let (headers, chunks) = chunks(cipher, &stored.bodies[&0]);
    let judge = |order: Vec<Vec<u8>>| {
        let body = [headers.clone(), order.concat()].concat();
        refused(cipher, &with_body(&stored, body), &content);
    };
    for a in 0..chunks.len() {
        for b in 0..a {
            let mut swapped = chunks.clone();
            swapped.swap(a, b);
            judge(swapped);
            let mut copied = chunks.clone();
            copied[a].clone_from(&chunks[b]);
            judge(copied);
        }
        let mut dropped = chunks.clone();
        dropped.remove(a);
        judge(dropped);
        let mut repeated = chunks.clone();
        repeated.insert(a, chunks[a].clone());
        judge(repeated);
    }
    judge(chunks.iter().rev().cloned().collect());
}

/// F6: chunks and headers of another body are refused.
pub fn f6_chunks_and_headers_of_another_body_are_refused(cipher: &dyn ObjectCipher) {
    let content = plaintext(LENGTH);
    let (stored, other) = (seal(cipher, &content), seal(cipher, &content));
    let (headers, own) = chunks(cipher, &stored.bodies[&0]);
    let (foreign_headers, foreign) = chunks(cipher, &other.bodies[&0]);
    for at in 0..own.len() {
        let mut spliced = own.clone();
        spliced[at].clone_from(&foreign[at]);
        let body = [headers.clone(), spliced.concat()].concat();
        refused(cipher, &with_body(&stored, body), &content);
    }
    let body = [foreign_headers, own.concat()].concat();
    let error = refused(cipher, &with_body(&stored, body), &content);
    assert!(matches!(error, Error::Rejected { step: Step::Body, .. }));
}

/// F8: an empty object is 72 bytes and nothing less.
pub fn f8_an_empty_object_is_72_bytes_and_nothing_less(cipher: &dyn ObjectCipher) {
    let stored = seal(cipher, b"");
    let layers = cipher.mode().suite().layers();
    assert_eq!(stored.bodies[&0].len(), 72 * layers);
    for length in [0, 56, 56 * layers] {
        refused(cipher, &with_body(&stored, stored.bodies[&0][..length].to_vec()), b"");
    }
}

/// F9: the empty last chunk can be neither dropped nor added nor repeated.
pub fn f9_the_empty_last_chunk_can_be_neither_dropped_nor_added_nor_repeated(
    cipher: &dyn ObjectCipher,
) {
    for full in 0..=4 {
        let content = plaintext(full * 16_384);
        let stored = seal(cipher, &content);
        let (headers, mut chunks) = chunks(cipher, &stored.bodies[&0]);
        let last = chunks.pop().unwrap();
        assert_eq!(last.len(), 16 * cipher.mode().suite().layers());
        for ending in [vec![], vec![last.clone(), last.clone()]] {
            let body = [headers.clone(), chunks.concat(), ending.concat()].concat();
            refused(cipher, &with_body(&stored, body), &content);
        }
    }
}

/// F10: positions and lengths out of place are refused and wiped.
pub fn f10_positions_and_lengths_out_of_place_are_refused_and_wiped(cipher: &dyn ObjectCipher) {
    let chunks = now(cipher.seal(&cx())).unwrap().into_chunks();
    let room = chunks.overhead();
    for (index, last, length) in [
        (1 << 32, false, 16_384),
        (u64::MAX, false, 16_384),
        (u64::MAX, true, 1),
        (0, false, 16_383),
        (0, true, 16_384),
        (0, true, 16_385),
        (0, false, 0),
    ] {
        let mut buf = vec![0xAA; length + room];
        assert!(chunks.seal(index, last, &mut buf).is_err(), "{index} {last} {length}");
        assert!(buf.iter().all(|byte| *byte == 0));
    }
    assert!(chunks.seal(0, true, &mut vec![0; room - 1]).is_err());
    assert!(chunks.seal((1 << 32) - 1, true, &mut vec![0; room]).is_ok());
}

/// F16: an error comes again and the end stays the end.
pub fn f16_an_error_comes_again_and_the_end_stays_the_end(cipher: &dyn ObjectCipher) {
    let content = plaintext(LENGTH);
    let stored = seal(cipher, &content);
    let opener = stored.open(cipher, &cx()).unwrap();
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let mut body = stored.bodies[&0].clone();
    body[20_000] ^= 1;
    let mut stream = opener.open_segment(plan.body().unwrap()).unwrap();
    let error = drive(&mut stream, &body, 999).result.unwrap_err();
    for _ in 0..3 {
        assert_eq!(stream.filled(0).unwrap_err(), error);
        assert_eq!(stream.end().unwrap_err(), error);
        assert!(stream.input().is_empty() && stream.output().is_empty());
        assert!(!stream.is_done());
    }
    let mut stream = opener.open_segment(plan.body().unwrap()).unwrap();
    assert_eq!(drive(&mut stream, &stored.bodies[&0], 999).complete().unwrap(), content);
    assert!(stream.end().is_ok() && stream.is_done() && stream.input().is_empty());
}

/// Detached sealing gives the same bytes.
pub fn detached_sealing_gives_the_same_bytes(cipher: &dyn ObjectCipher) {
    let chunks = now(cipher.seal(&cx())).unwrap().into_chunks();
    let room = chunks.overhead();
    for (last, length) in [(true, 0), (true, 1), (true, 16_383), (false, 16_384)] {
        let content = plaintext(length);
        let mut joined = [content.clone(), vec![0; room]].concat();
        chunks.seal(3, last, &mut joined).unwrap();
        let (mut chunk, mut tags) = (content, vec![0; room]);
        chunks.seal_detached(3, last, &mut chunk, &mut tags).unwrap();
        assert_eq!(joined, [chunk, tags].concat());
    }
    assert!(chunks.seal_detached(0, true, &mut [], &mut vec![0; room + 1]).is_err());
}

/// Z7: a chunk that fails to open is wiped at every length.
pub fn z7_a_chunk_that_fails_to_open_is_wiped_at_every_length(cipher: &dyn ObjectCipher) {
    let stored = seal(cipher, b"content");
    let opener = stored.open(cipher, &cx()).unwrap();
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let chunks = opener.chunks(plan.body().unwrap()).unwrap();
    let rejected = Error::Rejected { object: opener.object_id(), step: Step::Body };
    assert!(chunks.open(0, true, &mut vec![0xAA; chunks.overhead() - 1]).is_err());
    for length in (0..=64).chain([16_384]) {
        let mut buf = vec![0xAA; length + chunks.overhead()];
        let error = chunks.open(0, length < 16_384, &mut buf).unwrap_err();
        assert_eq!(error, rejected);
        assert!(buf.iter().all(|byte| *byte == 0), "{length}");
    }
}
