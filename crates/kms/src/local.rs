//! The provider that needs no server: [`LocalKms`].

mod admin;
mod blob;
mod catalog;
mod folder;
mod memory;

use std::{fmt, future, sync::Arc};

use object_cipher_core::{
    BoxFuture, CryptoBackend, EncryptionContext, KeyError, KeyErrorKind, SourceKey,
};
use object_cipher_keyring::VersionedKeys;

use crate::{
    Arn, Capabilities, DataKey, Describe, Encrypt, Generate, KeyId, KeyInfo, KeyName, KeyNameKind,
    KeyState, Kms, KmsResult, Rewrap, Unwrap, Unwrapped, WrappedKey, key_name,
};
use folder::Folder;
use memory::Memory;

/// A KMS in a folder of this machine, or in memory: no server is needed.
///
/// Each key is a keyring of its own ([`object_cipher_keyring`]) with versions, rotation, and wraps
/// counted; the catalog of keys, with states and aliases, is authenticated under a master keyring,
/// which also seals what unlocks the keys. So whoever has the folder and not the keyring has
/// nothing. The master keyring may be that of SSE-S3.
///
/// A version of a key that [`add_version`](Self::add_version) made opens everywhere before
/// [`rotate_key`](crate::KmsAdmin::rotate_key) lets it wrap anywhere: where several nodes copy the
/// folder, do the first, copy, and then the second.
///
/// Its keys are named by ARNs of the region and account that it was made for, as those of AWS KMS.
/// What it does, and the errors it answers, are AWS KMS's. All its futures are ready at once.
pub struct LocalKms<B> {
    scope: Scope,
    backend: B,
    keys: Keys<B>,
}

/// Where the ARNs of a KMS's keys lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    region: String,
    account: String,
}

enum Keys<B> {
    Folder(Box<Folder<B>>),
    Memory(Memory),
}

/// A key as it is kept.
struct LocalKey {
    id: String,
    state: KeyState,
    aliases: Vec<String>,
    versions: Arc<dyn VersionedKeys>,
}

impl Scope {
    /// A region and an account of twelve digits.
    ///
    /// # Errors
    /// [`KeyErrorKind::Invalid`] when they are none.
    pub fn new(region: &str, account: &str) -> KmsResult<Self> {
        let scope = Self { region: region.to_owned(), account: account.to_owned() };
        let probe = scope.arn("00000000-0000-0000-0000-000000000000");
        if Arn::parse(&probe).is_none() {
            let message = "a region has letters, digits and hyphens; an account has twelve digits";
            return Err(KeyError::new(KeyErrorKind::Invalid, message));
        }
        Ok(scope)
    }

    /// The ARN of a key.
    pub fn arn(&self, id: &str) -> String {
        format!("arn:aws:kms:{}:{}:key/{id}", self.region, self.account)
    }
}

impl Default for Scope {
    /// `us-east-1` and `000000000000`.
    fn default() -> Self {
        Self { region: "us-east-1".to_owned(), account: "0".repeat(12) }
    }
}

impl<B: CryptoBackend> LocalKms<B> {
    /// What a name means here.
    fn find(&self, name: &KeyName) -> KmsResult<LocalKey> {
        let entry = |id: &str| match &self.keys {
            Keys::Folder(folder) => folder.find(id, &self.backend),
            Keys::Memory(memory) => Ok(memory.find(id)),
        };
        let missing = |id: &str| not_found(format!("Key '{}' does not exist", self.scope.arn(id)));
        let aliased = |alias: &str| {
            let name = format!("alias/{alias}");
            let id = match &self.keys {
                Keys::Folder(folder) => folder.aliased(&name, &self.backend)?,
                Keys::Memory(memory) => memory.aliased(&name),
            };
            let Scope { region, account } = &self.scope;
            let arn = format!("arn:aws:kms:{region}:{account}:{name}");
            let id = id.ok_or_else(|| not_found(format!("Alias {arn} is not found.")))?;
            entry(&id)?.ok_or_else(|| missing(&id))
        };
        let resource = match (name.kind(), name.arn()) {
            (_, Some(arn)) => {
                if arn.region != self.scope.region || arn.partition != "aws" {
                    return Err(not_found(format!("Invalid arn {}", arn.region)));
                }
                if arn.account != self.scope.account {
                    return Err(not_found(format!("Key '{name}' does not exist")));
                }
                arn.resource
            }
            (KeyNameKind::Own, _) => return Err(key_name::invalid(name.as_str())),
            _ => name.as_str(),
        };
        if let Some(alias) = resource.strip_prefix("alias/") {
            return aliased(alias);
        }
        let id = resource.strip_prefix("key/").unwrap_or(resource);
        entry(id)?.ok_or_else(|| missing(id))
    }

