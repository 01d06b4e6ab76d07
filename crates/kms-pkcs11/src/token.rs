//! What of PKCS#11 is used, as traits: [`Token`], [`Session`] and [`Key`].

use cryptoki::error::Result;
use object_cipher_kms::KmsResult;
use zeroize::Zeroizing;

use crate::blob::IV_LEN;

/// A token that is logged in to.
pub(crate) trait Token: Send + Sync {
    /// Whether it is there.
    ///
    /// # Errors
    /// `Unavailable` when it is not.
    fn present(&self) -> KmsResult<()>;

    /// A new session, logged in.
    ///
    /// # Errors
    /// The token's.
    fn open(&self) -> KmsResult<Box<dyn Session>>;
}

/// A session, of one thread. After an error it is not used again, nor are its keys.
pub(crate) trait Session {
    /// All secret keys of this label.
    fn find(&self, label: &str) -> Result<Vec<Found>>;
}

/// A key as a session found it.
pub(crate) struct Found {
    /// `CKA_ID`.
    pub(crate) id: Vec<u8>,
    /// What the token tells of it.
    pub(crate) facts: Facts,
    /// The key.
    pub(crate) key: Box<dyn Key>,
}

/// What a token tells of a key; none of what it does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) aes_256: bool,
    pub(crate) private: Option<bool>,
    pub(crate) sensitive: Option<bool>,
    pub(crate) extractable: Option<bool>,
    pub(crate) never_extractable: Option<bool>,
    pub(crate) local: Option<bool>,
    pub(crate) encrypt: Option<bool>,
    pub(crate) decrypt: Option<bool>,
}

/// A key in a token: AES-256-GCM with IVs of 12 bytes and tags of 16.
pub(crate) trait Key {
    /// Ciphertext and tag. The token may put an IV of its own in the place of the one given.
    fn encrypt(&self, iv: &mut [u8; IV_LEN], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>>;

    /// What was encrypted.
    fn decrypt(&self, iv: [u8; IV_LEN], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>>;
}
