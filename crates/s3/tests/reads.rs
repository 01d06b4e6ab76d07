//! Requests that read, copy and go on with an upload.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod sent;

use http::{HeaderMap, StatusCode};
use object_cipher_core::{
    Attributes, Completion, EkSource, LayeredCipher, Mode, ObjectContext, ReadRange,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::{Arrival, BucketEncryption, Error, Operation, PartKey, Profile, ReadKey};
use object_cipher_testkit::{StoredObject, TestKeys};
use sent::{
    ARRIVAL, Case, INSECURE, KEY, KEY_MD5, KMS_INSECURE, KMS_UNSIGNED, LONG_KEY, LONG_MD5,
    OTHER_MD5, SHORT_KEY, SHORT_MD5, UNSIGNED, check, copy_source, customer, headers,
};

const STORED: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
const WRONG: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.";
const NOT_APPLICABLE: &str = "The encryption parameters are not applicable to this object.";
const NO_ALGORITHM: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.";
const NO_KEY: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.";
const NO_MD5: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.";
const BAD_MD5: &str =
    "The calculated MD5 hash of the key did not match the hash that was provided.";
const INSECURE_KEY: &str = "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.";
const PART: &str = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
const OTHER_PART_KEY: &str =
    "The provided encryption parameters did not match the ones used originally.";
const NOT_TAKEN: &str = "x-amz-server-side-encryption header is not supported for this operation.";
const SSE: &str = "x-amz-server-side-encryption";

const PARTS: [Operation; 4] = [
    Operation::UploadPart,
    Operation::UploadPartCopy,
    Operation::CompleteMultipartUpload,
    Operation::ListParts,
];

fn part(operation: Operation, sent: &[(&str, &str)], profile: Profile) -> Result<PartKey, Error> {
    arrived_part(operation, sent, ARRIVAL, profile)
}

fn arrived_part(
    operation: Operation,
    sent: &[(&str, &str)],
    arrival: Arrival,
    profile: Profile,
) -> Result<PartKey, Error> {
    PartKey::parse(operation, &headers(sent), arrival, &BucketEncryption::unset(), profile)
}

fn read(sent: &[(&str, &str)], mode: Mode) -> Result<bool, Error> {
    arrived_read(sent, ARRIVAL, mode)
}

/// Reads and copies judge alike, each by its own headers.
fn arrived_read(sent: &[(&str, &str)], arrival: Arrival, mode: Mode) -> Result<bool, Error> {
    let own = headers(sent);
    let copied: HeaderMap = sent
        .iter()
        .flat_map(|(name, value)| {
            headers(&[(&name.replace("x-amz-", "x-amz-copy-source-"), value)])
        })
        .filter_map(|(name, value)| Some((name?, value)))
        .collect();
    let there = |key: &ReadKey| key.for_object(mode).map(|key| key.is_some());
    let result = ReadKey::parse(&own, arrival).and_then(|key| there(&key));
    let copied = ReadKey::parse_copy_source(&copied, arrival).and_then(|key| there(&key));
    assert_eq!(result, copied);
    result
}

#[test]
fn each_fault_of_reading_an_object_has_s3s_answer() {
    let [algorithm, key, md5] = customer(KEY, KEY_MD5);
    let all = [algorithm, key, md5];
    let wrong = |sent: &[_]| {
        Case::bare("2.2", sent, WRONG).code("AccessDenied").status(StatusCode::FORBIDDEN)
    };
    let unsupported = |value| {
        let algorithm = ("x-amz-server-side-encryption-customer-algorithm", value);
        let message = "The Encryption request you specified is not valid. Supported value: AES256.";
        Case::argument("2.2", &[algorithm, key, md5], message)
            .code("InvalidEncryptionAlgorithmError")
            .value(value)
    };
    let without = |sent: &[_], what: &'static str| Case::argument("2.1", sent, what);
    let unneeded = |mode| (mode, Case::bare("2.2", &all, NOT_APPLICABLE).code("InvalidRequest"));
    let cases = [
        (Mode::SseC, Case::bare("2.2", &[], STORED).code("InvalidRequest")),
        (Mode::SseC, wrong(&customer(SHORT_KEY, SHORT_MD5))),
        (Mode::SseC, wrong(&customer(LONG_KEY, LONG_MD5))),
        (Mode::SseC, wrong(&customer("", ""))),
        (Mode::SseC, unsupported("AES192")),
        (Mode::SseC, unsupported("aes256")),
        (Mode::SseC, unsupported("")),
        (Mode::SseC, without(&[key, md5], NO_ALGORITHM)),
        (Mode::SseC, without(&[md5], NO_ALGORITHM)),
        (Mode::SseC, without(&[algorithm], NO_KEY)),
        (Mode::SseC, without(&[algorithm, md5], NO_KEY)),
        (Mode::SseC, without(&[algorithm, key], NO_MD5)),
        (Mode::SseC, without(&customer(KEY, OTHER_MD5), BAD_MD5)),
        unneeded(Mode::SseS3),
        unneeded(Mode::SseKms),
        unneeded(Mode::DsseKms),
    ];
    for (mode, case) in cases {
        check(&case, &read(&case.sent, mode).unwrap_err(), Profile::Aws);
    }
    assert_eq!(read(&all, Mode::SseC), Ok(true));
    for mode in [Mode::SseS3, Mode::SseKms, Mode::DsseKms] {
        assert_eq!(read(&[], mode), Ok(false), "{mode}");
    }
}

#[test]
fn objects_under_a_kms_are_read_and_uploaded_only_where_nobody_listens_and_signed() {
    let insecure = Case::bare("2.1", &[], KMS_INSECURE);
    let unsigned = Case::bare("2.1", &[], KMS_UNSIGNED).name("Authorization").value("null");
    for (arrival, case) in [(INSECURE, insecure), (UNSIGNED, unsigned)] {
        for mode in [Mode::SseKms, Mode::DsseKms] {
            check(&case, &arrived_read(&[], arrival, mode).unwrap_err(), Profile::Aws);
            let part = || arrived_part(Operation::UploadPart, &[], arrival, Profile::Aws).unwrap();
            check(&case, &part().for_part(mode).unwrap_err(), Profile::Aws);
            for completion in [Completion::WithKey, Completion::Keyless] {
                let refused = part().for_completion(mode, completion, Profile::Aws);
                check(&case, &refused.unwrap_err(), Profile::Aws);
            }
        }
        assert_eq!(arrived_read(&[], arrival, Mode::SseS3), Ok(false));
        let part = arrived_part(Operation::UploadPart, &[], arrival, Profile::Aws).unwrap();
        assert!(part.for_part(Mode::SseS3).is_ok_and(|key| key.is_none()));
    }
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
    let aws = Case::bare("2.2", &[], WRONG).code("AccessDenied").status(StatusCode::FORBIDDEN);
    check(&aws, &wrong, Profile::Aws);
    check(&Case::bare("7", &[], WRONG).code("InvalidRequest"), &wrong, Profile::Ceph);

    let part = Error::from_upload(&wrap, Mode::SseC).unwrap();
    for profile in [Profile::Aws, Profile::Ceph] {
        check(&Case::bare("2.4", &[], OTHER_PART_KEY).code("InvalidRequest"), &part, profile);
    }

    assert_eq!(Error::from_open(&wrap, Mode::SseS3), None, "damage, not the client's fault");
    stored.bodies.get_mut(&0).unwrap()[60] ^= 1;
    let body = stored.read(&sealed(1), &cx, &ReadRange::Whole).unwrap_err();
    assert_eq!(Error::from_open(&body, Mode::SseC), None, "damage under the right key");
}

#[test]
fn a_mode_is_refused_where_none_is_taken() {
    for method in ["AES256", "aws:kms", "aws:kms:dsse", "", "other"] {
        let case = Case::argument("2.1", &[(SSE, method)], NOT_TAKEN).value(method);
        let refused = ReadKey::parse(&headers(&case.sent), ARRIVAL).unwrap_err();
        check(&case, &refused, Profile::Aws);
        for operation in PARTS {
            let refused = part(operation, &case.sent, Profile::Aws).unwrap_err();
            check(&case, &refused, Profile::Aws);
            for sent in [&case.sent[..], &case.sent.repeat(2)] {
                assert!(part(operation, sent, Profile::Ceph).is_ok(), "7: passed over, {sent:?}");
            }
        }
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
        for operation in [Operation::UploadPart, Operation::UploadPartCopy] {
            let error = part(operation, sent, Profile::Aws).unwrap().for_part(mode);
            let case = Case::bare("2.4", sent, PART).code("InvalidRequest");
            check(&case, &error.unwrap_err(), Profile::Aws);
        }
    }
    let key = part(Operation::UploadPart, &customers, Profile::Aws).unwrap().for_part(Mode::SseC);
    assert!(key.is_ok_and(|key| key.is_some()));
    let none = part(Operation::UploadPart, &[], Profile::Aws).unwrap().for_part(Mode::SseS3);
    assert!(none.is_ok_and(|key| key.is_none()));
}

/// The section, what is sent, the upload's mode and way to complete, the profile, and whether a key
/// completes it.
type Row<'a> = (&'static str, &'a [sent::Sent<'static>], Mode, Completion, Profile, Option<bool>);

