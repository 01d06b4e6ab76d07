//! Logging in, and staying so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod calls;
mod fake;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use calls::{generate, kind, unwrap};
use fake::{Fake, Fault, ROLE, SECRET};
use object_cipher_core::KeyErrorKind;
use object_cipher_kms_vault::{Login, VaultKms};

const LOGIN: &str = "auth/approle/login";
const RENEWAL: &str = "renew-self";

async fn pause(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

fn kms(fake: &Fake, login: Login) -> VaultKms {
    VaultKms::builder(&fake.address, login).build().unwrap()
}

#[tokio::test]
async fn many_first_calls_log_in_once() {
    let fake = Fake::start().await;
    let kms = Arc::new(fake.kms());
    let calls = (0..20).map(|_| {
        let kms = Arc::clone(&kms);
        tokio::spawn(async move { generate(&kms, "photos").await.is_ok() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.unwrap());
    }
    assert_eq!(fake.count(LOGIN), 1);
}

#[tokio::test]
async fn many_first_calls_do_not_wait_for_each_others_failed_logins() {
    let fake = Fake::start().await;
    let kms = Arc::new(fake.kms());
    fake.fail(LOGIN, Fault::Hang);
    let calls = (0..20).map(|_| {
        let kms = Arc::clone(&kms);
        tokio::spawn(async move { kind(generate(&kms, "photos").await) })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), KeyErrorKind::Timeout);
    }
    assert_eq!(fake.count(LOGIN), 1);
    assert!(generate(&kms, "photos").await.is_ok());
}

#[tokio::test]
async fn the_end_of_a_line_is_not_part_of_a_secret() {
    let fake = Fake::start().await;
    let kms = kms(&fake, Login::app_role(ROLE, format!("{SECRET}\n")));
    assert!(generate(&kms, "photos").await.is_ok());
}

#[tokio::test]
async fn a_refused_login_is_a_denial_and_shows_no_secret() {
    let fake = Fake::start().await;
    let kms = kms(&fake, Login::app_role(ROLE, "another-secret"));
    let error = generate(&kms, "photos").await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Denied);
    assert!(error.message().contains("invalid role or secret ID"));
    assert!(!format!("{error:?} {kms:?}").contains("another-secret"));
}

#[tokio::test]
async fn a_token_that_ended_before_its_time_is_replaced_within_the_call() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    pause(1.1).await;
    fake.state().tokens[0] = "ended".to_owned();
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
    assert_eq!(fake.count(LOGIN), 2);
}

#[tokio::test]
async fn what_is_forbidden_stays_so_after_one_login() {
    let fake = Fake::start().await;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    pause(1.1).await;
    for _ in 0..2 {
        fake.refuse("decrypt", 403, "permission denied");
    }
    let error = unwrap(&kms, &made.wrapped).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Denied);
    assert!(!error.is_retryable() && !format!("{error:?}").contains("token-of-tests"));
    // One of the three is of the canary.
    assert_eq!((fake.count(LOGIN), fake.count("decrypt/photos")), (2, 3));
    // The token is new: the server means what it says.
    fake.refuse("decrypt", 403, "permission denied");
    assert_eq!(kind(unwrap(&kms, &made.wrapped).await), KeyErrorKind::Denied);
    assert_eq!(fake.count(LOGIN), 2);
}

#[tokio::test]
async fn a_lease_that_is_over_is_not_tried() {
    let fake = Fake::start().await;
    fake.state().token_ttl = 1;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    pause(1.1).await;
    let before = fake.count("decrypt");
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
    assert_eq!((fake.count(LOGIN), fake.count("decrypt")), (2, before + 1));
}

#[tokio::test]
async fn a_lease_is_renewed_beside_a_call_that_does_not_wait_for_it() {
    let fake = Fake::start().await;
    fake.state().token_ttl = 3;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    pause(2.1).await;
    fake.fail(RENEWAL, Fault::Late(Duration::from_millis(300)));
    let start = Instant::now();
    for _ in 0..3 {
        assert!(unwrap(&kms, &made.wrapped).await.is_ok());
    }
    assert!(start.elapsed() < Duration::from_millis(250), "a call waited");
    pause(1.0).await;
    // Past the end of the first lease.
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
    assert_eq!((fake.count(LOGIN), fake.count(RENEWAL)), (1, 1));
}

