//! Which keys there are: [`Catalog`], as it is kept.
//!
//! A JSON text, a line end, its HMAC-SHA-512 in hexadecimal digits, a line end. The text is not
//! secret; the key of the MAC is HKDF-SHA-512 with the salt `object-cipher/v1/kms/catalog` of the
//! master key version that the text names.

use std::path::Path;

use object_cipher_core::{CryptoBackend, MasterKeyRef};
use object_cipher_keyring::{MasterKey, VersionedKeys};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Error, KeyState, Result, master_key_ref};

/// Bytes of the MAC and the line ends around it.
pub(super) const END_LEN: usize = 130;
/// Bytes of the longest catalog: some thousand keys.
pub(super) const MAX_LEN: usize = 4 * 1024 * 1024;
const FORMAT: u8 = 1;
const SALT: &[u8] = b"object-cipher/v1/kms/catalog";

/// All keys of a folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalog {
    format: u8,
    /// Rises with each change.
    pub(super) generation: u64,
    /// What authenticates it.
    #[serde(with = "master_key_ref")]
    master: MasterKeyRef,
    pub(super) keys: Vec<Entry>,
}

/// A key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) state: State,
    /// Seconds since 1970.
    pub(super) created: u64,
    pub(super) aliases: Vec<String>,
    /// What unlocks its keyring, sealed under a version of the master keyring.
    #[serde(with = "hex")]
    pub(super) unlock: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Enabled,
    Disabled,
    PendingDeletion { deletion: u64 },
}

impl Catalog {
    pub(super) fn new(master: &MasterKey) -> Self {
        Self { format: FORMAT, generation: 1, master: master.key_ref().clone(), keys: Vec::new() }
    }

    /// The key of an id, as it is spelt: another spelling could pass for another key.
    pub(super) fn find(&self, id: &str) -> Option<&Entry> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// Whether there is a key of an id, however spelt: its file may have the same name.
    pub(super) fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.id.eq_ignore_ascii_case(id))
    }

    /// The bytes of the next generation, under a version of the master keyring.
    pub(super) fn encode<B: CryptoBackend>(
        &mut self,
        master: &MasterKey,
        backend: &B,
    ) -> Result<Vec<u8>> {
        self.master = master.key_ref().clone();
        let mut bytes = serde_json::to_vec(self).map_err(|error| Error::Malformed {
            file: "catalog".into(),
            what: error.to_string(),
        })?;
        let mac = hex::encode(mac(&bytes, master, backend)?);
        bytes.push(b'\n');
        bytes.extend(mac.as_bytes());
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// What a file holds, if it is of this keyring.
    pub(super) fn decode<B: CryptoBackend>(
        file: &Path,
        bytes: &[u8],
        keys: &dyn VersionedKeys,
        backend: &B,
    ) -> Result<Self> {
        let malformed = |what: String| Error::Malformed { file: file.into(), what };
        let rejected = || Error::Rejected { file: file.into() };
        let end = bytes.len().checked_sub(END_LEN);
        let (text, end) = end.map(|end| bytes.split_at(end)).ok_or_else(rejected)?;
        // Which key to verify with has to be read before anything is verified.
        let catalog: Self =
            serde_json::from_slice(text).map_err(|error| malformed(error.to_string()))?;
        let master = keys.unwrap_key(&catalog.master)?;
        let mac = format!("\n{}\n", hex::encode(mac(text, &master, backend)?));
        if !bool::from(mac.as_bytes().ct_eq(end)) {
            return Err(rejected());
        }
        if catalog.format != FORMAT {
            return Err(malformed("its format is not known".to_owned()));
        }
        Ok(catalog)
    }
}

impl From<State> for KeyState {
    fn from(state: State) -> Self {
        match state {
            State::Enabled => Self::Enabled,
            State::Disabled => Self::Disabled,
            State::PendingDeletion { deletion } => Self::PendingDeletion { deletion },
        }
    }
}

fn mac<B: CryptoBackend>(text: &[u8], master: &MasterKey, backend: &B) -> Result<[u8; 64]> {
    let mut key = Zeroizing::new([0; 64]);
    let failed = object_cipher_core::Error::from;
    backend
        .hkdf_sha512(SALT, master.key().expose_bytes(), &[], key.as_mut_slice())
        .map_err(failed)?;
    let mut mac = [0; 64];
    backend.hmac_sha512(key.as_slice(), &[text], &mut mac).map_err(failed)?;
    Ok(mac)
}
