//! Keys: which are asked for, their states, versions and regions, and what is put down.

use std::sync::Arc;

use object_cipher_core::{EncryptionContext, KeyErrorKind, Mode};
use object_cipher_kms::{
    Capabilities, Generate, KeyState, Kms, KmsCall, Notes, Rewrap, Unwrap, WrappedKey,
};
use object_cipher_kms_aws::{AwsKms, Error};
use serde_json::json;

use crate::{
    MISSING, ONE, OTHER, REGION, SIGNING, arn, arn_in, call, context, credentials, describe,
    encrypt,
    fake::{ACCESS_KEY, Fake, Fault, Spec, State},
    generate, kms, name, rewrap, unwrap,
};

const MRK: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";

#[tokio::test]
async fn names_that_mean_no_key_are_not_found() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let elsewhere = arn_in("us-east-1", ONE);
    let missing = [MISSING, &arn(MISSING), "alias/missing", "no-key-of-aws", &elsewhere];
    for key in missing {
        let errors = [
            generate(&kms, key).await.map(drop),
            encrypt(&kms, key).await.map(drop),
            describe(&kms, key).await.map(drop),
        ];
        for error in errors {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::NotFound, "{key}: {error:?}");
            assert_eq!(error.code(), Some("NotFoundException"));
        }
    }
}

#[tokio::test]
async fn a_key_that_may_not_be_used_is_of_no_use() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let wrapped = generate(&kms, ONE).await.unwrap().wrapped;
    let states = [
        (State::Disabled, KeyErrorKind::Disabled, "DisabledException"),
        (State::PendingDeletion, KeyErrorKind::InvalidState, "KMSInvalidStateException"),
    ];
    for (state, kind, code) in states {
        fake.world().set_state(ONE, state);
        let errors = [
            generate(&kms, ONE).await.map(drop),
            encrypt(&kms, ONE).await.map(drop),
            unwrap(&kms, &wrapped).await.map(drop),
            rewrap(&kms, &wrapped).await.map(drop),
        ];
        for error in errors {
            let error = error.unwrap_err();
            assert_eq!((error.kind(), error.code()), (kind, Some(code)), "{error:?}");
            assert!(!error.is_retryable());
        }
    }
    fake.world().set_state(ONE, State::Enabled);
    unwrap(&kms, &wrapped).await.unwrap();
    let error = generate(&kms, SIGNING).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Invalid);
    assert_eq!(error.code(), Some("InvalidKeyUsageException"));
}

#[tokio::test]
async fn wrong_blobs_contexts_and_keys_are_told_apart() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let wrapped = generate(&kms, ONE).await.unwrap().wrapped;
    let moved = WrappedKey::stored(&arn(OTHER), wrapped.blob()).unwrap();
    let garbage = WrappedKey::new(wrapped.id().clone(), "", b"blob").unwrap();
    for (wrapped, kind) in [(&moved, KeyErrorKind::WrongKey), (&garbage, KeyErrorKind::Integrity)] {
        let errors = [unwrap(&kms, wrapped).await.map(drop), rewrap(&kms, wrapped).await.map(drop)];
        for error in errors {
            assert_eq!(error.unwrap_err().kind(), kind);
        }
    }
    let context = EncryptionContext::new();
    let rq = Unwrap { wrapped: &wrapped, context: &context, call: call() };
    assert_eq!(kms.unwrap(rq).await.unwrap_err().kind(), KeyErrorKind::Integrity);
    let rq = Unwrap { wrapped: &wrapped, context: &context, call: call() };
    assert_eq!(kms.rewrap(rq).await.unwrap_err().kind(), KeyErrorKind::Integrity);
}

#[tokio::test]
async fn the_stored_key_is_always_named_and_the_context_is_a_map() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let wrapped = generate(&kms, "alias/one").await.unwrap().wrapped;
    unwrap(&kms, &wrapped).await.unwrap();
    let _ = rewrap(&kms, &wrapped).await.unwrap();
    let asked = fake.asked();
    let operations: Vec<_> = asked.iter().map(|asked| asked.operation.as_str()).collect();
    assert_eq!(operations, ["GenerateDataKey", "Decrypt", "ReEncrypt"]);
    let pairs = json!({ "aws:s3:arn": "arn:aws:s3:::photos/cat.jpg", "team": "r\u{f6}t" });
    assert_eq!(asked[0].body["EncryptionContext"], pairs);
    assert_eq!(asked[1].body["EncryptionContext"], pairs);
    assert_eq!(asked[1].body["KeyId"], arn(ONE));
    for member in ["SourceEncryptionContext", "DestinationEncryptionContext"] {
        assert_eq!(asked[2].body[member], pairs);
    }
    for member in ["SourceKeyId", "DestinationKeyId"] {
        assert_eq!(asked[2].body[member], arn(ONE));
    }
}

