use http::HeaderMap;
use serde_json::{Value, json};

use super::*;

const SSE: &str = "s3:x-amz-server-side-encryption";
const CUSTOMER: &str = "s3:x-amz-server-side-encryption-customer-algorithm";

type Headers = &'static [(&'static str, &'static str)];
type Change = fn(&mut Call<'_>);

fn statement(change: impl FnOnce(&mut Value)) -> Value {
    let mut statement = json!({
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::photos/*",
    });
    change(&mut statement);
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn policy(text: &Value) -> Result<Policy> {
    Policy::parse(&text.to_string(), "photos")
}

/// What a policy says of a `PutObject` with these headers.
fn decide(
    policy: &Policy,
    headers: &[(&'static str, &'static str)],
    change: impl FnOnce(&mut Call<'_>),
) -> Decision {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let encryption = ConditionKeys::of(&map, None);
    let mut call = Call {
        action: "s3:PutObject",
        resource: "arn:aws:s3:::photos/a/b",
        access_key: Some("ID"),
        secure: true,
        encryption: &encryption,
        of_upload: false,
    };
    change(&mut call);
    policy.decide(&call)
}

#[test]
fn what_is_not_understood_is_refused_and_never_passed_over() {
    let changes: [fn(&mut Value); 22] = [
        |it| it["Effect"] = json!("deny"),
        |it| it["Principal"] = json!("ID"),
        |it| it["Principal"] = json!({ "AWS": [] }),
        |it| it["Principal"] = json!({ "AWS": "arn:aws:iam::111122223333:root" }),
        |it| it["Principal"] = json!({ "Federated": "*" }),
        |it| it["NotPrincipal"] = json!("*"),
        |it| it["NotAction"] = json!("s3:GetObject"),
        |it| it["NotResource"] = json!("*"),
        |it| it["Action"] = json!([]),
        |it| it["Action"] = json!("iam:PassRole"),
        |it| it["Resource"] = json!("*"),
        |it| it["Resource"] = json!("arn:aws:s3:::photos2/*"),
        |it| it["Resource"] = json!("arn:aws:s3:::*"),
        |it| it["Condition"] = json!({ "StringEqualsIgnoreCase": { SSE: "AES256" } }),
        |it| it["Condition"] = json!({ "StringEqualsIfExists": { SSE: "AES256" } }),
        |it| it["Condition"] = json!({ "ForAnyValue:StringEquals": { SSE: "AES256" } }),
        |it| it["Condition"] = json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } }),
        |it| it["Condition"] = json!({ "StringEquals": { "s3:prefix": "a" } }),
        |it| it["Condition"] = json!({ "StringEquals": { SSE: [] } }),
        |it| it["Condition"] = json!({ "StringEquals": {} }),
        |it| it["Condition"] = json!({ "Null": { SSE: "yes" } }),
        |it| it["Condition"] = json!({ "Bool": { SSE: "true" } }),
    ];
    assert!(policy(&statement(|_| ())).is_ok());
    for change in changes {
        let text = statement(change);
        let error = policy(&text).unwrap_err();
        let Refusal::Other(answer) = error else { panic!("{text}: {error:?}") };
        assert_eq!(answer.code, "MalformedPolicy", "{text}");
    }
    let whole = [
        json!({ "Version": "2012-10-17", "Statement": [] }),
        json!({ "Version": "2013-01-01", "Statement": statement(|_| ())["Statement"] }),
        json!({ "Version": "2012-10-17" }),
        json!([]),
    ];
    for text in whole {
        assert!(policy(&text).is_err(), "{text}");
    }
}

#[test]
fn a_name_that_occurs_twice_is_refused() {
    let twice = statement(|it| it["Condition"] = json!({ "Null": { SSE: "true" } })).to_string();
    let twice = twice.replace("\"Null\":", "\"Null\":{\"aws:SecureTransport\":\"true\"},\"Null\":");
    assert!(Policy::parse(&twice, "photos").is_err());
    let twice = twice.replace("\"Effect\":", "\"Effect\":\"Allow\",\"Effect\":");
    assert!(Policy::parse(&twice, "photos").is_err());
}

#[test]
fn a_denial_outweighs_whatever_else_is_said() {
    let deny = statement(|_| ())["Statement"][0].clone();
    let mut allow = deny.clone();
    allow["Effect"] = json!("Allow");
    for statements in [[&deny, &allow], [&allow, &deny]] {
        let policy = policy(&json!({ "Statement": statements })).unwrap();
        assert_eq!(decide(&policy, &[], |_| ()), Decision::Denied);
    }
    let policy = policy(&json!({ "Statement": allow })).unwrap();
    assert_eq!(decide(&policy, &[], |_| ()), Decision::Allowed);
    assert_eq!(decide(&policy, &[], |call| call.action = "s3:GetObject"), Decision::Silent);
}

#[test]
fn principals_actions_and_resources_have_to_fit() {
    let text = statement(|it| {
        it["Principal"] = json!({ "AWS": ["ID", "OTHER"] });
        it["Action"] = json!(["S3:Put*", "s3:?etObject"]);
        it["Resource"] = json!(["arn:aws:s3:::photos/a/*", "arn:aws:s3:::photos"]);
    });
    let policy = policy(&text).unwrap();
    let rows: [(Change, Decision); 8] = [
        (|_| (), Decision::Denied),
        (|call| call.access_key = Some("OTHER"), Decision::Denied),
        (|call| call.access_key = Some("THIRD"), Decision::Silent),
        (|call| call.access_key = None, Decision::Silent),
        (|call| call.action = "s3:GetObject", Decision::Denied),
        (|call| call.action = "s3:DeleteObject", Decision::Silent),
        (|call| call.resource = "arn:aws:s3:::photos", Decision::Denied),
        (|call| call.resource = "arn:aws:s3:::photos/b", Decision::Silent),
    ];
    for (change, wanted) in rows {
        assert_eq!(decide(&policy, &[], change), wanted);
    }
}

#[test]
fn conditions_see_the_header_only_and_an_absent_one_is_not_equal() {
    const HEADER: &str = "x-amz-server-side-encryption";
    const CUSTOMER_HEADER: &str = "x-amz-server-side-encryption-customer-algorithm";
    let (none, aes, odd): (Headers, Headers, Headers) =
        (&[], &[(HEADER, "AES256")], &[(HEADER, "AES192")]);
    let (denied, silent) = (Decision::Denied, Decision::Silent);
    let rows: [(Value, [(Headers, Decision); 3]); 6] = [
        (
            json!({ "StringNotEquals": { SSE: "AES256" } }),
            [(none, denied), (aes, silent), (odd, denied)],
        ),
        (
            json!({ "StringEquals": { SSE: ["AES256", "x"] } }),
            [(none, silent), (aes, denied), (odd, silent)],
        ),
        (json!({ "StringLike": { SSE: "AES*" } }), [(none, silent), (aes, denied), (odd, denied)]),
        (json!({ "Null": { SSE: "true" } }), [(none, denied), (aes, silent), (odd, silent)]),
        (json!({ "Null": { SSE: false } }), [(none, silent), (aes, denied), (odd, denied)]),
        (
            json!({ "Null": { CUSTOMER: "false" } }),
            [(none, silent), (aes, silent), (&[(CUSTOMER_HEADER, "AES192")], denied)],
        ),
    ];
    for (condition, calls) in rows {
        let policy = policy(&statement(|it| it["Condition"] = condition.clone())).unwrap();
        for (headers, wanted) in calls {
            assert_eq!(decide(&policy, headers, |_| ()), wanted, "{condition} {headers:?}");
            // The mode was judged when the upload was created; the key comes with each part.
            let wanted = if condition.to_string().contains(CUSTOMER) { wanted } else { silent };
            assert_eq!(decide(&policy, headers, |call| call.of_upload = true), wanted);
        }
    }
}

#[test]
fn plain_http_can_be_denied() {
    for value in [json!("false"), json!(false), json!(["false"])] {
        let condition = json!({ "Bool": { "aws:securetransport": value } });
        let policy = policy(&statement(|it| it["Condition"] = condition)).unwrap();
        assert_eq!(decide(&policy, &[], |_| ()), Decision::Silent);
        for of_upload in [false, true] {
            let plain = |call: &mut Call<'_>| (call.secure, call.of_upload) = (false, of_upload);
            assert_eq!(decide(&policy, &[], plain), Decision::Denied);
        }
    }
}

#[test]
fn wildcards_are_those_of_a_naive_oracle() {
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                naive(rest, text) || (!text.is_empty() && naive(pattern, &text[1..]))
            }
            ([b'?', rest @ ..], [_, text @ ..]) => naive(rest, text),
            ([one, rest @ ..], [other, text @ ..]) => one == other && naive(rest, text),
            _ => false,
        }
    }
    fn words(letters: &[u8], longest: u32) -> Vec<String> {
        let of = |length: u32| {
            (0..letters.len().pow(length)).map(move |mut number| {
                let mut word = String::new();
                for _ in 0..length {
                    word.push(letters[number % letters.len()].into());
                    number /= letters.len();
                }
                word
            })
        };
        (0..=longest).flat_map(of).collect()
    }
    let texts = words(b"ab", 5);
    for pattern in words(b"ab*?", 4) {
        for text in &texts {
            let wanted = naive(pattern.as_bytes(), text.as_bytes());
            assert_eq!(is_like(&pattern, text), wanted, "{pattern} {text}");
        }
    }
}
