//! Streams of `Bytes`.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{Stream, StreamExt, executor::block_on, stream};
use object_cipher_core::{Attributes, ETag, Error as CoreError, ReadRange, Segment};
use object_cipher_io::{Error, OpenBytes, SealBytes, open_all};

use crate::fixture::{CHUNK, Cuts, Fixture, HEADER, Object, Random, STRIDE, content, sizes};

/// Who else holds the pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    No,
    Yes,
    Some,
}

/// Pieces of content, pending before each.
struct Pieces {
    rest: std::vec::IntoIter<Bytes>,
    pending: bool,
    /// Clones that keep pieces shared.
    _held: Vec<Bytes>,
}

impl Pieces {
    fn new(content: &[u8], cuts: Cuts, held: Held) -> Self {
        let pieces: Vec<_> = cuts.of(content).into_iter().map(Bytes::copy_from_slice).collect();
        let mut random = Random::new(8);
        let is_held = |_: &&Bytes| match held {
            Held::No => false,
            Held::Yes => true,
            Held::Some => random.below(2) == 0,
        };
        let held = pieces.iter().filter(is_held).cloned().collect();
        Self { rest: pieces.into_iter(), pending: false, _held: held }
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pending = !self.pending;
        if self.pending {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.rest.next().map(Ok))
    }
}

/// Everything a stream gives, and its error; nothing may come behind it.
fn collect(
    mut stream: impl Stream<Item = Result<Bytes, Error>> + Unpin,
) -> (Vec<u8>, Result<(), Error>) {
    let mut out = Vec::new();
    let mut result = Ok(());
    block_on(async {
        while let Some(item) = stream.next().await {
            assert!(result.is_ok(), "an error ends the stream");
            match item {
                Ok(bytes) => out.extend(bytes),
                Err(error) => result = Err(error),
            }
        }
        assert!(stream.next().await.is_none());
    });
    (out, result)
}

fn seal(fixture: &Fixture, plaintext: &[u8], cuts: Cuts, held: Held) -> Object {
    let mut sealing = SealBytes::new(fixture.sealer(), Pieces::new(plaintext, cuts, held));
    let (body, result) = collect(&mut sealing);
    result.unwrap();
    let sealed = sealing.finish().unwrap();
    assert_eq!(sealed.plaintext_len(), plaintext.len() as u64);
    let opener = fixture.opener(&sealed.finish(&Attributes::default()).unwrap());
    Object { plaintext: plaintext.to_vec(), body, opener }
}

fn open(object: &Object, body: &[u8], cuts: Cuts, held: Held) -> (Vec<u8>, Result<(), Error>) {
    open_segment(object, &object.segment(), body, cuts, held)
}

fn open_segment(
    object: &Object,
    segment: &Segment,
    fetched: &[u8],
    cuts: Cuts,
    held: Held,
) -> (Vec<u8>, Result<(), Error>) {
    let pieces = Pieces::new(fetched, cuts, held);
    collect(OpenBytes::new(&object.opener, segment, pieces).unwrap())
}

#[test]
fn what_a_stream_seals_streams_and_readers_open() {
    for fixture in Fixture::both() {
        for length in sizes() {
            for held in [Held::No, Held::Yes, Held::Some] {
                round_trip(&fixture, length, Cuts::Random(6), held);
            }
        }
        for cuts in Cuts::ALL {
            for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5] {
                round_trip(&fixture, length, cuts, Held::Some);
            }
        }
    }
}

fn round_trip(fixture: &Fixture, length: usize, cuts: Cuts, held: Held) {
    let object = seal(fixture, &content(length), cuts, held);
    let mut opened = Vec::new();
    open_all(&object.opener, &mut &object.body[..], &mut opened).unwrap();
    assert!(opened == object.plaintext, "{length} bytes, {cuts:?}, {held:?}");
    let (opened, result) = open(&object, &object.body, cuts, held);
    result.unwrap();
    assert!(opened == object.plaintext, "{length} bytes, {cuts:?}, {held:?}");
}

