//! Administration of the local provider's keys.

use std::future;

use object_cipher_core::{BoxFuture, CryptoBackend, KeyError, KeyErrorKind};
use object_cipher_keyring::KeyringFile;

use super::{
    Keys, LocalKms, blob,
    catalog::{Catalog, Entry, State},
    folder::{Folder, is_due, now},
    memory,
};
use crate::{KeyInfo, KeyName, KeyNameKind, KmsAdmin, KmsResult};

const DAY: u64 = 24 * 60 * 60;

impl<B: CryptoBackend> LocalKms<B> {
    /// Makes a key of a given id, with aliases that lead to it.
    ///
    /// # Errors
    /// [`KeyErrorKind::Invalid`] when the id is no UUID, or is there, or an alias is taken.
    pub fn create_key_of_id(&self, id: &str, aliases: &[&str]) -> KmsResult<KeyInfo> {
        let folder = self.folder()?;
        let is_id = KeyName::parse(id).is_ok_and(|name| name.kind() == KeyNameKind::Id);
        if !is_id {
            return Err(refused("the id of a local key is a UUID"));
        }
        folder.change(&self.backend, |catalog| {
            if catalog.has(id) {
                return Err(refused("there is a key of this id"));
            }
            for alias in aliases {
                free_alias(catalog, alias)?;
            }
            let unlock = folder.make_keyring(id, &self.backend)?;
            let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
            let (state, created) = (State::Enabled, now());
            catalog.keys.push(Entry { id: id.to_owned(), state, created, aliases, unlock });
            Ok(())
        })?;
        self.told(id)
    }

    /// Adds a version of a key that waits: it opens, and wraps nothing until the key is rotated. Where
    /// several nodes copy the folder, do this, copy, and then rotate.
    ///
    /// # Errors
    /// As [`KmsAdmin::rotate_key`].
    pub fn add_version(&self, key: &KeyName) -> KmsResult<KeyInfo> {
        self.versions_change(key, KeyringFile::add)
    }

    /// Leads an alias to a key, also one that led to another key before.
    ///
    /// # Errors
    /// As [`Kms::describe`](crate::Kms::describe); [`KeyErrorKind::Invalid`] for what is no alias.
    pub fn set_alias(&self, alias: &str, key: &KeyName) -> KmsResult<KeyInfo> {
        let id = self.find(key)?.id;
        check_alias(alias)?;
        self.folder()?.change(&self.backend, |catalog| {
            for entry in &mut catalog.keys {
                entry.aliases.retain(|name| name != alias);
                if entry.id == id {
                    entry.aliases.push(alias.to_owned());
                }
            }
            Ok(())
        })?;
        self.told(&id)
    }

    /// Destroys the keys whose waiting time is over, and gives their ids. They have been of no use
    /// since; this removes them from the disk. The time is this machine's: a clock that is ahead
    /// destroys too early.
    ///
    /// # Errors
    /// Those of the folder.
    pub fn delete_due(&self) -> KmsResult<Vec<String>> {
        let folder = self.folder()?;
        let now = now();
        let due = |entry: &Entry| is_due(entry, now);
        if !folder.catalog(&self.backend)?.keys.iter().any(due) {
            return Ok(Vec::new());
        }
        folder.change(&self.backend, |catalog| {
            let mut deleted = Vec::new();
            for entry in catalog.keys.iter().filter(|entry| due(entry)) {
                folder.destroy(entry)?;
                deleted.push(entry.id.clone());
            }
            catalog.keys.retain(|entry| !due(entry));
            Ok(deleted)
        })
    }

    /// Seals what unlocks the keys under the enabled version of the master keyring: after its
    /// rotation, before an older version of it is destroyed.
    ///
    /// # Errors
    /// Those of the folder.
    pub fn reseal(&self) -> KmsResult<()> {
        let folder = self.folder()?;
        folder.change(&self.backend, |catalog| {
            for entry in &mut catalog.keys {
                entry.unlock = folder.resealed(entry, &self.backend)?;
            }
            Ok(())
        })
    }

    fn folder(&self) -> KmsResult<&Folder<B>> {
        match &self.keys {
            Keys::Folder(folder) => Ok(folder),
            Keys::Memory(_) => Err(memory::unchangeable()),
        }
    }

    fn told(&self, id: &str) -> KmsResult<KeyInfo> {
        self.info(self.find(&KeyName::parse(id)?)?)
    }

