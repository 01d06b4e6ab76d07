//! One long AES-256-GCM message, piece by piece: [`MessageBackend`].

use alloc::boxed::Box;

use crate::{BackendError, CryptoBackend};

/// The longest plaintext of one AES-GCM message: 2^39 - 256 bits (NIST SP 800-38D section 5.2.1.1).
pub const MAX_MESSAGE_LEN: u64 = (1 << 36) - 32;

/// A [`CryptoBackend`] that also seals and opens one AES-256-GCM message of up to
/// [`MAX_MESSAGE_LEN`] bytes whose pieces come one after the other, as the S3 Encryption Client's
/// formats need.
///
/// Our own formats do not use it: their chunks are messages of their own, each verified before it is
/// let out.
pub trait MessageBackend: CryptoBackend {
    /// Begins to encrypt a message. Never begin two with one key and nonce.
    ///
    /// # Errors
    /// [`BackendError::Refused`] when `aad` is longer than GCM allows; [`BackendError::Unavailable`]
    /// when the library fails.
    fn message_encryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageEncryptor>, BackendError>;

    /// Begins to decrypt a message.
    ///
    /// # Errors
    /// As [`message_encryptor`](Self::message_encryptor).
    fn message_decryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageDecryptor>, BackendError>;
}

/// Encrypts one message in pieces of any lengths. Wipes its key schedule on drop.
pub trait MessageEncryptor: Send {
    /// Encrypts the next piece in place.
    ///
    /// # Errors
    /// [`BackendError::Refused`] when the message becomes longer than [`MAX_MESSAGE_LEN`]; the
    /// piece is then unchanged.
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError>;

    /// The tag of the whole message.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when the library fails.
    fn finish(self: Box<Self>, tag: &mut [u8; 16]) -> Result<(), BackendError>;
}

/// Decrypts one message in pieces of any lengths. Wipes its key schedule on drop.
pub trait MessageDecryptor: Send {
    /// Decrypts the next piece in place.
    ///
    /// # Security
    /// What comes out is not authenticated before [`finish`](Self::finish) has said so.
    ///
    /// # Errors
    /// [`BackendError::Refused`] when the message becomes longer than [`MAX_MESSAGE_LEN`]; the
    /// piece is then unchanged.
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError>;

    /// Verifies the tag of the whole message, in constant time.
    ///
    /// # Errors
    /// [`BackendError::Rejected`] when it does not match.
    fn finish(self: Box<Self>, tag: &[u8; 16]) -> Result<(), BackendError>;
}
