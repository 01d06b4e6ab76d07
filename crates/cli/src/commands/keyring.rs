//! `keyring`: master keys and their versions.

use std::{
    fs::{self, Permissions},
    io::{self, IsTerminal, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::CryptoBackend;
use object_cipher_keyring::{Keyring, KeyringFile, Unlock, VersionInfo, VersionState};
use object_cipher_rustcrypto::RustCrypto;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    args::{BackendName, InitArgs, KeyringCommand, ListArgs, RetireArgs, RotateArgs},
    console::say,
    describe::hex,
    error::{Error, Result},
    output::{Folder, Output, folder_of},
    unlock,
};

pub(crate) fn run(command: &KeyringCommand, backend: BackendName) -> Result<()> {
    match backend {
        BackendName::AwsLc => run_by(command, AwsLc),
        BackendName::RustCrypto => run_by(command, RustCrypto),
    }
}

fn run_by<B: CryptoBackend>(command: &KeyringCommand, backend: B) -> Result<()> {
    match command {
        KeyringCommand::Init(args) => init(args, backend),
        KeyringCommand::Add(args) => {
            let version = unlock::keyring(args, backend)?.add()?;
            say!("version {version} was added; it opens only, until `rotate` makes it seal")?;
            Ok(())
        }
        KeyringCommand::Rotate(args) => rotate(args, backend),
        KeyringCommand::List(args) => list(args, backend),
        KeyringCommand::Retire(args) => retire(args, backend),
    }
}

fn init<B: CryptoBackend>(args: &InitArgs, backend: B) -> Result<()> {
    let (path, id) = (&args.keyring.keyring, &args.id);
    let Some(key_file) = &args.new_key_file else {
        KeyringFile::create(path, id, &unlock::for_new_keyring(&args.keyring)?, backend)?;
        say!("created keyring {id} at {} with version 1", path.display())?;
        return Ok(());
    };
    write_key_file(key_file, &backend)?;
    let created = Unlock::key_file(key_file)
        .and_then(|unlock| KeyringFile::create(path, id, &unlock, backend))
        // It is a moment old and unlocks nothing.
        .inspect_err(|_| drop(fs::remove_file(key_file)));
    created?;
    say!("created keyring {id} at {} with version 1", path.display())?;
    say!("created key file {}: keep a copy of it elsewhere", key_file.display())?;
    Ok(())
}

fn rotate<B: CryptoBackend>(args: &RotateArgs, backend: B) -> Result<()> {
    let keyring = unlock::keyring(&args.keyring, backend)?;
    let version = match args.to {
        Some(version) => keyring.promote(version).map(|()| version)?,
        None => keyring.rotate()?,
    };
    say!("version {version} seals from now on; the others open")?;
    Ok(())
}

fn retire<B: CryptoBackend>(args: &RetireArgs, backend: B) -> Result<()> {
    let version = args.version;
    let keyring = unlock::keyring(&args.keyring, backend)?;
    let enabled = keyring.keyring().enabled().version();
    if args.destroy {
        if !args.yes {
            confirm(&format!(
                "What version {version} sealed can never be opened again, unless it was rewrapped."
            ))?;
        }
        keyring.destroy(version)?;
        say!("version {version} was destroyed")?;
        return Ok(());
    }
    keyring.keyring().version(version)?;
    if version == enabled {
        let enabled = keyring.rotate()?;
        say!("version {version} opens only; version {enabled} seals from now on")?;
    } else {
        say!("version {version} opens only, as before; version {enabled} seals")?;
    }
    Ok(())
}

fn list<B: CryptoBackend>(args: &ListArgs, backend: B) -> Result<()> {
    let keyring = unlock::keyring(&args.keyring, backend)?.keyring();
    if args.json {
        say!("{:#}", json(&keyring))?;
        return Ok(());
    }
    say!("keyring {}, generation {}", keyring.id(), keyring.generation())?;
    say!("version  state         age/days  check")?;
    for info in keyring.versions() {
        let (version, state) = (info.version, state_word(info.state));
        let age = days_since(&info).map_or_else(|| "-".into(), |days| days.to_string());
        let check = info.check.map_or_else(|| "-".into(), |check| hex(&check));
        say!("{version:<7}  {state:<12}  {age:>8}  {check}")?;
    }
    Ok(())
}

fn json(keyring: &Keyring) -> Value {
    let version = |info: VersionInfo| {
        let created = info.created.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        json!({
            "version": info.version,
            "state": state_word(info.state),
            "created": created.map(|since| since.as_secs()),
            "wraps": info.wraps,
            "check": info.check.map(|check| hex(&check)),
        })
    };
    json!({
        "keyring": keyring.id().as_str(),
        "generation": keyring.generation(),
        "versions": keyring.versions().map(version).collect::<Vec<_>>(),
    })
}

fn state_word(state: VersionState) -> &'static str {
    match state {
        VersionState::Enabled => "enabled",
        VersionState::DecryptOnly => "decrypt-only",
        VersionState::Destroyed => "destroyed",
        _ => "unknown",
    }
}

fn days_since(info: &VersionInfo) -> Option<u64> {
    let age = SystemTime::now().duration_since(info.created?).ok()?;
    Some(age.as_secs() / (24 * 60 * 60))
}

/// Writes 32 random bytes in base64, for their owner only, where no file is.
fn write_key_file<B: CryptoBackend>(path: &Path, backend: &B) -> Result<()> {
    let mut key = Zeroizing::new([0; 32]);
    backend.random(key.as_mut_slice()).map_err(|error| Error::object(path)(error.into()))?;
    let mut line = Zeroizing::new([b'\n'; 45]);
    let encoded = STANDARD.encode_slice(key.as_slice(), line.as_mut_slice());
    debug_assert_eq!(encoded, Ok(44));

    let folder = folder_of(path);
    let written = Output::new(&folder).and_then(|mut file| {
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(line.as_slice())?;
        let folder = Folder::lock(&folder)?;
        file.publish(path)?;
        folder.sync()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists(path.to_path_buf()),
        _ => Error::io("write", path)(error),
    })
}

/// Goes on only after a person typed `yes`.
fn confirm(warning: &str) -> Result<()> {
    if !io::stdin().is_terminal() {
        return Err(Error::Usage("there is no terminal to ask on: say --yes if you are sure"));
    }
    eprint!("{warning}\nType `yes` to go on: ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Error::io("read", Path::new("standard input")))?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Error::Declined) }
}
