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
    ARRIVAL, Case, INSECURE, KEY, KEY_MD5, KMS_INSECURE, KMS_UNSIGNED, LONG_KEY, LONG_MD5,
    OTHER_KEY, OTHER_MD5, SHORT_KEY, SHORT_MD5, UNSIGNED, check, copy_source, customer, headers,
    parse,
};

const SSE: &str = "x-amz-server-side-encryption";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

const CONFLICT: &str = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
const NEEDS_KMS: &str = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
const NO_ALGORITHM: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.";
const NO_KEY: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.";
const BAD_KEY: &str = "The secret key was invalid for the specified algorithm.";
const INSECURE_KEY: &str = "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.";
const CONTEXT_FAULT: &str = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map";

fn kms_default(bucket_key: bool) -> BucketEncryption {
    BucketEncryption::with_default(DefaultEncryption::SseKms {
        key: Some("alias/default".into()),
        bucket_key,
    })
}

#[test]
fn each_fault_of_a_customers_key_has_s3s_answer() {
    let [algorithm, key, md5] = customer(KEY, KEY_MD5);
    let algorithm_of = |value| ("x-amz-server-side-encryption-customer-algorithm", value);
    let conflict = |sent: &[_], value| Case::argument("2.1", sent, CONFLICT).value(value);
    let unsupported = |value| {
        Case::argument(
            "2.1",
            &[algorithm_of(value), key, md5],
            "The Encryption request you specified is not valid. Supported value: AES256.",
        )
        .code("InvalidEncryptionAlgorithmError")
        .value(value)
    };
    let cases = [
        conflict(&[algorithm, key, md5, (SSE, "AES256")], "AES256"),
        conflict(&[algorithm, key, md5, (SSE, "aws:kms")], "aws:kms"),
        conflict(&[algorithm, key, md5, (SSE, "aws:kms:dsse")], "aws:kms:dsse"),
        conflict(&[algorithm, key, md5, (SSE, "other")], "other"),
        conflict(&[algorithm, key, md5, (SSE, "")], ""),
        conflict(&[algorithm_of("AES192"), key, md5, (SSE, "AES256")], "AES256"),
        unsupported("AES192"),
        unsupported("aes256"),
        unsupported("AES256 "),
        unsupported("aws:kms"),
        unsupported(""),
        Case::argument("2.1", &[key, md5], NO_ALGORITHM),
        Case::argument("2.1", &[key], NO_ALGORITHM),
        Case::argument("2.1", &[md5], NO_ALGORITHM),
        Case::argument("2.1", &[algorithm, md5], NO_KEY),
        Case::argument("2.1", &[algorithm], NO_KEY),
        Case::argument("2.1", &[algorithm_of("AES192")], NO_KEY),
        Case::argument("2.1", &customer(SHORT_KEY, SHORT_MD5), BAD_KEY),
        Case::argument("2.1", &customer(LONG_KEY, LONG_MD5), BAD_KEY),
        Case::argument("2.1", &customer("", KEY_MD5), BAD_KEY),
        Case::argument("2.1", &customer("not base64", KEY_MD5), BAD_KEY),
        Case::argument("2.1", &customer(KEY, "not base64"), BAD_KEY),
        Case::argument(
            "2.1",
            &customer(KEY, OTHER_MD5),
            "The calculated MD5 hash of the key did not match the hash that was provided.",
        ),
        Case::argument(
            "2.1",
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
    let unsupported = |value| {
        let message = "The encryption method specified is not supported";
        Case::argument("2.1", &[(SSE, value)], message).value(value)
    };
    let context = |value| Case::bare("2.1", &[(SSE, "aws:kms"), (CONTEXT, value)], CONTEXT_FAULT);
    let cases = [
        unsupported(""),
        unsupported("aes256"),
        unsupported("AES192"),
        unsupported(" AES256"),
        unsupported("AWS:KMS"),
        unsupported("aws:fsx"),
        unsupported("aws:backup"),
        unsupported("AES256,AES256"),
        Case::argument("2.1", &[(KMS_KEY, ARN)], NEEDS_KMS),
        Case::argument("2.1", &[(KMS_KEY, "")], NEEDS_KMS),
        Case::argument("2.1", &[(SSE, "AES256"), (KMS_KEY, ARN)], NEEDS_KMS),
        context("e30"),
        context("bm90IGpzb24="),
        context("WyJhIl0="),
        context("{\"a\":\"1\"}"),
        context(""),
    ];
    for case in cases {
        check(&case, &parse(&case.sent).unwrap_err(), Profile::Aws);
    }
}

#[test]
fn a_connection_that_others_can_read_carries_no_customers_key_and_no_kms_mode() {
    let by_request = [(SSE, "aws:kms")];
    let dsse = [(SSE, "aws:kms:dsse")];
    let (unset, kms) = (BucketEncryption::unset(), kms_default(false));
    let rows: [(&[_], _); 3] = [(&by_request, &unset), (&dsse, &unset), (&[], &kms)];
    for (sent, bucket) in rows {
        let insecure = Case::bare("2.1", sent, KMS_INSECURE);
        let unsigned = Case::bare("2.1", sent, KMS_UNSIGNED).name("Authorization").value("null");
        for (arrival, case) in [(INSECURE, insecure), (UNSIGNED, unsigned)] {
            let error = SseRequest::parse(&headers(sent), arrival, bucket, Profile::Aws);
            check(&case, &error.unwrap_err(), Profile::Aws);
        }
    }

    let sent = customer(KEY, KEY_MD5);
    let error = SseRequest::parse(&headers(&sent), INSECURE, &unset, Profile::Aws).unwrap_err();
    check(&Case::bare("2.1", &sent, INSECURE_KEY).code("InvalidRequest"), &error, Profile::Aws);

    for arrival in [INSECURE, UNSIGNED] {
        let others = SseRequest::parse(&headers(&[]), arrival, &unset, Profile::Aws);
        assert_eq!(others.map(|request| request.encryption.mode()), Ok(Mode::SseS3));
    }
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
        let case = Case::bare("2.1", &[sent], "Access Denied").code("AccessDenied");
        check(&case.status(StatusCode::FORBIDDEN), &error.unwrap_err(), Profile::Aws);
    }
    let copied = copy_source(KEY, KEY_MD5);
    for sent in [&[][..], &copied] {
        let others = SseRequest::parse(&headers(sent), ARRIVAL, &blocked, Profile::Aws);
        assert_eq!(others.map(|request| request.encryption.mode()), Ok(Mode::SseS3));
    }
}

/// The section, what is sent, the bucket, the mode it comes to, and whether the request chose it.
type Row<'a> = (&'a str, &'a [sent::Sent<'a>], &'a BucketEncryption, Mode, bool);

