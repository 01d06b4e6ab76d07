//! A KMS that refuses, fails, or does not answer.

use std::time::Duration;

use object_cipher_core::KeyErrorKind;
use object_cipher_kms_aws::{
    AwsKms, Timeouts,
    aws_sdk_kms::{
        Client,
        config::{ProvideCredentials, retry::RetryConfig, timeout::TimeoutConfig},
    },
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    ONE, REGION, credentials, describe, encrypt,
    fake::{ACCESS_KEY, Fault},
    generate, kms, rewrap, short, unwrap,
};

#[tokio::test]
async fn k4_refusals_go_by_their_code_and_not_by_their_status() {
    use KeyErrorKind::{
        Denied, Disabled, Integrity, Internal, Invalid, InvalidState, NotFound, Throttled, Timeout,
        Unavailable, Unsupported, WrongKey,
    };
    let rows = [
        (400, "InvalidCiphertextException", Integrity),
        (500, "InvalidCiphertextException", Integrity),
        (400, "com.amazonaws.kms#IncorrectKeyException", WrongKey),
        (400, "NotFoundException:http://internal.amazon.com/", NotFound),
        (500, "DisabledException", Disabled),
        (409, "KMSInvalidStateException", InvalidState),
        (400, "InvalidKeyUsageException", Invalid),
        (503, "ValidationException", Invalid),
        (400, "AccessDeniedException", Denied),
        (403, "AccessDeniedException", Denied),
        (400, "ExpiredTokenException", Denied),
        (400, "UnrecognizedClientException", Denied),
        (400, "ThrottlingException", Throttled),
        (500, "LimitExceededException", Throttled),
        (400, "KeyUnavailableException", Unavailable),
        (500, "DependencyTimeoutException", Unavailable),
        (400, "KMSInternalException", Unavailable),
        (400, "RequestTimeoutException", Timeout),
        (400, "UnsupportedOperationException", Unsupported),
        (500, "NeverHeardOfException", Unavailable),
        (400, "NeverHeardOfException", Internal),
        (429, "NeverHeardOfException", Internal),
    ];
    let fake = crate::fake().await;
    let kms = kms(&fake);
    for (status, told, kind) in rows {
        fake.fail(Fault::Refuse(status, told));
        let error = generate(&kms, ONE).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {told}: {error:?}");
        assert_eq!(error.is_retryable(), matches!(kind, Throttled | Unavailable | Timeout));
        let code = told.split('#').next_back().and_then(|code| code.split(':').next());
        assert_eq!(error.code(), code);
        assert_eq!(error.message(), "as the test wants");
    }
}

#[tokio::test]
async fn k4_what_is_no_answer_of_a_kms_is_an_error() {
    let rows = [
        (503, "<html>Service Unavailable</html>", KeyErrorKind::Unavailable),
        (502, "", KeyErrorKind::Unavailable),
        (403, "<html>Forbidden</html>", KeyErrorKind::Internal),
        (301, "", KeyErrorKind::Internal),
        (200, "<html>Welcome</html>", KeyErrorKind::Internal),
        (200, "", KeyErrorKind::Internal),
        (200, "{\"Plaintext\":", KeyErrorKind::Internal),
        (200, "[]", KeyErrorKind::Internal),
    ];
    let fake = crate::fake().await;
    let kms = kms(&fake);
    for (status, page, kind) in rows {
        fake.fail(Fault::Page(status, page));
        let error = generate(&kms, ONE).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {page}: {error:?}");
    }
}

#[tokio::test]
async fn k4_a_fault_at_any_call_is_that_calls_alone() {
    let faults = [
        (Fault::Refuse(500, "KMSInternalException"), KeyErrorKind::Unavailable),
        (Fault::Refuse(400, "ThrottlingException"), KeyErrorKind::Throttled),
        (Fault::Close, KeyErrorKind::Unavailable),
        (Fault::Cut, KeyErrorKind::Unavailable),
        (Fault::Hang, KeyErrorKind::Timeout),
    ];
    let fake = crate::fake().await;
    let kms = kms(&fake).with_timeouts(short());
    let wrapped = generate(&kms, ONE).await.unwrap().wrapped;
    for (fault, kind) in faults {
        for at in 0..5 {
            fake.fail_at(fake.asked().len() + at, fault.clone());
            let errors = [
                generate(&kms, ONE).await.err(),
                unwrap(&kms, &wrapped).await.err(),
                rewrap(&kms, &wrapped).await.err(),
                describe(&kms, ONE).await.err(),
                encrypt(&kms, ONE).await.err(),
            ];
            for (call, error) in errors.into_iter().enumerate() {
                let told = error.map(|error| (error.kind(), error.is_retryable()));
                assert_eq!(
                    told,
                    (call == at).then_some((kind, true)),
                    "call {call}, fault at {at}"
                );
            }
        }
    }
}

