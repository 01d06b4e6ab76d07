//! The provider: [`VaultKms`].

use std::{
    collections::HashSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use object_cipher_core::{BoxFuture, KeyError, KeyErrorKind, MAX_ENCRYPTION_CONTEXT_LEN};
use object_cipher_kms::{
    Capabilities, DataKey, Describe, Encrypt, Generate, KeyInfo, KeyName, KeyState, Kms, KmsResult,
    Rewrap, Unwrap, Unwrapped, WrappedKey,
};

use crate::{
    Login, VaultBuilder,
    answer::{CiphertextAnswer, DataKeyAnswer, PlaintextAnswer},
    ciphertext::Ciphertext,
    path::{Mount, TransitKey},
    question::{
        CiphertextQuestion, DataKeyQuestion, EncryptQuestion, Question, context_text, key_text,
    },
    session::Session,
};

/// A Transit engine of OpenBao or Vault.
///
/// Its keys are stored as `vault:MOUNT/NAME`. Contexts are bound by key derivation: only keys that
/// were made with `derived=true`, can neither be exported nor backed up in plaintext, and are of
/// type `aes256-gcm96` or `xchacha20-poly1305` are used. That is seen once for each key, before its
/// first use.
///
/// Needs a Tokio runtime with its timers and sockets.
pub struct VaultKms {
    pub(crate) mount: Mount,
    pub(crate) session: Session,
    /// Names of the keys that were found fit.
    pub(crate) checked: Mutex<HashSet<String>>,
}

impl VaultKms {
    /// The engine of a server, such as `https://vault.example:8200`.
    pub fn builder(address: impl Into<String>, login: Login) -> VaultBuilder {
        VaultBuilder::new(address.into(), login)
    }

    pub(crate) fn is_checked(&self, key: &TransitKey) -> bool {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).contains(&key.name)
    }

    pub(crate) fn set_checked(&self, key: &TransitKey) {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(key.name.clone());
    }

    async fn generate_key(&self, rq: Generate<'_>) -> KmsResult<DataKey> {
        let key = self.mount.key(rq.key)?;
        self.check(&key, &rq.call).await?;
        let path = self.mount.path("datakey/plaintext", &key);
        let question = Question::post(path, &DataKeyQuestion::new(rq.context))?;
        let answer = self.session.ask(&rq.call, &question).await?;
        let made = answer.data::<DataKeyAnswer<'_>>()?;
        Ok(DataKey { key: made.key()?, wrapped: wrapped(&key, made.ciphertext()?)? })
    }

    async fn unwrap_key(&self, rq: Unwrap<'_>) -> KmsResult<Unwrapped> {
        let key = self.mount.key(&KeyName::from(rq.wrapped.id()))?;
        let ciphertext = stored_ciphertext(rq.wrapped)?;
        self.check(&key, &rq.call).await?;
        let body = CiphertextQuestion::new(rq.context, ciphertext);
        let question = Question::post(self.mount.path("decrypt", &key), &body)?;
        let answer = self.session.ask(&rq.call, &question).await?;
        Ok(Unwrapped { key: answer.data::<PlaintextAnswer<'_>>()?.key()?, id: key.id })
    }

    async fn encrypt_key(&self, rq: Encrypt<'_>) -> KmsResult<WrappedKey> {
        let key = self.mount.key(rq.key)?;
        self.check(&key, &rq.call).await?;
        let plaintext = key_text(rq.data_key);
        let body = EncryptQuestion { context: &context_text(rq.context), plaintext: &plaintext };
        let question = Question::post(self.mount.path("encrypt", &key), &body)?;
        let answer = self.session.ask(&rq.call, &question).await?;
        wrapped(&key, answer.data::<CiphertextAnswer<'_>>()?.ciphertext()?)
    }

    async fn describe_key(&self, rq: Describe<'_>) -> KmsResult<KeyInfo> {
        let key = self.mount.key(rq.key)?;
        let told = self.look_up(&key, &rq.call).await?;
        let state = if told.soft_deleted { KeyState::Disabled } else { KeyState::Enabled };
        let mut info = KeyInfo::new(key.id, state);
        info.version = Some(format!("v{}", told.latest_version));
        Ok(info)
    }
}

impl Kms for VaultKms {
    fn provider(&self) -> &'static str {
        "vault"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            server_side_rewrap: true,
            tells_version: true,
            max_context_len: MAX_ENCRYPTION_CONTEXT_LEN,
        }
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        Box::pin(self.generate_key(rq))
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        Box::pin(self.unwrap_key(rq))
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        Box::pin(self.rewrap_one(rq))
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        Box::pin(self.describe_key(rq))
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        Box::pin(self.encrypt_key(rq))
    }
}

impl fmt::Debug for VaultKms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKms").field("mount", &self.mount).finish_non_exhaustive()
    }
}

pub(crate) fn wrapped(key: &TransitKey, ciphertext: Ciphertext<'_>) -> KmsResult<WrappedKey> {
    WrappedKey::new(key.id.clone(), &ciphertext.version_name(), ciphertext.text.as_bytes())
}

/// What was stored is sent only if it is a ciphertext, of the version that it is said to be of.
pub(crate) fn stored_ciphertext(wrapped: &WrappedKey) -> KmsResult<Ciphertext<'_>> {
    let parsed = Ciphertext::parse(wrapped.ciphertext());
    let told = |parsed: &Ciphertext<'_>| {
        wrapped.version().is_none_or(|version| version == parsed.version_name())
    };
    parsed.filter(told).ok_or_else(|| {
        let message = "the stored wrapped key is no ciphertext of Transit";
        KeyError::new(KeyErrorKind::Integrity, message)
    })
}
