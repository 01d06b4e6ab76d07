//! Against a fake of the wire: what every KMS must do, and what the server may do wrong.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod calls;
mod fake;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use calls::{call, generate, kind, name, object, rewrap, unwrap};
use fake::{Fake, Fault, Key};
use object_cipher_core::{KeyError, KeyErrorKind, SourceKey};
use object_cipher_kms::{
    Describe, Encrypt, KeyId, KeyState, Kms, KmsCall, Notes, Rewrap, Stack, TokioTimer, Unwrap,
    WrappedKey,
};
use object_cipher_testkit::kms_suite::KmsSubject;
use serde_json::json;

#[tokio::test]
async fn it_does_what_every_kms_must() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let subject = KmsSubject {
        kms: &kms,
        key: name("photos"),
        other: name("videos"),
        missing: name("nothing"),
        gaps: &[],
    };
    subject.check().await;
    assert_eq!(fake.count("POST /auth/approle/login"), 1);
    assert!(!fake.state().keys.contains_key("nothing"));
}

#[tokio::test]
async fn under_all_layers_it_does_what_every_kms_must() {
    let fake = Fake::start().await;
    let stack = Stack::new(fake.kms(), Arc::new(TokioTimer::new())).build();
    let kms = stack.kms();
    let subject = KmsSubject {
        kms: &kms,
        key: name("photos"),
        other: name("videos"),
        missing: name("nothing"),
        gaps: &[],
    };
    subject.check().await;
}

#[tokio::test]
async fn a_key_is_checked_once_and_each_call_is_one_request() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let notes = Arc::new(Notes::default());
    let noted = KmsCall { notes: Some(Arc::clone(&notes)), ..call() };
    let made = generate(&kms, "photos").await.unwrap();
    let before = fake.state().seen.len();
    let context = object("a");
    let rq = Unwrap { wrapped: &made.wrapped, context: &context, call: noted };
    assert!(kms.unwrap(rq).await.unwrap().key.is_same(&made.key));
    assert_eq!(fake.state().seen[before..], ["POST /transit/decrypt/photos"]);
    assert_eq!(fake.count("GET /transit/keys/photos"), 1);
    assert_eq!(notes.read().kms_request_id.as_deref(), Some("request-of-tests"));
    assert_eq!(made.wrapped.id().as_str(), "vault:transit/photos");
    assert_eq!(made.wrapped.version(), Some("v1"));
}

#[tokio::test]
async fn k2_a_key_that_binds_no_context_is_refused() {
    let fake = Fake::start().await;
    let deaf = Key { ignores_context: true, ..Key::fit() };
    let rows = [
        ("plain", Key::with("derived", false)),
        ("lying", deaf),
        ("exportable", Key::with("exportable", true)),
        ("backup", Key::with("allow_plaintext_backup", true)),
        ("rsa", Key::with("type", "rsa-4096")),
        ("small", Key::with("type", "aes128-gcm96")),
    ];
    let kms = fake.kms();
    let (data_key, context) = (SourceKey::from_bytes(&[7; 32]), object("a"));
    for (text, key) in rows {
        fake.state().keys.insert(text.to_owned(), key);
        let id = KeyId::new(format!("vault:transit/{text}")).unwrap();
        let wrapped = WrappedKey::new(id, "v1", b"vault:v1:AAAA").unwrap();
        let rq = Encrypt { key: &name(text), data_key: &data_key, context: &context, call: call() };
        let errors = [
            generate(&kms, text).await.unwrap_err(),
            unwrap(&kms, &wrapped).await.unwrap_err(),
            rewrap(&kms, &wrapped).await.unwrap_err(),
            kms.encrypt(rq).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), KeyErrorKind::Invalid, "{text}: {error:?}");
            assert_eq!(error.code(), Some("InvalidKeyUsageException"), "{text}: {error:?}");
        }
    }
    assert_eq!(fake.count("datakey"), 0);
    assert_eq!(fake.count("rewrap"), 0);
}

