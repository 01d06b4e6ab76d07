//! Encryption contexts and their canonical forms.

use std::collections::BTreeMap;

use object_cipher_core::MAX_ENCRYPTION_CONTEXT_LEN;
use object_cipher_testkit::vectors::{
    EncryptionContextVector, Hex, Verdict, VerdictStep::EncryptionContext,
};

use super::envelope::canonical;

type Pairs<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn all() -> Vec<EncryptionContextVector> {
    [accepted(), refused()].concat()
}

fn vector(name: &str, pairs: Pairs<'_>) -> EncryptionContextVector {
    let pairs: Vec<(String, String)> =
        pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let sorted: BTreeMap<String, String> = pairs.iter().cloned().collect();
    EncryptionContextVector {
        name: name.into(),
        pairs,
        server: false,
        canonical: Some(Hex(canonical(sorted.iter()))),
        verdict: Verdict::accept(),
    }
}

fn server(name: &str, pairs: Pairs<'_>) -> EncryptionContextVector {
    EncryptionContextVector { server: true, ..vector(name, pairs) }
}

fn accepted() -> Vec<EncryptionContextVector> {
    // Count, two lengths and a key of one byte go off the most there may be.
    let longest = "v".repeat(MAX_ENCRYPTION_CONTEXT_LEN - 2 - 4 - 1);
    let many: Vec<(String, String)> =
        (0..300).rev().map(|n| (format!("k{n:03}"), n.to_string())).collect();
    let many: Vec<(&str, &str)> =
        many.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    vec![
        vector("no pairs", &[]),
        vector("one pair", &[("a", "1")]),
        vector("{a: 1, b: 2}", &[("a", "1"), ("b", "2")]),
        vector("{a: 1b2}", &[("a", "1b2")]),
        vector("{b: 2, a: 1}, given out of order", &[("b", "2"), ("a", "1")]),
        vector("an empty value", &[("a", "")]),
        vector("keys that differ in case", &[("b", "1"), ("B", "2"), ("a", "3")]),
        vector("a key that another begins with", &[("ab", "1"), ("a", "2"), ("abc", "3")]),
        vector(
            "keys sorted by their UTF-8 bytes",
            &[("\u{10000}", "1"), ("\u{FFFD}", "2"), ("é", "3"), ("z", "4")],
        ),
        vector("composed and decomposed characters", &[("\u{e9}", "1"), ("e\u{301}", "2")]),
        vector("control characters", &[("\n", "\t"), ("\u{7f}", "\u{1}")]),
        vector("a key that only begins like a reserved one", &[("aws", "1"), ("AWS:s3", "2")]),
        vector("300 pairs", &many),
        vector("8,192 bytes in all", &[("k", &longest)]),
        server("an ARN set by the server", &[("aws:s3:arn", "arn:aws:s3:::bucket/dir/key")]),
        server(
            "an ARN set by the server beside a caller's pair",
            &[("department", "finance"), ("aws:s3:arn", "arn:aws:s3:::bucket")],
        ),
    ]
}

fn refused() -> Vec<EncryptionContextVector> {
    let too_long = "v".repeat(MAX_ENCRYPTION_CONTEXT_LEN - 2 - 4);
    let refuse = |reason: &str, pairs: Pairs<'_>| EncryptionContextVector {
        canonical: None,
        verdict: Verdict::reject(EncryptionContext, reason),
        ..vector(reason, pairs)
    };
    vec![
        refuse("a key twice with one value", &[("a", "1"), ("a", "1")]),
        refuse("a key twice with two values", &[("a", "1"), ("b", "2"), ("a", "3")]),
        refuse("an empty key", &[("", "1")]),
        refuse("a NUL in a key", &[("a\0", "1")]),
        refuse("a NUL in a value", &[("a", "1\0")]),
        refuse("a caller's key that begins with aws:", &[("aws:s3:arn", "arn:aws:s3:::bucket")]),
        refuse("a caller's key that is aws:", &[("aws:", "1")]),
        refuse("8,193 bytes in all", &[("k", &too_long)]),
        refuse("8,193 bytes in all in two pairs", &[("k", &too_long[5..]), ("l", "")]),
        EncryptionContextVector {
            server: true,
            ..refuse("the server sets an empty key", &[("", "1")])
        },
    ]
}
