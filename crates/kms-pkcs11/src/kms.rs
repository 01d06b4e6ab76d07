//! The provider: [`Pkcs11Kms`].

use std::{collections::BTreeSet, fmt, sync::Arc};

use object_cipher_core::{BoxFuture, KeyError, KeyErrorKind, SourceKey};
use object_cipher_kms::{
    Capabilities, DataKey, Describe, Encrypt, Generate, KeyId, KeyInfo, KeyName, KeyState, Kms,
    KmsResult, Rewrap, Unwrap, Unwrapped, WrappedKey, context_bytes,
};

use crate::{
    Error, Result, Settings,
    blob::Blob,
    fault,
    module::LoggedIn,
    pool::{Limits, Pool},
    token::Token,
    version::Version,
    worker::{Canaries, Rules, Sealed, Worker},
};

/// A KMS in a token that speaks PKCS#11: an HSM, or SoftHSM.
///
/// Its keys are AES-256 keys that never leave the token. They are named by their labels, and stored
/// as `pkcs11:SERIAL/LABEL`. Keys of one label are versions of one key: the one with the highest
/// `CKA_ID` wraps, and all open.
///
/// The futures need no runtime: threads of its own call the module. Dropped, it waits for those to
/// end, for no longer than a call may take: a module may crash when a process ends amid a call.
pub struct Pkcs11Kms {
    rules: Arc<Rules>,
    labels: BTreeSet<String>,
    pool: Pool<Worker>,
}

impl Pkcs11Kms {
    /// Loads the module, logs in, and checks every key that was named. It blocks for as long as the
    /// module does.
    ///
    /// A process loads a module once and keeps it. So it must not fork after this, and all that use
    /// the token in this process share one login: where it is logged in already, the PIN is not
    /// looked at.
    ///
    /// A PIN that the token refused is not tried on it again in this process, as tokens lock after a
    /// few wrong ones.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Key`], [`KeyErrorKind::Denied`] for a wrong PIN, `NotFound` for a key
    /// that is not there, `InvalidState` for one that is unfit or there twice, and `Unavailable` when
    /// there is no such token.
    pub fn start(settings: Settings) -> Result<Self> {
        settings.check()?;
        let Settings { module, token, pin, .. } = &settings;
        let token = LoggedIn::new(module, token.clone(), Arc::clone(pin))?;
        Self::over(Arc::new(token), settings)
    }

    pub(crate) fn over(token: Arc<dyn Token>, settings: Settings) -> Result<Self> {
        let rules = Arc::new(Rules {
            token,
            serial: settings.token.serial,
            imported_keys: settings.imported_keys,
            iv_from_token: settings.iv_from_token,
            refresh: settings.refresh,
            counter: settings.counter,
            canaries: Canaries::default(),
        });
        let mut first = Worker::new(Arc::clone(&rules));
        for label in &settings.labels {
            rules.id(label)?;
            first.newest(label)?;
        }
        let Settings { workers, queue, timeout, .. } = settings;
        let limits = Limits { workers, queue, timeout };
        let shared = Arc::clone(&rules);
        let pool = Pool::start(limits, move || Worker::new(Arc::clone(&shared)));
        Ok(Self { rules, labels: settings.labels, pool: pool.map_err(Error::Thread)? })
    }

    /// The label that is meant: a label alone, or as it is stored.
    fn label(&self, name: &str) -> KmsResult<String> {
        let label = match name.strip_prefix("pkcs11:").map(|stored| stored.rsplit_once('/')) {
            None => Some(name),
            Some(Some((serial, label))) if serial == self.rules.serial => Some(label),
            Some(_) => None,
        };
        let label = label.and_then(|label| self.labels.get(label)).cloned();
        label.ok_or_else(|| {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(256).collect();
            KeyError::new(KeyErrorKind::NotFound, format!("no key '{shown}' is in use here"))
        })
    }

    fn wrapped(&self, label: &str, (version, blob): &(Version, Blob)) -> KmsResult<WrappedKey> {
        WrappedKey::new(self.rules.id(label)?, &version.to_string(), &blob.to_bytes())
    }

    fn sealed(&self, rq: &Unwrap<'_>) -> KmsResult<Sealed> {
        let label = self.label(rq.wrapped.id().as_str())?;
        let version = rq.wrapped.version().and_then(Version::parse);
        let version = version.ok_or_else(fault::rejected)?;
        let blob = Blob::parse(rq.wrapped.ciphertext()).ok_or_else(fault::rejected)?;
        Ok(Sealed { label, version, blob, aad: context_bytes(rq.context) })
    }

    async fn wrap(
        &self,
        name: &KeyName,
        aad: Vec<u8>,
        data_key: Arc<SourceKey>,
    ) -> KmsResult<WrappedKey> {
        let label = self.label(name.as_str())?;
        let named = label.clone();
        let made =
            self.pool.submit(&label, move |worker| worker.wrap(&named, &aad, &data_key)).await?;
        self.wrapped(&label, &made)
    }
}

impl Kms for Pkcs11Kms {
    fn provider(&self) -> &'static str {
        "pkcs11"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side_rewrap: false, tells_version: true, max_context_len: 8_192 }
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        Box::pin(async move {
            let key = SourceKey::try_fill(|bytes| getrandom::fill(bytes)).map_err(|_| {
                KeyError::new(KeyErrorKind::Internal, "the system has no randomness")
            })?;
            let aad = context_bytes(rq.context);
            let wrapped = self.wrap(rq.key, aad, Arc::clone(&key)).await?;
            Ok(DataKey { key, wrapped })
        })
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        Box::pin(async move {
            let sealed = self.sealed(&rq)?;
            let id: KeyId = self.rules.id(&sealed.label)?;
            let label = sealed.label.clone();
            let key = self.pool.submit(&label, move |worker| worker.unwrap(&sealed)).await?;
            Ok(Unwrapped { key, id })
        })
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        Box::pin(async move {
            let sealed = self.sealed(&rq)?;
            let label = sealed.label.clone();
            let made = self.pool.submit(&label, move |worker| worker.rewrap(&sealed)).await?;
            Ok(match made {
                None => Rewrap::Unchanged,
                Some(made) => Rewrap::Rewrapped(self.wrapped(&label, &made)?),
            })
        })
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        Box::pin(async move {
            let label = self.label(rq.key.as_str())?;
            let mut info = KeyInfo::new(self.rules.id(&label)?, KeyState::Enabled);
            let named = label.clone();
            let newest = self.pool.submit(&label, move |worker| worker.newest(&named)).await?;
            info.version = Some(newest.to_string());
            Ok(info)
        })
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        Box::pin(async move {
            let data_key = SourceKey::from_bytes(rq.data_key.expose_bytes());
            self.wrap(rq.key, context_bytes(rq.context), data_key).await
        })
    }
}

impl fmt::Debug for Pkcs11Kms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Kms")
            .field("serial", &self.rules.serial)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
