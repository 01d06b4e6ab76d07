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
        let output = self.stream.output();
        if self.part.capacity() - self.part.len() < output.len() {
            let first = self.part.is_empty();
            let part_len = if first { self.part_len.min(MAX_RESERVED) } else { self.part_len };
            // Not a byte more, as it would be by doubling.
            self.part.reserve_exact(part_len.saturating_add(MAX_OUTPUT) - self.part.len());
        }
        self.part.extend_from_slice(output);
        let length = output.len();
        self.stream.taken(length);
    }
}

/// The first room of a part. One that is longer moves once.
const MAX_RESERVED: usize = 8 << 20;
/// What the stream gives at a time, at most: it comes on top of a part that is all but full.
const MAX_OUTPUT: usize = 65_536 + 16;

#[cfg(test)]
mod tests {
    use object_cipher_aws_lc::AwsLc;
    use object_cipher_client::s3ec::{AesKeyring, Request, S3ec};
    use object_cipher_core::resolve_now;

    use super::*;

    #[test]
    fn a_part_takes_no_more_room_than_its_length_and_one_piece() {
        let cipher = S3ec::builder(AesKeyring::new(&[7; 32]).unwrap(), AwsLc).build();
        for part_len in [5 << 20, (5 << 20) + 4_321, 8 << 20, (20 << 20) + 1] {
            let sealed = resolve_now(cipher.seal(&Request::default())).unwrap().unwrap();
            let mut parts = SealedParts::new(sealed, part_len);
            let content = vec![0; part_len - 1];
            assert_eq!(parts.take_in(&content).unwrap(), content.len());
            parts.stream.end().unwrap();
            parts.take_out();
            assert_eq!(parts.part.len(), content.len() + 16);
            assert!(parts.part.capacity() <= part_len + MAX_OUTPUT, "{part_len}");
        }
    }
}