#[test]
fn ranges_come_out_as_they_lie_in_the_plaintext() {
    for fixture in Fixture::both() {
        let object = fixture.object(4 * CHUNK + 100);
        let length = object.plaintext.len();
        let mut random = Random::new(5);
        for _ in 0..60 {
            let start = random.below(length);
            let end = start + 1 + random.below(length - start);
            let segment = object.segment_of(&ReadRange::Bytes(start as u64..end as u64));
            let fetched = object.fetch(&segment);
            let (out, result) =
                open_segment(&object, &segment, fetched, Cuts::Random(2), Held::Some);
            result.unwrap();
            assert!(out == object.plaintext[start..end]);
        }
    }
}

#[test]
fn an_unshared_piece_is_sealed_and_opened_in_its_own_memory() {
    let fixture = Fixture::one_layer();
    let plaintext = content(4 * CHUNK + 100);
    let piece = Bytes::from(plaintext.clone());
    let memory = piece.as_ptr_range();
    let mut sealing = SealBytes::new(fixture.sealer(), stream::iter([Ok::<_, io::Error>(piece)]));
    let pieces: Vec<Bytes> = block_on((&mut sealing).map(Result::unwrap).collect());
    let in_place = pieces.iter().filter(|piece| memory.contains(&piece.as_ptr()));
    assert_eq!(in_place.map(Bytes::len).collect::<Vec<_>>(), [CHUNK; 4]);

    let sealed = sealing.finish().unwrap();
    let opener = fixture.opener(&sealed.finish(&Attributes::default()).unwrap());
    let object = Object { plaintext, body: pieces.concat(), opener };
    let piece = Bytes::from(object.body.clone());
    let memory = piece.as_ptr_range();
    let opening = OpenBytes::new(
        &object.opener,
        &object.segment(),
        stream::iter([Ok::<_, io::Error>(piece)]),
    );
    let pieces: Vec<Bytes> = block_on(opening.unwrap().map(Result::unwrap).collect());
    assert!(pieces.concat() == object.plaintext);
    assert!(pieces.iter().all(|piece| memory.contains(&piece.as_ptr())));
}

#[test]
fn a_shared_piece_is_never_written_to() {
    let fixture = Fixture::one_layer();
    let object = fixture.object(3 * CHUNK);
    let (plaintext, body) =
        (Bytes::from(object.plaintext.clone()), Bytes::from(object.body.clone()));
    let sealing = SealBytes::new(fixture.sealer(), stream::iter([Ok(plaintext.clone())]));
    collect(sealing).1.unwrap();
    let opening =
        OpenBytes::new(&object.opener, &object.segment(), stream::iter([Ok(body.clone())]))
            .unwrap();
    collect(opening).1.unwrap();
    assert!(plaintext == object.plaintext && body == object.body);
}

#[test]
fn a_cut_body_ends_in_an_error_and_gives_whole_chunks_only() {
    for length in [0, 1, 2 * CHUNK, 2 * CHUNK + 7] {
        let object = Fixture::one_layer().object(length);
        let edges = (0..4).map(|n| HEADER + n * STRIDE).chain([0, object.body.len()]);
        for cut in edges.flat_map(|edge| [edge.saturating_sub(1), edge, edge + 1]) {
            if cut >= object.body.len() {
                continue;
            }
            for held in [Held::No, Held::Yes] {
                let (opened, result) = open(&object, &object.body[..cut], Cuts::Whole, held);
                assert!(matches!(result, Err(Error::Cipher(CoreError::Truncated { .. }))));
                let whole = cut.saturating_sub(HEADER) / STRIDE * CHUNK;
                assert!(opened == object.plaintext[..whole], "{length} bytes cut at {cut}");
            }
        }
    }
}