#[tokio::test]
async fn only_what_an_older_version_wrapped_is_rewrapped() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let made = generate(&kms, ONE).await.unwrap();
    let imported = encrypt(&kms, ONE).await.unwrap();
    let first = describe(&kms, ONE).await.unwrap().version;
    assert!(first.is_some());
    assert_eq!(made.wrapped.version(), first.as_deref());
    assert_eq!(imported.version(), None);
    assert_eq!(rewrap(&kms, &made.wrapped).await.unwrap(), Rewrap::Unchanged);
    assert_eq!(rewrap(&kms, &imported).await.unwrap(), Rewrap::Unchanged);

    fake.world().rotate(ONE);
    let second = describe(&kms, ONE).await.unwrap().version;
    assert_ne!(first, second);
    for old in [&made.wrapped, &imported] {
        let Rewrap::Rewrapped(new) = rewrap(&kms, old).await.unwrap() else {
            panic!("it is of the older version")
        };
        assert_eq!(new.id(), old.id());
        assert_eq!(new.version(), second.as_deref());
        assert_ne!(new.ciphertext(), old.ciphertext());
        assert_eq!(rewrap(&kms, &new).await.unwrap(), Rewrap::Unchanged);
        let (old, new) = (unwrap(&kms, old).await.unwrap(), unwrap(&kms, &new).await.unwrap());
        assert!(old.key.is_same(&new.key));
    }
}

#[tokio::test]
async fn a_kms_that_tells_no_versions_always_rewraps() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let untold: fn(&mut serde_json::Value) = |answer| {
        answer.as_object_mut().unwrap().retain(|member, _| !member.ends_with("KeyMaterialId"));
    };
    fake.fail(Fault::Change(untold));
    let wrapped = generate(&kms, ONE).await.unwrap().wrapped;
    assert_eq!(wrapped.version(), None);
    fake.fail(Fault::Change(untold));
    let Rewrap::Rewrapped(new) = rewrap(&kms, &wrapped).await.unwrap() else {
        panic!("nothing says that it is current")
    };
    assert_eq!(new.version(), None);
}

#[tokio::test]
async fn a_key_is_described_as_it_is() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    for key in [ONE, &arn(ONE), "alias/one"] {
        let info = describe(&kms, key).await.unwrap();
        assert_eq!((info.id.as_str(), info.state), (arn(ONE).as_str(), KeyState::Enabled));
    }
    let rows = [
        (State::Disabled, KeyState::Disabled),
        (State::PendingDeletion, KeyState::PendingDeletion { deletion: 1_790_000_000 }),
    ];
    for (state, told) in rows {
        fake.world().set_state(ONE, state);
        assert_eq!(describe(&kms, ONE).await.unwrap().state, told);
    }
    assert_eq!(describe(&kms, SIGNING).await.unwrap().state, KeyState::Other);
    for state in ["PendingImport", "Unavailable", "NeverHeardOf"] {
        let change: fn(&mut serde_json::Value) = match state {
            "PendingImport" => |answer| answer["KeyMetadata"]["KeyState"] = "PendingImport".into(),
            "Unavailable" => |answer| answer["KeyMetadata"]["KeyState"] = "Unavailable".into(),
            _ => |answer| answer["KeyMetadata"]["KeyState"] = "NeverHeardOf".into(),
        };
        fake.fail(Fault::Change(change));
        assert_eq!(describe(&kms, OTHER).await.unwrap().state, KeyState::Other);
    }
}

