//! Requests as nobody sends by mistake, or only by mistake: doubled, padded, cut, of other bytes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod sent;

use http::{HeaderMap, HeaderValue, StatusCode};
use object_cipher_s3::{BucketEncryption, ConditionKeys, Error, FormFields, Profile, SseRequest};
use sent::{
    ARRIVAL, Case, KEY, KEY_MD5, OTHER_MD5, SHORT_KEY, customer, headers, parse, parse_form,
};

const SSE: &str = "x-amz-server-side-encryption";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

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

#[test]
fn a_header_given_twice_is_refused_even_with_the_same_value() {
    let [algorithm, key, md5] = customer(KEY, KEY_MD5);
    let rows: [(&str, Vec<sent::Sent<'_>>); 7] = [
        (algorithm.0, vec![algorithm, algorithm, key, md5]),
        (key.0, vec![algorithm, key, key, md5]),
        (md5.0, vec![algorithm, key, md5, md5]),
        (SSE, vec![(SSE, "AES256"), (SSE, "AES256")]),
        (KMS_KEY, vec![(SSE, "aws:kms"), (KMS_KEY, ARN), (KMS_KEY, ARN)]),
        (CONTEXT, vec![(SSE, "aws:kms"), (CONTEXT, "e30="), (CONTEXT, "e30=")]),
        (BUCKET_KEY, vec![(SSE, "aws:kms"), (BUCKET_KEY, "true"), (BUCKET_KEY, "true")]),
    ];
    for (name, sent) in rows {
        let answer = parse(&sent).unwrap_err().answer(Profile::Aws);
        assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "InvalidArgument"));
        assert_eq!((answer.argument_name, answer.argument_value), (Some(name), None));
        assert_eq!(answer.message, format!("The header {name} may occur only once."));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_in_every_header() {
    let names = customer("", "").map(|(name, _)| name);
    for name in names.into_iter().chain([SSE, KMS_KEY, CONTEXT, BUCKET_KEY]) {
        let is_customers = names.contains(&name);
        let rest = if is_customers { &customer(KEY, KEY_MD5)[..] } else { &[(SSE, "aws:kms")] };
        let mut sent = headers(rest);
        for value in [&b"\xff"[..], b"AES256\xff", b"aws:kms\x80", b"true\xc3"] {
            sent.insert(name, HeaderValue::from_bytes(value).unwrap());
            let bucket = BucketEncryption::unset();
            let error = SseRequest::parse(&sent, ARRIVAL, &bucket, Profile::Aws).unwrap_err();
            let answer = error.answer(Profile::Aws);
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name} {value:?}");
        }
    }
}

#[test]
fn c8_a_key_under_a_wrong_name_is_not_repeated() {
    let [algorithm, key, md5] = customer(KEY, KEY_MD5);
    let unpadded = KEY_MD5.trim_end_matches('=');
    for secret in [KEY, KEY_MD5, unpadded] {
        let swapped = ("x-amz-server-side-encryption-customer-algorithm", secret);
        for sent in [
            &[swapped, key, md5][..],
            &[(SSE, secret)],
            &[algorithm, key, md5, (SSE, secret)],
            &[(SSE, "aws:kms"), (BUCKET_KEY, secret)],
        ] {
            let error = parse(sent).unwrap_err();
            let answer = error.answer(Profile::Aws);
            let told = format!("{error} {error:?} {answer:?}");
            assert!(!told.contains(unpadded) && !told.contains(KEY), "{told}");
            assert!(answer.argument_value.is_none_or(|value| value == "[redacted]"));
        }
        if secret.ends_with('=') {
            let error = parse(&[(SSE, "aws:kms"), (KMS_KEY, secret)]).unwrap_err();
            assert_eq!(error.to_string(), "Invalid keyId '[redacted]'");
        }
        let sent = headers(&[swapped]);
        let seen = ConditionKeys::of(&sent, None);
        assert!(!format!("{seen:?}").contains(secret), "{seen:?}");
    }
}

#[test]
fn what_can_be_no_keys_name_is_answered_as_a_kms_would() {
    let refused = |name: &[u8]| {
        let mut sent = HeaderMap::new();
        sent.insert(SSE, HeaderValue::from_static("aws:kms"));
        sent.insert(KMS_KEY, HeaderValue::from_bytes(name).unwrap());
        let bucket = BucketEncryption::unset();
        SseRequest::parse(&sent, ARRIVAL, &bucket, Profile::Aws).err()
    };
    let check = |error: Option<Error>, message| {
        let case = Case::bare("2.3", &[], message).code("KMS.NotFoundException");
        sent::check(&case, &error.unwrap(), Profile::Aws);
    };
    assert_eq!(refused("k".repeat(2_048).as_bytes()), None);
    check(refused("k".repeat(2_049).as_bytes()), "Invalid keyId '[redacted]'");
    check(refused(b"a b"), "Invalid keyId 'a b'");
    check(refused(b"a\xff"), "Invalid keyId 'a\u{fffd}'");
    check(parse_form(&[(SSE, "aws:kms"), (KMS_KEY, "a\nb")]).err(), "Invalid keyId 'a\\nb'");
}