#[tokio::test]
async fn k1_an_answer_that_is_no_data_key_is_refused() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    let rows = [
        json!({ "plaintext": "" }),
        json!({ "plaintext": "AAAA" }),
        json!({ "plaintext": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }),
        json!({ "plaintext": "A".repeat(100_000) }),
        json!({ "plaintext": "not base64!" }),
        json!({ "plaintext": null }),
        json!({ "plaintext": 7 }),
    ];
    for row in rows {
        fake.fail("datakey", Fault::Data(row.clone()));
        assert_eq!(kind(generate(&kms, "photos").await), KeyErrorKind::Internal, "{row}");
        fake.fail("decrypt", Fault::Data(row.clone()));
        assert_eq!(kind(unwrap(&kms, &made.wrapped).await), KeyErrorKind::Internal, "{row}");
    }
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
}

#[tokio::test]
async fn k1_an_answer_that_is_no_ciphertext_is_refused() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    generate(&kms, "photos").await.unwrap();
    let rows = [
        json!({ "ciphertext": "" }),
        json!({ "ciphertext": "vault:v0:AAAA" }),
        json!({ "ciphertext": "vault:v2:AAAA", "key_version": 1 }),
        json!({ "ciphertext": format!("vault:v1:{}", "A".repeat(8_000)) }),
        json!({ "ciphertext": "AAAA" }),
        json!({ "ciphertext": null }),
    ];
    for row in rows {
        fake.fail("datakey", Fault::Data(row.clone()));
        assert_eq!(kind(generate(&kms, "photos").await), KeyErrorKind::Internal, "{row}");
    }
    for text in ["", "null", "<html>", "{\"data\":", &"[".repeat(1_000)] {
        fake.fail("datakey", Fault::Text(200, text.to_owned()));
        assert_eq!(kind(generate(&kms, "photos").await), KeyErrorKind::Internal, "{text}");
    }
}

#[tokio::test]
async fn k1_another_key_than_the_one_asked_for_is_refused() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    fake.fail("keys/photos", Fault::Data(json!({ "name": "videos" })));
    assert_eq!(kind(generate(&kms, "photos").await), KeyErrorKind::WrongKey);
    assert_eq!(fake.count("datakey"), 0);
}

#[tokio::test]
async fn k1_a_blob_that_transit_would_take_for_another_is_not_sent() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap().wrapped;
    let text = String::from_utf8(made.ciphertext().to_vec()).unwrap();
    let before = fake.state().seen.len();
    let rows = [
        ("v1", text.replace("v1", "v0")),
        ("v2", text.clone()),
        ("v1", text.replace("v1", "v01")),
        ("v1", "x".repeat(6_000)),
    ];
    for (version, text) in rows {
        let wrapped = WrappedKey::new(made.id().clone(), version, text.as_bytes()).unwrap();
        assert_eq!(kind(unwrap(&kms, &wrapped).await), KeyErrorKind::Integrity);
        assert_eq!(kind(rewrap(&kms, &wrapped).await), KeyErrorKind::Integrity);
    }
    assert_eq!(fake.state().seen.len(), before);
}

#[tokio::test]
async fn k4_each_refusal_has_its_kind() {
    use KeyErrorKind::{
        Disabled, Integrity, Internal, KeyVersionMissing, NotFound, Throttled, Unavailable,
    };
    let fake = Fake::start().await;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    let rows = [
        (400, "cipher: message authentication failed", Integrity),
        (
            400,
            "ciphertext or signature version is disallowed by policy (too old)",
            KeyVersionMissing,
        ),
        (400, "invalid ciphertext: version is too new", KeyVersionMissing),
        (400, "encryption key not found", NotFound),
        (400, "refusing to use soft-deleted key", Disabled),
        (404, "no handler for route \"transit/decrypt/photos\"", Internal),
        (429, "rate limit quota exceeded", Throttled),
        (500, "internal error", Unavailable),
        (502, "", Unavailable),
        (503, "Vault is sealed", Unavailable),
    ];
    for (status, text, expected) in rows {
        fake.refuse("decrypt", status, text);
        let error = unwrap(&kms, &made.wrapped).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{status} {text}");
        assert!(error.message().contains(text));
        assert_eq!(error.is_retryable(), matches!(expected, Throttled | Unavailable));
        assert!(unwrap(&kms, &made.wrapped).await.is_ok(), "after {status} {text}");
    }
    fake.fail("decrypt", Fault::Text(502, "<html>bad gateway</html>".to_owned()));
    assert_eq!(kind(unwrap(&kms, &made.wrapped).await), Unavailable);
    fake.fail("decrypt", Fault::Text(307, String::new()));
    assert_eq!(kind(unwrap(&kms, &made.wrapped).await), Unavailable);
}

