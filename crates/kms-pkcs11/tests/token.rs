//! Against SoftHSM2.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a failed check is a panic")]

mod softhsm;

use std::{fs, path::PathBuf, process::Command, sync::Arc, time::Duration};

use object_cipher_core::{KeyError, KeyErrorKind, SourceKey};
use object_cipher_kms::{Describe, KeyId, Kms, Rewrap, Unwrap, WrappedKey};
use object_cipher_kms_pkcs11::{Error, Pin, Pkcs11Kms, Settings, TokenName};
use object_cipher_testkit::kms_suite::KmsSubject;
use softhsm::{call, context, folder, generate, name, token, unwrap, variable};

fn settings(label: &str) -> Settings {
    let pin = Pin::file(folder().join("pin"));
    Settings::new(variable("PKCS11_MODULE"), token(label), pin)
}

/// Why it does not start.
fn refused(settings: Settings) -> KeyError {
    match Pkcs11Kms::start(settings) {
        Err(Error::Key(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// What an operator does.
fn make_key(token: &str, label: &str, id: &str) {
    let mut tool = Command::new("pkcs11-tool");
    tool.args(["--module", &variable("PKCS11_MODULE"), "--token-label", token, "--login"]);
    tool.args(["--pin", "env:PKCS11_PIN", "--keygen", "--key-type", "AES:32"]);
    tool.args(["--usage-decrypt", "--sensitive", "--private", "--label", label, "--id", id]);
    let made = tool.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
async fn it_keeps_what_every_kms_promises() {
    let kms = Pkcs11Kms::start(settings("suite").key("photos").key("films")).unwrap();
    let subject = KmsSubject {
        kms: &kms,
        key: name("photos"),
        other: name("films"),
        missing: name("songs"),
        gaps: &[],
    };
    subject.check().await;
    let id = format!("pkcs11:{}/photos", token("suite").serial);
    assert_eq!(generate(&kms, "a").await.unwrap().wrapped.id().as_str(), id);
}

#[tokio::test]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
async fn the_longest_context_is_bound() {
    let kms = Pkcs11Kms::start(settings("suite").key("photos")).unwrap();
    let long = "a".repeat(8_000);
    let made = generate(&kms, &long).await.unwrap();
    assert!(unwrap(&kms, &made.wrapped, &long).await.unwrap().key.is_same(&made.key));
    let error = unwrap(&kms, &made.wrapped, &long[1..]).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Integrity);
}

#[tokio::test]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
async fn a_second_key_with_the_next_id_wraps_and_the_first_opens() {
    let rotated = settings("rotation").key("photos").refresh(Duration::ZERO);
    let kms = Pkcs11Kms::start(rotated).unwrap();
    let old = generate(&kms, "a").await.unwrap();
    assert_eq!(old.wrapped.version(), Some("v01"));
    make_key("rotation", "photos", "02");

    let described = kms.describe(Describe { key: &name("photos"), call: call() }).await.unwrap();
    assert_eq!(described.version.as_deref(), Some("v02"));
    assert_eq!(generate(&kms, "a").await.unwrap().wrapped.version(), Some("v02"));
    let rq = Unwrap { wrapped: &old.wrapped, context: &context("a"), call: call() };
    let Rewrap::Rewrapped(new) = kms.rewrap(rq).await.unwrap() else { panic!("unchanged") };
    let rq = Unwrap { wrapped: &new, context: &context("a"), call: call() };
    assert_eq!(kms.rewrap(rq).await.unwrap(), Rewrap::Unchanged);
    for wrapped in [&old.wrapped, &new] {
        assert!(unwrap(&kms, wrapped, "a").await.unwrap().key.is_same(&old.key));
    }
    let never = WrappedKey::new(new.id().clone(), "v03", new.ciphertext()).unwrap();
    let error = unwrap(&kms, &never, "a").await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::KeyVersionMissing);
}

#[test]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
fn an_unfit_key_is_refused() {
    assert!(Pkcs11Kms::start(settings("unfit").key("photos")).is_ok());
    let rows = [
        ("extractable", "CKA_EXTRACTABLE"),
        ("clear", "CKA_SENSITIVE"),
        ("public", "CKA_PRIVATE"),
        ("short", "256"),
    ];
    for (label, told) in rows {
        for settings in [settings("unfit"), settings("unfit").imported_keys()] {
            let error = refused(settings.key("photos").key(label));
            assert_eq!(error.kind(), KeyErrorKind::InvalidState, "{label}");
            assert!(error.message().contains(told), "{error}");
        }
    }
    let error = refused(settings("imported").key("copied"));
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
    assert!(Pkcs11Kms::start(settings("imported").key("copied").imported_keys()).is_ok());
}

#[test]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
fn two_keys_of_one_label_and_id_are_refused() {
    let error = refused(settings("twins").key("photos"));
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
    assert!(error.message().contains("twice"), "{error}");
}

#[test]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
fn the_token_the_key_and_the_module_have_to_be_there() {
    let absent = |name: TokenName| {
        let pin = Pin::file(folder().join("pin"));
        refused(Settings::new(variable("PKCS11_MODULE"), name, pin).key("photos")).kind()
    };
    let there = token("suite");
    assert_eq!(
        absent(TokenName { label: "other".into(), ..there.clone() }),
        KeyErrorKind::Unavailable
    );
    assert_eq!(absent(TokenName { serial: "0".into(), ..there }), KeyErrorKind::Unavailable);
    assert_eq!(refused(settings("suite").key("songs")).kind(), KeyErrorKind::NotFound);

    let module = folder().join("pin");
    let settings = Settings::new(&module, token("suite"), Pin::given("none")).key("photos");
    let Err(Error::Module { file, .. }) = Pkcs11Kms::start(settings) else { panic!("it loads") };
    assert_eq!(file, module.canonicalize().unwrap());
}

#[tokio::test]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
async fn a_token_that_is_taken_away_is_unavailable() {
    let kms = Pkcs11Kms::start(settings("gone").key("photos")).unwrap();
    let made = generate(&kms, "a").await.unwrap();
    // A token's folder is named by a UUID that ends in its serial.
    let serial = token("gone").serial;
    let tokens = fs::read_dir(folder().join("tokens")).unwrap().map(|entry| entry.unwrap().path());
    let is_gone = |path: &PathBuf| path.to_str().unwrap().replace('-', "").ends_with(&serial);
    let there = tokens.into_iter().find(is_gone).unwrap();
    fs::rename(&there, folder().join("taken")).unwrap();
    for _ in 0..3 {
        let rq = Unwrap { wrapped: &made.wrapped, context: &context("a"), call: call() };
        let errors = [
            generate(&kms, "a").await.map(drop),
            unwrap(&kms, &made.wrapped, "a").await.map(drop),
            unwrap(&kms, &made.wrapped, "b").await.map(drop),
            kms.rewrap(rq).await.map(drop),
            kms.describe(Describe { key: &name("photos"), call: call() }).await.map(drop),
        ];
        for error in errors {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::Unavailable, "{error}");
            assert!(error.is_retryable());
        }
    }
    // The tokens beside it work.
    assert!(Pkcs11Kms::start(settings("suite").key("photos")).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
async fn many_calls_at_once_do_not_disturb_each_other() {
    let kms = settings("threads").key("photos").queue(1_000).timeout(Duration::from_secs(60));
    let kms = Arc::new(Pkcs11Kms::start(kms).unwrap());
    let tasks: Vec<_> = (0..32)
        .map(|task| {
            let kms = Arc::clone(&kms);
            tokio::spawn(async move {
                for round in 0..50 {
                    let object = format!("{task}/{round}");
                    let made = generate(&kms, &object).await.unwrap();
                    // Costs the worker its session.
                    let error = unwrap(&kms, &made.wrapped, "other").await.unwrap_err();
                    assert_eq!(error.kind(), KeyErrorKind::Integrity);
                    let opened = unwrap(&kms, &made.wrapped, &object).await.unwrap();
                    assert!(opened.key.is_same(&made.key));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
async fn what_another_process_wrapped_opens() {
    let kms = Pkcs11Kms::start(settings("restart").key("photos")).unwrap();
    let (id, blob) = (folder().join("wrapped.id"), folder().join("wrapped.blob"));
    if let Ok(id) = fs::read_to_string(&id) {
        let wrapped = WrappedKey::new(KeyId::new(id).unwrap(), "v01", &fs::read(blob).unwrap());
        let opened = unwrap(&kms, &wrapped.unwrap(), "a").await.unwrap();
        assert!(opened.key.is_same(&data_key()));
        println!("opened what another process wrapped");
        return;
    }
    let (data_key, context) = (data_key(), context("a"));
    let rq = object_cipher_kms::Encrypt {
        key: &name("photos"),
        data_key: &data_key,
        context: &context,
        call: call(),
    };
    let wrapped = kms.encrypt(rq).await.unwrap();
    fs::write(&id, wrapped.id().as_str()).unwrap();
    fs::write(&blob, wrapped.ciphertext()).unwrap();
}

fn data_key() -> Arc<SourceKey> {
    SourceKey::from_bytes(b"a data key of thirty-two bytes..")
}
