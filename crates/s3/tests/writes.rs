//! Requests that write: each case of S3's documented and recorded answers, and the order in which
//! faults are judged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod sent;

use http::StatusCode;
use object_cipher_core::Mode;
use object_cipher_s3::{
    BucketEncryption, DefaultEncryption, Encryption, Error, FormFields, Profile, SseRequest,
};
use sent::{
    ARRIVAL, Case, INSECURE, KEY, KEY_MD5, OTHER_MD5, SHORT_KEY, SHORT_MD5, UNSIGNED, check,
    customer, headers,
};

const SSE: &str = "x-amz-server-side-encryption";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

const CONFLICT: &str = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
const NEEDS_KMS: &str = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
const CONTEXT_FAULT: &str = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map";

fn parse(sent: &[(&str, &str)]) -> Result<SseRequest, Error> {
    SseRequest::parse(&headers(sent), ARRIVAL, &BucketEncryption::unset(), Profile::Aws)
}

fn kms_default(bucket_key: bool) -> BucketEncryption {
    BucketEncryption::with_default(DefaultEncryption::SseKms {
        key: Some("alias/default".into()),
        bucket_key,
    })
}

#[test]
fn each_fault_of_a_customers_key_has_s3s_answer() {
    let [algorithm, key, md5] = customer(KEY, KEY_MD5);
    let cases = [
        Case::argument(&[algorithm, key, md5, (SSE, "AES256")], CONFLICT).value("AES256"),
        Case::argument(&[algorithm, key, md5, (SSE, "aws:kms")], CONFLICT).value("aws:kms"),
        Case::argument(&[algorithm, key, md5, (SSE, "")], CONFLICT).value(""),
        Case::argument(
            &[("x-amz-server-side-encryption-customer-algorithm", "AES192"), key, md5],
            "The Encryption request you specified is not valid. Supported value: AES256.",
        )
        .code("InvalidEncryptionAlgorithmError")
        .value("AES192"),
        Case::argument(
            &[key, md5],
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.",
        ),
        Case::argument(
            &[md5],
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.",
        ),
        Case::argument(
            &[algorithm],
            "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.",
        ),
        Case::argument(
            &[algorithm, md5],
            "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.",
        ),
        Case::argument(
            &customer(SHORT_KEY, SHORT_MD5),
            "The secret key was invalid for the specified algorithm.",
        ),
        Case::argument(
            &customer("", KEY_MD5),
            "The secret key was invalid for the specified algorithm.",
        ),
        Case::argument(
            &customer(KEY, OTHER_MD5),
            "The calculated MD5 hash of the key did not match the hash that was provided.",
        ),
        Case::argument(
            &[algorithm, key],
            "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.",
        ),
    ];
    for case in cases {
        check(&case, &parse(&case.sent).unwrap_err(), Profile::Aws);
    }
}

#[test]
fn each_fault_of_a_mode_has_s3s_answer() {
    let unsupported = "The encryption method specified is not supported";
    let cases = [
        Case::argument(&[(SSE, "")], unsupported).value(""),
        Case::argument(&[(SSE, "aes256")], unsupported).value("aes256"),
        Case::argument(&[(SSE, "AES192")], unsupported).value("AES192"),
        Case::argument(&[(SSE, "aws:fsx")], unsupported).value("aws:fsx"),
        Case::argument(&[(SSE, "AES256,AES256")], unsupported).value("AES256,AES256"),
        Case::argument(&[(KMS_KEY, ARN)], NEEDS_KMS),
        Case::argument(&[(SSE, "AES256"), (KMS_KEY, ARN)], NEEDS_KMS),
        Case::bare(&[(SSE, "aws:kms"), (CONTEXT, "e30")], CONTEXT_FAULT),
        Case::bare(&[(SSE, "aws:kms"), (CONTEXT, "bm90IGpzb24=")], CONTEXT_FAULT),
        Case::bare(&[(SSE, "aws:kms"), (CONTEXT, "WyJhIl0=")], CONTEXT_FAULT),
    ];
    for case in cases {
        check(&case, &parse(&case.sent).unwrap_err(), Profile::Aws);
    }
}

#[test]
fn a_connection_that_others_can_read_carries_no_customers_key_and_no_kms_mode() {
    let bucket = BucketEncryption::unset();
    let sent = headers(&customer(KEY, KEY_MD5));
    let error = SseRequest::parse(&sent, INSECURE, &bucket, Profile::Aws).unwrap_err();
    let answer = error.answer(Profile::Aws);
    assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "InvalidRequest"));
    assert_eq!(
        answer.message,
        "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection."
    );

    let kms = headers(&[(SSE, "aws:kms")]);
    let by_default = kms_default(false);
    for (sent, bucket) in [(&kms, &bucket), (&headers(&[]), &by_default)] {
        let error = SseRequest::parse(sent, INSECURE, bucket, Profile::Aws).unwrap_err();
        let answer = error.answer(Profile::Aws);
        assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "InvalidArgument"));
        assert_eq!(
            answer.message,
            "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection."
        );

        let error = SseRequest::parse(sent, UNSIGNED, bucket, Profile::Aws).unwrap_err();
        let answer = error.answer(Profile::Aws);
        assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "InvalidArgument"));
        assert_eq!(answer.argument_name, Some("Authorization"));
        assert_eq!(answer.argument_value.as_deref(), Some("null"));
        assert_eq!(
            answer.message,
            "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
        );
    }
    let unsigned = SseRequest::parse(&headers(&[]), INSECURE, &bucket, Profile::Aws);
    assert_eq!(unsigned.map(|request| request.encryption.mode()), Ok(Mode::SseS3));
}

