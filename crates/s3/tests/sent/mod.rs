//! What clients send, and what they should be answered.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part of it"
)]

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use object_cipher_s3::{Arrival, Error, Profile};

/// 32 bytes of 0x01 and their MD5; the MD5 of 32 bytes of 0x02; a key of 31 bytes and its MD5.
pub const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
pub const KEY_MD5: &str = "4Funlf7OsLF0HL+vKU+fkg==";
pub const OTHER_KEY: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
pub const OTHER_MD5: &str = "F3apf5enN9TQbA8CaOS4/g==";
pub const SHORT_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==";
pub const SHORT_MD5: &str = "CjpPEWk6KiWnUNKvmz07cg==";

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

/// A request and the answer that S3 gives it.
pub struct Case {
    pub sent: Vec<Sent<'static>>,
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    argument_name: Option<&'static str>,
    argument_value: Option<&'static str>,
}

impl Case {
    /// 400 `InvalidArgument` with the argument that S3 names whatever the header at fault.
    pub fn argument(sent: &[Sent<'static>], message: &'static str) -> Self {
        let argument_name = Some("x-amz-server-side-encryption");
        Self { argument_name, ..Self::bare(sent, message) }
    }

    /// 400 `InvalidArgument` without a named argument.
    pub fn bare(sent: &[Sent<'static>], message: &'static str) -> Self {
        let (status, code) = (StatusCode::BAD_REQUEST, "InvalidArgument");
        Self {
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

    pub fn value(self, value: &'static str) -> Self {
        Self { argument_value: Some(value), ..self }
    }
}

/// Holds an error against what S3 answers.
pub fn check(case: &Case, error: &Error, profile: Profile) {
    let answer = error.answer(profile);
    let sent = &case.sent;
    assert_eq!(answer.status, case.status, "{sent:?}");
    assert_eq!(answer.code, case.code, "{sent:?}");
    assert_eq!(answer.message, case.message, "{sent:?}");
    assert_eq!(answer.argument_name, case.argument_name, "{sent:?}");
    assert_eq!(answer.argument_value.as_deref(), case.argument_value, "{sent:?}");
}
