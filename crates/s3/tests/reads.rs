//! Requests that read, copy and go on with an upload.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod sent;

use http::{HeaderMap, StatusCode};
use object_cipher_core::{
    Attributes, Completion, EkSource, LayeredCipher, Mode, ObjectContext, ReadRange,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::{BucketEncryption, Error, Operation, PartKey, Profile, ReadKey};
use object_cipher_testkit::{StoredObject, TestKeys};
use sent::{
    ARRIVAL, Case, INSECURE, KEY, KEY_MD5, OTHER_MD5, SHORT_KEY, SHORT_MD5, check, copy_source,
    customer, headers,
};

const STORED: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
const WRONG: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.";
const PART: &str = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
const NOT_TAKEN: &str = "x-amz-server-side-encryption header is not supported for this operation.";
const SSE: &str = "x-amz-server-side-encryption";

const PARTS: [Operation; 4] = [
    Operation::UploadPart,
    Operation::UploadPartCopy,
    Operation::CompleteMultipartUpload,
    Operation::ListParts,
];

fn part(operation: Operation, sent: &[(&str, &str)], profile: Profile) -> Result<PartKey, Error> {
    PartKey::parse(operation, &headers(sent), ARRIVAL, &BucketEncryption::unset(), profile)
}

/// Reads and copies judge alike, each by its own headers.
fn read(sent: &[(&str, &str)], mode: Mode) -> Result<bool, Error> {
    let own = headers(sent);
    let copied: HeaderMap = sent
        .iter()
        .flat_map(|(name, value)| {
            headers(&[(&name.replace("x-amz-", "x-amz-copy-source-"), value)])
        })
        .filter_map(|(name, value)| Some((name?, value)))
        .collect();
    let there = |key: &ReadKey| key.for_object(mode).map(|key| key.is_some());
    let result = ReadKey::parse(&own, ARRIVAL).and_then(|key| there(&key));
    let copied = ReadKey::parse_copy_source(&copied, ARRIVAL).and_then(|key| there(&key));
    assert_eq!(result, copied);
    result
}

#[test]
fn each_fault_of_reading_an_object_has_s3s_answer() {
    let [algorithm, key, md5] = customer(KEY, KEY_MD5);
    let bad_algorithm = ("x-amz-server-side-encryption-customer-algorithm", "AES192");
    let wrong =
        |sent: &[_]| Case::bare(sent, WRONG).code("AccessDenied").status(StatusCode::FORBIDDEN);
    let cases = [
        (Mode::SseC, Case::bare(&[], STORED).code("InvalidRequest")),
        (Mode::SseC, wrong(&customer(SHORT_KEY, SHORT_MD5))),
        (Mode::SseC, wrong(&customer("", ""))),
        (
            Mode::SseC,
            Case::argument(
                &[bad_algorithm, key, md5],
                "The Encryption request you specified is not valid. Supported value: AES256.",
            )
            .code("InvalidEncryptionAlgorithmError")
            .value("AES192"),
        ),
        (
            Mode::SseC,
            Case::argument(
                &customer(KEY, OTHER_MD5),
                "The calculated MD5 hash of the key did not match the hash that was provided.",
            ),
        ),
        (
            Mode::SseS3,
            Case::bare(
                &[algorithm, key, md5],
                "The encryption parameters are not applicable to this object.",
            )
            .code("InvalidRequest"),
        ),
    ];
    for (mode, case) in cases {
        check(&case, &read(&case.sent, mode).unwrap_err(), Profile::Aws);
    }
    assert_eq!(read(&[algorithm, key, md5], Mode::SseC), Ok(true));
    assert_eq!(read(&[], Mode::SseS3), Ok(false));
    assert_eq!(read(&[], Mode::DsseKms), Ok(false));
}

#[test]
fn c3_any_one_header_of_a_customers_key_is_refused_for_an_object_of_another_mode() {
    for sent in customer(KEY, KEY_MD5) {
        for mode in [Mode::SseS3, Mode::SseKms, Mode::DsseKms] {
            assert_eq!(read(&[sent], mode), Err(Error::CustomerKeyNotApplicable));
        }
    }
}

#[test]
fn a_key_that_does_not_open_is_403_to_readers_400_to_uploads_and_to_ceph() {
    let sealed =
        |root| LayeredCipher::sse_c(TestKeys::new(EkSource::Customer, [root; 32]), RustCrypto);
    let cx = ObjectContext::new("prod", "photos", "cat.jpg");
    let mut stored = StoredObject::seal(&sealed(1), &cx, b"plain", &Attributes::default()).unwrap();
    let wrap = stored.open(&sealed(2), &cx).unwrap_err();

    let wrong = Error::from_open(&wrap, Mode::SseC).unwrap();
    let case = Case::bare(&[], WRONG);
    check(&case.code("AccessDenied").status(StatusCode::FORBIDDEN), &wrong, Profile::Aws);
    assert_eq!(wrong.answer(Profile::Ceph).status, StatusCode::BAD_REQUEST);

    let part = Error::from_upload(&wrap, Mode::SseC).unwrap();
    let case = Case::bare(
        &[],
        "The provided encryption parameters did not match the ones used originally.",
    );
    check(&case.code("InvalidRequest"), &part, Profile::Aws);

    assert_eq!(Error::from_open(&wrap, Mode::SseS3), None, "damage, not the client's fault");
    stored.bodies.get_mut(&0).unwrap()[60] ^= 1;
    let body = stored.read(&sealed(1), &cx, &ReadRange::Whole).unwrap_err();
    assert_eq!(Error::from_open(&body, Mode::SseC), None, "damage under the right key");
}

#[test]
fn a_mode_is_refused_where_none_is_taken() {
    for method in ["AES256", "aws:kms", "aws:kms:dsse", "", "other"] {
        let sent = [(SSE, method)];
        let refused = Error::MethodNotTaken { method: method.into() };
        assert_eq!(ReadKey::parse(&headers(&sent), ARRIVAL).unwrap_err(), refused);
        for operation in PARTS {
            assert_eq!(part(operation, &sent, Profile::Aws).unwrap_err(), refused);
            assert!(part(operation, &sent, Profile::Ceph).is_ok(), "Ceph passes over it");
        }
        let answer = refused.answer(Profile::Aws);
        assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "InvalidArgument"));
        assert_eq!(answer.message, NOT_TAKEN);
        assert_eq!(answer.argument_name, Some(SSE));
        assert_eq!(answer.argument_value.as_deref(), Some(method));
    }
}

