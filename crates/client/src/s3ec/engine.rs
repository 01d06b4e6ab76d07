//! [`MessageBackend`] without its associated items, so that one type serves every library.

use object_cipher_core::{BackendError, MessageBackend, MessageDecryptor, MessageEncryptor};

use super::header::GcmInputs;

pub(crate) trait Engine: Send + Sync {
    fn encryptor(&self, inputs: &GcmInputs) -> Result<Box<dyn MessageEncryptor>, BackendError>;

    fn decryptor(&self, inputs: &GcmInputs) -> Result<Box<dyn MessageDecryptor>, BackendError>;

    fn hkdf_sha512(
        &self,
        salt: &[u8],
        ikm: &[u8],
        info: &[&[u8]],
        okm: &mut [u8],
    ) -> Result<(), BackendError>;

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError>;
}

impl<B: MessageBackend> Engine for B {
    fn encryptor(&self, inputs: &GcmInputs) -> Result<Box<dyn MessageEncryptor>, BackendError> {
        self.message_encryptor(inputs.key.expose(), &inputs.iv, inputs.aad)
    }

    fn decryptor(&self, inputs: &GcmInputs) -> Result<Box<dyn MessageDecryptor>, BackendError> {
        self.message_decryptor(inputs.key.expose(), &inputs.iv, inputs.aad)
    }

    fn hkdf_sha512(
        &self,
        salt: &[u8],
        ikm: &[u8],
        info: &[&[u8]],
        okm: &mut [u8],
    ) -> Result<(), BackendError> {
        object_cipher_core::CryptoBackend::hkdf_sha512(self, salt, ikm, info, okm)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        object_cipher_core::CryptoBackend::random(self, out)
    }
}