#[tokio::test]
async fn k4_a_key_that_was_deleted_softly_is_disabled() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    fake.state().keys.insert("photos".to_owned(), Key::with("soft_deleted", true));
    assert_eq!(kind(generate(&kms, "photos").await), KeyErrorKind::Disabled);
    let photos = name("photos");
    let rq = Describe { key: &photos, call: call() };
    assert_eq!(kms.describe(rq.clone()).await.unwrap().state, KeyState::Disabled);
    fake.state().keys.insert("photos".to_owned(), Key::fit());
    assert!(generate(&kms, "photos").await.is_ok());
    let described = kms.describe(rq).await.unwrap();
    assert_eq!((described.state, described.version.as_deref()), (KeyState::Enabled, Some("v1")));
}

#[tokio::test]
async fn k4_a_server_that_does_not_answer_is_waited_for_so_long_and_no_longer() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    fake.fail("decrypt", Fault::Late(Duration::from_millis(100)));
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
    fake.fail("decrypt", Fault::Hang);
    let start = Instant::now();
    let error = unwrap(&kms, &made.wrapped).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Timeout);
    assert!(error.is_retryable() && start.elapsed() < Duration::from_secs(5));
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
}

#[tokio::test]
async fn k4_a_server_that_is_not_there_is_unavailable() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    drop(fake);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error: KeyError = generate(&kms, "photos").await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Unavailable, "{error:?}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn k4_an_answer_without_end_is_not_read_to_its_end() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    generate(&kms, "photos").await.unwrap();
    fake.fail("datakey", Fault::Text(200, "x".repeat(5 << 20)));
    let error = generate(&kms, "photos").await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Internal);
    assert!(error.message().contains("too long"));
}

#[tokio::test]
async fn a_failed_check_of_a_key_is_done_again() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    for part in ["keys/photos", "encrypt/photos", "decrypt/photos"] {
        fake.refuse(part, 503, "Vault is sealed");
        assert_eq!(kind(generate(&kms, "photos").await), KeyErrorKind::Unavailable, "{part}");
    }
    assert!(generate(&kms, "photos").await.is_ok());
}

#[tokio::test]
async fn a_blob_of_an_older_version_opens_and_is_rewrapped_and_a_current_one_is_not_sent() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    assert_eq!(rewrap(&kms, &made.wrapped).await.unwrap(), Rewrap::Unchanged);
    assert_eq!(fake.count("transit/rewrap"), 0);
    fake.state().keys.get_mut("photos").unwrap().latest_version = 2;
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
    let Rewrap::Rewrapped(now) = rewrap(&kms, &made.wrapped).await.unwrap() else {
        panic!("unchanged");
    };
    assert_eq!((now.version(), now.id()), (Some("v2"), made.wrapped.id()));
    fake.state().keys.get_mut("photos").unwrap().min_decryption_version = 2;
    assert!(unwrap(&kms, &now).await.unwrap().key.is_same(&made.key));
    assert_eq!(kind(unwrap(&kms, &made.wrapped).await), KeyErrorKind::KeyVersionMissing);
    assert_eq!(kind(rewrap(&kms, &made.wrapped).await), KeyErrorKind::KeyVersionMissing);
}
