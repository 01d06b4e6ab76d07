//! `kms`: the keys of the local KMS, and its audit log.

use std::sync::Arc;

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{BoxFuture, CryptoBackend, resolve_now};
use object_cipher_kms::{
    AuditLog, KeyInfo, KeyName, KeyState, KmsAdmin as _, KmsResult, LocalKms, Scope,
};
use object_cipher_rustcrypto::RustCrypto;
use serde_json::{Value, json};

use crate::{
    args::{
        AuditArgs, BackendName, CreateArgs, GlobalArgs, KeyArgs, KmsArgs, KmsCommand, KmsListArgs,
    },
    console::{self, say},
    error::{Error, Result},
    unlock,
};

pub(crate) fn run(command: &KmsCommand, global: GlobalArgs) -> Result<()> {
    let done = match global.backend {
        BackendName::AwsLc => run_by(command, AwsLc),
        BackendName::RustCrypto => run_by(command, RustCrypto),
    }?;
    match done {
        Some(line) if !global.quiet => say!("{line}"),
        _ => Ok(()),
    }
}

/// Does it, and tells what was done.
fn run_by<B: CryptoBackend>(command: &KmsCommand, backend: B) -> Result<Option<String>> {
    let done = match command {
        KmsCommand::Init(args) => {
            let (scope, keyring) =
                (scope(args)?, Arc::new(unlock::keyring(&args.keyring, &backend)?));
            LocalKms::create(&args.folder, keyring, scope, backend)?;
            format!("made the KMS {}", args.folder.display())
        }
        KmsCommand::Create(args) => create(args, backend)?,
        KmsCommand::List(args) => {
            list(args, backend)?;
            return Ok(None);
        }
        KmsCommand::Add(args) => {
            let kms = open(&args.kms, backend)?;
            let info = kms.add_version(&KeyName::parse(&args.key)?)?;
            format!("{} has a version that waits for `kms rotate`", info.id)
        }
        KmsCommand::Rotate(args) => {
            let info = change(args, backend, |kms, key| kms.rotate_key(key))?;
            format!("{} wraps by {} from now on", info.id, info.version.unwrap_or_default())
        }
        KmsCommand::Enable(args) => {
            let info = change(args, backend, |kms, key| kms.enable_key(key, true))?;
            format!("{} can be used", info.id)
        }
        KmsCommand::Disable(args) => {
            let info = change(args, backend, |kms, key| kms.enable_key(key, false))?;
            format!("{} cannot be used", info.id)
        }
        KmsCommand::ScheduleDeletion(args) => {
            let kms = open(&args.kms, backend)?;
            let key = KeyName::parse(&args.key)?;
            let info = now(kms.schedule_key_deletion(&key, args.days))?;
            format!("{} cannot be used, and is destroyed in {} days", info.id, args.days)
        }
        KmsCommand::CancelDeletion(args) => {
            let info = change(args, backend, |kms, key| kms.cancel_key_deletion(key))?;
            format!("{} stays, and is disabled", info.id)
        }
        KmsCommand::Alias(args) => {
            let kms = open(&args.kms, backend)?;
            let info = kms.set_alias(&args.alias, &KeyName::parse(&args.key)?)?;
            format!("{} leads to {}", args.alias, info.id)
        }
        KmsCommand::Reseal(args) => {
            open(args, backend)?.reseal()?;
            "the KMS is sealed under the keyring's enabled version".to_owned()
        }
        KmsCommand::Audit(args) => audit(args, backend)?,
    };
    Ok(Some(done))
}

fn create<B: CryptoBackend>(args: &CreateArgs, backend: B) -> Result<String> {
    let kms = open(&args.kms, backend)?;
    let aliases: Vec<_> = args.aliases.iter().map(String::as_str).collect();
    let info = match &args.id {
        Some(id) => kms.create_key_of_id(id, &aliases)?,
        None => now(kms.create_key(&aliases))?,
    };
    Ok(format!("made {}", info.id))
}

/// What it lists is its result, and is said in any case.
fn list<B: CryptoBackend>(args: &KmsListArgs, backend: B) -> Result<()> {
    let keys = now(open(&args.kms, backend)?.list_keys())?;
    if args.json {
        return console::json(&keys.iter().map(json).collect::<Value>());
    }
    for key in keys {
        let version = key.version.as_deref().unwrap_or("-");
        say!("{}  {version}  {}  {}", key.id, state_words(key.state), key.aliases.join(" "))?;
    }
    Ok(())
}

fn audit<B: CryptoBackend>(args: &AuditArgs, backend: B) -> Result<String> {
    let keyring = unlock::keyring(&args.keyring, &backend)?;
    let report = AuditLog::at(&args.file, &keyring, backend).verify()?;
    Ok(format!("{}: {} events, as they were written", args.file.display(), report.events))
}

fn change<B: CryptoBackend>(
    args: &KeyArgs,
    backend: B,
    change: impl for<'a> FnOnce(&'a LocalKms<B>, &'a KeyName) -> BoxFuture<'a, KmsResult<KeyInfo>>,
) -> Result<KeyInfo> {
    let kms = open(&args.kms, backend)?;
    now(change(&kms, &KeyName::parse(&args.key)?))
}

fn open<B: CryptoBackend>(args: &KmsArgs, backend: B) -> Result<LocalKms<B>> {
    let keyring = Arc::new(unlock::keyring(&args.keyring, &backend)?);
    let kms = LocalKms::open(&args.folder, keyring, scope(args)?, backend)?;
    kms.delete_due()?;
    Ok(kms)
}

fn scope(args: &KmsArgs) -> Result<Scope> {
    Ok(Scope::new(&args.region, &args.account)?)
}

/// What the local KMS answers, which never waits.
fn now<T>(answer: BoxFuture<'_, KmsResult<T>>) -> Result<T> {
    Ok(resolve_now(answer).ok_or(Error::Usage("the local KMS did not answer at once"))??)
}

fn json(key: &KeyInfo) -> Value {
    let deletion = match key.state {
        KeyState::PendingDeletion { deletion } => Some(deletion),
        _ => None,
    };
    json!({
        "arn": key.id.as_str(),
        "state": state_words(key.state),
        "deletion": deletion,
        "version": key.version,
        "aliases": key.aliases,
    })
}

fn state_words(state: KeyState) -> &'static str {
    match state {
        KeyState::Enabled => "enabled",
        KeyState::Disabled => "disabled",
        KeyState::PendingDeletion { .. } => "pending deletion",
        _ => "unknown",
    }
}