#[tokio::test]
async fn a_lease_that_cannot_be_renewed_is_replaced_by_a_login() {
    let fake = Fake::start().await;
    fake.state().token_ttl = 3;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    pause(2.1).await;
    fake.refuse(RENEWAL, 400, "lease is not renewable");
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
    pause(0.2).await;
    assert_eq!((fake.count(LOGIN), fake.count(RENEWAL)), (2, 1));
}

#[tokio::test]
async fn a_lease_that_nears_its_last_end_is_replaced_by_a_login() {
    let fake = Fake::start().await;
    fake.state().token_ttl = 3;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    pause(2.1).await;
    fake.state().token_ttl = 1;
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
    pause(0.2).await;
    assert_eq!((fake.count(LOGIN), fake.count(RENEWAL)), (2, 1));
}

#[tokio::test]
async fn a_failed_renewal_leaves_the_token_as_it_is() {
    let fake = Fake::start().await;
    fake.state().token_ttl = 3;
    let kms = fake.kms();
    let made = generate(&kms, "photos").await.unwrap();
    pause(2.1).await;
    fake.refuse(RENEWAL, 503, "Vault is sealed");
    fake.refuse(LOGIN, 503, "Vault is sealed");
    for _ in 0..3 {
        assert!(unwrap(&kms, &made.wrapped).await.is_ok());
        pause(0.05).await;
    }
    assert_eq!((fake.count(LOGIN), fake.count(RENEWAL)), (2, 1));
}

#[tokio::test]
async fn a_token_as_it_is_is_renewed_and_never_replaced() {
    let fake = Fake::start().await;
    fake.state().token_ttl = 3;
    fake.state().tokens.push("s.given".to_owned());
    let kms = kms(&fake, Login::Token("s.given\n".to_owned().into()));
    let made = generate(&kms, "photos").await.unwrap();
    pause(2.1).await;
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
    pause(0.2).await;
    assert_eq!((fake.count(LOGIN), fake.count("lookup-self"), fake.count(RENEWAL)), (0, 1, 1));
    fake.state().tokens.clear();
    assert_eq!(kind(unwrap(&kms, &made.wrapped).await), KeyErrorKind::Denied);
}

#[tokio::test]
async fn a_token_that_may_not_look_itself_up_is_used_as_it_is() {
    let fake = Fake::start().await;
    fake.state().tokens.push("s.given".to_owned());
    fake.refuse("lookup-self", 403, "permission denied");
    let kms = kms(&fake, Login::Token("s.given".to_owned().into()));
    assert!(generate(&kms, "photos").await.is_ok());
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_changes() {
    let fake = Fake::start().await;
    fake.state().tokens = vec!["s.first".to_owned(), "s.the-second".to_owned()];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let kms = kms(&fake, Login::TokenFile(file.clone()));
    let error = generate(&kms, "photos").await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Denied);
    assert!(error.message().contains("token"), "{error:?}");

    std::fs::write(&file, "s.first\n").unwrap();
    let made = generate(&kms, "photos").await.unwrap();
    std::fs::write(&file, "s.the-second\n").unwrap();
    fake.state().tokens.remove(0);
    let before = fake.count("decrypt");
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
    assert_eq!(fake.count("decrypt"), before + 1, "the old token was tried");

    // In the midst of being written.
    std::fs::write(&file, "").unwrap();
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
    fake.state().tokens = vec!["s.third".to_owned()];
    assert_eq!(kind(unwrap(&kms, &made.wrapped).await), KeyErrorKind::Denied);
    std::fs::write(&file, "s.third\n").unwrap();
    assert!(unwrap(&kms, &made.wrapped).await.is_ok());
}

#[tokio::test]
async fn a_pods_account_logs_in_with_the_token_in_its_file() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let jwt_file = folder.path().join("token");
    let (mount, role) = ("kubernetes".to_owned(), ROLE.to_owned());
    let kms = kms(&fake, Login::Kubernetes { mount, role, jwt_file: jwt_file.clone() });
    std::fs::write(&jwt_file, "another").unwrap();
    assert_eq!(kind(generate(&kms, "photos").await), KeyErrorKind::Denied);
    std::fs::write(&jwt_file, format!("{SECRET}\n")).unwrap();
    assert!(generate(&kms, "photos").await.is_ok());
}

#[tokio::test]
async fn a_namespace_goes_with_every_request() {
    let fake = Fake::start().await;
    let kms = fake.builder().namespace("team/red").build().unwrap();
    generate(&kms, "photos").await.unwrap();
    assert!(fake.state().seen.iter().all(|seen| seen.contains(" team/red/")));
}
