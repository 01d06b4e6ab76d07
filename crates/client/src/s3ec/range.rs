//! Ranges, of which nothing is authenticated: [`UnauthenticatedRanges`].

use std::{fmt, ops::Range};

use aes::Aes256;
use ctr::{
    Ctr32BE,
    cipher::{KeyIvInit, StreamCipher},
};
use object_cipher_core::{Error as CoreError, ObjectId, ReadRange, Step, TailDecryptor};
use zeroize::Zeroize;

use super::{
    DataKey, Header, Request, S3ec,
    cbc::CbcDecryptor,
    cipher::Unwrapped,
    header::{BLOCK_LEN, Content},
};
use crate::Result;

/// Bytes of a block, as offsets go.
const BLOCK: u64 = 16;

/// The way to ranges of objects. Made by [`S3ec::unauthenticated_ranges`].
///
/// # Security
/// A range has no tag: whoever can write the bucket can flip bits of what comes out. That the data key
/// is the one a V3 object commits to is verified all the same.
#[derive(Clone, Copy, Debug)]
pub struct UnauthenticatedRanges<'a>(&'a S3ec);

/// Decrypts ranges of one object. Nothing of them is authenticated.
pub struct UnauthenticatedOpener {
    object: ObjectId,
    key: DataKey,
    iv: Iv,
}

enum Iv {
    /// Of AES-GCM, whose content is AES-CTR.
    Ctr([u8; 12]),
    Cbc([u8; BLOCK_LEN]),
}

impl<'a> UnauthenticatedRanges<'a> {
    pub(crate) fn new(cipher: &'a S3ec) -> Self {
        Self(cipher)
    }

    /// Unwraps the object's key.
    ///
    /// # Errors
    /// As [`S3ec::open`].
    pub async fn open(
        &self,
        header: &Header,
        request: &Request<'_>,
    ) -> Result<UnauthenticatedOpener> {
        let Unwrapped { data_key, gcm } = self.0.unwrap(header, request).await?;
        let (key, iv) = match (&header.content, gcm) {
            (Content::AesCbc { iv }, _) => (data_key, Iv::Cbc(*iv)),
            (_, Some(inputs)) => (inputs.key, Iv::Ctr(inputs.iv)),
            (_, None) => return Err(crate::Error::Unsupported("content of this kind")),
        };
        Ok(UnauthenticatedOpener { object: header.object_id(), key, iv })
    }
}

impl UnauthenticatedOpener {
    /// The stored bytes to fetch for a range of the content: whole blocks, and of AES-CBC the one
    /// before. The length of the object need not be known.
    pub fn fetch(range: &ReadRange) -> ReadRange {
        let lower = |start: u64| (start - start % BLOCK).saturating_sub(BLOCK);
        match range {
            ReadRange::Bytes(range) => {
                let upper = range.end.div_ceil(BLOCK).saturating_mul(BLOCK);
                ReadRange::Bytes(lower(range.start)..upper.saturating_add(BLOCK))
            }
            ReadRange::From(start) => ReadRange::From(lower(*start)),
            // The tag or padding, and what the beginning may lack of whole blocks.
            ReadRange::Last(count) => ReadRange::Last(count.saturating_add(3 * BLOCK)),
            _ => ReadRange::From(0),
        }
    }

    /// Decrypts in place what was fetched, and gives which of its bytes are the range.
    ///
    /// `first` is the offset of the first fetched byte, and `stored_len` the length of the whole stored
    /// body, both from `Content-Range`. A range that is long may be read as several.
    ///
    /// # Errors
    /// [`CoreError::RangeNotSatisfiable`] when it starts behind the end (HTTP 416), of AES-CBC with the
    /// least length that the content can have; [`CoreError::Truncated`] when bytes of it were not
    /// fetched; [`CoreError::Rejected`] when the stored body cannot be such an object's. What was fetched
    /// is then wiped.
    pub fn decrypt(
        &self,
        range: &ReadRange,
        first: u64,
        stored_len: u64,
        fetched: &mut [u8],
    ) -> Result<Range<usize>> {
        let wanted = self.decrypt_fetched(range, first, stored_len, fetched);
        wanted.inspect_err(|_| fetched.zeroize())
    }

