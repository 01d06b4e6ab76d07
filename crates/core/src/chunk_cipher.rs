//! One chunk in any order, on any thread: [`ChunkSealer`] and [`ChunkOpener`].

use alloc::vec::Vec;

use zeroize::zeroize_bytes;

use crate::{
    BackendError, Error, ObjectId, Result, Step,
    cobblestone::{CHUNK_LEN, ChunkKey, MAX_CHUNKS, TAG_LEN},
    per_layer::PerLayer,
};

/// Seals a body's chunks by position. Stateless: `&self`, any order, any thread.
///
/// A full chunk has 16,384 plaintext bytes; the last chunk, and only the last, has fewer.
///
/// # Security
/// Sealing two different plaintexts under one index of one body repeats a nonce and breaks the
/// encryption of both. Seal each index once; to write other content, ask for a new body.
pub trait ChunkSealer: Send + Sync {
    /// Bytes that sealing adds to a chunk: 16, or 32 for two layers.
    fn overhead(&self) -> usize;

    /// Seals a chunk in place: `buf` holds the plaintext and, after it, [`overhead`] bytes of room.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the length does not fit the chunk's place, [`Error::Limit`] for an
    /// index of 2^32 or more, [`Error::Backend`] when the library fails; `buf` is then wiped.
    ///
    /// [`overhead`]: ChunkSealer::overhead
    fn seal(&self, index: u64, last: bool, buf: &mut [u8]) -> Result<()>;

    /// As [`seal`](ChunkSealer::seal), with the [`overhead`](ChunkSealer::overhead) bytes apart
    /// from the chunk, so that a buffer without room can be sealed in place.
    ///
    /// # Errors
    /// As [`seal`](ChunkSealer::seal).
    fn seal_detached(&self, index: u64, last: bool, buf: &mut [u8], tags: &mut [u8]) -> Result<()>;
}

/// Opens a body's chunks by position. Stateless: `&self`, any order, any thread. It cannot seal, so
/// a reader never repeats a nonce.
pub trait ChunkOpener: Send + Sync {
    /// Bytes that sealing added to a chunk: 16, or 32 for two layers.
    fn overhead(&self) -> usize;

    /// Opens a sealed chunk in place: the plaintext is `buf` without its last [`overhead`] bytes.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the chunk is not the one that was sealed here, [`Error::Misuse`]
    /// when the length does not fit the chunk's place, [`Error::Limit`] for an index of 2^32 or
    /// more, [`Error::Backend`] when the library fails. `buf` is then wiped.
    ///
    /// [`overhead`]: ChunkOpener::overhead
    fn open(&self, index: u64, last: bool, buf: &mut [u8]) -> Result<()>;
}

/// The chunk cipher of one body, of one layer or two.
pub(crate) struct Chunks {
    keys: PerLayer<ChunkKey>,
    /// What is opened, for errors; unknown to a bare message.
    subject: Option<(ObjectId, Step)>,
}

impl Chunks {
    pub(crate) fn new(keys: PerLayer<ChunkKey>, object: ObjectId, step: Step) -> Self {
        Self { keys, subject: Some((object, step)) }
    }

    pub(crate) fn bare(key: ChunkKey) -> Self {
        Self { keys: PerLayer::one(key), subject: None }
    }

    fn layer_tags(&self) -> usize {
        TAG_LEN * self.keys.suite().layers()
    }

    fn seal_layers(&self, index: u64, buf: &mut [u8]) -> Result<(), BackendError> {
        let inner_len = buf.len() - self.layer_tags() + TAG_LEN;
        seal_layer(&self.keys.inner, index, &mut buf[..inner_len])?;
        match &self.keys.outer {
            Some(outer) => seal_layer(outer, index, buf),
            None => Ok(()),
        }
    }

    fn open_layers(&self, index: u64, buf: &mut [u8]) -> Result<(), BackendError> {
        if let Some(outer) = &self.keys.outer {
            open_layer(outer, index, buf)?;
        }
        let inner_len = buf.len() - self.layer_tags() + TAG_LEN;
        open_layer(&self.keys.inner, index, &mut buf[..inner_len])
    }

