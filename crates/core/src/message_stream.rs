//! One message as a stream: [`SealMessage`], [`OpenUnverified`], [`OpenVerified`].

use alloc::boxed::Box;
use core::{fmt, ops::Range};

use crate::{
    BackendError, Error, MAX_MESSAGE_LEN, MessageDecryptor, MessageEncryptor, ObjectId, Result,
    Step,
    unit_stream::{UnitStream, Units, forward_body_stream},
    wiped::Buffer,
};

/// Bytes of a tag, and of an AES block.
const TAIL_LEN: usize = 16;
/// Bytes that are encrypted or decrypted at a time.
const PIECE_LEN: usize = 65_536;

/// Seals a body that is one message: the ciphertext, then its 16-byte tag.
pub struct SealMessage(UnitStream<SealPieces>);

/// Decrypts a message whose last 16 stored bytes are not like the others: a tag, or a padded block.
pub trait TailDecryptor: Send {
    /// Decrypts the next piece in place: a multiple of 16 bytes, but for the last.
    ///
    /// # Errors
    /// [`BackendError`] when it cannot be a piece of such a message.
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError>;

    /// Verifies the message by its last 16 bytes, and decrypts what content they hold, in place.
    /// Gives the length of that content: its first bytes.
    ///
    /// # Errors
    /// [`BackendError::Rejected`] when the message does not verify.
    fn finish(self: Box<Self>, tail: &mut [u8; TAIL_LEN]) -> Result<usize, BackendError>;
}

/// Opens a body that is one message while it comes, in constant memory.
///
/// # Security
/// **What it gives out is not authenticated** until the stream
/// [is done](crate::BodyStream::is_done): the tag stands at the end. Throw away all of it when the
/// stream ends in an error. The S3 Encryption Client calls this delayed authentication.
/// [`OpenVerified`] holds everything back instead.
pub struct OpenUnverified(UnitStream<OpenPieces>);

/// Opens a body that is one message, and gives nothing out before all of it has verified. Holds the
/// whole body in memory.
pub struct OpenVerified(UnitStream<OpenWhole>);

/// Pieces to encrypt. The buffer has room for one and the tag.
struct SealPieces {
    object: ObjectId,
    encryptor: Option<Box<dyn MessageEncryptor>>,
    length: u64,
}

/// Pieces to decrypt, each with the 16 bytes behind it, which may be the tail.
struct OpenPieces {
    object: ObjectId,
    decryptor: Option<Box<dyn TailDecryptor>>,
    /// Stored bytes that were decrypted and given out, before the 16 that are held back.
    length: u64,
}

/// The body as one unit that may not become whole: its room is one byte longer, to notice what
/// follows it.
struct OpenWhole {
    object: ObjectId,
    decryptor: Option<Box<dyn TailDecryptor>>,
    stored_len: usize,
}

/// AES-GCM as a message with a tail.
struct Tag(Box<dyn MessageDecryptor>);

impl SealMessage {
    /// Seals by a message that was begun. `object` names it in errors.
    pub fn new(object: ObjectId, encryptor: Box<dyn MessageEncryptor>) -> Self {
        let units = SealPieces { object, encryptor: Some(encryptor), length: 0 };
        Self(UnitStream::new(units, Buffer::zeroed(PIECE_LEN + TAIL_LEN)))
    }

    /// The plaintext bytes taken in so far.
    pub fn plaintext_len(&self) -> u64 {
        self.0.units().length
    }
}

impl OpenUnverified {
    /// Opens an AES-GCM message that was begun. `object` names it in errors.
    pub fn new(object: ObjectId, decryptor: Box<dyn MessageDecryptor>) -> Self {
        Self::with_tail(object, Box::new(Tag(decryptor)))
    }

    /// Opens a message of another kind.
    pub fn with_tail(object: ObjectId, decryptor: Box<dyn TailDecryptor>) -> Self {
        let units = OpenPieces { object, decryptor: Some(decryptor), length: 0 };
        Self(UnitStream::new(units, Buffer::zeroed(PIECE_LEN + TAIL_LEN)))
    }

    /// The bytes given out so far, or waiting.
    pub fn plaintext_len(&self) -> u64 {
        self.0.units().length
    }
}

impl OpenVerified {
    /// Opens an AES-GCM message of `stored_len` bytes, tag included. `object` names it in errors.
    ///
    /// # Errors
    /// [`Error::Limit`] when that is more than `max_len`: before anything is allocated.
    pub fn new(
        object: ObjectId,
        decryptor: Box<dyn MessageDecryptor>,
        stored_len: u64,
        max_len: usize,
    ) -> Result<Self> {
        Self::with_tail(object, Box::new(Tag(decryptor)), stored_len, max_len)
    }

    /// Opens a message of another kind.
    ///
    /// # Errors
    /// As [`OpenVerified::new`].
    pub fn with_tail(
        object: ObjectId,
        decryptor: Box<dyn TailDecryptor>,
        stored_len: u64,
        max_len: usize,
    ) -> Result<Self> {
        // No buffer is longer than `isize::MAX` bytes, whatever the caller allows.
        let most = max_len.min(isize::MAX.unsigned_abs() - 1);
        let stored_len = usize::try_from(stored_len).ok().filter(|length| *length <= most).ok_or(
            Error::Limit("the body is longer than may be held in memory before it verifies"),
        )?;
        let units = OpenWhole { object, decryptor: Some(decryptor), stored_len };
        Ok(Self(UnitStream::new(units, Buffer::zeroed(stored_len + 1))))
    }
}

