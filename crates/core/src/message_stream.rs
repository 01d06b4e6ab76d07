//! One message as a stream: [`SealMessage`], [`OpenUnverified`], [`OpenVerified`].

use alloc::boxed::Box;
use core::{fmt, ops::Range};

use crate::{
    BackendError, BodyStream, Error, MAX_MESSAGE_LEN, MessageDecryptor, MessageEncryptor, ObjectId,
    Result, Step, body_stream::Status, wiped::Buffer,
};

/// Bytes of a tag, and of an AES block.
const TAIL_LEN: usize = 16;
/// Bytes that are encrypted or decrypted at a time.
const PIECE_LEN: usize = 65_536;

/// Seals a body that is one message: the ciphertext, then its 16-byte tag.
pub struct SealMessage {
    object: ObjectId,
    encryptor: Option<Box<dyn MessageEncryptor>>,
    buffer: Buffer,
    filled: usize,
    output: Range<usize>,
    length: u64,
    status: Status,
}

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
/// **What it gives out is not authenticated** until the stream [is done](BodyStream::is_done): the
/// tag stands at the end. Throw away all of it when the stream ends in an error. The S3 Encryption
/// Client calls this delayed authentication. [`OpenVerified`] holds everything back instead.
pub struct OpenUnverified {
    object: ObjectId,
    decryptor: Option<Box<dyn TailDecryptor>>,
    buffer: Buffer,
    filled: usize,
    output: Range<usize>,
    /// Stored bytes that were decrypted and given out, before the 16 that are held back.
    length: u64,
    status: Status,
}

/// Opens a body that is one message, and gives nothing out before all of it has verified. Holds the
/// whole body in memory.
pub struct OpenVerified {
    object: ObjectId,
    decryptor: Option<Box<dyn TailDecryptor>>,
    /// As long as the announced body, and one byte more, to notice what follows it.
    body: Buffer,
    filled: usize,
    output: Range<usize>,
    status: Status,
}

/// AES-GCM as a message with a tail.
struct Tag(Box<dyn MessageDecryptor>);

impl SealMessage {
    /// Seals by a message that was begun. `object` names it in errors.
    pub fn new(object: ObjectId, encryptor: Box<dyn MessageEncryptor>) -> Self {
        Self {
            object,
            encryptor: Some(encryptor),
            buffer: Buffer::zeroed(PIECE_LEN + TAIL_LEN),
            filled: 0,
            output: 0..0,
            length: 0,
            status: Status::Running,
        }
    }

    /// The plaintext bytes taken in so far.
    pub fn plaintext_len(&self) -> u64 {
        self.length
    }

    fn take_in(&mut self, count: usize) -> Result<()> {
        let length = self.length + count as u64;
        if length > MAX_MESSAGE_LEN {
            return Err(Error::Limit("one AES-GCM message has at most 68,719,476,704 bytes"));
        }
        self.length = length;
        self.filled += count;
        if self.filled == PIECE_LEN { self.encrypt() } else { Ok(()) }
    }

    fn encrypt(&mut self) -> Result<()> {
        let piece = &mut self.buffer[..self.filled];
        self.encryptor.as_mut().ok_or(ENDED)?.update(piece)?;
        self.output = 0..self.filled;
        self.filled = 0;
        Ok(())
    }

    fn seal_tail(&mut self) -> Result<()> {
        let at = self.filled;
        self.encrypt()?;
        let mut tag = [0; TAIL_LEN];
        self.encryptor.take().ok_or(ENDED)?.finish(&mut tag)?;
        self.buffer[at..at + TAIL_LEN].copy_from_slice(&tag);
        self.output = 0..at + TAIL_LEN;
        Ok(())
    }

    fn fail_closed(&mut self, result: Result<()>) -> Result<()> {
        if result.is_err() {
            self.buffer.wipe();
        }
        self.status.note(result)
    }
}

impl OpenUnverified {
    /// Opens an AES-GCM message that was begun. `object` names it in errors.
    pub fn new(object: ObjectId, decryptor: Box<dyn MessageDecryptor>) -> Self {
        Self::with_tail(object, Box::new(Tag(decryptor)))
    }

    /// Opens a message of another kind.
    pub fn with_tail(object: ObjectId, decryptor: Box<dyn TailDecryptor>) -> Self {
        Self {
            object,
            decryptor: Some(decryptor),
            buffer: Buffer::zeroed(PIECE_LEN + TAIL_LEN),
            filled: 0,
            output: 0..0,
            length: 0,
            status: Status::Running,
        }
    }

    /// The bytes given out so far, or waiting.
    pub fn plaintext_len(&self) -> u64 {
        self.length
    }

    /// The 16 bytes behind the piece that was given out begin the next one.
    fn move_tail(&mut self) {
        self.buffer.copy_within(PIECE_LEN..PIECE_LEN + TAIL_LEN, 0);
        self.filled = TAIL_LEN;
    }

    fn take_in(&mut self, count: usize) -> Result<()> {
        self.filled += count;
        // Nothing may come in while output waits: that piece is decrypted already.
        if count == 0 || self.filled < PIECE_LEN + TAIL_LEN {
            return Ok(());
        }
        let piece = &mut self.buffer[..PIECE_LEN];
        let updated = self.decryptor.as_mut().ok_or(ENDED)?.update(piece);
        updated.map_err(|error| failed(self.object, error))?;
        self.output = 0..PIECE_LEN;
        self.length += PIECE_LEN as u64;
        Ok(())
    }

