//! The part of the command line that is about keyrings and what unlocks them.

use std::{env, path::PathBuf};

use clap::{Args, Subcommand, builder::TypedValueParser};
use object_cipher_core::KeyringId;

use super::not_a_dash;
use crate::{
    error::{Error, Result},
    unlock::Means,
};

/// Names the keyring where `--keyring` does not.
pub(crate) const KEYRING_VARIABLE: &str = "OBJECT_CIPHER_KEYRING";
/// Names the key file where nothing else says what unlocks.
pub(crate) const KEY_FILE_VARIABLE: &str = "OBJECT_CIPHER_KEY_FILE";

const KEYRING_HELP: &str = "\
The keyring file; what seals or changes keys writes to it and beside it [env: OBJECT_CIPHER_KEYRING]";

/// Clap's own `env` would make the variable contradict the other options.
const KEY_FILE_HELP: &str = "\
Unlock by the key in this file: 32 bytes, raw or base64, readable by its owner only [env: \
OBJECT_CIPHER_KEY_FILE, if no option says what unlocks]";

#[derive(Debug, Subcommand)]
pub(crate) enum KeyringCommand {
    /// Creates a keyring with one master key
    Init(InitArgs),
    /// Adds a master key that waits, and opens, until `rotate` makes it seal
    Add(KeyringArgs),
    /// Seals with the newest key that waits, or else a new one, from now on
    Rotate(RotateArgs),
    /// Lists the master keys and their states
    List(ListArgs),
    /// Makes a master key one that only opens, or destroys it
    Retire(RetireArgs),
    /// Changes what unlocks the keyring
    ///
    /// The file is sealed anew, and its previous generation, which the old key or passphrase still
    /// opens, is removed. Copies elsewhere stay as they are.
    Reseal(ResealArgs),
    /// Writes a copy that another key or passphrase unlocks, to keep elsewhere
    ///
    /// A keyring that only a lost key unlocks is lost, and all that it sealed with it.
    Export(ExportArgs),
}

/// Where the keyring is and what unlocks it.
#[derive(Debug, Args)]
pub(crate) struct KeyringArgs {
    #[arg(long, value_name = "PATH", value_parser = key_path(), help = KEYRING_HELP)]
    keyring: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
}

/// What unlocks the keyring; a passphrase is asked for when nothing says so.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct UnlockArgs {
    #[arg(long, value_name = "PATH", value_parser = key_path(), help = KEY_FILE_HELP)]
    key_file: Option<PathBuf>,

    /// Unlock by the key in this environment variable: 32 bytes in base64
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,

    /// Unlock by the key in this systemd credential
    #[arg(long, value_name = "NAME")]
    credential: Option<String>,
}

/// What unlocks the keyring from now on, or the copy; a passphrase is asked for when nothing says
/// so.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct NewUnlockArgs {
    /// Create this key file, with a random key, to unlock by
    #[arg(long, value_name = "PATH", value_parser = key_path())]
    new_key_file: Option<PathBuf>,

    /// Unlock by the key in this file, which is there already
    #[arg(long, value_name = "PATH", value_parser = key_path())]
    to_key_file: Option<PathBuf>,

    /// Unlock by the key in this environment variable
    #[arg(long, value_name = "VARIABLE")]
    to_key_env: Option<String>,

    /// Unlock by the key in this systemd credential
    #[arg(long, value_name = "NAME")]
    to_credential: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    /// The keyring's name, which every Envelope carries
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = keyring_id)]
    pub(crate) id: KeyringId,

    /// Create this key file first, with a random key, and unlock by it
    #[arg(long, value_name = "PATH", value_parser = key_path(),
          conflicts_with_all = ["key_file", "key_env", "credential"])]
    new_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    /// The version to seal with, also one that only opens
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RetireArgs {
    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    /// The master key's version
    pub(crate) version: u32,

    /// Destroy its bytes: what it wrapped can never be opened again, a KMS that was not resealed since
    /// (`kms reseal`) and an audit log that was begun under it among it. Asks first
    #[arg(long)]
    pub(crate) destroy: bool,

    /// Do not ask
    #[arg(long, requires = "destroy")]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResealArgs {
    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    #[command(flatten)]
    pub(crate) new_unlock: NewUnlockArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The copy to write; nothing may be there
    #[arg(long, short, value_name = "PATH", value_parser = key_path())]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    #[command(flatten)]
    pub(crate) new_unlock: NewUnlockArgs,
}

impl KeyringArgs {
    /// The keyring file.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        let named = || variable(KEYRING_VARIABLE).ok_or(Error::NoKeyring);
        self.keyring.clone().map_or_else(named, Ok)
    }
}

impl UnlockArgs {
    /// The way that was named; none stands in for another.
    pub(crate) fn means(&self) -> Means {
        match (&self.key_file, &self.key_env, &self.credential) {
            (Some(path), ..) => Means::KeyFile(path.clone()),
            (_, Some(variable), _) => Means::KeyEnv(variable.clone()),
            (.., Some(name)) => Means::Credential(name.clone()),
            _ => variable(KEY_FILE_VARIABLE).map_or(Means::Passphrase, Means::KeyFile),
        }
    }
}

impl InitArgs {
    /// What will unlock the keyring.
    pub(crate) fn means(&self) -> Means {
        let unlock = || self.keyring.unlock.means();
        self.new_key_file.clone().map_or_else(unlock, Means::NewKeyFile)
    }
}

impl NewUnlockArgs {
    /// The way that was named. The environment names none: it says what unlocks so far.
    pub(crate) fn means(&self) -> Means {
        let created = self.new_key_file.clone().map(Means::NewKeyFile);
        let file = || self.to_key_file.clone().map(Means::KeyFile);
        let variable = || self.to_key_env.clone().map(Means::KeyEnv);
        let credential = || self.to_credential.clone().map(Means::Credential);
        created.or_else(file).or_else(variable).or_else(credential).unwrap_or(Means::Passphrase)
    }
}

fn keyring_id(text: &str) -> Result<KeyringId, &'static str> {
    KeyringId::parse(text)
        .ok_or("a keyring's name has 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit")
}

/// The path in a variable; an empty one names nothing.
pub(crate) fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The path of a file with keys in it.
fn key_path() -> impl TypedValueParser<Value = PathBuf> {
    not_a_dash("keys are in files, not on standard input or output (a file `-` is `./-`)")
}