impl SealPieces {
    fn encrypt(&mut self, piece: &mut [u8]) -> Result<Range<usize>> {
        self.encryptor.as_mut().ok_or(ENDED)?.update(piece)?;
        Ok(0..piece.len())
    }
}

impl Units for SealPieces {
    fn room(&self) -> Range<usize> {
        0..PIECE_LEN
    }

    fn admit(&mut self, count: usize) -> Result<()> {
        let length = self.length + count as u64;
        if length > MAX_MESSAGE_LEN {
            return Err(Error::Limit("one AES-GCM message has at most 68,719,476,704 bytes"));
        }
        self.length = length;
        Ok(())
    }

    fn whole(&mut self, buffer: &mut [u8]) -> Result<Range<usize>> {
        self.encrypt(&mut buffer[..PIECE_LEN])
    }

    fn end(&mut self, buffer: &mut [u8], filled: usize) -> Result<Range<usize>> {
        self.encrypt(&mut buffer[..filled])?;
        let mut tag = [0; TAIL_LEN];
        self.encryptor.take().ok_or(ENDED)?.finish(&mut tag)?;
        buffer[filled..filled + TAIL_LEN].copy_from_slice(&tag);
        Ok(0..filled + TAIL_LEN)
    }
}

impl Units for OpenPieces {
    fn room(&self) -> Range<usize> {
        0..PIECE_LEN + TAIL_LEN
    }

    fn whole(&mut self, buffer: &mut [u8]) -> Result<Range<usize>> {
        let updated = self.decryptor.as_mut().ok_or(ENDED)?.update(&mut buffer[..PIECE_LEN]);
        updated.map_err(|error| failed(self.object, error))?;
        self.length += PIECE_LEN as u64;
        Ok(0..PIECE_LEN)
    }

    /// The 16 bytes behind the piece that was given out begin the next one.
    fn next(&mut self, buffer: &mut [u8]) -> usize {
        buffer.copy_within(PIECE_LEN..PIECE_LEN + TAIL_LEN, 0);
        TAIL_LEN
    }

    fn end(&mut self, buffer: &mut [u8], filled: usize) -> Result<Range<usize>> {
        let decryptor = self.decryptor.take().ok_or(ENDED)?;
        let length = open_message(self.object, decryptor, &mut buffer[..filled])?;
        self.length += length as u64;
        Ok(0..length)
    }
}

impl Units for OpenWhole {
    fn room(&self) -> Range<usize> {
        0..self.stored_len + 1
    }

    fn whole(&mut self, _: &mut [u8]) -> Result<Range<usize>> {
        Err(Error::TrailingBytes { object: self.object })
    }

    /// Output waits only once the input has ended.
    fn may_end(&self, _: bool) -> Result<()> {
        Ok(())
    }

    fn end(&mut self, buffer: &mut [u8], filled: usize) -> Result<Range<usize>> {
        if filled < self.stored_len {
            return Err(Error::Truncated { object: self.object });
        }
        let decryptor = self.decryptor.take().ok_or(ENDED)?;
        Ok(0..open_message(self.object, decryptor, &mut buffer[..self.stored_len])?)
    }
}

forward_body_stream!([] SealMessage);
forward_body_stream!([] OpenUnverified);
forward_body_stream!([] OpenVerified);

impl TailDecryptor for Tag {
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError> {
        self.0.update(piece)
    }

    fn finish(self: Box<Self>, tail: &mut [u8; TAIL_LEN]) -> Result<usize, BackendError> {
        self.0.finish(tail).map(|()| 0)
    }
}

impl fmt::Debug for SealMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealMessage")
            .field("object", &self.0.units().object)
            .field("plaintext_len", &self.plaintext_len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenUnverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenUnverified")
            .field("object", &self.0.units().object)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenVerified")
            .field("object", &self.0.units().object)
            .finish_non_exhaustive()
    }
}

/// A stream that has given its message up takes nothing more.
const ENDED: Error = Error::Misuse("the message has ended");

/// What a decryptor gives that tells of more content than its tail can hold.
const IMPOSSIBLE: BackendError = BackendError::Unavailable;

/// Opens the last of a message, tail included, in place; gives the length of its content.
fn open_message(
    object: ObjectId,
    mut decryptor: Box<dyn TailDecryptor>,
    stored: &mut [u8],
) -> Result<usize> {
    let Some((content, tail)) = stored.split_last_chunk_mut::<TAIL_LEN>() else {
        return Err(Error::Truncated { object });
    };
    decryptor
        .update(content)
        .and_then(|()| decryptor.finish(tail))
        .and_then(|in_tail| if in_tail <= TAIL_LEN { Ok(in_tail) } else { Err(IMPOSSIBLE) })
        .map(|in_tail| content.len() + in_tail)
        .map_err(|error| failed(object, error))
}

/// Whatever is wrong with the stored bytes is one error.
fn failed(object: ObjectId, error: BackendError) -> Error {
    match error {
        BackendError::Rejected | BackendError::Refused => {
            Error::Rejected { object, step: Step::Body }
        }
        error => error.into(),
    }
}
