//! What a cryptographic library must offer: [`CryptoBackend`].

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use zeroize::zeroize_bytes;

use crate::wiped::Wiped;

/// One cryptographic library, seen through the few algorithms the formats use.
///
/// Core has no cryptography of its own: every primitive comes through this trait. All backends
/// give the same bytes for the same inputs, so what one seals another opens.
///
/// A backend is a cheap handle and is cloned freely. Implementations must be exact: the algorithm
/// named in each method, no fallback to another one, and an error when it cannot be done.
pub trait CryptoBackend: Clone + Send + Sync + 'static {
    /// AES-256-GCM with its key schedule set up.
    type Aead: Aes256Gcm + 'static;
    /// HKDF-Expand with its key set up.
    type Expander: HkdfExpander + 'static;

    /// Where the library's code comes from. Two backends that share ancestry share bugs, and must
    /// declare the same lineage.
    const LINEAGE: Lineage;

    /// Sets up AES-256-GCM under `key`. The returned cipher wipes its key schedule on drop.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when the library refuses the key or has no memory.
    fn aead(&self, key: &[u8; 32]) -> Result<Self::Aead, BackendError>;

    /// HMAC-SHA-512 (RFC 2104) of the concatenation of `data` under `key`, written to `mac`.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when the library cannot compute it.
    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError>;

    /// Sets up HKDF-Expand with HMAC-SHA-512 under the pseudorandom key `prk`. What is returned wipes
    /// what it holds of the key on drop.
    ///
    /// # Errors
    /// [`BackendError::Refused`] when `prk` is longer than a hash (64 bytes).
    fn expander(&self, prk: &[u8]) -> Result<Self::Expander, BackendError>;

    /// SHA-256 (FIPS 180-4) of the concatenation of `data`.
    fn sha256(&self, data: &[&[u8]]) -> [u8; 32];

    /// SHA-512 (FIPS 180-4) of the concatenation of `data`.
    fn sha512(&self, data: &[&[u8]]) -> [u8; 64];

    /// Fills `out` with random bytes of the operating system or of the library's own generator
    /// seeded by it.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when there is no entropy. `out` must then not be used.
    fn random(&self, out: &mut [u8]) -> Result<(), BackendError>;

    /// HKDF-Expand with HMAC-SHA-512 under a key that is used once.
    ///
    /// # Errors
    /// As [`CryptoBackend::expander`] and [`HkdfExpander::expand`].
    fn hkdf_expand_sha512(
        &self,
        prk: &[u8],
        info: &[&[u8]],
        okm: &mut [u8],
    ) -> Result<(), BackendError> {
        self.expander(prk)?.expand(info, okm)
    }

    /// HKDF with HMAC-SHA-512 (RFC 5869), extract and expand.
    ///
    /// # Errors
    /// As [`CryptoBackend::hmac_sha512`] and [`HkdfExpander::expand`].
    fn hkdf_sha512(
        &self,
        salt: &[u8],
        ikm: &[u8],
        info: &[&[u8]],
        okm: &mut [u8],
    ) -> Result<(), BackendError> {
        let mut prk = Wiped::new([0; 64]);
        self.hmac_sha512(salt, &[ikm], &mut prk)?;
        self.hkdf_expand_sha512(prk.as_slice(), info, okm)
    }
}

/// AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag, in place.
pub trait Aes256Gcm: Send + Sync {
    /// Encrypts `buf` in place and writes the tag.
    ///
    /// The caller must never use one nonce twice under one key.
    ///
    /// # Errors
    /// [`BackendError::Refused`] when `buf` or `aad` is longer than GCM allows.
    fn seal(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), BackendError>;

    /// Verifies the tag and decrypts `buf` in place. On failure the contents of `buf` are
    /// unspecified; core wipes them.
    ///
    /// # Errors
    /// [`BackendError::Rejected`] when the tag does not match.
    fn open(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), BackendError>;
}

/// HKDF-Expand with HMAC-SHA-512 (RFC 5869 section 2.3) under one pseudorandom key.
pub trait HkdfExpander: Send + Sync {
    /// One block: HMAC-SHA-512 of `input` under the key.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when the library cannot compute it.
    fn block(&self, input: &[u8], block: &mut [u8; 64]) -> Result<(), BackendError>;

