//! Closed-form sizes: [`Layout`].

use core::ops::Range;

use crate::{
    Error, Fault, Item, Result, Suite,
    cobblestone::{CHUNK_LEN, HEADER_LEN, MAX_CHUNKS, TAG_LEN},
};

/// The arithmetic of a body: plaintext length to stored length and back, and where chunks lie.
///
/// A body of *n* plaintext bytes has ⌊*n* / 16,384⌋ full chunks and one shorter, perhaps empty, last
/// chunk; each carries a 16-byte tag a layer, and the body begins with 56 bytes a layer.
///
/// ```
/// use object_cipher_core::{Layout, Suite};
///
/// let layout = Layout::new(Suite::OneLayer);
/// assert_eq!(layout.sealed_len(0)?, 72);
/// assert_eq!(layout.sealed_len(5 << 30)?, 5_373_952_072);
/// assert_eq!(layout.plaintext_len(5_373_952_072)?, 5 << 30);
/// assert!(layout.plaintext_len(71).is_err());
/// # Ok::<(), object_cipher_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    suite: Suite,
    chunk_len: u64,
}

impl Layout {
    /// The layout of a suite's bodies.
    pub const fn new(suite: Suite) -> Self {
        Self { suite, chunk_len: CHUNK_LEN as u64 }
    }

    /// A layout of small chunks, to test the arithmetic exhaustively.
    #[cfg(test)]
    pub(crate) const fn with_chunk_len(suite: Suite, chunk_len: u64) -> Self {
        Self { suite, chunk_len }
    }

    /// The suite.
    pub const fn suite(self) -> Suite {
        self.suite
    }

    /// Bytes of the headers a body begins with: 56 or 112.
    pub const fn header_len(self) -> usize {
        HEADER_LEN * self.suite.layers()
    }

    /// Bytes that sealing adds to a chunk: 16 or 32.
    pub const fn overhead(self) -> usize {
        TAG_LEN * self.suite.layers()
    }

    /// The longest plaintext of one body: one byte less than 2^46 (64 TiB).
    pub const fn max_plaintext_len(self) -> u64 {
        self.chunk_len * MAX_CHUNKS - 1
    }

    /// How many chunks a plaintext has: at least one.
    ///
    /// # Errors
    /// [`Error::Limit`] above [`Layout::max_plaintext_len`].
    pub fn chunk_count(self, plaintext_len: u64) -> Result<u64> {
        if plaintext_len > self.max_plaintext_len() {
            return Err(Error::Limit("a body has at most 2^32 chunks"));
        }
        Ok(plaintext_len / self.chunk_len + 1)
    }

    /// The stored length of a body, in bytes.
    ///
    /// # Errors
    /// [`Error::Limit`] above [`Layout::max_plaintext_len`].
    pub fn sealed_len(self, plaintext_len: u64) -> Result<u64> {
        let tags = self.chunk_count(plaintext_len)? * self.overhead() as u64;
        Ok(self.header_len() as u64 + plaintext_len + tags)
    }

    /// The plaintext length that a stored length tells of. Not authenticated: whoever controls the
    /// store can cut a body, so only the length in the Envelope is to be trusted.
    ///
    /// # Errors
    /// [`Error::Malformed`] when no body has this length.
    pub fn plaintext_len(self, sealed_len: u64) -> Result<u64> {
        let malformed = |fault| Error::Malformed { item: Item::Message, fault };
        let overhead = self.overhead() as u64;
        let chunks =
            sealed_len.checked_sub(self.header_len() as u64).ok_or(malformed(Fault::TooShort))?;
        let (full, last) = (chunks / self.stride(), chunks % self.stride());
        let last = last.checked_sub(overhead).ok_or(malformed(Fault::TooShort))?;
        if full >= MAX_CHUNKS {
            return Err(malformed(Fault::TooLong));
        }
        Ok(full * self.chunk_len + last)
    }

    /// Plaintext bytes of a full chunk: 16,384.
    pub const fn chunk_len(self) -> u64 {
        self.chunk_len
    }

    /// Stored bytes of a full chunk: 16,400 or 16,416.
    pub const fn stride(self) -> u64 {
        self.chunk_len + self.overhead() as u64
    }

