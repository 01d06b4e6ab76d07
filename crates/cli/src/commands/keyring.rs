//! `keyring`: master keys and their versions.

use std::{
    io::{self, IsTerminal},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::CryptoBackend;
use object_cipher_keyring::{
    Error as KeyringError, Keyring, KeyringFile, VersionInfo, VersionState,
};
use object_cipher_rustcrypto::RustCrypto;
use serde_json::{Value, json};

use crate::{
    args::{
        BackendName, ExportArgs, GlobalArgs, InitArgs, KeyringCommand, ListArgs, ResealArgs,
        RetireArgs, RotateArgs,
    },
    console::{self, note, say},
    describe::hex,
    error::{Error, Result},
    files::{KeyFiles, expect_ordinary_name, is_there, with_end},
    unlock::{self, Means, patiently},
};

pub(crate) fn run(command: &KeyringCommand, global: GlobalArgs) -> Result<()> {
    let done = match global.backend {
        BackendName::AwsLc => run_by(command, &AwsLc),
        BackendName::RustCrypto => run_by(command, &RustCrypto),
    }?;
    if global.quiet { Ok(()) } else { done.iter().try_for_each(|line| say!("{line}")) }
}

/// Does it, and tells what was done.
fn run_by<B: CryptoBackend>(command: &KeyringCommand, backend: &B) -> Result<Vec<String>> {
    match command {
        KeyringCommand::Init(args) => init(args, backend),
        KeyringCommand::Add(args) => {
            let keyring = unlock::keyring(args, backend)?;
            let version = patiently(|| keyring.add())?;
            Ok(vec![format!(
                "version {version} was added; it waits, and opens, until `rotate` makes it seal"
            )])
        }
        KeyringCommand::Rotate(args) => rotate(args, backend),
        KeyringCommand::List(args) => list(args, backend),
        KeyringCommand::Retire(args) => retire(args, backend),
        KeyringCommand::Reseal(args) => reseal(args, backend),
        KeyringCommand::Export(args) => export(args, backend),
    }
}

fn init<B: CryptoBackend>(args: &InitArgs, backend: &B) -> Result<Vec<String>> {
    let (path, id, means) = (&args.keyring.path()?, &args.id, args.means());
    expect_no_keyring(path)?;
    means.expect_apart_from(&KeyFiles::default().with_keyring(path))?;
    unlock::with_new(&means, path, backend, |unlock| {
        KeyringFile::create(path, id, unlock, backend.clone())
    })?;
    let mut done = vec![format!("created keyring {id} at {} with version 1", path.display())];
    done.extend(new_key_file(&means));
    Ok(done)
}

fn rotate<B: CryptoBackend>(args: &RotateArgs, backend: &B) -> Result<Vec<String>> {
    let keyring = unlock::keyring(&args.keyring, backend)?;
    let version = match args.to {
        Some(version) => patiently(|| keyring.promote(version)).map(|()| version)?,
        None => patiently(|| keyring.rotate())?,
    };
    Ok(vec![format!("version {version} seals from now on; the others open")])
}

fn retire<B: CryptoBackend>(args: &RetireArgs, backend: &B) -> Result<Vec<String>> {
    if args.destroy {
        return destroy(args, backend);
    }
    let version = args.version;
    let file = unlock::keyring(&args.keyring, backend)?;
    match file.keyring().version(version)?.state() {
        VersionState::Enabled => {}
        VersionState::Waiting => {
            return Err(Error::Usage("this version waits for `keyring rotate`: give --destroy"));
        }
        _ => return Ok(vec![format!("version {version} opens only, as before")]),
    }
    let enabled = patiently(|| file.rotate())?;
    Ok(vec![format!("version {version} opens only; version {enabled} seals from now on")])
}

fn destroy<B: CryptoBackend>(args: &RetireArgs, backend: &B) -> Result<Vec<String>> {
    let version = args.version;
    if !args.yes && !io::stdin().is_terminal() {
        return Err(Error::Usage("there is no terminal to ask on: say --yes if you are sure"));
    }
    let file = unlock::keyring(&args.keyring, backend)?;
    let keyring = file.keyring();
    match keyring.version(version) {
        Err(KeyringError::VersionDestroyed { .. }) => {}
        found => drop(found?),
    }
    if version == keyring.enabled().version() {
        let keyring = keyring.id().clone();
        return Err(KeyringError::VersionEnabled { keyring, version }.into());
    }
    if !args.yes {
        confirm(&format!(
            "What version {version} sealed can never be opened again, unless it was rewrapped; nor can a \
             KMS under this keyring, unless `kms reseal` was done since, and no audit log that was begun \
             under it is verified or gone on with."
        ))?;
    }
    patiently(|| file.destroy(version))?;
    Ok(vec![format!("version {version} was destroyed")])
}

fn reseal<B: CryptoBackend>(args: &ResealArgs, backend: &B) -> Result<Vec<String>> {
    let (path, means) = (&args.keyring.path()?, args.new_unlock.means());
    if let Means::NewKeyFile(_) = means {
        means.expect_apart_from(&unlock::key_files(&args.keyring)?)?;
    }
    means.expect_usable()?;
    let file = unlock::keyring(&args.keyring, backend)?;
    unlock::with_new(&means, path, backend, |unlock| patiently(|| file.reseal(unlock)))?;
    let mut done = vec![format!("{} is unlocked in the new way from now on", path.display())];
    done.extend(new_key_file(&means));
    Ok(done)
}

fn export<B: CryptoBackend>(args: &ExportArgs, backend: &B) -> Result<Vec<String>> {
    let (copy, means) = (&args.output, args.new_unlock.means());
    let keys = unlock::key_files(&args.keyring)?;
    let made = KeyFiles::default().with_keyring(copy);
    keys.expect_apart_from(&made)?;
    if let Means::NewKeyFile(_) = means {
        means.expect_apart_from(&keys)?;
    }
    means.expect_apart_from(&made)?;
    expect_no_keyring(copy)?;
    means.expect_usable()?;
    let file = unlock::keyring(&args.keyring, backend)?;
    unlock::with_new(&means, copy, backend, |unlock| file.export(copy, unlock))?;
    let mut done = vec![format!("wrote a copy of the keyring to {}", copy.display())];
    done.extend(new_key_file(&means));
    Ok(done)
}

/// What it lists is its result, and is said in any case.
fn list<B: CryptoBackend>(args: &ListArgs, backend: &B) -> Result<Vec<String>> {
    let keyring = unlock::keyring(&args.keyring, backend)?.keyring();
    if args.json {
        return console::json(&json(&keyring)).map(|()| Vec::new());
    }
    say!("keyring {}, generation {}", keyring.id(), keyring.generation())?;
    say!("version  state         age/days  check")?;
    for info in keyring.versions() {
        let (version, state) = (info.version, state_word(info.state));
        let age = days_since(&info).map_or_else(|| "-".into(), |days| days.to_string());
        let check = info.check.map_or_else(|| "-".into(), |check| hex(&check));
        say!("{version:<7}  {state:<12}  {age:>8}  {check}")?;
    }
    Ok(Vec::new())
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
        VersionState::Waiting => "waiting",
        VersionState::DecryptOnly => "decrypt-only",
        VersionState::Destroyed => "destroyed",
        _ => "unknown",
    }
}

fn days_since(info: &VersionInfo) -> Option<u64> {
    let age = SystemTime::now().duration_since(info.created?).ok()?;
    Some(age.as_secs() / (24 * 60 * 60))
}

/// Refuses a place where a keyring is, or what is left of one, before anybody is asked.
fn expect_no_keyring(path: &Path) -> Result<()> {
    expect_ordinary_name(path)?;
    for path in [path, &with_end(path, ".previous")] {
        if is_there(path)? {
            return Err(Error::Exists(path.to_path_buf()));
        }
    }
    Ok(())
}

fn new_key_file(means: &Means) -> Option<String> {
    let Means::NewKeyFile(path) = means else { return None };
    Some(format!("created key file {}: keep a copy of it elsewhere", path.display()))
}

/// Goes on only after a person typed `yes`.
fn confirm(warning: &str) -> Result<()> {
    note(format_args!("{warning}"));
    eprint!("Type `yes` to go on: ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Error::io("read", Path::new("standard input")))?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Error::Declined) }
}
