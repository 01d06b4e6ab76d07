//! What clients are told of what a KMS refuses, and of faults that a host finds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod sent;

use http::StatusCode;
use object_cipher_core::{KeyError, KeyErrorKind, Mode};
use object_cipher_s3::{BucketEncryption, Error, Profile};
use sent::{Case, check};

const THROTTLED: &str = "Please reduce your request rate for operations involving AWS KMS.";
const DENIED: &str = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
const UNAVAILABLE: &str = "The key management service is not available.";

#[test]
fn what_a_kms_refuses_has_s3s_answer() {
    let kms = |kind, message: &'static str| KeyError::new(kind, message);
    let passed_on =
        |kind, code, message| (kms(kind, message), Case::bare("2.3", &[], message).code(code));
    let ours = |kind, status, code, message| {
        let error = kms(kind, "10.0.0.1 said no");
        (error, Case::bare("2.3", &[], message).status(status).code(code))
    };
    let not_found = |message| passed_on(KeyErrorKind::NotFound, "KMS.NotFoundException", message);
    let usage =
        "arn:aws:kms:us-east-1:111122223333:key/abc key usage is SIGN_VERIFY which is not valid.";
    let other_arn = "the encryption context names another aws:s3:arn";
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    let cases = [
        not_found("Invalid keyId 'fake-key-id'"),
        not_found("Key 'arn:aws:kms:us-east-1:111122223333:key/abc' does not exist"),
        not_found("Invalid arn us-west-2"),
        passed_on(
            KeyErrorKind::Disabled,
            "KMS.DisabledException",
            "arn:aws:kms:us-east-1:111122223333:key/abc is disabled.",
        ),
        passed_on(
            KeyErrorKind::InvalidState,
            "KMS.KMSInvalidStateException",
            "arn:aws:kms:us-east-1:111122223333:key/abc is pending deletion.",
        ),
        (
            kms(KeyErrorKind::Invalid, usage).with_code("InvalidKeyUsageException"),
            Case::bare("2.3", &[], usage).code("KMS.InvalidKeyUsageException"),
        ),
        (
            kms(KeyErrorKind::Invalid, other_arn),
            Case::bare("2.1", &[], other_arn).code("InvalidArgument"),
        ),
        ours(KeyErrorKind::Denied, StatusCode::FORBIDDEN, "AccessDenied", DENIED),
        ours(KeyErrorKind::Throttled, unavailable, "SlowDown", THROTTLED),
        ours(KeyErrorKind::Unavailable, unavailable, "ServiceUnavailable", UNAVAILABLE),
        ours(KeyErrorKind::Timeout, unavailable, "ServiceUnavailable", UNAVAILABLE),
        ours(KeyErrorKind::Internal, unavailable, "ServiceUnavailable", UNAVAILABLE),
    ];
    for (refusal, case) in cases {
        check(&case, &Error::from(&refusal), Profile::Aws);
        let error = object_cipher_core::Error::from(refusal);
        for mode in [Mode::SseKms, Mode::DsseKms] {
            check(&case, &Error::from_open(&error, mode).unwrap(), Profile::Aws);
            check(&case, &Error::from_upload(&error, mode).unwrap(), Profile::Aws);
        }
        assert_eq!(Error::from_open(&error, Mode::SseS3), None, "no client's business");
    }
}

#[test]
fn damage_that_a_kms_finds_is_the_hosts_to_tell() {
    for kind in [KeyErrorKind::Integrity, KeyErrorKind::WrongKey, KeyErrorKind::KeyVersionMissing] {
        let error = object_cipher_core::Error::from(KeyError::new(kind, "altered"));
        for mode in [Mode::SseKms, Mode::DsseKms] {
            assert_eq!(Error::from_open(&error, mode), None, "{kind:?}");
            assert_eq!(Error::from_upload(&error, mode), None, "{kind:?}");
        }
    }
}

#[test]
fn what_a_host_finds_has_s3s_answer() {
    let (aws, ceph) = (Profile::Aws, Profile::Ceph);
    let number = "The requested partnumber is not satisfiable";
    let unset = BucketEncryption::unset().shown(ceph).unwrap_err();
    let rows = [
        (
            Error::PartNumberNotSatisfiable,
            aws,
            Case::bare("2.4", &[], number)
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .code("InvalidPartNumber"),
        ),
        (Error::PartNumberNotSatisfiable, ceph, Case::bare("7", &[], number).code("InvalidPart")),
        (
            Error::RangeWithPartNumber,
            aws,
            Case::bare(
                "2.4",
                &[],
                "Cannot specify both Range header and partNumber query parameter",
            )
            .code("InvalidRequest"),
        ),
        (
            Error::CopyChangesNothing,
            aws,
            Case::bare(
                "2.5",
                &[],
                "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
            )
            .code("InvalidRequest"),
        ),
        (
            Error::Denied,
            aws,
            Case::bare("2.1", &[], "Access Denied")
                .status(StatusCode::FORBIDDEN)
                .code("AccessDenied"),
        ),
        (
            unset,
            ceph,
            Case::bare("7", &[], "The server side encryption configuration was not found")
                .status(StatusCode::NOT_FOUND)
                .code("ServerSideEncryptionConfigurationNotFoundError"),
        ),
    ];
    for (error, profile, case) in rows {
        check(&case, &error, profile);
    }
}
