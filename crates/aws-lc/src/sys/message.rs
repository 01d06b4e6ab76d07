//! One long AES-256-GCM message, piece by piece, over `EVP_CIPHER_CTX`.

use std::{
    ffi::c_int,
    ptr::{self, NonNull},
};

use aws_lc_sys::{
    EVP_CIPHER_CTX, EVP_CIPHER_CTX_ctrl, EVP_CIPHER_CTX_free, EVP_CIPHER_CTX_new,
    EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG, EVP_CipherFinal_ex, EVP_CipherInit_ex,
    EVP_CipherUpdate, EVP_aes_256_gcm,
};
use object_cipher_core::{
    BackendError, MAX_MESSAGE_LEN, MessageBackend, MessageDecryptor, MessageEncryptor,
};

use crate::AwsLc;

/// Bytes of one call, whose count is a C `int`: whole blocks, as the library is fastest with them.
const MOST: usize = 1 << 30;

/// Bytes of a tag.
const TAG: c_int = 16;

struct Encryptor(Message);

struct Decryptor(Message);

/// The state of both.
struct Message {
    context: Context,
    len: u64,
}

/// Owns the library's context, which is set up for AES-256-GCM with a 96-bit nonce.
struct Context(NonNull<EVP_CIPHER_CTX>);

#[derive(Clone, Copy)]
enum Direction {
    Decrypt = 0,
    Encrypt = 1,
}

impl Message {
    fn new(
        direction: Direction,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Self, BackendError> {
        let mut context = Context::new(direction, key, nonce)?;
        aad.chunks(MOST).try_for_each(|part| context.authenticate(part))?;
        Ok(Self { context, len: 0 })
    }

    fn update(&mut self, piece: &mut [u8], most: usize) -> Result<(), BackendError> {
        let len = self.len.checked_add(piece.len() as u64);
        let len = len.filter(|&len| len <= MAX_MESSAGE_LEN).ok_or(BackendError::Refused)?;
        piece.chunks_mut(most).try_for_each(|part| self.context.update(part))?;
        self.len = len;
        Ok(())
    }
}

impl Context {
    fn new(direction: Direction, key: &[u8; 32], nonce: &[u8; 12]) -> Result<Self, BackendError> {
        // SAFETY: takes nothing; what it gives is owned here, or null.
        let context = unsafe { EVP_CIPHER_CTX_new() };
        let context = Self(NonNull::new(context).ok_or(BackendError::Unavailable)?);
        // SAFETY: takes nothing; gives a table that lives as long as the program.
        let cipher = unsafe { EVP_aes_256_gcm() };
        // SAFETY: the context is live and ours alone. This cipher reads 32 bytes of key and, by
        // default, 12 of nonce, which the arrays have; it copies both. No engine is null.
        let done = unsafe {
            EVP_CipherInit_ex(
                context.0.as_ptr(),
                cipher,
                ptr::null_mut(),
                key.as_ptr(),
                nonce.as_ptr(),
                direction as c_int,
            )
        };
        succeeded(done)?;
        Ok(context)
    }

    /// Takes in more associated data, at most [`MOST`] bytes, before the first piece.
    fn authenticate(&mut self, aad: &[u8]) -> Result<(), BackendError> {
        let mut written = 0;
        let len = c_int::try_from(aad.len()).map_err(|_| BackendError::Refused)?;
        // SAFETY: the context is live and ours alone, and set up. `aad` is readable for `len` bytes.
        // Without an output, nothing is written but the count.
        let done = unsafe {
            EVP_CipherUpdate(self.0.as_ptr(), ptr::null_mut(), &raw mut written, aad.as_ptr(), len)
        };
        succeeded(done)
    }

    /// Encrypts or decrypts, in place, at most [`MOST`] bytes.
    fn update(&mut self, part: &mut [u8]) -> Result<(), BackendError> {
        let mut written = 0;
        let len = c_int::try_from(part.len()).map_err(|_| BackendError::Refused)?;
        let part = part.as_mut_ptr();
        // SAFETY: the context is live and ours alone, and set up. `part` is readable and writable for
        // `len` bytes; the library allows input and output to be the same, and this cipher, which is
        // a stream, writes as many bytes as it reads.
        let done = unsafe {
            EVP_CipherUpdate(self.0.as_ptr(), part, &raw mut written, part.cast_const(), len)
        };
        succeeded(done)
    }

    /// Ends the message. Decrypting, it fails unless the tag is the one that was set.
    fn finish(&mut self) -> Result<(), BackendError> {
        let (mut rest, mut written) = ([0; 16], 0);
        // SAFETY: the context is live and ours alone, and set up. This cipher holds nothing back, so
        // it writes nothing here; `rest` has room for the block that any cipher might write.
        let done =
            unsafe { EVP_CipherFinal_ex(self.0.as_ptr(), rest.as_mut_ptr(), &raw mut written) };
        succeeded(done)
    }

