//! Many data keys wrapped anew at once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod calls;
mod fake;

use calls::{call, generate, kind, object, unwrap};
use fake::Fake;
use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_kms::{KeyId, Rewrap, Unwrap, WrappedKey};
use serde_json::json;

#[tokio::test]
async fn each_is_answered_in_its_place_and_what_is_wrong_with_one_is_no_matter_to_the_others() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let mut wrapped = Vec::new();
    let mut data_keys = Vec::new();
    for at in 0..600 {
        let made = generate(&kms, if at % 3 == 0 { "videos" } else { "photos" }).await.unwrap();
        wrapped.push(made.wrapped);
        data_keys.push(made.key);
    }
    let gone = KeyId::new("vault:transit/nothing").unwrap();
    wrapped[1] = WrappedKey::new(gone, "v1", wrapped[1].ciphertext()).unwrap();
    wrapped[2] = WrappedKey::new(wrapped[2].id().clone(), "v1", b"no ciphertext").unwrap();
    fake.state().keys.get_mut("photos").unwrap().latest_version = 2;

    let (context, other) = (object("a"), object("b"));
    let context_of = |at| if at == 4 { &other } else { &context };
    let rqs: Vec<_> = wrapped
        .iter()
        .enumerate()
        .map(|(at, wrapped)| Unwrap { wrapped, context: context_of(at), call: call() })
        .collect();
    let outcomes = kms.rewrap_all(&rqs).await;

    assert_eq!(outcomes.len(), 600);
    for (at, outcome) in outcomes.into_iter().enumerate() {
        match at {
            1 => assert_eq!(kind(outcome), KeyErrorKind::NotFound),
            2 | 4 => assert_eq!(kind(outcome), KeyErrorKind::Integrity),
            at if at % 3 == 0 => assert_eq!(outcome.unwrap(), Rewrap::Unchanged),
            at => {
                let Rewrap::Rewrapped(now) = outcome.unwrap() else { panic!("{at} is unchanged") };
                assert_eq!((now.version(), now.id()), (Some("v2"), wrapped[at].id()));
                assert!(unwrap(&kms, &now).await.unwrap().key.is_same(&data_keys[at]), "{at}");
            }
        }
    }
    // 400 of photos, less the two that were not sent.
    assert_eq!(fake.state().batches, [249, 149]);
}

#[tokio::test]
async fn nothing_asked_for_is_nothing_done() {
    let fake = Fake::start().await;
    assert!(fake.kms().rewrap_all(&[]).await.is_empty());
    assert!(fake.state().seen.is_empty());
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_fails_for_each_and_the_next_is_sent() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let mut wrapped = Vec::new();
    for _ in 0..300 {
        wrapped.push(generate(&kms, "photos").await.unwrap().wrapped);
    }
    fake.state().keys.get_mut("photos").unwrap().latest_version = 2;
    let context = object("a");
    let rqs: Vec<_> =
        wrapped.iter().map(|wrapped| Unwrap { wrapped, context: &context, call: call() }).collect();
    fake.refuse("rewrap", 503, "Vault is sealed");
    let outcomes = kms.rewrap_all(&rqs).await;
    assert!(
        outcomes[..249].iter().all(|outcome| outcome.as_ref().is_err_and(KeyError::is_retryable))
    );
    assert!(outcomes[249..].iter().all(Result::is_ok));
}

#[tokio::test]
async fn k1_a_batch_that_is_not_answered_item_by_item_is_refused() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let wrapped = generate(&kms, "photos").await.unwrap().wrapped;
    fake.state().keys.get_mut("photos").unwrap().latest_version = 2;
    let context = object("a");
    let rqs = [Unwrap { wrapped: &wrapped, context: &context, call: call() }];
    let good = json!({ "ciphertext": "vault:v2:AAAA" });
    for results in [json!([]), json!([{}]), json!([good, good]), json!([{ "ciphertext": "x" }])] {
        fake.fail("rewrap", fake::Fault::Data(json!({ "batch_results": results })));
        let outcome = kms.rewrap_all(&rqs).await.remove(0);
        assert_eq!(kind(outcome), KeyErrorKind::Internal, "{results}");
    }
    // As some servers answer when all items have failed.
    let failed = json!({ "data": { "batch_results": [{ "error": "cipher: message authentication failed" }] } });
    fake.fail("rewrap", fake::Fault::Answer(400, failed));
    assert_eq!(kind(kms.rewrap_all(&rqs).await.remove(0)), KeyErrorKind::Integrity);
}
