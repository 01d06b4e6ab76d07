//! `rekey`: the keys of all objects in a store, by their records alone.

mod report;
mod walk;
mod watch;

use std::{path::PathBuf, sync::Arc};

use http::Extensions;
use object_cipher_core::{Error as CoreError, Mode, ObjectCipher};
use object_cipher_object_store::{
    CipherTable, Ciphers as StoreCiphers, EncryptedStore, Result as StoreResult,
    rekey::{Goal, Journal, Rekey},
};
use object_store::{ObjectStore, path::Path};

use crate::{
    args::{CensusArgs, GlobalArgs, ModeName, RekeyArgs, RekeyCommand},
    ciphers::{Ciphers, Purpose},
    error::{Error, Result},
    files::{expect_ordinary_name, expect_replaceable, is_same_place},
    store_url::StoreUrl,
    unlock,
};
use walk::WalkOf;
use watch::Watcher;

/// As many as a process that is killed takes from the keyring's count in vain, at most.
const WRAP_BLOCK: u64 = 10_000;

type Inner = Arc<dyn ObjectStore>;

pub(crate) fn run(command: &RekeyCommand, global: GlobalArgs) -> Result<()> {
    match command {
        RekeyCommand::Run(args) => rekey(args, global),
        RekeyCommand::Census(args) => census(args, global),
        RekeyCommand::Merge(args) => report::merge(args, global),
    }
}

fn rekey(args: &RekeyArgs, global: GlobalArgs) -> Result<()> {
    let store = &args.walk.store;
    // Clap would ask for no --prefix where something that excludes it is there.
    if args.move_to.is_some() && args.walk.prefix.is_none() {
        return Err(Error::Usage("--move-to goes with --prefix"));
    }
    if !(store.has_conditions() || args.single_writer || args.dry_run) {
        return Err(Error::OtherWriters);
    }
    let bucket = args.bucket.as_deref().or(store.bucket()).ok_or(Error::NoBucket)?;
    let key_files = unlock::key_files(&args.keyring)?.with_kms(args.kms.folder.as_deref());
    if let Some(journal) = &args.journal {
        key_files.expect_none_is(journal)?;
        // A link would lead elsewhere than is looked at here.
        expect_ordinary_name(journal)?;
        expect_replaceable(journal)?;
        if args.report.report.as_ref().is_some_and(|report| is_same_place(journal, report)) {
            return Err(Error::Usage("--journal and --report name the same file"));
        }
    }
    expect_outside(store, [args.journal.as_ref(), args.report.report.as_ref()])?;
    report::expect_place(&args.report, &key_files)?;
    let inner = store.open()?;
    let (ciphers, goal) = ciphers(args, global)?;
    let store = EncryptedStore::builder(inner, bucket, ciphers)
        .realm(&args.realm)
        .reserved_prefix(args.walk.reserved_prefix.clone());
    let store = if args.single_writer { store.single_writer() } else { store }.build();
    let mut rekey = match (&args.walk.prefix, &args.move_to) {
        (Some(from), Some(to)) => Rekey::moving(store, goal, from.clone(), to.clone())?,
        _ => Rekey::new(store, goal),
    };
    rekey = rekey.attempts(args.attempts);
    rekey = match &args.journal {
        Some(journal) if args.dry_run => rekey.dry_run().journal(Journal::read(journal)?),
        Some(journal) => rekey.journal(Journal::open(journal)?),
        None if args.dry_run => rekey.dry_run(),
        None => rekey,
    };
    let verb = if args.dry_run { "looking" } else { "wrapping" };
    // A manifest is of the bucket there is, whatever name objects are bound to.
    let walk = WalkOf { args: &args.walk, bucket: args.walk.store.bucket().or(Some(bucket)) };
    let watcher = Watcher::new(verb, walk.total()?, global.quiet);
    let report = go(rekey, walk, Arc::clone(&watcher))?;
    report::publish(&report, &args.report, global)?;
    watcher.sum_up(&report)
}

fn census(args: &CensusArgs, global: GlobalArgs) -> Result<()> {
    expect_outside(&args.walk.store, [args.report.report.as_ref()])?;
    report::expect_place(&args.report, &unlock::key_files_of_environment())?;
    let store = EncryptedStore::builder(args.walk.store.open()?, String::new(), NoKeys);
    let store = store.reserved_prefix(args.walk.reserved_prefix.clone()).build();
    let walk = WalkOf { args: &args.walk, bucket: args.walk.store.bucket() };
    let watcher = Watcher::new("counting", walk.total()?, global.quiet);
    let report = go(Rekey::census(store), walk, Arc::clone(&watcher))?;
    report::publish(&report, &args.report, global)?;
    watcher.sum_up(&report)
}

fn go(
    rekey: Rekey<Inner>,
    walk: WalkOf<'_>,
    watcher: Arc<Watcher>,
) -> Result<object_cipher_object_store::rekey::Report> {
    let args = walk.args;
    let rekey = rekey
        .named(walk.name())
        .shard(args.shard)
        .concurrency(args.concurrency.into())
        .watch(watcher);
    let rekey = match args.rate {
        Some(rate) => rekey.rate(rate),
        None => rekey,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::Runtime)?;
    Ok(runtime.block_on(rekey.run(walk.walk()?))?)
}

fn expect_outside<'a>(
    store: &StoreUrl,
    files: impl IntoIterator<Item = Option<&'a PathBuf>>,
) -> Result<()> {
    files.into_iter().flatten().try_for_each(|file| store.expect_outside(file))
}

/// What seals from now on, with all that opens, and what it comes to.
fn ciphers(args: &RekeyArgs, global: GlobalArgs) -> Result<(CipherTable, Goal)> {
    let (mode, purpose) = match args.mode {
        ModeName::SseS3 => (Mode::SseS3, Purpose::Sealing { wraps: WRAP_BLOCK }),
        ModeName::SseKms => (Mode::SseKms, Purpose::Opening),
        ModeName::DsseKms => (Mode::DsseKms, Purpose::Opening),
    };
    let purpose = if args.dry_run { Purpose::Opening } else { purpose };
    let key = args.kms_key.as_deref();
    match (mode, key) {
        (Mode::SseS3, Some(_)) => return Err(Error::Usage("sse-s3 takes no --kms-key")),
        (Mode::SseKms | Mode::DsseKms, None) => {
            return Err(Error::Usage("say --kms-key: no key is the one meant by default here"));
        }
        _ => {}
    }
    let ciphers = Ciphers::unlock(&args.keyring, &args.kms, global.backend, purpose)?;
    let mut table = CipherTable::new(ciphers.of_mode(mode, key)?);
    for other in [Mode::SseS3, Mode::SseKms, Mode::DsseKms] {
        let needs_kms = other != Mode::SseS3;
        if other != mode && (!needs_kms || args.kms.folder.is_some()) {
            table = table.also_open(ciphers.of_mode(other, None)?);
        }
    }
    Ok((table, ciphers.goal(mode, key)?))
}

/// For a census, which opens nothing.
#[derive(Debug)]
struct NoKeys;

impl StoreCiphers for NoKeys {
    fn to_seal(&self, _: &Path, _: &Extensions) -> StoreResult<Arc<dyn ObjectCipher>> {
        Err(CoreError::Misuse("a census has no key").into())
    }

    fn to_open(&self, _: &Path, _: Mode, _: &Extensions) -> StoreResult<Arc<dyn ObjectCipher>> {
        Err(CoreError::Misuse("a census has no key").into())
    }
}
