//! Plans of range reads against plain arithmetic, for objects of any length.

use std::ops::Range;

use arbitrary::Arbitrary;
use object_cipher_core::{Mode, ObjectCipher, Opener, ReadRange, Segment};

use super::{input, lenient, records};

/// A range as a client may ask for it.
#[derive(Arbitrary, Clone, Debug)]
pub enum AnyRange {
    /// All of it.
    Whole,
    /// From one offset up to another, not including it.
    Bytes(u64, u64),
    /// From an offset to the end.
    From(u64),
    /// The last so many bytes.
    Last(u64),
}

impl AnyRange {
    /// The same with its numbers brought below `most`.
    ///
    /// # Panics
    /// When that is 0.
    #[must_use]
    pub fn near(&self, most: u64) -> Self {
        match *self {
            Self::Whole => Self::Whole,
            Self::Bytes(start, end) => Self::Bytes(start % most, end % most),
            Self::From(start) => Self::From(start % most),
            Self::Last(count) => Self::Last(count % most),
        }
    }

    /// The range, and what it selects of so many bytes, if anything.
    pub fn of(&self, length: u64) -> (ReadRange, Option<Range<u64>>) {
        let (range, selected) = match *self {
            Self::Whole => return (ReadRange::Whole, Some(0..length)),
            Self::Bytes(start, end) => (ReadRange::Bytes(start..end), start..end.min(length)),
            Self::From(start) => (ReadRange::From(start), start..length),
            Self::Last(count) => (ReadRange::Last(count), length - count.min(length)..length),
        };
        (range, (selected.start < selected.end).then_some(selected))
    }
}

/// A range of one body of up to 2^46 − 1 bytes: the covering chunks are fetched, and give the range.
pub fn range_plan(data: &[u8]) {
    let Some((length, range, two_layers)) = input::<(u64, AnyRange, bool)>(data) else { return };
    let length = length % (1 << 46);
    let mode = if two_layers { Mode::DsseKms } else { Mode::SseC };
    let cipher = lenient::cipher(mode);
    let opener = of_length(&*cipher, length);
    let (range, selected) = range.of(length);
    let plan = opener.plan(&range);
    assert_eq!(plan.is_ok(), selected.is_some());
    let (Ok(plan), Some(selected)) = (plan, selected) else { return };
    assert_eq!(plan.range(), selected);
    let segment = plan.body().unwrap();
    assert_eq!((segment.plaintext(), plan.pages()), (selected.clone(), 0..0));
    let whole = range == ReadRange::Whole;
    fetches_the_covering_chunks(segment, length, mode.suite().layers() as u64, whole);
}

fn of_length(cipher: &dyn ObjectCipher, length: u64) -> Opener {
    let headers = vec![0; 56 * cipher.mode().suite().layers()];
    let header_len = u16::try_from(headers.len()).unwrap().to_be_bytes();
    let info = [&[1, 0, 8], &length.to_be_bytes()[..], &[4], &header_len, &headers].concat();
    records::opener(cipher, false, &info).unwrap()
}

fn fetches_the_covering_chunks(segment: &Segment, length: u64, layers: u64, whole: bool) {
    let (chunk, stride, header) = (16_384, 16_384 + 16 * layers, 56 * layers);
    let wanted = segment.plaintext();
    let last = length / chunk;
    let sealed = header + last * stride + length % chunk + 16 * layers;
    let (first, end) =
        if whole { (0, last) } else { (wanted.start / chunk, (wanted.end - 1) / chunk) };
    assert_eq!(segment.chunks(), first..end + 1);
    let start = if whole { 0 } else { header + first * stride };
    assert_eq!(segment.fetch(), start..sealed.min(header + (end + 1) * stride));
    let given: u64 = [first, end].iter().map(|at| segment.wanted_of(*at).len() as u64).sum();
    let between = end.saturating_sub(first + 1) * chunk;
    let given = if first == end { given / 2 } else { given + between };
    assert_eq!(given, wanted.end - wanted.start);
}
