//! The ciphers of the modes that this program seals in: [`Ciphers`].

use std::{cell::Cell, sync::Arc};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{CryptoBackend, Envelope, KeyRef, Mode, ObjectCipher, resolve_now};
use object_cipher_dsse_kms::DsseKms;
use object_cipher_keyring::VersionedKeys;
use object_cipher_kms::{Describe, KeyName, Kms, KmsCall, LocalKms, Scope};
use object_cipher_object_store::rekey::Goal;
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_kms::SseKms;
use object_cipher_sse_s3::SseS3;

use crate::{
    args::{BackendName, KeyringArgs, KmsOfFiles},
    error::{Error, Result},
    unlock::{self, patiently},
};

/// What the ciphers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// So many wraps are counted in the keyring, which must be writable, when it wraps.
    Sealing {
        wraps: u64,
    },
    Opening,
}

/// An unlocked keyring, the local KMS if one is named, and the ciphers over both.
pub(crate) struct Ciphers {
    backend: BackendName,
    keyring: Arc<dyn VersionedKeys>,
    /// Counts the wraps that are to come.
    reserve: Box<dyn Fn() -> Result<()>>,
    is_reserved: Cell<bool>,
    kms: Option<Arc<dyn Kms>>,
}

impl Ciphers {
    /// Unlocks the keyring, and opens the KMS.
    pub(crate) fn unlock(
        keyring: &KeyringArgs,
        kms: &KmsOfFiles,
        backend: BackendName,
        purpose: Purpose,
    ) -> Result<Self> {
        match backend {
            BackendName::AwsLc => Self::unlock_by(AwsLc, keyring, kms, backend, purpose),
            BackendName::RustCrypto => Self::unlock_by(RustCrypto, keyring, kms, backend, purpose),
        }
    }

    fn unlock_by<B: CryptoBackend>(
        library: B,
        keyring: &KeyringArgs,
        kms: &KmsOfFiles,
        backend: BackendName,
        purpose: Purpose,
    ) -> Result<Self> {
        let mut file = unlock::keyring(keyring, &library)?;
        if let Purpose::Sealing { wraps } = purpose {
            file = file.with_wrap_block(wraps);
        }
        let file = Arc::new(file);
        let kms =
            kms.folder.as_ref().map(|folder| {
                let scope = Scope::new(&kms.region, &kms.account)?;
                let master = Arc::clone(&file) as Arc<dyn VersionedKeys>;
                Ok::<_, Error>(
                    Arc::new(LocalKms::open(folder, master, scope, library)?) as Arc<dyn Kms>
                )
            });
        let keyring = Arc::clone(&file);
        Ok(Self {
            backend,
            keyring,
            // Now, and not behind the cipher, there can be waiting, and an error says which file it is
            // about.
            reserve: Box::new(move || Ok(patiently(|| file.reserve_wraps())?)),
            is_reserved: Cell::new(purpose == Purpose::Opening),
            kms: kms.transpose()?,
        })
    }

    /// The cipher that an object was sealed by; sealing, it goes on with the same key.
    pub(crate) fn of(&self, envelope: &Envelope) -> Result<Box<dyn ObjectCipher>> {
        let key = envelope.layers().find_map(|layer| match layer.key_ref() {
            KeyRef::Kms(id) => Some(id.as_str()),
            _ => None,
        });
        self.of_mode(envelope.mode(), key)
    }

    /// The cipher of a mode, which seals under a key of the KMS where the mode takes one.
    pub(crate) fn of_mode(&self, mode: Mode, key: Option<&str>) -> Result<Box<dyn ObjectCipher>> {
        let key = KeyName::parse(key.unwrap_or(KeyName::AWS_S3))?;
        Ok(match mode {
            Mode::SseS3 => {
                if !self.is_reserved.replace(true) {
                    (self.reserve)()?;
                }
                let keyring = Arc::clone(&self.keyring);
                match self.backend {
                    BackendName::AwsLc => Box::new(SseS3::new(keyring, AwsLc)),
                    BackendName::RustCrypto => Box::new(SseS3::new(keyring, RustCrypto)),
                }
            }
            Mode::SseKms => match self.backend {
                BackendName::AwsLc => Box::new(SseKms::new(self.kms()?, key, AwsLc)),
                BackendName::RustCrypto => Box::new(SseKms::new(self.kms()?, key, RustCrypto)),
            },
            // Both libraries, whichever is named.
            Mode::DsseKms => Box::new(DsseKms::new(self.kms()?, key, RustCrypto, AwsLc)),
            _ => return Err(Error::Usage("this program opens no files of that mode")),
        })
    }

    /// What an object is under that is sealed in a mode and, where the mode takes one, under a key of
    /// the KMS.
    pub(crate) fn goal(&self, mode: Mode, key: Option<&str>) -> Result<Goal> {
        let goal = Goal::new(mode);
        if mode == Mode::SseS3 {
            let enabled = self.keyring.keyring().enabled().key_ref().clone();
            return Ok(goal.under(KeyRef::Master(enabled)));
        }
        let (kms, key) = (self.kms()?, KeyName::parse(key.unwrap_or(KeyName::AWS_S3))?);
        let info = resolve_now(kms.describe(Describe { key: &key, call: KmsCall::new(mode) }));
        let info = info.ok_or(Error::Usage("the local KMS did not answer at once"))??;
        let goal = goal.under(KeyRef::Kms(info.id.as_str().into()));
        Ok(match info.version {
            Some(version) => goal.of_version(version),
            None => goal,
        })
    }

    /// The local KMS.
    pub(crate) fn kms(&self) -> Result<Arc<dyn Kms>> {
        self.kms.clone().ok_or(Error::NoKms)
    }
}
