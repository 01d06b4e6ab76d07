//! The one primitive of every format: C2SP chunked-encryption, instance Cobblestone-256.
//!
//! Specification: <https://c2sp.org/chunked-encryption>. HKDF-Expand-SHA-512 over a 32-byte input
//! key, a 24-byte random salt and a context gives an AES-256-GCM key, a base nonce and a 32-byte
//! key commitment. The plaintext is cut into chunks of 16,384 bytes; the last is always shorter
//! and may be empty. Chunk *i* is sealed under the nonce base XOR *i* with no associated data.
//!
//! ```text
//! message = salt[24] ‖ commitment[32] ‖ chunk_0 ‖ … ‖ chunk_last
//! ```
//!
//! This module is for whoever needs one small message under a key of its own, such as a keyring
//! file. Objects are sealed through [`ObjectCipher`](crate::ObjectCipher).

mod decryptor;

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Aes256Gcm, CryptoBackend, Error, Fault, Item, Result,
    backend::{BackendError, Library},
};

pub use decryptor::{DecryptStream, Decryptor};

/// Plaintext bytes of a full chunk.
pub const CHUNK_LEN: usize = 16_384;
/// Bytes of an AES-GCM tag, which every chunk of every layer adds.
pub const TAG_LEN: usize = 16;
/// Bytes of the random salt.
pub const SALT_LEN: usize = 24;
/// Bytes of the key commitment.
pub const COMMITMENT_LEN: usize = 32;
/// Bytes of a message's header: salt and commitment.
pub const HEADER_LEN: usize = SALT_LEN + COMMITMENT_LEN;
/// A body of this many chunks or more is refused (64 TiB; the specification's own limit is 2^38).
pub const MAX_CHUNKS: u64 = 1 << 32;

/// What HKDF's info begins with: the algorithm's name, then one zero byte.
const INFO_PREFIX: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// The salt and the key commitment that a message begins with. Public values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header([u8; HEADER_LEN]);

/// The derived key of one message: seals and opens its chunks.
pub(crate) struct ChunkKey {
    aead: Box<dyn Aes256Gcm>,
    base: Zeroizing<[u8; 12]>,
}

/// Seals `plaintext` (under 16,384 bytes) as one message under `key` and the concatenation of
/// `context`, with a salt from the backend.
///
/// # Errors
/// [`Error::Limit`] when the plaintext does not fit one chunk, [`Error::Backend`] when the backend
/// fails.
pub fn seal_message<B: CryptoBackend>(
    backend: &B,
    key: &[u8; 32],
    context: &[&[u8]],
    plaintext: &[u8],
) -> Result<Vec<u8>> {
    let mut salt = [0; SALT_LEN];
    Library::random(backend, &mut salt)?;
    let mut message = Vec::new();
    seal_into(backend, key, context, &salt, plaintext, &mut message)?;
    Ok(message)
}

/// Opens what [`seal_message`] made. The commitment is compared, in constant time, before any
/// decryption.
///
/// # Errors
/// [`Error::Malformed`] when the length is impossible, [`Error::Backend`] with
/// [`BackendError::Rejected`] when key, context or message are not the sealed ones.
pub fn open_message<B: CryptoBackend>(
    backend: &B,
    key: &[u8; 32],
    context: &[&[u8]],
    message: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    open_from(backend, key, context, message)
}

/// [`seal_message`] with the salt given, appended to `out`.
pub(crate) fn seal_into(
    library: &dyn Library,
    key: &[u8; 32],
    context: &[&[u8]],
    salt: &[u8; SALT_LEN],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<()> {
    if plaintext.len() >= CHUNK_LEN {
        return Err(Error::Limit("a message holds at most 16,383 bytes"));
    }
    let (header, chunk_key) = ChunkKey::derive(library, key, context, salt)?;
    out.reserve_exact(HEADER_LEN + plaintext.len() + TAG_LEN);
    out.extend_from_slice(header.as_bytes());
    let start = out.len();
    out.extend_from_slice(plaintext);
    let mut tag = [0; TAG_LEN];
    chunk_key.seal(0, &mut out[start..], &mut tag)?;
    out.extend_from_slice(&tag);
    Ok(())
}

/// [`open_message`] over an erased backend.
pub(crate) fn open_from(
    library: &dyn Library,
    key: &[u8; 32],
    context: &[&[u8]],
    message: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    const SHORTEST: usize = HEADER_LEN + TAG_LEN;
    let malformed = |fault| Error::Malformed { item: Item::Message, fault };
    if message.len() < SHORTEST {
        return Err(malformed(Fault::TooShort));
    }
    if message.len() >= SHORTEST + CHUNK_LEN {
        return Err(malformed(Fault::TooLong));
    }
    let (header, chunk) = message.split_at(HEADER_LEN);
    let (sealed, tag) = chunk.split_at(chunk.len() - TAG_LEN);
    let chunk_key = ChunkKey::recover(library, key, context, &Header::from_slice(header)?)?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(sealed.len()));
    plaintext.extend_from_slice(sealed);
    let mut expected = [0; TAG_LEN];
    expected.copy_from_slice(tag);
    chunk_key.open(0, &mut plaintext, &expected)?;
    Ok(plaintext)
}

