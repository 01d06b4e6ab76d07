//! An object to seal and to open, and readers and writers that misbehave.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    iter,
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, Completion, EkSource, Envelope, LayeredCipher, ObjectCipher, ObjectContext,
    OpenStream, Opener, ReadRange, Sealer, Segment, Uploader,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{TestKeys, drive, now};

pub(crate) const CHUNK: usize = 16_384;
pub(crate) const STRIDE: usize = CHUNK + 16;
pub(crate) const HEADER: usize = 56;

/// A cipher, by its layers.
pub(crate) struct Fixture {
    cipher: Box<dyn ObjectCipher>,
}

/// A sealed object and its plaintext.
pub(crate) struct Object {
    pub(crate) plaintext: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) opener: Opener,
}

impl Fixture {
    /// SSE-C, one layer.
    pub(crate) fn one_layer() -> Self {
        let keys = TestKeys::new(EkSource::Customer, [7; 32]);
        Self { cipher: Box::new(LayeredCipher::sse_c(keys, RustCrypto)) }
    }

    /// DSSE-KMS.
    pub(crate) fn two_layers() -> Self {
        let keys = TestKeys::new(EkSource::Kms, [7; 32]);
        Self { cipher: Box::new(LayeredCipher::dsse_kms(keys, RustCrypto, AwsLc)) }
    }

    pub(crate) fn both() -> [Self; 2] {
        [Self::one_layer(), Self::two_layers()]
    }

    pub(crate) fn sealer(&self) -> Sealer {
        now(self.cipher.seal(&cx())).unwrap()
    }

    pub(crate) fn opener(&self, envelope: &Envelope) -> Opener {
        now(self.cipher.open(&cx(), envelope)).unwrap()
    }

    pub(crate) fn uploader(&self) -> Uploader {
        let cx = cx().with_upload_id("upload");
        now(self.cipher.create_upload(&cx, Completion::WithKey)).unwrap()
    }

    /// An object of `length` bytes, sealed by core alone.
    pub(crate) fn object(&self, length: usize) -> Object {
        let plaintext = content(length);
        let mut stream = self.sealer().into_stream();
        let body = drive(&mut stream, &plaintext, usize::MAX).complete().unwrap();
        let opener = self.opener(&stream.finish(&Attributes::default()).unwrap());
        Object { plaintext, body, opener }
    }
}

impl Object {
    pub(crate) fn stream(&self) -> OpenStream {
        self.opener.open_segment(&self.segment()).unwrap()
    }

    pub(crate) fn segment(&self) -> Segment {
        self.segment_of(&ReadRange::Whole)
    }

    pub(crate) fn segment_of(&self, range: &ReadRange) -> Segment {
        self.opener.plan(range).unwrap().body().unwrap().clone()
    }

    /// What is fetched for a segment.
    pub(crate) fn fetch(&self, segment: &Segment) -> &[u8] {
        let fetch = segment.fetch();
        &self.body[usize::try_from(fetch.start).unwrap()..usize::try_from(fetch.end).unwrap()]
    }

    /// The body with one bit of chunk `index` flipped.
    pub(crate) fn with_bad_chunk(&self, index: usize) -> Vec<u8> {
        let layout = self.opener.layout();
        let mut body = self.body.clone();
        body[usize::try_from(layout.chunk_offset(index as u64)).unwrap()] ^= 1;
        body
    }
}

fn cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "key")
}

/// Content without a period that a chunk could share.
pub(crate) fn content(length: usize) -> Vec<u8> {
    Random::new(length as u64).take(length).map(|word| word.to_le_bytes()[3]).collect()
}

/// Sizes around every edge, and some others.
pub(crate) fn sizes() -> impl Iterator<Item = usize> {
    let edges = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1];
    let multiples = [2, 5, 70].into_iter().flat_map(|n| [n * CHUNK - 1, n * CHUNK, n * CHUNK + 1]);
    let others = Random::new(1).take(6).map(|word| usize::try_from(word % 300_000).unwrap());
    edges.into_iter().chain(multiples).chain(others)
}

/// Numbers that follow from a seed (splitmix64).
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next().unwrap_or(0) % end as u64).unwrap()
    }
}

impl Iterator for Random {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Some(word ^ (word >> 31))
    }
}

/// How a reader or writer cuts what goes through it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cuts {
    Whole,
    SingleBytes,
    Random(u64),
}

impl Cuts {
    pub(crate) const ALL: [Self; 4] =
        [Self::Whole, Self::SingleBytes, Self::Random(1), Self::Random(2)];

    /// The most bytes of each call: one of three is small, one of three fits no chunk.
    pub(crate) fn sizes(self) -> Box<dyn Iterator<Item = usize> + Send> {
        match self {
            Self::Whole => Box::new(iter::repeat(usize::MAX)),
            Self::SingleBytes => Box::new(iter::repeat(1)),
            Self::Random(seed) => Box::new(Random::new(seed).map(|word| {
                let most = [10, CHUNK, 5 * CHUNK][usize::try_from(word % 3).unwrap()];
                1 + usize::try_from(word >> 32).unwrap() % most
            })),
        }
    }

    /// All of `content`, cut.
    pub(crate) fn of(self, content: &[u8]) -> Vec<&[u8]> {
        let mut rest = content;
        let mut pieces = Vec::new();
        for size in self.sizes() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}

/// A reader or writer that cuts short, is interrupted, and fails at its `n`-th call.
pub(crate) struct Faulty<T> {
    inner: T,
    sizes: Box<dyn Iterator<Item = usize> + Send>,
    interrupts: bool,
    fails_at: Option<usize>,
    calls: usize,
}

impl<T> Faulty<T> {
    /// Cuts, and is interrupted before every call.
    pub(crate) fn cut(inner: T, cuts: Cuts) -> Self {
        Self { inner, sizes: cuts.sizes(), interrupts: true, fails_at: None, calls: 0 }
    }

    /// Fails at the `n`-th call, once.
    pub(crate) fn failing(inner: T, n: usize) -> Self {
        Self { fails_at: Some(n), interrupts: false, ..Self::cut(inner, Cuts::Whole) }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls
    }

    pub(crate) fn into_inner(self) -> T {
        self.inner
    }

    /// The most bytes of this call.
    fn next_call(&mut self) -> io::Result<usize> {
        let call = self.calls;
        self.calls += 1;
        if self.fails_at == Some(call) {
            return Err(io::Error::other("the disk is gone"));
        }
        if self.interrupts && call.is_multiple_of(2) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(self.sizes.next().unwrap_or(usize::MAX))
    }
}

impl<R: Read> Read for Faulty<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = self.next_call()?.min(buf.len());
        self.inner.read(&mut buf[..most])
    }
}

impl<W: Write> Write for Faulty<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let most = self.next_call()?.min(buf.len());
        self.inner.write(&buf[..most])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.next_call()?;
        self.inner.flush()
    }
}

impl<R: Seek> Seek for Faulty<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.next_call()?;
        self.inner.seek(to)
    }
}