#[test]
fn m10_a_part_speaks_of_encryption_just_as_its_upload_does() {
    let customers = customer(KEY, KEY_MD5);
    let cases: [(Mode, &[_]); 4] = [
        (Mode::SseC, &[]),
        (Mode::SseS3, &customers),
        (Mode::SseKms, &customers),
        (Mode::DsseKms, &customers),
    ];
    for (mode, sent) in cases {
        let error = part(Operation::UploadPart, sent, Profile::Aws).unwrap().for_part(mode);
        let case = Case::bare(sent, PART).code("InvalidRequest");
        check(&case, &error.unwrap_err(), Profile::Aws);
    }
    let key = part(Operation::UploadPart, &customers, Profile::Aws).unwrap().for_part(Mode::SseC);
    assert!(key.is_ok_and(|key| key.is_some()));
    let none = part(Operation::UploadPart, &[], Profile::Aws).unwrap().for_part(Mode::SseS3);
    assert!(none.is_ok_and(|key| key.is_none()));
}

#[test]
fn an_sse_c_upload_completes_without_its_key_only_where_s3_lets_it() {
    let complete = |sent: &[_], mode, completion, profile| {
        part(Operation::CompleteMultipartUpload, sent, profile)
            .unwrap()
            .for_completion(mode, completion, profile)
            .map(|key| key.is_some())
    };
    let customers = customer(KEY, KEY_MD5);
    let (with_key, keyless) = (Completion::WithKey, Completion::Keyless);
    let required = Err(Error::PartKeyRequired);
    assert_eq!(complete(&[], Mode::SseC, keyless, Profile::Aws), Ok(false));
    assert_eq!(complete(&[], Mode::SseC, with_key, Profile::Aws), required);
    assert_eq!(complete(&[], Mode::SseC, keyless, Profile::Ceph), required);
    assert_eq!(complete(&customers, Mode::SseC, keyless, Profile::Aws), Ok(true));
    assert_eq!(complete(&customers, Mode::SseS3, with_key, Profile::Aws), required);
    assert_eq!(complete(&[], Mode::SseS3, with_key, Profile::Aws), Ok(false));
}

#[test]
fn parts_under_customers_keys_are_blocked_and_reads_are_not() {
    let blocked = BucketEncryption::unset().with_customer_keys_blocked(true);
    let sent = headers(&customer(KEY, KEY_MD5));
    for operation in PARTS {
        let writes = matches!(operation, Operation::UploadPart | Operation::UploadPartCopy);
        let key = PartKey::parse(operation, &sent, ARRIVAL, &blocked, Profile::Aws);
        assert_eq!(key.err(), writes.then_some(Error::CustomerKeyBlocked), "{operation:?}");
    }
}

#[test]
fn customers_keys_are_refused_over_a_connection_that_others_can_read() {
    let own = headers(&customer(KEY, KEY_MD5));
    let source = headers(&copy_source(KEY, KEY_MD5));
    let insecure = Some(Error::CustomerKeyInsecure);
    assert_eq!(ReadKey::parse(&own, INSECURE).err(), insecure);
    assert_eq!(ReadKey::parse_copy_source(&source, INSECURE).err(), insecure);
    for operation in PARTS {
        let bucket = BucketEncryption::unset();
        let key = PartKey::parse(operation, &own, INSECURE, &bucket, Profile::Aws);
        assert_eq!(key.err(), insecure);
    }
    assert!(ReadKey::parse_copy_source(&own, INSECURE).is_ok(), "the other side's headers");
}