#[tokio::test]
async fn k4_a_kms_that_does_not_answer_is_waited_for_only_so_long() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    fake.fail(Fault::Hang);
    let error = generate(&kms, ONE).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Timeout, "by the time-outs it has by itself: {error:?}");

    let kms = kms.with_timeouts(short());
    for fault in [Fault::Hang, Fault::HangInBody, Fault::Delay(Duration::from_secs(5))] {
        fake.fail(fault);
        let error = generate(&kms, ONE).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Timeout, "{error:?}");
    }
    fake.fail(Fault::Delay(Duration::from_millis(30)));
    generate(&kms, ONE).await.unwrap();
}

/// Where nobody takes connections and the queue of those that wait is full, packets are dropped.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn k4_a_black_hole_is_left_in_time() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let hole = socket.listen(1).unwrap();
    let address = hole.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = timeout(short().connect, TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
        assert!(waiting.len() < 100, "the queue never fills");
    }
    let kms = AwsKms::at_endpoint(&format!("http://{address}"), REGION, credentials(ACCESS_KEY));
    let kms = kms.unwrap();
    let error = generate(&kms, ONE).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Timeout, "by itself: {error:?}");
    let kms = kms.with_timeouts(Timeouts { attempt: Duration::from_mins(1), ..short() });
    let call = timeout(Duration::from_secs(2), generate(&kms, ONE));
    let error = call.await.expect("connecting has no end of its own").unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Timeout, "by the time to connect alone: {error:?}");
}

#[tokio::test]
async fn k4_what_speaks_no_tls_is_told_nothing() {
    let fake = crate::fake().await;
    let endpoint = fake.endpoint.replace("http://", "https://");
    let kms = AwsKms::at_endpoint(&endpoint, REGION, credentials(ACCESS_KEY)).unwrap();
    let error = generate(&kms, ONE).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Unavailable, "{error:?}");
    assert_eq!(fake.asked().len(), 0);
}

#[tokio::test]
async fn k4_a_kms_that_is_not_there_is_unavailable() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let kms = AwsKms::at_endpoint(&format!("http://{address}"), REGION, credentials(ACCESS_KEY));
    let error = generate(&kms.unwrap(), ONE).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Unavailable, "{error:?}");
    assert!(error.message().contains("refused"), "{error:?}");
}

#[tokio::test]
async fn k4_a_call_is_made_once_even_with_a_client_that_would_try_again() {
    let fake = crate::fake().await;
    let theirs = aws_config(&fake.endpoint)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .timeout_config(TimeoutConfig::disabled())
        .credentials_provider(credentials(ACCESS_KEY));
    let kms = AwsKms::new(Client::from_conf(theirs.build()));
    for fault in [
        Fault::Refuse(500, "KMSInternalException"),
        Fault::Refuse(400, "ThrottlingException"),
        Fault::Page(503, ""),
        Fault::Close,
        Fault::Hang,
    ] {
        let before = fake.asked().len();
        for call in 0..5 {
            fake.fail_at(before + call, fault.clone());
        }
        let _ = generate(&kms, ONE).await.unwrap_err();
        assert_eq!(fake.asked().len(), before + 1);
        for _ in 1..5 {
            let _ = generate(&kms.clone().with_timeouts(short()), ONE).await.unwrap_err();
        }
    }
}

#[tokio::test]
async fn k4_credentials_that_do_not_come_are_told() {
    let fake = crate::fake().await;
    let with = |credentials: Refused| {
        let kms = AwsKms::at_endpoint(&fake.endpoint, REGION, credentials).unwrap();
        kms.with_timeouts(short())
    };
    for (credentials, kind) in [
        (Refused::Never, KeyErrorKind::Timeout),
        (Refused::TimedOut, KeyErrorKind::Timeout),
        (Refused::NotLoaded, KeyErrorKind::Denied),
        (Refused::Failed, KeyErrorKind::Unavailable),
    ] {
        let error = generate(&with(credentials), ONE).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{credentials:?}: {error:?}");
    }
    assert_eq!(fake.asked().len(), 0);
    let unknown = AwsKms::at_endpoint(&fake.endpoint, REGION, crate::credentials("UNKNOWNKEY"));
    let error = generate(&unknown.unwrap(), ONE).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Denied);
    assert_eq!(error.code(), Some("UnrecognizedClientException"));
}

/// Credentials that are not there.
#[derive(Clone, Copy, Debug)]
enum Refused {
    Never,
    TimedOut,
    NotLoaded,
    Failed,
}

impl ProvideCredentials for Refused {
    fn provide_credentials<'a>(
        &'a self,
    ) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        use aws_credential_types::provider::{error::CredentialsError, future};
        future::ProvideCredentials::new(async {
            Err(match self {
                Self::Never => std::future::pending().await,
                Self::TimedOut => CredentialsError::provider_timed_out(Duration::from_secs(1)),
                Self::NotLoaded => CredentialsError::not_loaded("there are none"),
                Self::Failed => CredentialsError::provider_error("503"),
            })
        })
    }
}

/// A client's settings but credentials, retries and time-outs.
fn aws_config(endpoint: &str) -> object_cipher_kms_aws::aws_sdk_kms::config::Builder {
    use object_cipher_kms_aws::aws_sdk_kms::config::{BehaviorVersion, Builder, Region};
    Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
}