    fn open_tail(&mut self) -> Result<()> {
        let decryptor = self.decryptor.take().ok_or(ENDED)?;
        let length = open_message(self.object, decryptor, &mut self.buffer[..self.filled])?;
        self.output = 0..length;
        self.length += length as u64;
        Ok(())
    }

    fn fail_closed(&mut self, result: Result<()>) -> Result<()> {
        if result.is_err() {
            self.buffer.wipe();
        }
        self.status.note(result)
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
        let length = usize::try_from(stored_len).ok().filter(|length| *length <= most).ok_or(
            Error::Limit("the body is longer than may be held in memory before it verifies"),
        )?;
        Ok(Self {
            object,
            decryptor: Some(decryptor),
            body: Buffer::zeroed(length + 1),
            filled: 0,
            output: 0..0,
            status: Status::Running,
        })
    }

    fn open_all(&mut self) -> Result<()> {
        let stored_len = self.body.len() - 1;
        if self.filled < stored_len {
            return Err(Error::Truncated { object: self.object });
        }
        let decryptor = self.decryptor.take().ok_or(ENDED)?;
        self.output = 0..open_message(self.object, decryptor, &mut self.body[..stored_len])?;
        Ok(())
    }

    fn fail_closed(&mut self, result: Result<()>) -> Result<()> {
        if result.is_err() {
            self.body.wipe();
        }
        self.status.note(result)
    }
}

impl BodyStream for SealMessage {
    fn input(&mut self) -> &mut [u8] {
        if !self.status.is_running() || !self.output.is_empty() {
            return &mut [];
        }
        &mut self.buffer[self.filled..PIECE_LEN]
    }

    fn filled(&mut self, count: usize) -> Result<()> {
        self.status.check()?;
        if count > self.input().len() {
            self.buffer.wipe();
            return self.status.refuse("more input than there was room");
        }
        let taken_in = self.take_in(count);
        self.fail_closed(taken_in)
    }

    fn end(&mut self) -> Result<()> {
        self.status.check()?;
        if !self.output.is_empty() {
            self.buffer.wipe();
            return self.status.refuse("output must be taken before the stream ends");
        }
        if matches!(self.status, Status::Ended) {
            return Ok(());
        }
        let sealed = self.seal_tail();
        self.fail_closed(sealed)?;
        self.status = Status::Ended;
        Ok(())
    }

    fn output(&self) -> &[u8] {
        self.status.release(&self.buffer[self.output.clone()])
    }

    fn taken(&mut self, count: usize) {
        self.output.start = self.output.end.min(self.output.start.saturating_add(count));
    }

    fn is_done(&self) -> bool {
        matches!(self.status, Status::Ended) && self.output.is_empty()
    }
}

impl BodyStream for OpenUnverified {
    fn input(&mut self) -> &mut [u8] {
        if !self.status.is_running() || !self.output.is_empty() {
            return &mut [];
        }
        &mut self.buffer[self.filled..]
    }

    fn filled(&mut self, count: usize) -> Result<()> {
        self.status.check()?;
        if count > self.input().len() {
            self.buffer.wipe();
            return self.status.refuse("more input than there was room");
        }
        let taken_in = self.take_in(count);
        self.fail_closed(taken_in)
    }

    fn end(&mut self) -> Result<()> {
        self.status.check()?;
        if !self.output.is_empty() {
            self.buffer.wipe();
            return self.status.refuse("output must be taken before the stream ends");
        }
        if matches!(self.status, Status::Ended) {
            return Ok(());
        }
        let opened = self.open_tail();
        self.fail_closed(opened)?;
        self.status = Status::Ended;
        Ok(())
    }

    fn output(&self) -> &[u8] {
        self.status.release(&self.buffer[self.output.clone()])
    }

    fn taken(&mut self, count: usize) {
        let waiting = !self.output.is_empty();
        self.output.start = self.output.end.min(self.output.start.saturating_add(count));
        if waiting && self.output.is_empty() && self.status.is_running() {
            self.move_tail();
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.status, Status::Ended) && self.output.is_empty()
    }
}

impl BodyStream for OpenVerified {
    fn input(&mut self) -> &mut [u8] {
        if !self.status.is_running() {
            return &mut [];
        }
        &mut self.body[self.filled..]
    }

    fn filled(&mut self, count: usize) -> Result<()> {
        self.status.check()?;
        if count > self.input().len() {
            self.body.wipe();
            return self.status.refuse("more input than there was room");
        }
        self.filled += count;
        if self.filled == self.body.len() {
            return self.fail_closed(Err(Error::TrailingBytes { object: self.object }));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.status.check()?;
        if matches!(self.status, Status::Ended) {
            return Ok(());
        }
        let opened = self.open_all();
        self.fail_closed(opened)?;
        self.status = Status::Ended;
        Ok(())
    }

    fn output(&self) -> &[u8] {
        self.status.release(&self.body[self.output.clone()])
    }

    fn taken(&mut self, count: usize) {
        self.output.start = self.output.end.min(self.output.start.saturating_add(count));
    }

    fn is_done(&self) -> bool {
        matches!(self.status, Status::Ended) && self.output.is_empty()
    }
}

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
            .field("object", &self.object)
            .field("plaintext_len", &self.length)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenUnverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenUnverified").field("object", &self.object).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenVerified").field("object", &self.object).finish_non_exhaustive()
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
