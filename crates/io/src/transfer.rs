//! Moving content from a reader through a cipher to a writer, with no copy but the reader's and
//! the writer's own.

use std::io::{self, Read, Seek, SeekFrom, Write};

use object_cipher_core::{
    BodySealer, BodyStream, Error as CoreError, Opener, ReadRange, SealStream, Segment,
};

use crate::{Result, body_reader::take_in, error::uninterrupted};

/// Sends all of `source` through a stream to `sink`: straight into its buffer, straight out of it.
/// Gives the number of bytes written, all flushed.
///
/// # Errors
/// Those of the stream, of `source` and of `sink`. What `sink` got before is verified, and incomplete.
pub fn pump<B, R, W>(stream: &mut B, source: &mut R, sink: &mut W) -> Result<u64>
where
    B: BodyStream + ?Sized,
    R: Read + ?Sized,
    W: Write + ?Sized,
{
    let mut written = 0;
    loop {
        let ready = stream.output().len();
        sink.write_all(stream.output())?;
        stream.taken(ready);
        written += ready as u64;
        if stream.is_done() {
            uninterrupted(|| sink.flush())?;
            return Ok(written);
        }
        let count = uninterrupted(|| source.read(stream.input()))?;
        take_in(stream, count)?;
    }
}

/// Seals all of `source` into `sink`. Gives back the stream, whose `finish` gives the Envelope or
/// the receipt; after an error there is none.
///
/// # Errors
/// As [`pump`].
///
/// ```
/// # use object_cipher_core::{
/// #     Attributes, EkSource, LayeredCipher, ObjectCipher, ObjectContext, ReadRange, resolve_now,
/// # };
/// # use object_cipher_rustcrypto::RustCrypto;
/// # let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]);
/// # let cipher = LayeredCipher::sse_c(keys, RustCrypto);
/// use std::io::Cursor;
///
/// let cx = ObjectContext::new("prod", "photos", "cat.jpg");
/// let sealer = resolve_now(cipher.seal(&cx)).expect("the key is at hand")?;
/// let mut body = Vec::new();
/// let stream = object_cipher_io::seal_all(sealer.into_stream(), &mut &b"meow!"[..], &mut body)?;
/// let envelope = stream.finish(&Attributes::default())?;
///
/// let opener = resolve_now(cipher.open(&cx, &envelope)).expect("the key is at hand")?;
/// let mut end = Vec::new();
/// object_cipher_io::open_range(&opener, &ReadRange::Last(2), &mut Cursor::new(body), &mut end)?;
/// assert_eq!(end, b"w!");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn seal_all<S, R, W>(
    mut stream: SealStream<S>,
    source: &mut R,
    sink: &mut W,
) -> Result<SealStream<S>>
where
    S: BodySealer,
    R: Read + ?Sized,
    W: Write + ?Sized,
{
    pump(&mut stream, source, sink)?;
    Ok(stream)
}

/// Opens a whole stored body, all that `source` gives, into `sink`. Gives the number of plaintext
/// bytes.
///
/// # Errors
/// As [`pump`]; [`CoreError::Misuse`] for a multipart object, whose segments are opened one by one.
pub fn open_all<R, W>(opener: &Opener, source: &mut R, sink: &mut W) -> Result<u64>
where
    R: Read + ?Sized,
    W: Write + ?Sized,
{
    open_segment(opener, &single_body(opener, &ReadRange::Whole)?, source, sink)
}

/// Opens what was fetched for a segment, all that `source` gives, into `sink`. Gives the number of
/// plaintext bytes.
///
/// # Errors
/// As [`pump`].
pub fn open_segment<R, W>(
    opener: &Opener,
    segment: &Segment,
    source: &mut R,
    sink: &mut W,
) -> Result<u64>
where
    R: Read + ?Sized,
    W: Write + ?Sized,
{
    pump(&mut opener.open_segment(segment)?, source, sink)
}

/// Opens a range of the stored body in `body`, which begins at its position 0, into `sink`. Reads
/// exactly the chunks that cover the range; for [`ReadRange::Whole`] also the headers, and one byte
/// more to notice a body that goes on behind its end.
///
/// # Errors
/// As [`open_all`]; [`CoreError::RangeNotSatisfiable`] for a range behind the end.
pub fn open_range<R, W>(
    opener: &Opener,
    range: &ReadRange,
    body: &mut R,
    sink: &mut W,
) -> Result<u64>
where
    R: Read + Seek + ?Sized,
    W: Write + ?Sized,
{
    let segment = single_body(opener, range)?;
    open_segment(opener, &segment, &mut fetch(body, &segment)?, sink)
}

/// The segment of a range of an object that is stored as one body.
pub(crate) fn single_body(opener: &Opener, range: &ReadRange) -> Result<Segment, CoreError> {
    let plan = opener.plan(range)?;
    plan.body().cloned().ok_or(CoreError::Misuse("a multipart object is read segment by segment"))
}

/// What a segment asks for, out of the stored body.
pub(crate) fn fetch<'a, R: Read + Seek + ?Sized>(
    body: &'a mut R,
    segment: &Segment,
) -> io::Result<io::Take<&'a mut R>> {
    let fetch = segment.fetch();
    let spare = u64::from(segment.header_len() > 0);
    body.seek(SeekFrom::Start(fetch.start))?;
    Ok(body.take(fetch.end - fetch.start + spare))
}
