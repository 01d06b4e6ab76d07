//! Altered bodies, in streams and by position: only what was sealed opens.

use arbitrary::Arbitrary;
use object_cipher_core::{
    Attributes, BodyStream, CryptoBackend, EkSource, LayeredCipher, Mode, ObjectCipher, Opener,
    ReadRange,
};

use super::{input, lenient};
use crate::{Driven, Seeded, StoredObject, TestKeys, cx, drive::drive_cut, plaintext};

/// A content, what is done to its body, and how it comes.
#[derive(Arbitrary, Debug)]
struct Case {
    length: u16,
    edits: Vec<Edit>,
    cuts: Vec<u16>,
}

#[derive(Arbitrary, Debug)]
enum Edit {
    Flip(u32, u8),
    Cut(u32),
    Append(Vec<u8>),
    Insert(u32, u8),
    Remove(u32),
    /// One stored chunk in another's place.
    Copy(u8, u8),
    Swap(u8, u8),
}

/// A body altered in any way gives a true prefix and an error; an unaltered one its content.
pub fn body_stream(cipher: &dyn ObjectCipher, data: &[u8]) {
    let Some(case) = input::<Case>(data) else { return };
    let content = plaintext(case.length.into());
    let stored = StoredObject::seal(cipher, &cx(), &content, &Attributes::default()).unwrap();
    let body = case.altered(&stored.bodies[&0], cipher.mode().suite().layers());
    let opener = stored.open(cipher, &cx()).unwrap();
    let driven = open(&opener, &body, &case.cuts);
    assert!(content.starts_with(&driven.released), "only what was sealed leaves");
    assert_eq!(driven.result.is_ok(), body == stored.bodies[&0]);
    assert!(driven.result.is_err() || driven.released == content);
}

/// Chunks opened at any position, as last or not: only those in their place open, and what fails is
/// wiped.
pub fn body_positions(cipher: &dyn ObjectCipher, data: &[u8]) {
    #[derive(Arbitrary)]
    struct Try {
        chunk: u8,
        index: u64,
        in_place: bool,
        last: bool,
        flip: Option<u32>,
    }

    let Some((length, tries)) = input::<(u16, Vec<Try>)>(data) else { return };
    let content = plaintext(length.into());
    let stored = StoredObject::seal(cipher, &cx(), &content, &Attributes::default()).unwrap();
    let opener = stored.open(cipher, &cx()).unwrap();
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let opening = opener.chunks(plan.body().unwrap()).unwrap();
    let (_, chunks) = split(&stored.bodies[&0], cipher.mode().suite().layers());
    for Try { chunk, index, in_place, last, flip } in tries {
        let from = usize::from(chunk) % chunks.len();
        let index = if in_place { from as u64 } else { index };
        let mut buf = chunks[from].clone();
        if let Some(at) = flip {
            let bit = at as usize % (buf.len() * 8);
            buf[bit / 8] ^= 1 << (bit % 8);
        }
        let right = index == from as u64 && last == (from + 1 == chunks.len()) && flip.is_none();
        let opened = opening.open(index, last, &mut buf);
        assert_eq!(opened.is_ok(), right);
        if right {
            let part = content.chunks(16_384).nth(from).unwrap_or_default();
            assert_eq!(&buf[..part.len()], part);
        } else {
            assert!(buf.iter().all(|byte| *byte == 0), "wiped");
        }
    }
}