#[test]
fn a_bad_or_longer_body_gives_nothing_from_there_on() {
    for fixture in Fixture::both() {
        let object = fixture.object(3 * CHUNK + 9);
        for held in [Held::No, Held::Yes] {
            for bad in 0..4 {
                let body = object.with_bad_chunk(bad);
                let (opened, result) = open(&object, &body, Cuts::Random(3), held);
                assert!(matches!(result, Err(Error::Cipher(CoreError::Rejected { .. }))));
                assert!(opened == object.plaintext[..bad * CHUNK]);
            }
            let mut body = object.body.clone();
            body[3] ^= 1;
            let (opened, result) = open(&object, &body, Cuts::Whole, held);
            assert!(matches!(result, Err(Error::Cipher(CoreError::Rejected { .. }))));
            assert!(opened.is_empty(), "other headers");
            let mut body = object.body.clone();
            body.push(0);
            let (opened, result) = open(&object, &body, Cuts::Whole, held);
            assert!(matches!(result, Err(Error::Cipher(CoreError::TrailingBytes { .. }))));
            assert!(opened == object.plaintext);
        }
    }
}

#[test]
fn x1_an_error_of_the_source_ends_the_stream_without_an_envelope() {
    let fixture = Fixture::one_layer();
    for n in 0..4 {
        let pieces = (0..4).map(|i| {
            if i == n {
                return Err(io::Error::other("the network is gone"));
            }
            Ok(Bytes::from(vec![i; CHUNK]))
        });
        let mut sealing = SealBytes::new(fixture.sealer(), stream::iter(pieces));
        let (_, result) = collect(&mut sealing);
        assert!(matches!(result, Err(Error::Io(_))));
        assert!(sealing.finish().is_err());
    }
}

#[test]
fn an_unfinished_stream_gives_no_envelope() {
    let fixture = Fixture::one_layer();
    let pieces = || Pieces::new(&content(2 * CHUNK), Cuts::Whole, Held::No);
    let items = {
        let mut sealing = SealBytes::new(fixture.sealer(), pieces());
        block_on((&mut sealing).count())
    };
    for taken in 0..items {
        let mut sealing = SealBytes::new(fixture.sealer(), pieces());
        block_on((&mut sealing).take(taken).for_each(|_| async {}));
        assert!(sealing.finish().is_err(), "{taken} of {items} items");
    }
}

#[test]
fn announced_content_of_another_length_is_refused() {
    let fixture = Fixture::one_layer();
    let plaintext = content(CHUNK + 5);
    for announced in [CHUNK + 4, CHUNK + 5, CHUNK + 6] {
        let (envelope, sealer) =
            fixture.sealer().announce(announced as u64, &Attributes::default()).unwrap();
        let pieces = Pieces::new(&plaintext, Cuts::Random(1), Held::No);
        let mut sealing = SealBytes::new(sealer, pieces);
        let (body, result) = collect(&mut sealing);
        assert_eq!(result.is_ok(), announced == plaintext.len());
        assert_eq!(sealing.finish().is_ok(), announced == plaintext.len());
        if result.is_ok() {
            let mut opened = Vec::new();
            open_all(&fixture.opener(&envelope), &mut &body[..], &mut opened).unwrap();
            assert!(opened == plaintext);
        }
    }
}

#[test]
fn a_part_gives_a_receipt() {
    let uploader = Fixture::one_layer().uploader();
    let part = uploader.part(3).unwrap();
    let mut sealing = SealBytes::new(part, Pieces::new(b"part", Cuts::Whole, Held::No));
    let (body, result) = collect(&mut sealing);
    result.unwrap();
    let receipt = sealing.finish().unwrap().finish(ETag([1; 16]), &[]).unwrap();
    assert_eq!(body.len(), HEADER + 4 + 16);
    assert!(!receipt.is_empty());
}

#[test]
fn a_local_stream_will_do() {
    let counter = Rc::new(RefCell::new(0));
    let pieces = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"meow!"))]);
    let pieces = pieces.inspect(|_| *counter.borrow_mut() += 1);
    collect(SealBytes::new(Fixture::one_layer().sealer(), pieces)).1.unwrap();
    assert_eq!(*counter.borrow(), 1);
}
