//! A body sealed into parts: [`SealedParts`].

use bytes::Bytes;
use object_cipher_client::s3ec::{Header, Sealed};
use object_cipher_core::{BodyStream, Result, SealMessage};

/// Seals content and cuts it into parts, which are held until they are sent: a retry sends the same
/// bytes again.
pub(crate) struct SealedParts {
    header: Header,
    stream: SealMessage,
    part: Vec<u8>,
    part_len: usize,
}

impl SealedParts {
    pub(crate) fn new(sealed: Sealed, part_len: usize) -> Self {
        Self { header: sealed.header, stream: sealed.stream, part: Vec::new(), part_len }
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Takes in as much of the content as the part has room for; gives how much.
    pub(crate) fn take_in(&mut self, content: &[u8]) -> Result<usize> {
        let mut taken = 0;
        while taken < content.len() && !self.is_full() {
            let room = self.stream.input();
            let count = room.len().min(content.len() - taken);
            room[..count].copy_from_slice(&content[taken..taken + count]);
            self.stream.filled(count)?;
            taken += count;
            self.take_out();
        }
        Ok(taken)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.part.len() >= self.part_len
    }

    /// The part, of at least the length that was set.
    pub(crate) fn take_part(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.part))
    }

    /// The last part, with the tag.
    pub(crate) fn finish(&mut self) -> Result<Bytes> {
        self.stream.end()?;
        self.take_out();
        Ok(self.take_part())
    }

    fn take_out(&mut self) {
        if self.part.is_empty() && !self.stream.output().is_empty() {
            // What the stream still holds comes on top of a full part.
            self.part.reserve_exact(self.part_len.min(MAX_RESERVED));
        }
        self.part.extend_from_slice(self.stream.output());
        self.stream.taken(self.stream.output().len());
    }
}

/// A part that is longer grows while it fills.
const MAX_RESERVED: usize = 8 << 20;