impl Header {
    /// Reads a header from exactly 56 bytes.
    pub(crate) fn from_slice(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes
            .try_into()
            .map_err(|_| Error::Malformed { item: Item::Message, fault: Fault::TooShort })?;
        Ok(Self(bytes))
    }

    /// The 56 bytes.
    pub fn as_bytes(&self) -> &[u8; HEADER_LEN] {
        &self.0
    }

    fn salt(&self) -> &[u8] {
        &self.0[..SALT_LEN]
    }

    fn commitment(&self) -> &[u8] {
        &self.0[SALT_LEN..]
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Header(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl ChunkKey {
    /// Derives the key of a new message, and the header it begins with.
    pub(crate) fn derive(
        library: &dyn Library,
        key: &[u8; 32],
        context: &[&[u8]],
        salt: &[u8; SALT_LEN],
    ) -> Result<(Header, Self)> {
        let okm = expand(library, key, context, salt)?;
        let mut header = [0; HEADER_LEN];
        header[..SALT_LEN].copy_from_slice(salt);
        header[SALT_LEN..].copy_from_slice(&okm[44..]);
        Ok((Header(header), Self::from_okm(library, &okm)?))
    }

    /// Derives the key of a stored message and compares its commitment before any use of AES.
    pub(crate) fn recover(
        library: &dyn Library,
        key: &[u8; 32],
        context: &[&[u8]],
        header: &Header,
    ) -> Result<Self> {
        let okm = expand(library, key, context, header.salt())?;
        if !bool::from(okm[44..].ct_eq(header.commitment())) {
            return Err(BackendError::Rejected.into());
        }
        Self::from_okm(library, &okm)
    }

    /// Seals chunk `index` in place.
    pub(crate) fn seal(
        &self,
        index: u64,
        chunk: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), BackendError> {
        self.aead.seal(&self.nonce(index), &[], chunk, tag)
    }

    /// Opens chunk `index` in place; wipes it when it does not verify.
    pub(crate) fn open(
        &self,
        index: u64,
        chunk: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), BackendError> {
        self.aead.open(&self.nonce(index), &[], chunk, tag).inspect_err(|_| chunk.zeroize())
    }

    fn from_okm(library: &dyn Library, okm: &[u8; 76]) -> Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&okm[..32]);
        let mut base = Zeroizing::new([0; 12]);
        base.copy_from_slice(&okm[32..44]);
        Ok(Self { aead: library.aead(&key)?, base })
    }

    /// The chunk's index as a 96-bit big-endian number, exclusive-or the base nonce.
    fn nonce(&self, index: u64) -> [u8; 12] {
        let mut nonce = *self.base;
        for (byte, counter) in nonce[4..].iter_mut().zip(index.to_be_bytes()) {
            *byte ^= counter;
        }
        nonce
    }
}

fn expand(
    library: &dyn Library,
    key: &[u8; 32],
    context: &[&[u8]],
    salt: &[u8],
) -> Result<Zeroizing<[u8; 76]>> {
    const MOST_PIECES: usize = 8;
    let mut info: [&[u8]; MOST_PIECES] = [&[]; MOST_PIECES];
    let count = context.len() + 2;
    if count > MOST_PIECES {
        return Err(Error::Misuse("a message context comes in at most six pieces"));
    }
    info[0] = INFO_PREFIX;
    info[1] = salt;
    info[2..count].copy_from_slice(context);
    let mut okm = Zeroizing::new([0; 76]);
    library.hkdf_expand_sha512(key, &info[..count], okm.as_mut_slice())?;
    Ok(okm)
}