    fn listed(&self) -> KmsResult<Vec<KeyInfo>> {
        match &self.keys {
            Keys::Memory(memory) => memory.all().map(|key| self.info(key)).collect(),
            Keys::Folder(folder) => {
                let catalog = folder.catalog(&self.backend)?;
                let there = catalog.keys.iter().filter(|entry| !is_due(entry, now()));
                there.map(|entry| self.told(&entry.id)).collect()
            }
        }
    }

    fn set_state(
        &self,
        key: &KeyName,
        change: impl FnOnce(State) -> KmsResult<State>,
    ) -> KmsResult<KeyInfo> {
        let id = self.find(key)?.id;
        self.folder()?.change(&self.backend, |catalog| {
            let entry = catalog.keys.iter_mut().find(|entry| entry.id == id);
            let entry = entry.ok_or_else(|| refused("the key has gone meanwhile"))?;
            entry.state = change(entry.state)?;
            Ok(())
        })?;
        self.told(&id)
    }

    fn versions_change(
        &self,
        key: &KeyName,
        change: impl FnOnce(&KeyringFile<B>) -> object_cipher_keyring::Result<u32>,
    ) -> KmsResult<KeyInfo> {
        let id = self.usable(key)?.id;
        let folder = self.folder()?;
        let catalog = folder.catalog(&self.backend)?;
        let entry = catalog.find(&id).ok_or_else(|| refused("the key has gone meanwhile"))?;
        change(&*folder.keyring(entry, &self.backend)?).map_err(KeyError::from)?;
        self.told(&id)
    }

    fn random_id(&self) -> KmsResult<String> {
        let mut bytes = [0_u8; 16];
        self.backend.random(&mut bytes).map_err(|error| blob::internal(&error.into()))?;
        // RFC 9562, version 4.
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        let text = hex::encode(bytes);
        let groups = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
        Ok(groups.join("-"))
    }
}

impl<B: CryptoBackend> KmsAdmin for LocalKms<B> {
    fn create_key<'a>(&'a self, aliases: &'a [&'a str]) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        let made = self.random_id().and_then(|id| self.create_key_of_id(&id, aliases));
        Box::pin(future::ready(made))
    }

    fn list_keys(&self) -> BoxFuture<'_, KmsResult<Vec<KeyInfo>>> {
        Box::pin(future::ready(self.listed()))
    }

    fn rotate_key<'a>(&'a self, key: &'a KeyName) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        Box::pin(future::ready(self.versions_change(key, KeyringFile::rotate)))
    }

    fn enable_key<'a>(&'a self, key: &'a KeyName, on: bool) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        let changed = self.set_state(key, |state| match state {
            State::PendingDeletion { .. } => Err(pending()),
            _ if on => Ok(State::Enabled),
            _ => Ok(State::Disabled),
        });
        Box::pin(future::ready(changed))
    }

    fn schedule_key_deletion<'a>(
        &'a self,
        key: &'a KeyName,
        days: u32,
    ) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        let changed = if (7..=30).contains(&days) {
            let deletion = now() + u64::from(days) * DAY;
            self.set_state(key, |state| match state {
                State::PendingDeletion { .. } => Err(pending()),
                _ => Ok(State::PendingDeletion { deletion }),
            })
        } else {
            Err(refused("the waiting time is of 7 to 30 days").with_code("ValidationException"))
        };
        Box::pin(future::ready(changed))
    }

    fn cancel_key_deletion<'a>(&'a self, key: &'a KeyName) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        let changed = self.set_state(key, |state| match state {
            State::PendingDeletion { .. } => Ok(State::Disabled),
            _ => Err(KeyError::new(KeyErrorKind::InvalidState, "the key is not pending deletion")
                .with_code("KMSInvalidStateException")),
        });
        Box::pin(future::ready(changed))
    }
}

fn free_alias(catalog: &Catalog, alias: &str) -> KmsResult<()> {
    check_alias(alias)?;
    let taken = catalog.keys.iter().any(|entry| entry.aliases.iter().any(|name| name == alias));
    if taken {
        return Err(refused("the alias leads to another key").with_code("AlreadyExistsException"));
    }
    Ok(())
}

fn check_alias(alias: &str) -> KmsResult<()> {
    let is_alias = KeyName::parse(alias).is_ok_and(|name| name.kind() == KeyNameKind::Alias);
    if is_alias { Ok(()) } else { Err(refused("an alias is alias/ and letters, digits, / _ -")) }
}

fn pending() -> KeyError {
    KeyError::new(KeyErrorKind::InvalidState, "the key is pending deletion")
        .with_code("KMSInvalidStateException")
}

fn refused(message: &'static str) -> KeyError {
    KeyError::new(KeyErrorKind::Invalid, message)
}
