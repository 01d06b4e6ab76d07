//! The key source of SSE-S3 gives the right key or the right error.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use object_cipher_core::{
    BoxFuture, CryptoBackend, Error, FreshKey, KeyBlob, KeyErrorKind, KeyRef, KeySource, KeyringId,
    ObjectContext, Result, SourceKey,
};
use object_cipher_keyring::{Keyring, KeyringFile, SharedKeyring, Unlock, VersionedKeys};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_s3::MasterKeys;

fn key() -> Arc<SourceKey> {
    SourceKey::try_fill(|bytes| RustCrypto.random(bytes)).unwrap()
}

fn keyring(id: &str, version: u32, key: &Arc<SourceKey>) -> Keyring {
    let id = KeyringId::parse(id).unwrap();
    Keyring::builder(id).enabled(version, Arc::clone(key)).build(&RustCrypto).unwrap()
}

fn source(keyring: Keyring) -> MasterKeys {
    MasterKeys::new(Arc::new(SharedKeyring::new(keyring)))
}

/// A local key source never waits.
fn ready<T>(mut future: BoxFuture<'_, T>) -> T {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("not ready"),
    }
}

fn fresh(source: &MasterKeys) -> Result<FreshKey> {
    ready(source.fresh(&ObjectContext::new("prod", "photos", "cat.jpg")))
}

fn recover(source: &MasterKeys, key_ref: &KeyRef) -> Result<Arc<SourceKey>> {
    let cx = ObjectContext::new("prod", "photos", "cat.jpg");
    ready(source.recover(&cx, key_ref, &KeyBlob::empty()))
}

#[track_caller]
fn assert_kind(result: &Result<Arc<SourceKey>>, kind: KeyErrorKind) {
    assert!(matches!(result, Err(Error::Key(error)) if error.kind() == kind), "{result:?}");
}

#[test]
fn a_fresh_key_is_the_enabled_version_and_is_recovered_by_its_name() {
    let master = key();
    let source = source(keyring("main", 3, &master));
    let fresh = fresh(&source).unwrap();
    assert!(fresh.key.is_same(&master));
    assert_eq!(fresh.blob, KeyBlob::empty());
    assert!(recover(&source, &fresh.key_ref).unwrap().is_same(&master));
}

#[test]
fn s2_a_removed_version_is_missing() {
    let fresh = fresh(&source(keyring("main", 1, &key()))).unwrap();
    let later = source(keyring("main", 2, &key()));
    assert_kind(&recover(&later, &fresh.key_ref), KeyErrorKind::KeyVersionMissing);
}

#[test]
fn s3_other_bytes_under_the_same_version_are_the_wrong_key() {
    let fresh = fresh(&source(keyring("main", 1, &key()))).unwrap();
    let other = source(keyring("main", 1, &key()));
    assert_kind(&recover(&other, &fresh.key_ref), KeyErrorKind::WrongKey);
}

#[test]
fn another_keyring_is_not_found() {
    let master = key();
    let fresh = fresh(&source(keyring("main", 1, &master))).unwrap();
    let other = source(keyring("other", 1, &master));
    assert_kind(&recover(&other, &fresh.key_ref), KeyErrorKind::NotFound);
}

#[test]
fn a_key_of_another_kind_is_invalid() {
    let source = source(keyring("main", 1, &key()));
    assert_kind(&recover(&source, &KeyRef::Customer), KeyErrorKind::Invalid);
}

#[test]
fn each_fresh_key_counts_one_wrap_and_a_dropped_future_none() {
    let keys = Arc::new(SharedKeyring::new(keyring("main", 1, &key())));
    let source = MasterKeys::new(Arc::clone(&keys) as Arc<dyn VersionedKeys>);
    for _ in 0..3 {
        fresh(&source).unwrap();
    }
    drop(source.fresh(&ObjectContext::new("prod", "photos", "cat.jpg")));
    assert_eq!(keys.keyring().enabled().wraps(), 3);
}

#[test]
fn rotation_and_removal_while_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let unlock = Unlock::key(key().expose_bytes()).unwrap();
    let id = KeyringId::parse("main").unwrap();
    let path = directory.path().join("keyring");
    let file = Arc::new(KeyringFile::create(path, &id, &unlock, RustCrypto).unwrap());
    let source = MasterKeys::new(Arc::clone(&file) as Arc<dyn VersionedKeys>);
    let objects: Vec<_> = (0..3)
        .map(|_| {
            let fresh = fresh(&source).unwrap();
            file.rotate().unwrap();
            fresh
        })
        .collect();
    for object in &objects {
        assert!(recover(&source, &object.key_ref).unwrap().is_same(&object.key));
    }
    file.destroy(1).unwrap();
    assert_kind(&recover(&source, &objects[0].key_ref), KeyErrorKind::KeyVersionMissing);
    assert!(recover(&source, &objects[1].key_ref).is_ok());
}

#[test]
fn debug_output_names_the_keyring_only() {
    let shown = format!("{:?}", source(keyring("main", 1, &key())));
    assert_eq!(shown, "MasterKeys { keyring: KeyringId(\"main\") }");
}
