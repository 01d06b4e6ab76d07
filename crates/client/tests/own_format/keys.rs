//! Which key opens what, and what the error says when there is none.

use std::sync::Arc;

use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{ClientKeys, ClientSide, KeyringKeys};
use object_cipher_core::{
    Attributes, Completion, Error, KeyBlob, KeyErrorKind, KeyRef, KeySource, KeyringId,
    ObjectCipher, ReadRange, SourceKey, Step,
};
use object_cipher_keyring::{Keyring, SharedKeyring};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, now};

use crate::bucket::{cx, raw_key};

fn seal(cipher: &ClientSide) -> StoredObject {
    StoredObject::seal(cipher, &cx("k"), b"content", &Attributes::default()).unwrap()
}

fn read(stored: &StoredObject, cipher: &ClientSide) -> Result<Vec<u8>, Error> {
    stored.read(cipher, &cx("k"), &ReadRange::Whole)
}

#[track_caller]
fn assert_kind<T>(result: Result<T, Error>, kind: KeyErrorKind) -> String {
    match result.err() {
        Some(Error::Key(error)) if error.kind() == kind => error.message().to_owned(),
        error => panic!("{error:?} instead of {kind:?}"),
    }
}

fn under(keys: ClientKeys) -> ClientSide {
    ClientSide::with_keys(keys, AwsLc)
}

fn keyring(id: &str, retired: &[&Arc<SourceKey>], enabled: &Arc<SourceKey>) -> Arc<SharedKeyring> {
    let mut builder = Keyring::builder(KeyringId::parse(id).unwrap());
    let mut version = 0;
    for key in retired {
        version += 1;
        builder = builder.decrypt_only(version, Arc::clone(key));
    }
    let builder = builder.enabled(version + 1, Arc::clone(enabled));
    Arc::new(SharedKeyring::new(builder.build(&RustCrypto).unwrap()))
}

#[test]
fn several_keys_open_and_one_wraps() {
    let (old, new) = (raw_key(), raw_key());
    let stored = seal(&under(ClientKeys::new("old", Arc::clone(&old)).unwrap()));
    let both = ClientKeys::new("new", Arc::clone(&new)).unwrap().decrypt_only("old", old).unwrap();
    let both = under(both);
    assert_eq!(read(&stored, &both).unwrap(), b"content");

    // Rekeyed, it needs the new one only.
    let opener = stored.open(&both, &cx("k")).unwrap();
    let envelope = now(both.rewrap(&opener, &cx("k"))).unwrap();
    let rekeyed = StoredObject { envelope, ..stored.clone() };
    let new = under(ClientKeys::new("new", new).unwrap());
    assert_eq!(read(&rekeyed, &new).unwrap(), b"content");
    let message = assert_kind(read(&stored, &new), KeyErrorKind::NotFound);
    assert!(message.contains("\"old\""), "{message}");
}

#[test]
fn another_key_of_the_same_name_opens_nothing() {
    let keys = |key| under(ClientKeys::new("name", key).unwrap());
    let stored = seal(&keys(raw_key()));
    let error = read(&stored, &keys(raw_key())).unwrap_err();
    assert!(matches!(error, Error::Rejected { step: Step::KeyWrap, .. }), "{error}");
}

#[test]
fn s1_weak_client_keys_and_names_that_are_taken_are_refused() {
    for byte in [0, 1, 0x5a, 0xff] {
        let weak = SourceKey::from_bytes(&[byte; 32]);
        assert_kind(ClientKeys::new("a", Arc::clone(&weak)), KeyErrorKind::Invalid);
        let keys = ClientKeys::new("a", raw_key()).unwrap();
        assert_kind(keys.decrypt_only("b", weak), KeyErrorKind::Invalid);
        for at in 0..32 {
            let mut bytes = [byte; 32];
            bytes[at] ^= 1;
            assert!(ClientKeys::new("a", SourceKey::from_bytes(&bytes)).is_ok());
        }
    }
    for name in ["", "a", &"x".repeat(1_024)] {
        let keys = ClientKeys::new(name, raw_key()).unwrap();
        assert_kind(keys.clone().decrypt_only(name, raw_key()), KeyErrorKind::Invalid);
        assert_eq!(read(&seal(&under(keys.clone())), &under(keys)).unwrap(), b"content");
    }
    let long = ClientKeys::new("x".repeat(1_025), raw_key());
    assert!(matches!(long, Err(Error::Limit(_))));
}

