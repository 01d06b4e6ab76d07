//! What a keyring promises, seen from outside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod child;
mod counting;
mod durability;
mod faults;
mod file_access;
mod forged;
mod format;
mod keys;
mod rotation;
mod secrecy;
mod sharing;
mod text;
mod unlock;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use object_cipher_core::{CryptoBackend, KeyringId, SourceKey};
use object_cipher_keyring::{KeyringFile, Unlock};
use object_cipher_rustcrypto::RustCrypto;
use tempfile::TempDir;

/// A directory of its own with a keyring file of one version.
struct Fixture {
    directory: TempDir,
    secret: [u8; 32],
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self::empty();
        KeyringFile::create(fixture.path(), &id(), &fixture.unlock(), RustCrypto).unwrap();
        fixture
    }

    fn empty() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), secret: random() }
    }

    fn path(&self) -> PathBuf {
        self.beside("keyring")
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn unlock(&self) -> Unlock {
        Unlock::key(&self.secret).unwrap()
    }

    fn open(&self) -> object_cipher_keyring::Result<KeyringFile<RustCrypto>> {
        KeyringFile::open(self.path(), &self.unlock(), RustCrypto)
    }

    /// Puts bytes in the file's place, as private as a keyring file is.
    fn overwrite(&self, bytes: &[u8]) {
        write_private(&self.path(), bytes);
    }
}

fn id() -> KeyringId {
    KeyringId::parse("main").unwrap()
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    RustCrypto.random(&mut bytes).unwrap();
    bytes
}

fn key() -> Arc<SourceKey> {
    SourceKey::from_bytes(&random())
}

fn write_private(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Asserts that a result is an error of a kind.
macro_rules! assert_error {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {
        match $result {
            Err($pattern) $(if $guard)? => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern)),
        }
    };
}
use assert_error;
