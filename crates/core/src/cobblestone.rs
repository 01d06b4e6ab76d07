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

use subtle::ConstantTimeEq;
use zeroize::{Zeroizing, zeroize_bytes};

use crate::{
    Aes256Gcm, CryptoBackend, Error, Fault, HkdfExpander, Item, Result,
    backend::{BackendError, Library},
    wiped::Wiped,
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
/// A body has at most this many chunks (64 TiB; the specification's own limit is 2^38).
pub const MAX_CHUNKS: u64 = 1 << 32;

/// What HKDF's info begins with: the algorithm's name, then one zero byte.
const INFO_PREFIX: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// The salt and the key commitment that a message begins with. Public values.
pub(crate) struct Header {
    salt: [u8; SALT_LEN],
    commitment: [u8; COMMITMENT_LEN],
}

/// What HKDF gives for one message: its key, base nonce and commitment.
pub(crate) struct Derived(Wiped<[u8; 32 + 12 + COMMITMENT_LEN]>);

/// The derived key of one message, set up: seals and opens its chunks.
pub(crate) struct ChunkKey {
    aead: Box<dyn Aes256Gcm>,
    base: Wiped<[u8; 12]>,
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
    check_message_len(plaintext.len())?;
    let derived = Derived::new(&*library.expander(key)?, context, salt)?;
    out.reserve_exact(HEADER_LEN + plaintext.len() + TAG_LEN);
    out.extend_from_slice(&derived.header(salt).to_bytes());
    let start = out.len();
    out.extend_from_slice(plaintext);
    out.resize(out.len() + TAG_LEN, 0);
    Ok(derived.seal_only_chunk(library, &mut out[start..])?)
}

/// [`open_message`] over an erased backend.
pub(crate) fn open_from(
    library: &dyn Library,
    key: &[u8; 32],
    context: &[&[u8]],
    message: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let (header, chunk) = split_message(message)?;
    let derived = Derived::recover(&*library.expander(key)?, context, &header)?;
    let mut plaintext = Zeroizing::new(chunk.to_vec());
    derived.open_only_chunk(library, &mut plaintext)?;
    plaintext.truncate(chunk.len() - TAG_LEN);
    Ok(plaintext)
}

/// What fits the one chunk of a message.
pub(crate) fn check_message_len(plaintext_len: usize) -> Result<()> {
    if plaintext_len < CHUNK_LEN {
        Ok(())
    } else {
        Err(Error::Limit("a message holds at most 16,383 bytes"))
    }
}

/// The header and the only chunk of a message.
pub(crate) fn split_message(message: &[u8]) -> Result<(Header, &[u8])> {
    let malformed = |fault| Error::Malformed { item: Item::Message, fault };
    let (header, chunk) = message.split_first_chunk().ok_or(malformed(Fault::TooShort))?;
    match chunk.len().checked_sub(TAG_LEN) {
        None => Err(malformed(Fault::TooShort)),
        Some(length) if length >= CHUNK_LEN => Err(malformed(Fault::TooLong)),
        Some(_) => Ok((Header::from_bytes(header), chunk)),
    }
}

impl Header {
    pub(crate) fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Self {
        let mut header = Self { salt: [0; SALT_LEN], commitment: [0; COMMITMENT_LEN] };
        header.salt.copy_from_slice(&bytes[..SALT_LEN]);
        header.commitment.copy_from_slice(&bytes[SALT_LEN..]);
        header
    }

    pub(crate) fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..SALT_LEN].copy_from_slice(&self.salt);
        bytes[SALT_LEN..].copy_from_slice(&self.commitment);
        bytes
    }
}

impl Derived {
    /// Derives the key of a new message: HKDF-Expand-SHA-512 of the key that `expander` has.
    pub(crate) fn new(
        expander: &dyn HkdfExpander,
        context: &[&[u8]],
        salt: &[u8; SALT_LEN],
    ) -> Result<Self> {
        const MOST_PIECES: usize = 8;
        let mut info: [&[u8]; MOST_PIECES] = [&[]; MOST_PIECES];
        let count = context.len() + 2;
        if count > MOST_PIECES {
            return Err(Error::Misuse("a message context comes in at most six pieces"));
        }
        info[0] = INFO_PREFIX;
        info[1] = salt;
        info[2..count].copy_from_slice(context);
        let mut derived = Self(Wiped::new([0; 76]));
        expander.expand(&info[..count], derived.0.as_mut_slice())?;
        Ok(derived)
    }

    /// Derives the key of a stored message and compares its commitment before any use of AES.
    pub(crate) fn recover(
        expander: &dyn HkdfExpander,
        context: &[&[u8]],
        header: &Header,
    ) -> Result<Self> {
        let derived = Self::new(expander, context, &header.salt)?;
        if is_same(derived.commitment(), &header.commitment) {
            Ok(derived)
        } else {
            Err(BackendError::Rejected.into())
        }
    }

    /// The header of a message with this salt.
    pub(crate) fn header(&self, salt: &[u8; SALT_LEN]) -> Header {
        Header { salt: *salt, commitment: *self.commitment() }
    }

    /// The key set up for many chunks.
    pub(crate) fn chunk_key(&self, library: &dyn Library) -> Result<ChunkKey, BackendError> {
        Ok(ChunkKey { aead: library.aead(self.key())?, base: Wiped::new(*self.base()) })
    }

    /// Seals the only chunk of a message: the plaintext, then room for the tag.
    pub(crate) fn seal_only_chunk(
        &self,
        library: &dyn Library,
        buf: &mut [u8],
    ) -> Result<(), BackendError> {
        let (chunk, tag) = buf.split_last_chunk_mut().ok_or(BackendError::Refused)?;
        library.seal_once(self.key(), self.base(), chunk, tag).inspect_err(|_| zeroize_bytes(chunk))
    }

    /// Opens the only chunk of a message, tag behind it; wipes it when it does not verify.
    pub(crate) fn open_only_chunk(
        &self,
        library: &dyn Library,
        buf: &mut [u8],
    ) -> Result<(), BackendError> {
        let (chunk, tag) = buf.split_last_chunk_mut().ok_or(BackendError::Refused)?;
        library.open_once(self.key(), self.base(), chunk, tag).inspect_err(|_| zeroize_bytes(chunk))
    }

    fn key(&self) -> &[u8; 32] {
        &self.0.as_chunks().0[0]
    }

    /// The base nonce, which is also that of chunk 0.
    fn base(&self) -> &[u8; 12] {
        &self.0[32..].as_chunks().0[0]
    }

    fn commitment(&self) -> &[u8; COMMITMENT_LEN] {
        &self.0[44..].as_chunks().0[0]
    }
}

impl ChunkKey {
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
        self.aead.open(&self.nonce(index), &[], chunk, tag).inspect_err(|_| zeroize_bytes(chunk))
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

/// Compares in constant time, by words: byte by byte would cost as much as setting up AES.
fn is_same(one: &[u8; COMMITMENT_LEN], other: &[u8; COMMITMENT_LEN]) -> bool {
    let words = one.as_chunks().0.iter().zip(other.as_chunks().0);
    let differing = words.map(|(one, other)| u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other));
    differing.fold(0, |all, bits| all | bits).ct_eq(&0).into()
}