#[test]
fn s2_s3_a_keyrings_version_that_is_gone_or_has_other_bytes_has_an_error_of_its_own() {
    let (one, two) = (raw_key(), raw_key());
    let cipher = |keys| ClientSide::with_keyring(keys, RustCrypto);
    let stored = seal(&cipher(keyring("main", &[], &one)));
    let named = stored.envelope.layers().next().unwrap();
    assert_eq!(*named.key_ref(), KeyRef::Client("main/1".into()));
    assert_eq!(named.blob().as_bytes(), one.check_value(&RustCrypto).unwrap());

    assert_eq!(read(&stored, &cipher(keyring("main", &[&one], &two))).unwrap(), b"content");
    let other = cipher(keyring("main", &[], &two));
    assert_kind(read(&stored, &other), KeyErrorKind::WrongKey);
    let newer = seal(&cipher(keyring("main", &[&one], &two)));
    assert_kind(read(&newer, &other), KeyErrorKind::KeyVersionMissing);
    assert_kind(read(&stored, &cipher(keyring("spare", &[], &one))), KeyErrorKind::NotFound);
}

#[test]
fn a_keyrings_objects_and_those_under_a_key_of_its_name_are_told_apart() {
    let key = raw_key();
    let keyring = ClientSide::with_keyring(keyring("main", &[], &key), RustCrypto);
    let raw = under(ClientKeys::new("main/1", key).unwrap());
    assert_kind(read(&seal(&keyring), &raw), KeyErrorKind::Invalid);
    assert_kind(read(&seal(&raw), &keyring), KeyErrorKind::Invalid);
}

#[test]
fn names_of_other_kinds_of_keys_are_invalid() {
    let keyring_keys = KeyringKeys::new(keyring("main", &[], &raw_key()));
    let client_keys = ClientKeys::new("", raw_key()).unwrap();
    let sources: [&dyn KeySource; 2] = [&keyring_keys, &client_keys];
    for source in sources {
        for key_ref in [KeyRef::Customer, KeyRef::Kms("id".into())] {
            let recovered = now(source.recover(&cx("k"), &key_ref, &KeyBlob::empty())).map(drop);
            assert_kind(recovered, KeyErrorKind::Invalid);
        }
    }
}

#[test]
fn an_upload_completed_after_a_rotation_is_wrapped_by_the_new_key() {
    let (old, new) = (raw_key(), raw_key());
    let rows = [
        (
            under(ClientKeys::new("old", Arc::clone(&old)).unwrap()),
            under(
                ClientKeys::new("new", Arc::clone(&new))
                    .unwrap()
                    .decrypt_only("old", Arc::clone(&old))
                    .unwrap(),
            ),
            "new",
        ),
        (
            ClientSide::with_keyring(keyring("main", &[], &old), RustCrypto),
            ClientSide::with_keyring(keyring("main", &[&old], &new), RustCrypto),
            "main/2",
        ),
    ];
    for (before, after, name) in rows {
        let cx = cx("k").with_upload_id("our own");
        let uploader = now(before.create_upload(&cx, Completion::WithKey)).unwrap();
        let (body, receipt) = StoredObject::seal_part(&uploader, 1, b"content").unwrap();
        let uploader = now(after.resume_upload(&cx, uploader.envelope())).unwrap();
        let stored = StoredObject::stored_part(&uploader, 1, &receipt, &body);
        let parts = [uploader.open_receipt(&stored).unwrap()];
        let attributes = Attributes::default();
        let completed = now(after.complete_upload(&uploader, &cx, &parts, &attributes)).unwrap();
        let layer = completed.envelope.layers().next().unwrap();
        assert_eq!(*layer.key_ref(), KeyRef::Client(name.into()));
    }
}

#[test]
fn z3_debug_output_names_keys_and_shows_none() {
    let key = raw_key();
    let keys = ClientKeys::new("2026", Arc::clone(&key)).unwrap();
    let keyring = KeyringKeys::new(keyring("main", &[], &key));
    let shown = format!("{keys:?} {keyring:?} {:?}", under(keys.clone()));
    assert!(shown.contains("2026") && shown.contains("main"), "{shown}");
    let list = format!("{:?}", &key.expose_bytes()[..8]);
    for form in [hex::encode(&key.expose_bytes()[..8]), list[1..list.len() - 1].into()] {
        assert!(!shown.contains(&form));
    }
}