    /// Gives `okm.len()` bytes for the concatenation of `info`, block by block.
    ///
    /// # Errors
    /// [`BackendError::Refused`] when more than 16,320 bytes (255 blocks) are asked for; as
    /// [`HkdfExpander::block`].
    fn expand(&self, info: &[&[u8]], okm: &mut [u8]) -> Result<(), BackendError> {
        const LEN: usize = 64;
        if okm.len() > LEN * usize::from(u8::MAX) {
            return Err(BackendError::Refused);
        }
        // What goes into a block, in one piece: the block before it, the info, its number.
        let info_len: usize = info.iter().map(|piece| piece.len()).sum();
        let mut input = Wiped::new(Vec::with_capacity(LEN + info_len + 1));
        input.resize(LEN, 0);
        for piece in info {
            input.extend_from_slice(piece);
        }
        input.push(0);
        let mut block = Wiped::new([0; LEN]);
        for (number, out) in (1..=u8::MAX).zip(okm.chunks_mut(LEN)) {
            input[LEN + info_len] = number;
            self.block(if number == 1 { &input[LEN..] } else { &input }, &mut block)?;
            input[..LEN].copy_from_slice(block.as_slice());
            out.copy_from_slice(&block[..out.len()]);
        }
        Ok(())
    }
}

/// The ancestry of a cryptographic library: libraries with common code have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lineage(&'static str);

impl Lineage {
    /// A lineage by name, in lower case, such as `rustcrypto`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Whether two lineages are the same; usable in constants.
    pub const fn is_same(self, other: Self) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        if a.len() != b.len() {
            return false;
        }
        let mut i = 0;
        while i < a.len() {
            if a[i] != b[i] {
                return false;
            }
            i += 1;
        }
        true
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Why a [`CryptoBackend`] did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// The authentication tag does not match.
    #[error("authentication failed")]
    Rejected,
    /// The lengths asked for are outside what the algorithm allows.
    #[error("length outside the algorithm's limits")]
    Refused,
    /// The library or the operating system could not serve: no entropy, no memory, self-test
    /// failed.
    #[error("cryptographic library unavailable")]
    Unavailable,
}

/// [`CryptoBackend`] without its associated items, so that one type serves every library.
pub(crate) trait Library: Send + Sync {
    fn lineage(&self) -> Lineage;
    fn aead(&self, key: &[u8; 32]) -> Result<Box<dyn Aes256Gcm>, BackendError>;
    fn seal_once(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        buf: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), BackendError>;
    fn open_once(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        buf: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), BackendError>;
    fn expander(&self, prk: &[u8; 32]) -> Result<Box<dyn HkdfExpander>, BackendError>;
    fn hkdf_sha512(
        &self,
        salt: &[u8],
        ikm: &[u8],
        info: &[&[u8]],
        okm: &mut [u8],
    ) -> Result<(), BackendError>;
    fn sha256(&self, data: &[&[u8]]) -> [u8; 32];
    fn sha512(&self, data: &[&[u8]]) -> [u8; 64];
    fn random(&self, out: &mut [u8]) -> Result<(), BackendError>;
}

impl<B: CryptoBackend> Library for B {
    fn lineage(&self) -> Lineage {
        B::LINEAGE
    }

    fn aead(&self, key: &[u8; 32]) -> Result<Box<dyn Aes256Gcm>, BackendError> {
        Ok(Box::new(CryptoBackend::aead(self, key)?))
    }

    fn seal_once(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        buf: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), BackendError> {
        by_reference(&CryptoBackend::aead(self, key))?.seal(nonce, &[], buf, tag)
    }

    fn open_once(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        buf: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), BackendError> {
        by_reference(&CryptoBackend::aead(self, key))?.open(nonce, &[], buf, tag)
    }

    fn expander(&self, prk: &[u8; 32]) -> Result<Box<dyn HkdfExpander>, BackendError> {
        Ok(Box::new(CryptoBackend::expander(self, prk)?))
    }

    fn hkdf_sha512(
        &self,
        salt: &[u8],
        ikm: &[u8],
        info: &[&[u8]],
        okm: &mut [u8],
    ) -> Result<(), BackendError> {
        CryptoBackend::hkdf_sha512(self, salt, ikm, info, okm)
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        CryptoBackend::sha256(self, data)
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        CryptoBackend::sha512(self, data)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        CryptoBackend::random(self, out).inspect_err(|_| zeroize_bytes(out))
    }
}

/// A key schedule where it was set up: moving one out of its result copies about a kibibyte.
fn by_reference<A>(aead: &Result<A, BackendError>) -> Result<&A, BackendError> {
    aead.as_ref().map_err(|error| *error)
}
