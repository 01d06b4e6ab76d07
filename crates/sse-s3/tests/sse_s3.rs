//! SSE-S3 end to end: rotation, retirement, wrong keys.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use object_cipher_core::{
    Attributes, Completion, CryptoBackend, Error, KeyErrorKind, KeyRef, KeyringId, ObjectCipher,
    ObjectContext, ReadRange, SourceKey,
};
use object_cipher_keyring::{Keyring, SharedKeyring, VersionedKeys};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_s3::SseS3;
use object_cipher_testkit::{StoredObject, now};

fn key(byte: u8) -> Arc<SourceKey> {
    SourceKey::try_fill(|bytes| {
        RustCrypto.random(bytes)?;
        bytes[0] = byte;
        Ok::<_, object_cipher_core::BackendError>(())
    })
    .unwrap()
}

fn cipher(keyring: Keyring) -> (SseS3, Arc<SharedKeyring>) {
    let shared = Arc::new(SharedKeyring::new(keyring));
    (SseS3::new(shared.clone(), RustCrypto), shared)
}

fn id() -> KeyringId {
    KeyringId::parse("main").unwrap()
}

fn cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "key")
}

fn seal(cipher: &SseS3) -> StoredObject {
    StoredObject::seal(cipher, &cx(), b"content", &Attributes::default()).unwrap()
}

fn key_error(stored: &StoredObject, cipher: &SseS3) -> KeyErrorKind {
    match stored.open(cipher, &cx()).unwrap_err() {
        Error::Key(error) => error.kind(),
        other => panic!("not an error of the keyring: {other}"),
    }
}

#[test]
fn s2_objects_outlive_rotation_and_name_the_version_that_is_gone() {
    let (one, two, three) = (key(1), key(2), key(3));
    let (cipher, shared) =
        cipher(Keyring::builder(id()).enabled(1, one.clone()).build(&RustCrypto).unwrap());
    let first = seal(&cipher);
    let rotated = Keyring::builder(id()).decrypt_only(1, one).enabled(2, two.clone());
    shared.replace(rotated.build(&RustCrypto).unwrap()).unwrap();
    let second = seal(&cipher);
    for stored in [&first, &second] {
        assert_eq!(stored.read(&cipher, &cx(), &ReadRange::Whole).unwrap(), b"content");
    }
    // Re-key the first object, then take version 1 away.
    let opener = first.open(&cipher, &cx()).unwrap();
    let rewrapped =
        StoredObject { envelope: now(cipher.rewrap(&opener, &cx())).unwrap(), ..first.clone() };
    let without_one = Keyring::builder(id()).decrypt_only(2, two).enabled(3, three);
    let (cipher, _) = self::cipher(without_one.build(&RustCrypto).unwrap());
    assert_eq!(key_error(&first, &cipher), KeyErrorKind::KeyVersionMissing);
    assert_eq!(rewrapped.read(&cipher, &cx(), &ReadRange::Whole).unwrap(), b"content");
}

#[test]
fn s3_the_same_version_with_other_bytes_is_another_key() {
    let build = |byte| Keyring::builder(id()).enabled(1, key(byte)).build(&RustCrypto).unwrap();
    let stored = seal(&cipher(build(1)).0);
    assert_eq!(key_error(&stored, &cipher(build(2)).0), KeyErrorKind::WrongKey);
}

#[test]
fn another_keyring_is_not_asked() {
    let build = |name| {
        let id = KeyringId::parse(name).unwrap();
        Keyring::builder(id).enabled(1, key(1)).build(&RustCrypto).unwrap()
    };
    let stored = seal(&cipher(build("here")).0);
    assert_eq!(key_error(&stored, &cipher(build("there")).0), KeyErrorKind::NotFound);
}

#[test]
fn an_upload_completed_after_a_rotation_is_wrapped_by_the_new_version() {
    let (one, two) = (key(1), key(2));
    let keyring = Keyring::builder(id()).enabled(1, one.clone()).build(&RustCrypto).unwrap();
    let (cipher, shared) = cipher(keyring);
    let cx = cx().with_upload_id("upload-1");
    let uploader = now(cipher.create_upload(&cx, Completion::WithKey)).unwrap();
    let (body, receipt) = StoredObject::seal_part(&uploader, 1, b"content").unwrap();
    let rotated = Keyring::builder(id()).decrypt_only(1, one).enabled(2, two);
    shared.replace(rotated.build(&RustCrypto).unwrap()).unwrap();

    let uploader = now(cipher.resume_upload(&cx, uploader.envelope())).unwrap();
    let stored = StoredObject::stored_part(&uploader, 1, &receipt, &body);
    let parts = [uploader.open_receipt(&stored).unwrap()];
    let attributes = Attributes::default();
    let completed = now(cipher.complete_upload(&uploader, &cx, &parts, &attributes)).unwrap();
    let wrapped_by = completed.envelope.layers().next().unwrap().key_ref();
    assert!(matches!(wrapped_by, KeyRef::Master(master) if master.version() == 2));
    assert_eq!(shared.keyring().enabled().wraps(), 1, "and counted");
}
