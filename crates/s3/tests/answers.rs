//! What answers show of an object's encryption, and what the KMS's refusals become.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use http::{HeaderMap, StatusCode};
use object_cipher_core::{EncryptionContext, KeyError, KeyErrorKind, Mode};
use object_cipher_s3::{CustomerKey, Error, Operation, Profile, ShownEncryption};

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SSE: (&str, &str) = ("x-amz-server-side-encryption", "AES256");
const KMS: (&str, &str) = ("x-amz-server-side-encryption", "aws:kms");
const DSSE: (&str, &str) = ("x-amz-server-side-encryption", "aws:kms:dsse");
const KEY_ARN: (&str, &str) = ("x-amz-server-side-encryption-aws-kms-key-id", ARN);
const BUCKET_KEY: (&str, &str) = ("x-amz-server-side-encryption-bucket-key-enabled", "true");
/// Base64 of `{"a":"1"}`.
const CONTEXT: (&str, &str) = ("x-amz-server-side-encryption-context", "eyJhIjoiMSJ9");
const ALGORITHM: (&str, &str) = ("x-amz-server-side-encryption-customer-algorithm", "AES256");

const ALL: [Operation; 11] = [
    Operation::PutObject,
    Operation::PostObject,
    Operation::CreateMultipartUpload,
    Operation::UploadPart,
    Operation::UploadPartCopy,
    Operation::CompleteMultipartUpload,
    Operation::ListParts,
    Operation::CopyObject,
    Operation::GetObject,
    Operation::HeadObject,
    Operation::GetObjectAttributes,
];

fn shown(
    encryption: &ShownEncryption<'_>,
    operation: Operation,
    profile: Profile,
) -> Vec<(String, String)> {
    let mut headers = HeaderMap::new();
    encryption.write(operation, profile, &mut headers);
    let mut shown: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
        .collect();
    shown.sort();
    shown
}

fn sorted(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut expected: Vec<_> =
        expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    expected.sort();
    expected
}

fn chooses(operation: Operation) -> bool {
    use Operation::{CopyObject, CreateMultipartUpload, PostObject, PutObject};
    matches!(operation, PutObject | PostObject | CreateMultipartUpload | CopyObject)
}

fn shows_nothing(operation: Operation) -> bool {
    matches!(operation, Operation::ListParts | Operation::GetObjectAttributes)
}

#[test]
fn every_operation_shows_what_s3_shows() {
    let mut context = EncryptionContext::new();
    context.insert("a", "1").unwrap();
    let key = CustomerKey::from_bytes(&[1; 32]);
    let md5 = key.md5().header_value();
    let key_md5 = ("x-amz-server-side-encryption-customer-key-md5", md5.to_str().unwrap());
    for operation in ALL {
        let expect = |encryption: &ShownEncryption<'_>, always: &[_], to_writers: &[_]| {
            let expected = match (shows_nothing(operation), chooses(operation)) {
                (true, _) => vec![],
                (false, true) => [always, to_writers].concat(),
                (false, false) => always.to_vec(),
            };
            assert_eq!(
                shown(encryption, operation, Profile::Aws),
                sorted(&expected),
                "{operation:?} {encryption:?}"
            );
        };
        expect(&ShownEncryption::SseS3, &[SSE], &[]);
        let kms =
            |bucket_key| ShownEncryption::SseKms { key_arn: ARN, bucket_key, context: &context };
        expect(&kms(false), &[KMS, KEY_ARN], &[CONTEXT]);
        expect(&kms(true), &[KMS, KEY_ARN, BUCKET_KEY], &[CONTEXT]);
        let dsse = ShownEncryption::DsseKms { key_arn: ARN, context: &context };
        expect(&dsse, &[DSSE, KEY_ARN], &[CONTEXT]);
        let customer = ShownEncryption::SseC { key_md5: key.md5() };
        if operation == Operation::CompleteMultipartUpload {
            assert_eq!(shown(&customer, operation, Profile::Aws), []);
            let ceph = shown(&customer, operation, Profile::Ceph);
            assert_eq!(ceph, sorted(&[ALGORITHM, key_md5]));
        } else {
            expect(&customer, &[ALGORITHM, key_md5], &[]);
        }
    }
}

