//! The keyring, unlocked, and the cipher over it.

use std::{
    io::{self, IsTerminal},
    path::Path,
    sync::Arc,
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{CryptoBackend, ObjectCipher};
use object_cipher_keyring::{KeyringFile, Unlock};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_s3::SseS3;

use crate::{
    args::{BackendName, KeyringArgs, UnlockArgs},
    error::{Error, Result},
};

/// SSE-S3 under the keyring, by the library named.
pub(crate) fn cipher(args: &KeyringArgs, backend: BackendName) -> Result<Box<dyn ObjectCipher>> {
    match backend {
        BackendName::AwsLc => cipher_by(args, AwsLc),
        BackendName::RustCrypto => cipher_by(args, RustCrypto),
    }
}

/// The keyring file, unlocked.
pub(crate) fn keyring<B: CryptoBackend>(args: &KeyringArgs, backend: B) -> Result<KeyringFile<B>> {
    let unlock = unlock(&args.unlock, || passphrase(&args.keyring))?;
    Ok(KeyringFile::open(&args.keyring, &unlock, backend)?)
}

/// What unlocks a keyring that is to be created: a new passphrase is typed twice.
pub(crate) fn for_new_keyring(args: &KeyringArgs) -> Result<Unlock> {
    unlock(&args.unlock, || {
        let unlock = passphrase(&args.keyring)?;
        let again = prompt("The same passphrase again: ")?;
        if again == unlock { Ok(unlock) } else { Err(Error::Usage("the passphrases differ")) }
    })
}

fn cipher_by<B: CryptoBackend>(args: &KeyringArgs, backend: B) -> Result<Box<dyn ObjectCipher>> {
    let keyring = Arc::new(keyring(args, backend.clone())?);
    Ok(Box::new(SseS3::new(keyring, backend)))
}

/// The way that was named; none stands in for another.
fn unlock(args: &UnlockArgs, ask: impl FnOnce() -> Result<String>) -> Result<Unlock> {
    Ok(match (&args.key_file, &args.key_env, &args.credential) {
        (Some(path), ..) => Unlock::key_file(path)?,
        (_, Some(variable), _) => Unlock::env(variable)?,
        (.., Some(name)) => Unlock::credential(name)?,
        _ => Unlock::passphrase(ask()?)?,
    })
}

fn passphrase(keyring: &Path) -> Result<String> {
    prompt(&format!("Passphrase for {}: ", keyring.display()))
}

/// Asks on the terminal, also when standard input is something else.
fn prompt(question: &str) -> Result<String> {
    if !io::stderr().is_terminal() {
        return Err(Error::NothingUnlocks);
    }
    rpassword::prompt_password(question).map_err(|_| Error::NothingUnlocks)
}
