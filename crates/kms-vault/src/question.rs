//! What is sent: [`Question`].

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use http::Method;
use object_cipher_core::{EncryptionContext, KeyError, KeyErrorKind, SourceKey};
use object_cipher_kms::{KmsResult, context_bytes};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::ciphertext::Ciphertext;

/// A request, but for token and address.
pub(crate) struct Question {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Wiped with its last copy.
    pub(crate) body: Bytes,
}

#[derive(Serialize)]
pub(crate) struct DataKeyQuestion {
    context: String,
    bits: u16,
}

#[derive(Serialize)]
pub(crate) struct EncryptQuestion<'a> {
    pub(crate) context: &'a str,
    pub(crate) plaintext: &'a str,
}

#[derive(Serialize)]
pub(crate) struct CiphertextQuestion<'a> {
    pub(crate) context: String,
    pub(crate) ciphertext: &'a str,
}

#[derive(Serialize)]
pub(crate) struct BatchQuestion<'a> {
    pub(crate) batch_input: &'a [CiphertextQuestion<'a>],
}

impl Question {
    pub(crate) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: Bytes::new() }
    }

    pub(crate) fn post(path: String, body: &impl Serialize) -> KmsResult<Self> {
        Ok(Self { method: Method::POST, path, body: json(body)? })
    }
}

impl DataKeyQuestion {
    pub(crate) fn new(context: &EncryptionContext) -> Self {
        Self { context: context_text(context), bits: 256 }
    }
}

impl<'a> CiphertextQuestion<'a> {
    pub(crate) fn new(context: &EncryptionContext, ciphertext: Ciphertext<'a>) -> Self {
        Self { context: context_text(context), ciphertext: ciphertext.text }
    }
}

/// A context as Transit derives keys from.
pub(crate) fn context_text(context: &EncryptionContext) -> String {
    Base64::encode_string(&context_bytes(context))
}

/// A data key in base64.
pub(crate) fn key_text(key: &SourceKey) -> Zeroizing<String> {
    Zeroizing::new(Base64::encode_string(key.expose_bytes()))
}

/// Written in two passes: a buffer that grew would leave what it held in freed memory.
fn json(body: &impl Serialize) -> KmsResult<Bytes> {
    struct Length(usize);
    impl std::io::Write for Length {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let unwritten = |_| KeyError::new(KeyErrorKind::Internal, "a request could not be written");
    let mut length = Length(0);
    serde_json::to_writer(&mut length, body).map_err(unwritten)?;
    let mut text = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *text, body).map_err(unwritten)?;
    Ok(Bytes::from_owner(text))
}