#[test]
fn an_sse_c_upload_completes_without_its_key_only_where_s3_lets_it() {
    let customers = customer(KEY, KEY_MD5);
    let (with_key, keyless) = (Completion::WithKey, Completion::Keyless);
    let (aws, ceph) = (Profile::Aws, Profile::Ceph);
    let rows: [Row<'_>; 10] = [
        ("2.4", &[], Mode::SseC, keyless, aws, Some(false)),
        ("2.4", &[], Mode::SseC, with_key, aws, None),
        ("2.4", &customers, Mode::SseC, keyless, aws, Some(true)),
        ("2.4", &customers, Mode::SseC, with_key, aws, Some(true)),
        ("2.4", &customers, Mode::SseS3, with_key, aws, None),
        ("2.4", &[], Mode::SseS3, with_key, aws, Some(false)),
        ("2.4", &[], Mode::SseKms, with_key, aws, Some(false)),
        ("2.4", &[], Mode::DsseKms, with_key, aws, Some(false)),
        ("7", &[], Mode::SseC, keyless, ceph, None),
        ("7", &customers, Mode::SseC, keyless, ceph, Some(true)),
    ];
    for (section, sent, mode, completion, profile, wanted) in rows {
        let key = part(Operation::CompleteMultipartUpload, sent, profile).unwrap();
        let found = key.for_completion(mode, completion, profile).map(|key| key.is_some());
        if let Some(wanted) = wanted {
            assert_eq!(found, Ok(wanted), "{section} {mode} {completion:?}");
        } else {
            let case = Case::bare(section, sent, PART).code("InvalidRequest");
            check(&case, &found.unwrap_err(), profile);
        }
    }
}