#[test]
fn faults_are_judged_in_s3s_order() {
    let mut sent = vec![
        ("x-amz-server-side-encryption-customer-key", SHORT_KEY),
        ("x-amz-server-side-encryption-customer-key-md5", OTHER_MD5),
        (SSE, "aws:kms"),
        (KMS_KEY, ARN),
    ];
    let blocked = BucketEncryption::unset().with_customer_keys_blocked(true);
    let judge = |sent: &[_], arrival, bucket: &BucketEncryption| {
        SseRequest::parse(&headers(sent), arrival, bucket, Profile::Aws).unwrap_err()
    };
    let open = BucketEncryption::unset();
    assert_eq!(judge(&sent, INSECURE, &blocked), Error::CustomerKeyBlocked);
    assert_eq!(judge(&sent, INSECURE, &open), Error::CustomerKeyInsecure);
    let conflict = Error::CustomerKeyWithMethod { method: "aws:kms".into() };
    assert_eq!(judge(&sent, ARRIVAL, &open), conflict);
    sent.remove(2);
    assert_eq!(judge(&sent, ARRIVAL, &open), Error::CustomerAlgorithmMissing);
    sent.push(("x-amz-server-side-encryption-customer-algorithm", "AES192"));
    let key = sent.remove(0);
    assert_eq!(judge(&sent, ARRIVAL, &open), Error::CustomerKeyMissing);
    sent.insert(0, key);
    let algorithm = Error::UnsupportedCustomerAlgorithm { algorithm: "AES192".into() };
    assert_eq!(judge(&sent, ARRIVAL, &open), algorithm);
    sent[3].1 = "AES256";
    assert_eq!(judge(&sent, ARRIVAL, &open), Error::CustomerKeyInvalid);
    sent[0].1 = KEY;
    assert_eq!(judge(&sent, ARRIVAL, &open), Error::CustomerKeyMd5Mismatch);
    sent[1].1 = KEY_MD5;
    assert_eq!(judge(&sent, ARRIVAL, &open), Error::KmsKeyWithoutMethod);
    sent.remove(2);
    let request = SseRequest::parse(&headers(&sent), ARRIVAL, &open, Profile::Aws).unwrap();
    assert!(request.explicit && matches!(request.encryption, Encryption::SseC(_)));
}

#[test]
fn c7_a_blocked_customers_key_is_refused_before_it_is_looked_at() {
    let blocked = BucketEncryption::unset().with_customer_keys_blocked(true);
    for sent in customer("not a key", "nor its digest") {
        let error = SseRequest::parse(&headers(&[sent]), ARRIVAL, &blocked, Profile::Aws);
        let answer = error.unwrap_err().answer(Profile::Aws);
        assert_eq!((answer.status, answer.code), (StatusCode::FORBIDDEN, "AccessDenied"));
    }
    let others = SseRequest::parse(&headers(&[]), ARRIVAL, &blocked, Profile::Aws);
    assert_eq!(others.map(|request| request.encryption.mode()), Ok(Mode::SseS3));
}

#[test]
fn c1_every_header_absent_doubled_empty_padded_or_malformed_is_refused_with_400() {
    let whole = customer(KEY, KEY_MD5);
    for at in 0..3 {
        let (name, value) = whole[at];
        let mut forms: Vec<Vec<String>> = vec![vec![], vec![value.into(), value.into()]];
        let altered = [
            String::new(),
            format!(" {value}"),
            format!("{value} "),
            value.to_lowercase(),
            value.replace(['+', '/'], "-"),
            value.trim_end_matches('=').into(),
            format!("{value}="),
            SHORT_KEY.into(),
            OTHER_MD5.into(),
            "AES128".into(),
        ];
        forms.extend(altered.into_iter().filter(|form| form != value).map(|form| vec![form]));
        for values in forms {
            let mut sent: Vec<(String, String)> = whole
                .iter()
                .filter(|(other, _)| *other != name)
                .map(|(other, value)| ((*other).to_owned(), (*value).to_owned()))
                .collect();
            sent.extend(values.into_iter().map(|value| (name.to_owned(), value)));
            let bucket = BucketEncryption::unset();
            let form = FormFields(&sent);
            let error = SseRequest::parse(&form, ARRIVAL, &bucket, Profile::Aws).unwrap_err();
            assert_eq!(error.answer(Profile::Aws).status, StatusCode::BAD_REQUEST, "{sent:?}");
        }
    }
}