#[test]
fn a_request_chooses_else_the_bucket_else_aes256() {
    let [algorithm, key, md5] = customer(KEY, KEY_MD5);
    let [source_algorithm, source_key, source_md5] = copy_source(OTHER_KEY, OTHER_MD5);
    let unset = BucketEncryption::unset();
    let kms = kms_default(true);
    let dsse = BucketEncryption::with_default(DefaultEncryption::DsseKms {
        key: Some(ARN.into()),
        bucket_key: false,
    });
    let sse_s3 = BucketEncryption::with_default(DefaultEncryption::SseS3 { bucket_key: true });
    let copy = [source_algorithm, source_key, source_md5];
    let copy_to = |sent: &[sent::Sent<'static>]| [&copy, sent].concat();
    let cases: &[Row<'_>] = &[
        ("1", &[], &unset, Mode::SseS3, false),
        ("1", &[], &sse_s3, Mode::SseS3, false),
        ("1", &[], &kms, Mode::SseKms, false),
        ("1", &[], &dsse, Mode::DsseKms, false),
        ("1", &[(SSE, "AES256")], &unset, Mode::SseS3, true),
        ("1", &[(SSE, "AES256")], &kms, Mode::SseS3, true),
        ("1", &[(SSE, "AES256")], &dsse, Mode::SseS3, true),
        ("1", &[(SSE, "aws:kms")], &unset, Mode::SseKms, true),
        ("1", &[(SSE, "aws:kms")], &dsse, Mode::SseKms, true),
        ("1", &[(SSE, "aws:kms:dsse")], &unset, Mode::DsseKms, true),
        ("1", &[(SSE, "aws:kms:dsse")], &kms, Mode::DsseKms, true),
        ("1", &[algorithm, key, md5], &unset, Mode::SseC, true),
        ("1", &[algorithm, key, md5], &dsse, Mode::SseC, true),
        ("2.5", &copy_to(&[]), &unset, Mode::SseS3, false),
        ("2.5", &copy_to(&[]), &kms, Mode::SseKms, false),
        ("2.5", &copy_to(&[(SSE, "AES256")]), &kms, Mode::SseS3, true),
        ("2.5", &copy_to(&[(SSE, "aws:kms")]), &unset, Mode::SseKms, true),
        ("2.5", &copy_to(&[(SSE, "aws:kms:dsse")]), &unset, Mode::DsseKms, true),
        ("2.5", &copy_to(&[algorithm, key, md5]), &unset, Mode::SseC, true),
    ];
    for (section, sent, bucket, mode, explicit) in cases {
        let request = SseRequest::parse(&headers(sent), ARRIVAL, bucket, Profile::Aws).unwrap();
        let found = (request.encryption.mode(), request.explicit);
        assert_eq!(found, (*mode, *explicit), "{section} {sent:?}");
    }
}

#[test]
fn d7_two_layers_by_default_or_by_header_are_never_one_whatever_else_is_sent() {
    let methods =
        [None, Some("aws:kms:dsse"), Some("AES256"), Some("aws:kms"), Some("dsse"), Some("")];
    let keys = [None, Some(ARN), Some(""), Some("alias/other")];
    let bucket_keys = [None, Some("true"), Some("false"), Some("maybe")];
    let contexts = [None, Some("eyJhIjoiYiJ9"), Some("not base64!")];
    let by_default = |bucket_key| DefaultEncryption::DsseKms { key: Some(ARN.into()), bucket_key };
    let dsse =
        [false, true].map(|bucket_key| BucketEncryption::with_default(by_default(bucket_key)));
    let others = [BucketEncryption::unset(), kms_default(true), kms_default(false)];
    let mut two_layers = 0;
    for method in methods {
        for (key, bucket_key, context) in keys.iter().flat_map(|key| {
            bucket_keys
                .iter()
                .flat_map(move |bucket| contexts.map(|context| (key, bucket, context)))
        }) {
            let fields =
                [(SSE, method), (KMS_KEY, *key), (BUCKET_KEY, *bucket_key), (CONTEXT, context)];
            let sent: Vec<_> =
                fields.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
            for (bucket, is_default) in dsse
                .iter()
                .map(|bucket| (bucket, true))
                .chain(others.iter().map(|other| (other, false)))
            {
                let parsed = SseRequest::parse(&headers(&sent), ARRIVAL, bucket, Profile::Aws);
                let is_asked = method == Some("aws:kms:dsse") || (method.is_none() && is_default);
                let Ok(request) = parsed else { continue };
                assert_eq!(request.encryption.mode() == Mode::DsseKms, is_asked, "{sent:?}");
                two_layers += usize::from(is_asked);
            }
        }
    }
    assert!(two_layers > 100, "{two_layers}");
}

/// The section, what is sent, the KMS key, and for SSE-KMS whether a Bucket Key serves.
type KmsRow<'a> = (&'a str, &'a [sent::Sent<'a>], Option<&'a str>, Option<bool>);

