//! Against a real server: run `crates/kms-vault/server/run`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod calls;
mod openbao;

use std::time::{Duration, Instant};

use calls::{call, generate, kind, name, object, rewrap, unwrap};
use object_cipher_core::{KeyErrorKind, SourceKey};
use object_cipher_kms::{Describe, Encrypt, KeyState, Kms, Rewrap, Unwrap};
use object_cipher_kms_vault::{Login, VaultKms};
use object_cipher_testkit::kms_suite::KmsSubject;
use openbao::{OpenBao, Raft, file, setting};
use serde_json::json;

async fn pause(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn it_does_what_every_kms_must() {
    let bao = OpenBao::shared();
    let kms = bao.kms("suite").await;
    let (aes, chacha) =
        (bao.key().await, bao.key_with(json!({ "type": "xchacha20-poly1305" })).await);
    for (key, other) in [(&aes, &chacha), (&chacha, &aes)] {
        let subject = KmsSubject {
            kms: &kms,
            key: name(key),
            other: name(other),
            missing: name("nothing"),
            gaps: &[],
        };
        subject.check().await;
    }
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn nothing_makes_a_key_that_is_missing() {
    let bao = OpenBao::shared();
    let kms = bao.builder(Login::Token("root".to_owned().into())).build().unwrap();
    let data_key = SourceKey::from_bytes(b"thirty-two bytes of a data key..");
    let (key, context) = (name("never-made"), object("a"));
    let rq = Encrypt { key: &key, data_key: &data_key, context: &context, call: call() };
    assert_eq!(kind(kms.encrypt(rq).await), KeyErrorKind::NotFound);
    assert_eq!(kind(generate(&kms, "never-made").await), KeyErrorKind::NotFound);
    assert_eq!(bao.send("GET", "transit/keys/never-made", json!({})).await.0, 404);
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn a_key_that_rotated_opens_what_is_old_and_rewraps_it() {
    let bao = OpenBao::shared();
    let (kms, key) = (bao.kms("rotation").await, bao.key().await);
    let made = generate(&kms, &key).await.unwrap();
    assert_eq!(made.wrapped.version(), Some("v1"));
    assert_eq!(rewrap(&kms, &made.wrapped).await.unwrap(), Rewrap::Unchanged);
    bao.rotate(&key).await;
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
    let Rewrap::Rewrapped(now) = rewrap(&kms, &made.wrapped).await.unwrap() else {
        panic!("unchanged");
    };
    assert_eq!((now.version(), now.id()), (Some("v2"), made.wrapped.id()));
    assert!(unwrap(&kms, &now).await.unwrap().key.is_same(&made.key));
    let other = object("b");
    let rq = Unwrap { wrapped: &made.wrapped, context: &other, call: call() };
    assert_eq!(kind(kms.rewrap(rq).await), KeyErrorKind::Integrity);
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn more_than_a_batch_is_rewrapped() {
    let bao = OpenBao::shared();
    let (kms, key) = (bao.kms("batches").await, bao.key().await);
    let mut made = Vec::new();
    for _ in 0..300 {
        made.push(generate(&kms, &key).await.unwrap());
    }
    bao.rotate(&key).await;
    let (context, other) = (object("a"), object("b"));
    let rqs: Vec<_> = made
        .iter()
        .enumerate()
        .map(|(at, made)| {
            let context = if at == 7 { &other } else { &context };
            Unwrap { wrapped: &made.wrapped, context, call: call() }
        })
        .collect();
    let outcomes = kms.rewrap_all(&rqs).await;
    for (at, outcome) in outcomes.into_iter().enumerate() {
        if at == 7 {
            assert_eq!(kind(outcome), KeyErrorKind::Integrity);
            continue;
        }
        let Rewrap::Rewrapped(now) = outcome.unwrap() else { panic!("{at} is unchanged") };
        assert_eq!(now.version(), Some("v2"));
        if at % 50 == 0 {
            assert!(unwrap(&kms, &now).await.unwrap().key.is_same(&made[at].key));
        }
    }
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn k4_a_version_below_the_least_is_missing() {
    let bao = OpenBao::shared();
    let (kms, key) = (bao.kms("versions").await, bao.key().await);
    let made = generate(&kms, &key).await.unwrap();
    bao.rotate(&key).await;
    let path = format!("transit/keys/{key}/config");
    bao.post(&path, json!({ "min_decryption_version": 2 })).await;
    assert_eq!(kind(unwrap(&kms, &made.wrapped).await), KeyErrorKind::KeyVersionMissing);
    assert_eq!(kind(rewrap(&kms, &made.wrapped).await), KeyErrorKind::KeyVersionMissing);
    bao.post(&path, json!({ "min_decryption_version": 1 })).await;
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn k2_a_key_that_binds_no_context_or_can_leave_is_refused() {
    let bao = OpenBao::shared();
    let kms = bao.kms("unfit").await;
    let rows = [
        json!({ "derived": false }),
        json!({ "exportable": true }),
        json!({ "allow_plaintext_backup": true }),
        json!({ "type": "aes128-gcm96" }),
        json!({ "derived": false, "type": "rsa-2048" }),
    ];
    for row in rows {
        let key = bao.key_with(row.clone()).await;
        let error = generate(&kms, &key).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Invalid, "{row}: {error:?}");
        assert_eq!(error.code(), Some("InvalidKeyUsageException"), "{row}");
    }
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn k4_a_key_that_was_deleted_softly_is_disabled() {
    let bao = OpenBao::shared();
    let (kms, key) = (bao.kms("deleted").await, bao.key().await);
    let made = generate(&kms, &key).await.unwrap();
    let path = format!("transit/keys/{key}/soft-delete");
    assert_eq!(bao.send("DELETE", &path, json!({})).await.0, 200);
    assert_eq!(kind(unwrap(&kms, &made.wrapped).await), KeyErrorKind::Disabled);
    assert_eq!(kind(generate(&kms, &key).await), KeyErrorKind::Disabled);
    let named = name(&key);
    let described = kms.describe(Describe { key: &named, call: call() }).await.unwrap();
    assert_eq!(described.state, KeyState::Disabled);
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn an_engine_that_is_not_mounted_is_no_missing_key() {
    let bao = OpenBao::shared();
    let login = Login::Token("root".to_owned().into());
    let kms = bao.builder(login).mount("nowhere").build().unwrap();
    assert_eq!(kind(generate(&kms, "photos").await), KeyErrorKind::Internal);
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn a_role_whose_token_ended_logs_in_again() {
    let bao = OpenBao::shared();
    let login = bao.role("approle", "expiry", json!({ "token_ttl": "2s" })).await;
    let (kms, key) = (bao.builder(login).build().unwrap(), bao.key().await);
    let made = generate(&kms, &key).await.unwrap();
    pause(3.0).await;
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn a_role_whose_token_was_revoked_logs_in_again() {
    let bao = OpenBao::shared();
    bao.post("sys/auth/revoked", json!({ "type": "approle" })).await;
    let login = bao.role("revoked", "revoked", json!({})).await;
    let (kms, key) = (bao.builder(login).build().unwrap(), bao.key().await);
    let made = generate(&kms, &key).await.unwrap();
    pause(1.1).await;
    bao.post("sys/leases/revoke-prefix/auth/revoked/login", json!({ "sync": true })).await;
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn a_role_is_served_past_the_last_end_of_its_tokens() {
    let bao = OpenBao::shared();
    let limits = json!({ "token_ttl": "3s", "token_max_ttl": "5s" });
    let login = bao.role("approle", "renewal", limits).await;
    let (kms, key) = (bao.builder(login).build().unwrap(), bao.key().await);
    let made = generate(&kms, &key).await.unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(12) {
        assert!(unwrap(&kms, &made.wrapped).await.is_ok(), "after {:?}", start.elapsed());
        pause(0.1).await;
    }
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn k4_what_a_role_may_not_is_denied() {
    let bao = OpenBao::shared();
    let login = bao.role("approle", "nobody", json!({ "token_policies": ["default"] })).await;
    let (kms, key) = (bao.builder(login).build().unwrap(), bao.key().await);
    let error = generate(&kms, &key).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::Denied, false));
    let kms = bao.builder(Login::app_role("nobody", "another secret")).build().unwrap();
    assert_eq!(kind(generate(&kms, &key).await), KeyErrorKind::Denied);
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn a_namespace_has_engine_and_login_of_its_own() {
    OpenBao::shared().post("sys/namespaces/team", json!({})).await;
    let bao = OpenBao::in_namespace("team");
    bao.post("sys/mounts/transit", json!({ "type": "transit" })).await;
    bao.post("sys/auth/approle", json!({ "type": "approle" })).await;
    let (login, key) = (bao.role("approle", "team", json!({})).await, bao.key().await);
    let kms = bao.builder(login).namespace("team").build().unwrap();
    let made = generate(&kms, &key).await.unwrap();
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
    let login = bao.role("approle", "team", json!({})).await;
    let outside = bao.builder(login).build().unwrap();
    assert_eq!(kind(unwrap(&outside, &made.wrapped).await), KeyErrorKind::Denied);
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn only_the_callers_roots_judge_the_server() {
    let bao = OpenBao::shared();
    let (login, key) = (bao.role("approle", "tls", json!({})).await, bao.key().await);
    let kms = |login, roots: &str| {
        let roots = std::fs::read(file(roots)).unwrap();
        VaultKms::builder(setting("TLS"), login).roots_pem(roots).build().unwrap()
    };
    let trusting = kms(login, "roots.pem");
    let made = generate(&trusting, &key).await.unwrap();
    assert!(unwrap(&trusting, &made.wrapped).await.unwrap().key.is_same(&made.key));
    let login = Login::app_role("tls", "not needed");
    let error = generate(&kms(login, "other-roots.pem"), &key).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Unavailable);
    assert!(error.message().contains("certificate"), "{error:?}");
}

#[tokio::test]
#[ignore = "needs OpenBao: run crates/kms-vault/server/run"]
async fn a_server_that_was_sealed_or_killed_is_unavailable_and_serves_again_when_it_is_back() {
    let mut raft = Raft::start().await;
    let (kms, key) = (raft.bao.kms("restart").await, raft.bao.key().await);
    let made = generate(&kms, &key).await.unwrap();

    raft.bao.post("sys/seal", json!({})).await;
    let error = unwrap(&kms, &made.wrapped).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::Unavailable, true));

    raft.kill();
    let error = unwrap(&kms, &made.wrapped).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::Unavailable, true));

    raft.start_again().await;
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));

    // In the midst of calls.
    raft.kill();
    raft.start_again().await;
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
    assert!(generate(&kms, &key).await.is_ok());
}