    /// The tag, after encrypting has been ended.
    fn tag(&mut self, tag: &mut [u8; 16]) -> Result<(), BackendError> {
        let tag = tag.as_mut_ptr().cast();
        // SAFETY: the context is live and ours alone, and set up. This command writes [`TAG`] bytes,
        // which the array has.
        let done = unsafe { EVP_CIPHER_CTX_ctrl(self.0.as_ptr(), EVP_CTRL_AEAD_GET_TAG, TAG, tag) };
        succeeded(done)
    }

    /// Sets the tag that ending a decryption compares with.
    fn expect_tag(&mut self, tag: &[u8; 16]) -> Result<(), BackendError> {
        let mut tag = *tag;
        let tag = tag.as_mut_ptr().cast();
        // SAFETY: the context is live and ours alone, and set up. This command reads [`TAG`] bytes,
        // which the array has, into the context.
        let done = unsafe { EVP_CIPHER_CTX_ctrl(self.0.as_ptr(), EVP_CTRL_AEAD_SET_TAG, TAG, tag) };
        succeeded(done)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is live, ours alone, and not used again. The library wipes it.
        unsafe { EVP_CIPHER_CTX_free(self.0.as_ptr()) }
    }
}

// SAFETY: the context is memory of the library's heap that no thread is tied to, and only its one owner
// reaches it.
unsafe impl Send for Context {}

impl MessageBackend for AwsLc {
    fn message_encryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageEncryptor>, BackendError> {
        Ok(Box::new(Encryptor(Message::new(Direction::Encrypt, key, nonce, aad)?)))
    }

    fn message_decryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageDecryptor>, BackendError> {
        Ok(Box::new(Decryptor(Message::new(Direction::Decrypt, key, nonce, aad)?)))
    }
}

impl MessageEncryptor for Encryptor {
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError> {
        self.0.update(piece, MOST)
    }

    fn finish(mut self: Box<Self>, tag: &mut [u8; 16]) -> Result<(), BackendError> {
        self.0.context.finish()?;
        self.0.context.tag(tag)
    }
}

impl MessageDecryptor for Decryptor {
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError> {
        self.0.update(piece, MOST)
    }

    fn finish(mut self: Box<Self>, tag: &[u8; 16]) -> Result<(), BackendError> {
        self.0.context.expect_tag(tag)?;
        self.0.context.finish().map_err(|_| BackendError::Rejected)
    }
}

/// The library's word for success is 1.
fn succeeded(done: c_int) -> Result<(), BackendError> {
    if done == 1 { Ok(()) } else { Err(BackendError::Unavailable) }
}

#[cfg(test)]
mod tests {
    use object_cipher_core::{Aes256Gcm, CryptoBackend};

    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const NONCE: [u8; 12] = [1; 12];

    #[test]
    fn a_message_past_the_limit_is_refused_and_its_piece_unchanged() {
        for direction in [Direction::Encrypt, Direction::Decrypt] {
            let mut message = Message::new(direction, &KEY, &NONCE, b"").unwrap();
            // As if the others had gone through.
            message.len = MAX_MESSAGE_LEN - 16;
            let mut piece = [5; 17];
            assert_eq!(message.update(&mut piece, MOST), Err(BackendError::Refused));
            assert_eq!(piece, [5; 17]);
            assert_eq!(message.update(&mut piece[..15], MOST), Ok(()));
            assert_eq!(message.update(&mut piece[15..], MOST), Err(BackendError::Refused));
            assert_eq!(message.update(&mut piece[15..16], MOST), Ok(()));
            assert_eq!(message.update(&mut [], MOST), Ok(()));
            assert_eq!(message.update(&mut piece[16..], MOST), Err(BackendError::Refused));
            assert_eq!(piece[16], 5);
        }
    }

    #[test]
    fn a_piece_of_several_calls_is_the_same_message() {
        let (mut once, mut tag) = ([9; 1_000], [0; 16]);
        AwsLc.aead(&KEY).unwrap().seal(&NONCE, b"aad", &mut once, &mut tag).unwrap();
        for most in [1, 15, 16, 17, 999, 1_000] {
            let (mut piece, mut made) = ([9; 1_000], [0; 16]);
            let mut message = Message::new(Direction::Encrypt, &KEY, &NONCE, b"aad").unwrap();
            message.update(&mut piece, most).unwrap();
            Box::new(Encryptor(message)).finish(&mut made).unwrap();
            assert_eq!((piece, made), (once, tag), "at most {most} bytes a call");
        }
    }
}