#[test]
fn the_parts_of_an_sse_c_upload_are_listed_with_its_key_and_without() {
    for sent in [&[][..], &customer(KEY, KEY_MD5)] {
        assert!(part(Operation::ListParts, sent, Profile::Aws).is_ok(), "2.4 {sent:?}");
    }
}

#[test]
fn parts_under_customers_keys_are_blocked_and_reads_are_not() {
    let blocked = BucketEncryption::unset().with_customer_keys_blocked(true);
    let case = Case::bare("2.1", &customer(KEY, KEY_MD5), "Access Denied")
        .code("AccessDenied")
        .status(StatusCode::FORBIDDEN);
    for operation in PARTS {
        let writes = matches!(operation, Operation::UploadPart | Operation::UploadPartCopy);
        let sent = headers(&case.sent);
        match PartKey::parse(operation, &sent, ARRIVAL, &blocked, Profile::Aws) {
            Ok(_) => assert!(!writes, "{operation:?}"),
            Err(error) => {
                assert!(writes, "{operation:?}");
                check(&case, &error, Profile::Aws);
            }
        }
    }
}

#[test]
fn customers_keys_are_refused_over_a_connection_that_others_can_read() {
    let case = Case::bare("2.1", &customer(KEY, KEY_MD5), INSECURE_KEY).code("InvalidRequest");
    let source = headers(&copy_source(KEY, KEY_MD5));
    let own = headers(&case.sent);
    check(&case, &ReadKey::parse(&own, INSECURE).unwrap_err(), Profile::Aws);
    check(&case, &ReadKey::parse_copy_source(&source, INSECURE).unwrap_err(), Profile::Aws);
    for operation in PARTS {
        let refused = arrived_part(operation, &case.sent, INSECURE, Profile::Aws);
        check(&case, &refused.unwrap_err(), Profile::Aws);
    }
    assert!(ReadKey::parse_copy_source(&own, INSECURE).is_ok(), "the other side's headers");
}