#[test]
fn c8_the_digest_of_a_customers_key_is_marked_as_sensitive() {
    let key = CustomerKey::from_bytes(&[1; 32]);
    let mut headers = HeaderMap::new();
    let customer = ShownEncryption::SseC { key_md5: key.md5() };
    customer.write(Operation::PutObject, Profile::Aws, &mut headers);
    let digest = key.md5().header_value();
    assert!(!format!("{headers:?}").contains(digest.to_str().unwrap()));
}

#[test]
fn what_a_kms_refuses_has_s3s_answer() {
    let kms = |kind, message: &'static str| KeyError::new(kind, message);
    let throttled = "Please reduce your request rate for operations involving AWS KMS.";
    let denied = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
    let (bad, forbidden, unavailable) =
        (StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE);
    let not_found = "Invalid keyId 'fake-key-id'";
    let usage = kms(KeyErrorKind::Invalid, "usage").with_code("InvalidKeyUsageException");
    let cases = [
        (kms(KeyErrorKind::NotFound, not_found), bad, "KMS.NotFoundException", not_found),
        (
            kms(KeyErrorKind::Disabled, "k is disabled."),
            bad,
            "KMS.DisabledException",
            "k is disabled.",
        ),
        (
            kms(KeyErrorKind::InvalidState, "k is pending deletion."),
            bad,
            "KMS.KMSInvalidStateException",
            "k is pending deletion.",
        ),
        (usage, bad, "KMS.InvalidKeyUsageException", "usage"),
        (kms(KeyErrorKind::Denied, "internal"), forbidden, "AccessDenied", denied),
        (kms(KeyErrorKind::Throttled, "internal"), unavailable, "SlowDown", throttled),
        (
            kms(KeyErrorKind::Timeout, "10.0.0.1 timed out"),
            unavailable,
            "ServiceUnavailable",
            "The key management service is not available.",
        ),
    ];
    for (error, status, code, message) in cases {
        for mode in [Mode::SseKms, Mode::DsseKms] {
            let error = object_cipher_core::Error::from(error.clone());
            let answer = Error::from_open(&error, mode).unwrap().answer(Profile::Aws);
            assert_eq!((answer.status, answer.code), (status, code));
            assert_eq!(answer.message, message);
        }
        let error = object_cipher_core::Error::from(error);
        assert_eq!(Error::from_open(&error, Mode::SseS3), None, "no client's business");
    }
}

#[test]
fn profiles_differ_just_where_aws_and_ceph_disagree() {
    let number = Error::PartNumberNotSatisfiable;
    let answer = |error: &Error, profile| {
        let answer = error.answer(profile);
        (answer.status.as_u16(), answer.code)
    };
    assert_eq!(answer(&number, Profile::Aws), (416, "InvalidPartNumber"));
    assert_eq!(answer(&number, Profile::Ceph), (400, "InvalidPart"));
    assert_eq!(answer(&Error::CustomerKeyWrong, Profile::Aws), (403, "AccessDenied"));
    assert_eq!(answer(&Error::CustomerKeyWrong, Profile::Ceph), (400, "InvalidRequest"));
    assert_eq!(answer(&Error::RangeWithPartNumber, Profile::Aws), (400, "InvalidRequest"));
    assert_eq!(answer(&Error::CopyChangesNothing, Profile::Aws), (400, "InvalidRequest"));
    assert_eq!(answer(&Error::Denied, Profile::Aws), (403, "AccessDenied"));
    assert_eq!(number.to_string(), "The requested partnumber is not satisfiable");
    assert_eq!(
        Error::RangeWithPartNumber.to_string(),
        "Cannot specify both Range header and partNumber query parameter"
    );
}
