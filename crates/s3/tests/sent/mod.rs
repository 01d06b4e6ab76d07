//! What clients send, and what they should be answered.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part of it"
)]

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use object_cipher_s3::{Arrival, BucketEncryption, Error, FormFields, Profile, SseRequest};

/// 32 bytes of 0x01 and their MD5; the same of 0x02; keys of 31 and of 44 bytes and their MD5s.
pub const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
pub const KEY_MD5: &str = "4Funlf7OsLF0HL+vKU+fkg==";
pub const OTHER_KEY: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
pub const OTHER_MD5: &str = "F3apf5enN9TQbA8CaOS4/g==";
pub const SHORT_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==";
pub const SHORT_MD5: &str = "CjpPEWk6KiWnUNKvmz07cg==";

pub const LONG_KEY: &str = "QVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRT0=";
pub const LONG_MD5: &str = "buNW4KGKT38aowYLJt8M9A==";

pub const KMS_INSECURE: &str = "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.";
pub const KMS_UNSIGNED: &str = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";

pub const ARRIVAL: Arrival = Arrival { secure: true, signature_v4: true };
pub const INSECURE: Arrival = Arrival { secure: false, signature_v4: true };
pub const UNSIGNED: Arrival = Arrival { secure: true, signature_v4: false };

pub type Sent<'a> = (&'a str, &'a str);

/// The three headers of a customer's key.
pub fn customer<'a>(key: &'a str, md5: &'a str) -> [Sent<'a>; 3] {
    [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-server-side-encryption-customer-key", key),
        ("x-amz-server-side-encryption-customer-key-md5", md5),
    ]
}

/// The three headers of the source's key in a copy.
pub fn copy_source<'a>(key: &'a str, md5: &'a str) -> [Sent<'a>; 3] {
    [
        ("x-amz-copy-source-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-copy-source-server-side-encryption-customer-key", key),
        ("x-amz-copy-source-server-side-encryption-customer-key-md5", md5),
    ]
}

pub fn headers(sent: &[Sent<'_>]) -> HeaderMap {
    sent.iter()
        .map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

/// Headers and the fields of a form are judged alike.
pub fn parse(sent: &[(&str, &str)]) -> Result<SseRequest, Error> {
    let bucket = BucketEncryption::unset();
    let request = SseRequest::parse(&headers(sent), ARRIVAL, &bucket, Profile::Aws);
    assert_eq!(parse_form(sent).err().as_ref(), request.as_ref().err(), "{sent:?}");
    request
}

pub fn parse_form(sent: &[(&str, &str)]) -> Result<SseRequest, Error> {
    let fields: Vec<_> =
        sent.iter().map(|(name, value)| (name.to_uppercase(), (*value).to_owned())).collect();
    let bucket = BucketEncryption::unset();
    SseRequest::parse(&FormFields(&fields), ARRIVAL, &bucket, Profile::Aws)
}

/// A request and the answer that S3 gives it.
///
/// Each has the section of the notes on S3's behaviour that it is from: 1 headers, 2.1 writes, 2.2
/// reads, 2.3 KMS, 2.4 multipart, 2.5 copies, 3 ETags and checksums, 4 buckets, 7 Ceph.
pub struct Case {
    pub section: &'static str,
    pub sent: Vec<Sent<'static>>,
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    argument_name: Option<&'static str>,
    argument_value: Option<&'static str>,
}

impl Case {
    /// 400 `InvalidArgument` with the argument that S3 names whatever the header at fault.
    pub fn argument(section: &'static str, sent: &[Sent<'static>], message: &'static str) -> Self {
        Self::bare(section, sent, message).name("x-amz-server-side-encryption")
    }

    /// 400 `InvalidArgument` without a named argument.
    pub fn bare(section: &'static str, sent: &[Sent<'static>], message: &'static str) -> Self {
        let (status, code) = (StatusCode::BAD_REQUEST, "InvalidArgument");
        Self {
            section,
            sent: sent.to_vec(),
            status,
            code,
            message,
            argument_name: None,
            argument_value: None,
        }
    }

    pub fn code(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub fn name(self, name: &'static str) -> Self {
        Self { argument_name: Some(name), ..self }
    }

    pub fn value(self, value: &'static str) -> Self {
        Self { argument_value: Some(value), ..self }
    }
}

/// Holds an error against what S3 answers.
pub fn check(case: &Case, error: &Error, profile: Profile) {
    let answer = error.answer(profile);
    let row = format!("{} {profile:?} {:?}", case.section, case.sent);
    assert_eq!(answer.status, case.status, "{row}");
    assert_eq!(answer.code, case.code, "{row}");
    assert_eq!(answer.message, case.message, "{row}");
    assert_eq!(answer.argument_name, case.argument_name, "{row}");
    assert_eq!(answer.argument_value.as_deref(), case.argument_value, "{row}");
}