/// What is sent, the bucket, the mode it comes to, and whether the request chose it.
type Row<'a> = (&'a [sent::Sent<'a>], &'a BucketEncryption, Mode, bool);

#[test]
fn a_request_chooses_else_the_bucket_else_aes256() {
    let [algorithm, key, md5] = customer(KEY, KEY_MD5);
    let unset = BucketEncryption::unset();
    let kms = kms_default(true);
    let dsse = BucketEncryption::with_default(DefaultEncryption::DsseKms {
        key: Some(ARN.into()),
        bucket_key: false,
    });
    let cases: [Row<'_>; 8] = [
        (&[], &unset, Mode::SseS3, false),
        (&[], &kms, Mode::SseKms, false),
        (&[], &dsse, Mode::DsseKms, false),
        (&[(SSE, "AES256")], &kms, Mode::SseS3, true),
        (&[(SSE, "AES256")], &dsse, Mode::SseS3, true),
        (&[(SSE, "aws:kms")], &dsse, Mode::SseKms, true),
        (&[(SSE, "aws:kms:dsse")], &unset, Mode::DsseKms, true),
        (&[algorithm, key, md5], &dsse, Mode::SseC, true),
    ];
    for (sent, bucket, mode, explicit) in cases {
        let request = SseRequest::parse(&headers(sent), ARRIVAL, bucket, Profile::Aws).unwrap();
        assert_eq!((request.encryption.mode(), request.explicit), (mode, explicit), "{sent:?}");
    }
}

#[test]
fn an_explicit_kms_mode_never_takes_the_buckets_key() {
    let request = |sent: &[_]| {
        let request = SseRequest::parse(&headers(sent), ARRIVAL, &kms_default(true), Profile::Aws);
        match request.unwrap().encryption {
            Encryption::SseKms { key, bucket_key, .. } => (key, bucket_key),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(request(&[]), (Some("alias/default".into()), true));
    assert_eq!(request(&[(SSE, "aws:kms")]), (None, true), "the managed key");
    assert_eq!(request(&[(SSE, "aws:kms"), (KMS_KEY, ARN)]), (Some(ARN.into()), true));
    assert_eq!(request(&[(SSE, "aws:kms"), (BUCKET_KEY, "false")]), (None, false));
    assert_eq!(request(&[(BUCKET_KEY, "false")]), (Some("alias/default".into()), false));
}

#[test]
fn an_encryption_context_is_a_json_map_of_strings_each_named_once() {
    let context = |json: &str| {
        let value = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, json);
        parse(&[(SSE, "aws:kms"), (CONTEXT, &value)]).map(|request| match request.encryption {
            Encryption::SseKms { context, .. } => {
                context.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(context("{}"), Ok(vec![]));
    assert_eq!(context(r#" {"b":"2", "a":"1"} "#), Ok(vec!["a=1".into(), "b=2".into()]));
    assert_eq!(context(r#"{"a":"\u00e9"}"#), Ok(vec!["a=é".into()]));
    assert_eq!(context(r#"{"aws:s3:arn":"arn:aws:s3:::b/k"}"#).map(|pairs| pairs.len()), Ok(1));
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(8_192));
    for refused in [
        "",
        "[]",
        "null",
        r#""a""#,
        r#"{"a":1}"#,
        r#"{"a":null}"#,
        r#"{"a":{"b":"c"}}"#,
        r#"{"a":"1","a":"1"}"#,
        r#"{"a":"1"} x"#,
        r#"{"a":"1"}{}"#,
        r#"{"":"1"}"#,
        r#"{"a":"\u0000"}"#,
        r#"{"aws:other":"1"}"#,
        r#"{"a":"1",}"#,
        &long,
    ] {
        assert_eq!(context(refused), Err(Error::ContextMalformed), "{refused}");
    }
}

#[test]
fn what_means_nothing_to_a_mode_is_passed_over() {
    let sent = [(SSE, "AES256"), (CONTEXT, "?"), (BUCKET_KEY, "true")];
    assert_eq!(parse(&sent).map(|request| request.encryption.mode()), Ok(Mode::SseS3));
}

#[test]
fn a_form_speaks_as_headers_do_in_any_case() {
    let fields = [("X-Amz-Server-Side-Encryption".to_owned(), "aws:kms".to_owned())];
    let bucket = BucketEncryption::unset();
    let request = SseRequest::parse(&FormFields(&fields), ARRIVAL, &bucket, Profile::Aws);
    assert_eq!(request.map(|request| request.encryption.mode()), Ok(Mode::SseKms));
}

#[test]
fn ceph_wants_a_kms_key_by_name() {
    let bucket = BucketEncryption::unset();
    let sent = headers(&[(SSE, "aws:kms")]);
    let error = SseRequest::parse(&sent, ARRIVAL, &bucket, Profile::Ceph).unwrap_err();
    assert_eq!(error, Error::KmsKeyMissing);
    let sent = headers(&[(SSE, "aws:kms"), (KMS_KEY, "testkey-1")]);
    assert!(SseRequest::parse(&sent, ARRIVAL, &bucket, Profile::Ceph).is_ok());
}