    fn open_error(&self, error: BackendError) -> Error {
        match (error, self.subject) {
            (BackendError::Rejected, Some((object, step))) => Error::Rejected { object, step },
            _ => error.into(),
        }
    }

    /// The outer layer covers the inner tag, which lies elsewhere: join both in a chunk of
    /// their own, which only ever holds the inner layer's ciphertext.
    fn seal_outer_detached(
        outer: &ChunkKey,
        index: u64,
        buf: &mut [u8],
        inner_tag: &mut [u8; TAG_LEN],
        outer_tag: &mut [u8; TAG_LEN],
    ) -> Result<(), BackendError> {
        let mut joined = Vec::with_capacity(buf.len() + TAG_LEN);
        joined.extend_from_slice(buf);
        joined.extend_from_slice(inner_tag);
        outer.seal(index, &mut joined, outer_tag)?;
        let (chunk, tag) = joined.split_at(buf.len());
        buf.copy_from_slice(chunk);
        inner_tag.copy_from_slice(tag);
        Ok(())
    }
}

impl ChunkSealer for Chunks {
    fn overhead(&self) -> usize {
        self.layer_tags()
    }

    fn seal(&self, index: u64, last: bool, buf: &mut [u8]) -> Result<()> {
        check(index, last, buf.len().checked_sub(self.layer_tags()))
            .and_then(|()| Ok(self.seal_layers(index, buf)?))
            .inspect_err(|_| zeroize_bytes(buf))
    }

    fn seal_detached(&self, index: u64, last: bool, buf: &mut [u8], tags: &mut [u8]) -> Result<()> {
        let sealed = check(index, last, Some(buf.len())).and_then(|()| {
            let misuse = Error::Misuse("the tags take exactly the overhead of a chunk");
            let (inner_tag, rest) = tags.split_first_chunk_mut().ok_or(misuse.clone())?;
            match (&self.keys.outer, rest) {
                (None, []) => Ok(self.keys.inner.seal(index, buf, inner_tag)?),
                (Some(outer), rest) => {
                    let outer_tag = rest.try_into().map_err(|_| misuse)?;
                    self.keys.inner.seal(index, buf, inner_tag)?;
                    Ok(Self::seal_outer_detached(outer, index, buf, inner_tag, outer_tag)?)
                }
                (None, _) => Err(misuse),
            }
        });
        sealed.inspect_err(|_| zeroize_bytes(buf))
    }
}

impl ChunkOpener for Chunks {
    fn overhead(&self) -> usize {
        self.layer_tags()
    }

    fn open(&self, index: u64, last: bool, buf: &mut [u8]) -> Result<()> {
        check(index, last, buf.len().checked_sub(self.layer_tags()))
            .and_then(|()| self.open_layers(index, buf).map_err(|error| self.open_error(error)))
            .inspect_err(|_| zeroize_bytes(buf))
    }
}

/// One valid chunking a length: full chunks, then one that is shorter.
pub(crate) fn check(index: u64, last: bool, plaintext_len: Option<usize>) -> Result<()> {
    if index >= MAX_CHUNKS {
        return Err(Error::Limit("a body has at most 2^32 chunks"));
    }
    match plaintext_len {
        Some(CHUNK_LEN) if !last => Ok(()),
        Some(length) if last && length < CHUNK_LEN => Ok(()),
        _ => Err(Error::Misuse("a chunk has 16,384 bytes, and the last fewer")),
    }
}

fn seal_layer(key: &ChunkKey, index: u64, buf: &mut [u8]) -> Result<(), BackendError> {
    let (chunk, tag) = buf.split_last_chunk_mut().ok_or(BackendError::Refused)?;
    key.seal(index, chunk, tag)
}

pub(crate) fn open_layer(key: &ChunkKey, index: u64, buf: &mut [u8]) -> Result<(), BackendError> {
    let (chunk, tag) = buf.split_last_chunk_mut().ok_or(BackendError::Refused)?;
    key.open(index, chunk, tag)
}