#[tokio::test]
async fn a_multi_region_key_opens_elsewhere_only_where_that_is_wanted() {
    let fake = crate::fake().await;
    fake.world().create(MRK, Spec::Symmetric, &[REGION, "us-east-1"]);
    let replica = fake.in_region("us-east-1").await;
    let wrapped = generate(&kms(&fake), MRK).await.unwrap();
    let (key, wrapped) = (wrapped.key, wrapped.wrapped);
    assert_eq!(wrapped.id().as_str(), arn(MRK));

    let there = there(&replica);
    for closed in [there.clone(), there.clone().with_related_regions(["eu-west-1"])] {
        let error = unwrap(&closed, &wrapped).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::NotFound);
    }
    let open = there.with_related_regions([REGION]);
    let opened = unwrap(&open, &wrapped).await.unwrap();
    assert!(opened.key.is_same(&key));
    assert_eq!(opened.id, *wrapped.id(), "what is stored stays");
    fake.world().rotate(MRK);
    let Rewrap::Rewrapped(new) = rewrap(&open, &wrapped).await.unwrap() else {
        panic!("it is of the older version")
    };
    assert_eq!(new.id(), wrapped.id());
    assert!(unwrap(&kms(&fake), &new).await.unwrap().key.is_same(&key), "at home as well");
    let asked = replica.asked();
    assert_eq!(asked[0].body["KeyId"], arn(MRK));
    assert_eq!(asked[2].body["KeyId"], arn_in("us-east-1", MRK));
}

#[tokio::test]
async fn a_key_of_one_region_is_asked_for_in_no_other() {
    let fake = crate::fake().await;
    fake.world().create(MISSING, Spec::Symmetric, &[REGION, "us-east-1"]);
    let replica = fake.in_region("us-east-1").await;
    let open = there(&replica).with_related_regions([REGION]);
    let wrapped = generate(&kms(&fake), MISSING).await.unwrap().wrapped;
    assert_eq!(unwrap(&open, &wrapped).await.unwrap_err().kind(), KeyErrorKind::NotFound);
    assert_eq!(replica.asked()[0].body["KeyId"], arn(MISSING), "it has no mrk-");
}

#[tokio::test]
async fn a_replica_that_answers_for_another_region_is_refused() {
    let fake = crate::fake().await;
    fake.world().create(MRK, Spec::Symmetric, &[REGION, "us-east-1"]);
    let replica = fake.in_region("us-east-1").await;
    let wrapped = generate(&kms(&fake), MRK).await.unwrap().wrapped;
    replica.fail(Fault::Change(|answer| answer["KeyId"] = arn(MRK).into()));
    let open = there(&replica).with_related_regions([REGION]);
    assert_eq!(unwrap(&open, &wrapped).await.unwrap_err().kind(), KeyErrorKind::WrongKey);
}

#[tokio::test]
async fn the_kms_own_request_id_is_put_down() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    for (fault, id) in [
        (None, Some("request-0")),
        (Some(Fault::Refuse(400, "AccessDeniedException")), Some("request-1")),
        (Some(Fault::Close), None),
    ] {
        if let Some(fault) = fault {
            fake.fail(fault);
        }
        let (key, context, notes) = (name(ONE), context(), Arc::new(Notes::default()));
        let call = KmsCall { notes: Some(Arc::clone(&notes)), ..KmsCall::new(Mode::SseKms) };
        let _ = kms.generate(Generate { key: &key, context: &context, call }).await;
        assert_eq!(notes.read().kms_request_id.as_deref(), id);
    }
}

#[tokio::test]
async fn it_says_what_it_is_and_nothing_of_its_credentials() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    assert_eq!(kms.provider(), "aws");
    let Capabilities { server_side_rewrap, tells_version, .. } = kms.capabilities();
    assert!(server_side_rewrap && tells_version);
    let shown = format!("{kms:?}");
    assert!(shown.contains(REGION) && !shown.contains("secret") && !shown.contains(ACCESS_KEY));
}

#[test]
fn what_would_lead_elsewhere_or_in_clear_is_not_set_up() {
    let keys = || credentials(ACCESS_KEY);
    let region = AwsKms::of_region("eu.example.com/", keys()).unwrap_err();
    assert_eq!(region, Error::Region("eu.example.com/".to_owned()));
    let endpoint = AwsKms::at_endpoint("http://kms.example.com", REGION, keys()).unwrap_err();
    assert_eq!(endpoint, Error::Endpoint);
    assert!(AwsKms::of_region(REGION, keys()).is_ok());
}

/// The provider of the other region.
fn there(replica: &Fake) -> AwsKms {
    let keys = credentials(ACCESS_KEY);
    AwsKms::at_endpoint(&replica.endpoint, "us-east-1", keys).unwrap()
}