    /// Where chunk `index` begins in the stored body; the highest offset for an index that no body
    /// has.
    pub const fn chunk_offset(self, index: u64) -> u64 {
        index.saturating_mul(self.stride()).saturating_add(self.header_len() as u64)
    }

    /// The chunks that cover a plaintext range, which is not empty and lies inside the body.
    pub(crate) fn covering_chunks(self, wanted: &Range<u64>) -> Range<u64> {
        wanted.start / self.chunk_len..(wanted.end - 1) / self.chunk_len + 1
    }

    /// Where these chunks lie in the stored body.
    pub(crate) fn stored_range(
        self,
        chunks: &Range<u64>,
        plaintext_len: u64,
    ) -> Result<Range<u64>> {
        let end = if chunks.end == self.chunk_count(plaintext_len)? {
            self.sealed_len(plaintext_len)?
        } else {
            self.chunk_offset(chunks.end)
        };
        Ok(self.chunk_offset(chunks.start)..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITES: [Suite; 2] = [Suite::OneLayer, Suite::TwoLayers];

    /// Counts chunks one by one.
    fn naive_sealed_len(layout: Layout, mut plaintext_len: u64) -> u64 {
        let mut length = layout.header_len() as u64;
        while plaintext_len >= layout.chunk_len {
            length += layout.stride();
            plaintext_len -= layout.chunk_len;
        }
        length + plaintext_len + layout.overhead() as u64
    }

    #[test]
    fn closed_forms_equal_counting_and_invert_each_other() {
        for suite in SUITES {
            for chunk_len in 1..=20 {
                let layout = Layout::with_chunk_len(suite, chunk_len);
                let lengths: Vec<u64> = (0..200).map(|n| layout.sealed_len(n).unwrap()).collect();
                for (n, length) in (0..).zip(&lengths) {
                    assert_eq!(*length, naive_sealed_len(layout, n));
                    assert_eq!(layout.plaintext_len(*length), Ok(n));
                }
                for length in 0..*lengths.last().unwrap() {
                    assert_eq!(layout.plaintext_len(length).is_ok(), lengths.contains(&length));
                }
            }
        }
    }

    #[test]
    fn g1_fetched_chunks_cover_every_range_and_no_chunk_more() {
        for suite in SUITES {
            let layout = Layout::with_chunk_len(suite, 5);
            for length in 1..23 {
                for start in 0..length {
                    for end in start + 1..=length {
                        let chunks = layout.covering_chunks(&(start..end));
                        let naive: Vec<u64> = (0..=length / 5)
                            .filter(|i| i * 5 < end && (i + 1) * 5 > start)
                            .collect();
                        assert_eq!(chunks.clone().collect::<Vec<_>>(), naive);
                        let stored = layout.stored_range(&chunks, length).unwrap();
                        assert_eq!(stored.start, layout.chunk_offset(chunks.start));
                        let sealed = layout.sealed_len(length).unwrap();
                        assert_eq!(stored.end, layout.chunk_offset(chunks.end).min(sealed));
                    }
                }
            }
        }
    }

    #[test]
    fn lengths_at_the_limits_do_not_overflow() {
        for suite in SUITES {
            let layout = Layout::new(suite);
            let most = layout.max_plaintext_len();
            assert_eq!(most, (1 << 46) - 1);
            let sealed = layout.sealed_len(most).unwrap();
            assert_eq!(layout.plaintext_len(sealed), Ok(most));
            for too_long in [most + 1, u64::MAX] {
                assert!(layout.sealed_len(too_long).is_err());
            }
            for length in sealed + 1..sealed + 40 {
                assert!(layout.plaintext_len(length).is_err());
            }
            assert!(layout.plaintext_len(u64::MAX).is_err());
            assert_eq!(layout.chunk_offset(u64::MAX), u64::MAX);
        }
    }

    #[test]
    fn part_sizes_are_those_of_the_specification() {
        let [one, two] = SUITES.map(Layout::new);
        assert_eq!(two.sealed_len(5 << 30), Ok(5_379_195_024));
        assert_eq!(one.sealed_len(5_363_471_288), Ok(5 << 30));
        assert_eq!(two.sealed_len(5_358_243_664), Ok(5 << 30));
        assert_eq!((one.sealed_len(0), two.sealed_len(0)), (Ok(72), Ok(144)));
    }
}
