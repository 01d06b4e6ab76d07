//! A wrapped data key as it is stored: [`Blob`].

/// AES-GCM's own length of IV. Never taken from what is stored: tokens accept an empty IV, and tags
/// of four bytes.
pub(crate) const IV_LEN: usize = 12;
const TAG_LEN: usize = 16;
const DATA_KEY_LEN: usize = 32;
const SEALED_LEN: usize = DATA_KEY_LEN + TAG_LEN;

/// IV, ciphertext and tag, in this order: 60 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    iv: [u8; IV_LEN],
    sealed: [u8; SEALED_LEN],
}

impl Blob {
    /// None unless `sealed` is a data key's ciphertext and tag.
    pub(crate) fn new(iv: [u8; IV_LEN], sealed: &[u8]) -> Option<Self> {
        Some(Self { iv, sealed: sealed.try_into().ok()? })
    }

    /// None for what is of any other length.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (iv, sealed) = bytes.split_first_chunk()?;
        Self::new(*iv, sealed)
    }

    pub(crate) fn iv(&self) -> [u8; IV_LEN] {
        self.iv
    }

    /// Ciphertext and tag.
    pub(crate) fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.iv[..], &self.sealed].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_has_sixty_bytes_and_comes_back() {
        let bytes: Vec<u8> = (0..60).collect();
        let blob = Blob::parse(&bytes).unwrap();
        assert_eq!(blob.iv(), bytes[..12]);
        assert_eq!(blob.sealed(), &bytes[12..]);
        assert_eq!(blob.to_bytes(), bytes);
    }

    #[test]
    fn a_blob_of_any_other_length_is_none() {
        let bytes = [7; 6_144];
        for length in (0..=6_144).filter(|length| *length != 60) {
            assert!(Blob::parse(&bytes[..length]).is_none(), "{length}");
        }
    }
}