#[test]
fn an_explicit_kms_mode_never_takes_the_buckets_key() {
    let kms = kms_default(true);
    let managed =
        BucketEncryption::with_default(DefaultEncryption::SseKms { key: None, bucket_key: false });
    let request = |bucket, sent: &[_]| {
        let request = SseRequest::parse(&headers(sent), ARRIVAL, bucket, Profile::Aws);
        match request.unwrap().encryption {
            Encryption::SseKms { key, bucket_key, .. } => (key, Some(bucket_key)),
            Encryption::DsseKms { key, .. } => (key, None),
            other => panic!("{other:?}"),
        }
    };
    let (sse_kms, dsse) = ((SSE, "aws:kms"), (SSE, "aws:kms:dsse"));
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    let rows: &[KmsRow<'_>] = &[
        ("1", &[], Some("alias/default"), Some(true)),
        ("1", &[sse_kms], None, Some(true)),
        ("1", &[sse_kms, (KMS_KEY, "")], None, Some(true)),
        ("1", &[sse_kms, (KMS_KEY, id)], Some(id), Some(true)),
        ("1", &[sse_kms, (KMS_KEY, ARN)], Some(ARN), Some(true)),
        ("1", &[sse_kms, (KMS_KEY, "alias/photos")], Some("alias/photos"), Some(true)),
        ("2.3", &[sse_kms, (KMS_KEY, "fake-key-id")], Some("fake-key-id"), Some(true)),
        ("1", &[sse_kms, (BUCKET_KEY, "false")], None, Some(false)),
        ("1", &[sse_kms, (BUCKET_KEY, "True")], None, Some(true)),
        ("1", &[(BUCKET_KEY, "false")], Some("alias/default"), Some(false)),
        ("1", &[dsse], None, None),
        ("1", &[dsse, (KMS_KEY, ARN)], Some(ARN), None),
        ("1", &[dsse, (BUCKET_KEY, "true")], None, None),
    ];
    for (section, sent, key, bucket_key) in rows {
        let wanted = (key.map(str::to_owned), *bucket_key);
        assert_eq!(request(&kms, sent), wanted, "{section} {sent:?}");
    }
    assert_eq!(request(&managed, &[]), (None, Some(false)), "4: the managed key");
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
    let parse = |sent: &[_]| SseRequest::parse(&headers(sent), ARRIVAL, &bucket, Profile::Ceph);
    for mode in [(SSE, "aws:kms"), (SSE, "aws:kms:dsse")] {
        for sent in [&[mode][..], &[mode, (KMS_KEY, "")]] {
            let case = Case::argument(
                "7",
                sent,
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption-aws-kms-key-id",
            );
            check(&case, &parse(sent).unwrap_err(), Profile::Ceph);
        }
        assert!(parse(&[mode, (KMS_KEY, "testkey-1")]).is_ok());
    }
}
