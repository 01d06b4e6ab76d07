//! A KMS that unlocks a keyring: [`KmsUnlock`].

use std::{path::PathBuf, str};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_core::{EncryptionContext, KeyBlob, Mode};
use object_cipher_keyring::{PrivateFile, Unlock};

use crate::{
    Error, Generate, KeyName, Kms, KmsCall, Result, Unwrap, WrappedKey,
    kms::{is_drawn, no_data_key, other_key},
};

/// Bytes of the longest file: an id, and a blob in base64.
const MAX_LEN: usize = 16 * 1024;

/// A key file that only a KMS can open, for what unlocks a keyring (auto-unseal): a keyring of SSE-S3
/// then starts without a key on this machine, and stays closed when the KMS says so.
///
/// The file is a line with the id of the KMS's key, and one with the wrapped key in base64. Its
/// encryption context is `object-cipher` → `keyring-unlock`.
#[derive(Clone, Debug)]
pub struct KmsUnlock {
    file: PrivateFile,
}

impl KmsUnlock {
    /// The key file at a path.
    ///
    /// ```
    /// use object_cipher_core::KeyringId;
    /// use object_cipher_keyring::KeyringFile;
    /// use object_cipher_kms::{KeyName, KmsUnlock, LocalKms, Scope};
    /// use object_cipher_rustcrypto::RustCrypto;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let (path, keyring) = (directory.path().join("unlock"), directory.path().join("keyring"));
    /// # let text = "1234abcd-12ab-34cd-56ef-1234567890ab:5hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=";
    /// # let kms = LocalKms::from_text(text, Scope::default(), RustCrypto)?;
    /// let unlock = KmsUnlock::at(path);
    /// unlock.create(&kms, &KeyName::parse("alias/aws/s3")?).await?;
    /// let id = KeyringId::parse("main").ok_or("not a keyring id")?;
    /// KeyringFile::create(&keyring, &id, &unlock.open(&kms).await?, RustCrypto)?;
    ///
    /// // At each start.
    /// let keyring = KeyringFile::open(keyring, &unlock.open(&kms).await?, RustCrypto)?;
    /// # Ok(())
    /// # }
    /// # object_cipher_core::resolve_now(example()).unwrap().unwrap();
    /// ```
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { file: PrivateFile::new(path) }
    }

    /// Has the KMS draw a key, and keeps it wrapped. Nothing may be there.
    ///
    /// # Errors
    /// [`Error::Key`] with the KMS's; [`Error::Keyring`] with those of files.
    pub async fn create(&self, kms: &dyn Kms, key: &KeyName) -> Result<()> {
        let context = context()?;
        let call = KmsCall::new(Mode::SseS3);
        let made = kms.generate(Generate { key, context: &context, call }).await?;
        if !key.admits(made.wrapped.id()) {
            return Err(other_key(made.wrapped.id()).into());
        }
        if !is_drawn(made.key.expose_bytes()) {
            return Err(no_data_key().into());
        }
        let blob = STANDARD.encode(made.wrapped.blob().as_bytes());
        Ok(self.file.create(format!("{}\n{blob}\n", made.wrapped.id()).as_bytes())?)
    }

    /// What unlocks the keyring: one call of the KMS.
    ///
    /// # Errors
    /// [`Error::Key`] with the KMS's; [`Error::Malformed`] for what is no such file;
    /// [`Error::Keyring`] with those of files.
    pub async fn open(&self, kms: &dyn Kms) -> Result<Unlock> {
        let bytes = self.file.read(MAX_LEN)?;
        let malformed = || Error::Malformed {
            file: self.file.path().into(),
            what: "it has a line with a key's id and one with a wrapped key".to_owned(),
        };
        let text = str::from_utf8(&bytes).map_err(|_| malformed())?;
        let lines = text.strip_suffix('\n').and_then(|text| text.split_once('\n'));
        let (id, blob) = lines.ok_or_else(malformed)?;
        let blob = STANDARD.decode(blob).ok().and_then(|blob| KeyBlob::client(blob).ok());
        let wrapped = WrappedKey::stored(id, &blob.ok_or_else(malformed)?)?;
        let context = context()?;
        let call = KmsCall::new(Mode::SseS3);
        let opened = kms.unwrap(Unwrap { wrapped: &wrapped, context: &context, call }).await?;
        if opened.id != *wrapped.id() {
            return Err(other_key(&opened.id).into());
        }
        Ok(Unlock::key(opened.key.expose_bytes())?)
    }
}

fn context() -> Result<EncryptionContext> {
    let mut context = EncryptionContext::new();
    context.insert("object-cipher", "keyring-unlock").map_err(object_cipher_core::Error::from)?;
    Ok(context)
}