    fn decrypt_fetched(
        &self,
        range: &ReadRange,
        first: u64,
        stored_len: u64,
        fetched: &mut [u8],
    ) -> Result<Range<usize>> {
        let end = first.checked_add(fetched.len() as u64).filter(|end| *end <= stored_len);
        let end = end.ok_or(CoreError::TrailingBytes { object: self.object })?;
        // What was counted from the end may begin within a block, of which the rest is skipped.
        let start = first.checked_next_multiple_of(BLOCK).ok_or(self.truncated())?;
        let at = |offset: u64| usize::try_from(offset - first).map_err(|_| self.truncated());
        let blocks = fetched.get_mut(at(start)?..).ok_or(self.truncated())?;
        let (usable, length) = match &self.iv {
            Iv::Ctr(iv) => {
                let length = stored_len.checked_sub(BLOCK).ok_or(self.truncated())?;
                // What is fetched of the tag is left alone.
                let content = usize::try_from(length.saturating_sub(start)).unwrap_or(usize::MAX);
                let content = content.min(blocks.len());
                self.decrypt_ctr(iv, start, &mut blocks[..content])?;
                (start, length)
            }
            Iv::Cbc(iv) => {
                if begins_behind(range, stored_len) {
                    let length = stored_len.saturating_sub(BLOCK);
                    return Err(CoreError::RangeNotSatisfiable { length }.into());
                }
                let length = self.decrypt_cbc(iv, start, end == stored_len, stored_len, blocks)?;
                // Where the padding was not fetched, the content has its blocks before the last one
                // for certain, and no more.
                let certain = stored_len - BLOCK;
                let before_padding =
                    matches!(range, ReadRange::Bytes(wanted) if wanted.end <= certain);
                let length = length.or(before_padding.then_some(certain));
                // The first block is the next one's IV, unless it is the object's first.
                let usable = if start > 0 { start + BLOCK } else { start };
                (usable, length.ok_or(self.truncated())?)
            }
        };
        let wanted = range.resolve(length)?;
        if wanted.start < usable || wanted.end > end {
            return Err(self.truncated().into());
        }
        Ok(at(wanted.start)?..at(wanted.end)?)
    }

    /// The counter of the first block of content is 2: 1 is the tag's.
    fn decrypt_ctr(&self, iv: &[u8; 12], first: u64, content: &mut [u8]) -> Result<()> {
        let behind = first.saturating_add(content.len() as u64).div_ceil(BLOCK);
        let counters = u32::try_from(first / BLOCK + 2).ok().zip(u32::try_from(behind + 1).ok());
        let Some((counter, _last)) = counters else {
            return Err(self.rejected().into());
        };
        let mut block = [0; BLOCK_LEN];
        block[..12].copy_from_slice(iv);
        block[12..].copy_from_slice(&counter.to_be_bytes());
        Ctr32BE::<Aes256>::new(self.key.expose().into(), &block.into()).apply_keystream(content);
        Ok(())
    }

    /// Gives the content's length, if the last block is there.
    fn decrypt_cbc(
        &self,
        iv: &[u8; BLOCK_LEN],
        first: u64,
        to_the_end: bool,
        stored_len: u64,
        fetched: &mut [u8],
    ) -> Result<Option<u64>> {
        if !stored_len.is_multiple_of(BLOCK) || stored_len == 0 {
            return Err(self.rejected().into());
        }
        let (iv, blocks) = if first == 0 {
            (*iv, fetched)
        } else {
            let (iv, rest) = fetched.split_first_chunk_mut().ok_or(self.truncated())?;
            (*iv, rest)
        };
        let mut decryptor = Box::new(CbcDecryptor::new(&self.key, &iv));
        if !to_the_end {
            decryptor.update(blocks).map_err(|_| self.rejected())?;
            return Ok(None);
        }
        let (content, tail) = blocks.split_last_chunk_mut().ok_or(self.truncated())?;
        let in_tail = decryptor
            .update(content)
            .and_then(|()| decryptor.finish(tail))
            .map_err(|_| self.rejected())?;
        Ok(Some(stored_len - BLOCK + in_tail as u64))
    }

    fn truncated(&self) -> CoreError {
        CoreError::Truncated { object: self.object }
    }

    fn rejected(&self) -> CoreError {
        CoreError::Rejected { object: self.object, step: Step::Body }
    }
}

impl fmt::Debug for UnauthenticatedOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnauthenticatedOpener")
            .field("object", &self.object)
            .finish_non_exhaustive()
    }
}

/// Whether a range begins at an offset or behind it.
fn begins_behind(range: &ReadRange, offset: u64) -> bool {
    match range {
        ReadRange::Bytes(range) => range.start >= offset,
        ReadRange::From(start) => *start >= offset,
        _ => false,
    }
}