    /// A key that may be used.
    fn usable(&self, name: &KeyName) -> KmsResult<LocalKey> {
        let key = self.find(name)?;
        let arn = self.scope.arn(&key.id);
        match key.state {
            KeyState::Enabled => Ok(key),
            KeyState::PendingDeletion { .. } => {
                let message = format!("{arn} is pending deletion.");
                Err(KeyError::new(KeyErrorKind::InvalidState, message)
                    .with_code("KMSInvalidStateException"))
            }
            _ => Err(KeyError::new(KeyErrorKind::Disabled, format!("{arn} is disabled."))
                .with_code("DisabledException")),
        }
    }

    fn wrap(
        &self,
        name: &KeyName,
        context: &EncryptionContext,
        data_key: &SourceKey,
    ) -> KmsResult<WrappedKey> {
        let key = self.usable(name)?;
        let master = key.versions.wrap_key().map_err(KeyError::from)?;
        let blob = blob::seal(&self.backend, &master, (&key.id, context), data_key)?;
        WrappedKey::new(
            KeyId::new(self.scope.arn(&key.id))?,
            &format!("v{}", master.version()),
            &blob,
        )
    }

    fn opened(
        &self,
        wrapped: &WrappedKey,
        context: &EncryptionContext,
    ) -> KmsResult<(LocalKey, u32, Arc<SourceKey>)> {
        let key = self.usable(&KeyName::from(wrapped.id()))?;
        // Whoever authorised the call was told this id: an alias or another spelling is no such.
        if self.scope.arn(&key.id) != wrapped.id().as_str() {
            return Err(blob::rejected());
        }
        let blob = wrapped.ciphertext();
        let version = blob::version(blob)?;
        let master = match &self.keys {
            Keys::Folder(folder) => folder.version(&key.id, version)?,
            Keys::Memory(_) => key.versions.keyring().version(version).cloned(),
        };
        let master = master.map_err(KeyError::from)?;
        let data_key = blob::open(&self.backend, &master, (&key.id, context), blob)?;
        Ok((key, version, data_key))
    }

    fn rewrapped(&self, rq: &Unwrap<'_>) -> KmsResult<Rewrap> {
        let (key, version, data_key) = self.opened(rq.wrapped, rq.context)?;
        if version == key.versions.keyring().enabled().version() {
            return Ok(Rewrap::Unchanged);
        }
        let wrapped = self.wrap(&KeyName::from(rq.wrapped.id()), rq.context, &data_key)?;
        Ok(Rewrap::Rewrapped(wrapped))
    }

    fn drawn(&self) -> KmsResult<Arc<SourceKey>> {
        SourceKey::try_fill(|bytes| self.backend.random(bytes))
            .map_err(|error| blob::internal(&error.into()))
    }

    fn info(&self, key: LocalKey) -> KmsResult<KeyInfo> {
        Ok(KeyInfo {
            id: KeyId::new(self.scope.arn(&key.id))?,
            state: key.state,
            version: Some(format!("v{}", key.versions.keyring().enabled().version())),
            aliases: key.aliases,
        })
    }
}

impl<B: CryptoBackend> Kms for LocalKms<B> {
    fn provider(&self) -> &'static str {
        "local"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side_rewrap: true, tells_version: true, max_context_len: 8_192 }
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        let generated = self.drawn().and_then(|key| {
            let wrapped = self.wrap(rq.key, rq.context, &key)?;
            Ok(DataKey { key, wrapped })
        });
        Box::pin(future::ready(generated))
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        let opened = self.opened(rq.wrapped, rq.context);
        let unwrapped = opened.and_then(|(local, _, key)| {
            Ok(Unwrapped { key, id: KeyId::new(self.scope.arn(&local.id))? })
        });
        Box::pin(future::ready(unwrapped))
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        Box::pin(future::ready(self.rewrapped(&rq)))
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        Box::pin(future::ready(self.find(rq.key).and_then(|key| self.info(key))))
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        Box::pin(future::ready(self.wrap(rq.key, rq.context, rq.data_key)))
    }
}

impl<B> fmt::Debug for LocalKms<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKms").field("scope", &self.scope).finish_non_exhaustive()
    }
}

fn not_found(message: String) -> KeyError {
    KeyError::new(KeyErrorKind::NotFound, message).with_code("NotFoundException")
}