/// Any bytes as a body whose tags are all good: its length decides alone, and its chunks come out.
pub fn unprotected_body(data: &[u8]) {
    #[derive(Arbitrary)]
    struct Input<'a> {
        two_layers: bool,
        length: u16,
        cuts: Vec<u16>,
        body: &'a [u8],
    }

    let Some(Input { two_layers, length, cuts, body }) = input(data) else { return };
    let cipher = lenient::cipher(if two_layers { Mode::DsseKms } else { Mode::SseC });
    let content = plaintext(length.into());
    let mut stored = StoredObject::seal(&*cipher, &cx(), &content, &Attributes::default()).unwrap();
    let layers = cipher.mode().suite().layers();
    let sealed = stored.bodies.get_mut(&0).unwrap();
    // The fuzzer's bytes in the place of the chunks, and as many of them.
    let kept = sealed.len().min(56 * layers);
    sealed.truncate(kept);
    sealed.extend_from_slice(body);
    let opener = stored.open(&*cipher, &cx()).unwrap();
    let driven = open(&opener, &stored.bodies[&0], &cuts);
    let (_, chunks) = split(&stored.bodies[&0], layers);
    let bare = |chunk: &Vec<u8>| chunk[..chunk.len().saturating_sub(16 * layers)].to_vec();
    let whole = chunks.iter().map(bare).collect::<Vec<_>>().concat();
    assert!(whole.starts_with(&driven.released));
    let expected = opener.layout().sealed_len(length.into()).unwrap();
    assert_eq!(driven.result.is_ok(), stored.bodies[&0].len() as u64 == expected);
}

/// Two libraries with the same randomness seal the same bytes, and judge altered ones alike.
pub fn differential<A: CryptoBackend, B: CryptoBackend>(one: A, two: B, data: &[u8]) {
    let Some(case) = input::<Case>(data) else { return };
    let content = plaintext(case.length.into());
    let keys = || TestKeys::new(EkSource::Customer, [7; 32]);
    let one = LayeredCipher::sse_c(keys(), Seeded::new(one, "differential"));
    let two = LayeredCipher::sse_c(keys(), Seeded::new(two, "differential"));
    let seal =
        |cipher| StoredObject::seal(cipher, &cx(), &content, &Attributes::default()).unwrap();
    let (ours, theirs) = (seal(&one), seal(&two));
    assert!(ours.bodies == theirs.bodies && ours.envelope == theirs.envelope);
    let body = case.altered(&ours.bodies[&0], 1);
    let judged = |cipher| open(&ours.open(cipher, &cx()).unwrap(), &body, &case.cuts);
    let (by_one, by_two) = (judged(&one), judged(&two));
    assert_eq!(by_one.result, by_two.result);
    assert_eq!(by_one.released, by_two.released);
}

impl Case {
    fn altered(&self, body: &[u8], layers: usize) -> Vec<u8> {
        let mut body = body.to_vec();
        for edit in &self.edits {
            edit.apply(&mut body, layers);
        }
        body
    }
}

impl Edit {
    fn apply(&self, body: &mut Vec<u8>, layers: usize) {
        let place = |at: u32, body: &[u8]| at as usize % (body.len() + 1);
        match self {
            Self::Flip(at, bit) => {
                let at = place(*at, body);
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Cut(at) => body.truncate(place(*at, body)),
            Self::Append(bytes) => body.extend_from_slice(bytes),
            Self::Insert(at, byte) => body.insert(place(*at, body), *byte),
            Self::Remove(at) => {
                let at = place(*at, body);
                if at < body.len() {
                    body.remove(at);
                }
            }
            Self::Copy(from, to) | Self::Swap(from, to) => {
                let (headers, mut chunks) = split(body, layers);
                if chunks.is_empty() {
                    return;
                }
                let (from, to) =
                    (usize::from(*from) % chunks.len(), usize::from(*to) % chunks.len());
                if matches!(self, Self::Swap(..)) {
                    chunks.swap(from, to);
                } else {
                    let copied = chunks[from].clone();
                    chunks[to] = copied;
                }
                *body = [headers, chunks.concat()].concat();
            }
        }
    }
}

/// Headers and stored chunks.
fn split(body: &[u8], layers: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (headers, chunks) = body.split_at(body.len().min(56 * layers));
    (headers.to_vec(), chunks.chunks(16_384 + 16 * layers).map(<[u8]>::to_vec).collect())
}

/// Opens all of a body that comes in pieces of these sizes, over and over. An error stays.
fn open(opener: &Opener, body: &[u8], cuts: &[u16]) -> Driven {
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let mut stream = opener.open_segment(plan.body().unwrap()).unwrap();
    let cuts = cuts.iter().map(|cut| usize::from(*cut) + 1).cycle();
    let driven = drive_cut(&mut stream, body, cuts);
    assert_eq!(stream.end(), driven.result);
    driven
}
