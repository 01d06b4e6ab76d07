//! E3: metadata of formats mixed, missing, doubled, and values that no writer gives.

use object_cipher_client::{Error, MetadataFault, s3ec::is_reserved_name};

use crate::{
    formats::{DATA_KEY, Object, b64, one_of_each, v1, v2, v2_cbc, v3},
    setup::{
        Given, LIBRARIES, Library, Pairs, found, header, plaintext, read_stored, value, with,
        without,
    },
};

const LEGACY: [&str; 7] = [
    "x-amz-key",
    "x-amz-key-v2",
    "x-amz-iv",
    "x-amz-matdesc",
    "x-amz-wrap-alg",
    "x-amz-cek-alg",
    "x-amz-tag-len",
];
const V3: [&str; 7] = ["x-amz-c", "x-amz-3", "x-amz-w", "x-amz-d", "x-amz-i", "x-amz-m", "x-amz-t"];

/// A value that the name may have.
fn plausible(name: &str) -> String {
    let objects = [
        v1(b"wrapped", &[]),
        v2(b"wrapped", "AES/GCM", "{}", &[]),
        v3(b"wrapped", "02", Some(("x-amz-m", "{}")), &[]),
        v3(b"wrapped", "02", Some(("x-amz-t", "{}")), &[]),
    ];
    let metadata = objects.map(|object| object.metadata).concat();
    value(&metadata, name).to_owned()
}

fn fault(metadata: &Pairs) -> MetadataFault {
    match found(metadata) {
        Err(Error::Metadata(fault)) => fault,
        other => panic!("{metadata:?}: {other:?}"),
    }
}

#[test]
fn e3_a_key_of_another_version_beside_a_whole_set_is_refused() {
    let mut refused = 0;
    for Object { metadata, .. } in one_of_each(&[]) {
        let present = |name: &&str| metadata.iter().any(|(key, _)| key == name);
        let is_v3 = present(&"x-amz-c");
        for name in LEGACY.iter().chain(&V3) {
            if present(name) || V3.contains(name) && is_v3 {
                continue;
            }
            if *name == "x-amz-tag-len" && present(&"x-amz-wrap-alg") {
                // Of AES-CBC it may say only that there is no tag.
                let expected = MetadataFault::Value("x-amz-tag-len");
                assert_eq!(fault(&with(&metadata, name, "128")), expected);
                refused += 1;
                continue;
            }
            for added in [plausible(name), String::new()] {
                let fault = fault(&with(&metadata, name, &added));
                let expected = if V3.contains(name) == is_v3 {
                    // V1 and V2 share their other keys.
                    fault == MetadataFault::Mixed
                        || matches!(fault, MetadataFault::Misplaced(key) if key == *name)
                } else {
                    fault == MetadataFault::Mixed
                };
                assert!(expected, "{metadata:?} and {name}: {fault:?}");
            }
            refused += 1;
        }
    }
    assert_eq!(refused, (4 + 7) + (2 + 7) + (1 + 7) + 7);
}

#[test]
fn e3_two_whole_sets_are_refused_in_either_order() {
    let sets = one_of_each(&[]);
    for (at, one) in sets.iter().enumerate() {
        for other in sets.iter().skip(at + 1) {
            for metadata in [[&one.metadata[..], &other.metadata], [&other.metadata, &one.metadata]]
            {
                let fault = fault(&metadata.concat());
                let mixed = matches!(fault, MetadataFault::Mixed | MetadataFault::Repeated(_));
                assert!(mixed, "{fault:?}");
            }
        }
    }
}

#[test]
fn e3_without_any_one_of_its_keys_an_object_is_refused() {
    for Object { metadata, body } in one_of_each(&plaintext(20)) {
        for (name, _) in &metadata {
            let fewer = without(&metadata, name);
            if name == "x-amz-m" {
                // Not there means empty.
                let cipher = Library::AwsLc.lenient(Given::new(DATA_KEY));
                assert_eq!(read_stored(&cipher, None, &fewer, &body), Ok(plaintext(20)));
                continue;
            }
            let expected = match (name.as_str(), fewer.len()) {
                ("x-amz-3", _) => MetadataFault::Misplaced("x-amz-w"),
                ("x-amz-key", _) => MetadataFault::Missing("x-amz-key-v2"),
                (name, _) => MetadataFault::Missing(known(name)),
            };
            assert_eq!(fault(&fewer), expected);
        }
    }
}

fn known(name: &str) -> &'static str {
    LEGACY.into_iter().chain(V3).find(|known| *known == name).unwrap()
}

#[test]
fn e3_any_subset_of_the_keys_is_the_whole_one_or_refused() {
    for Object { metadata, body } in one_of_each(&plaintext(20)) {
        for subset in 0..1u32 << metadata.len() {
            let fewer: Pairs = (0..metadata.len())
                .filter(|at| subset >> at & 1 == 1)
                .map(|at| metadata[at].clone())
                .collect();
            let cipher = Library::RustCrypto.lenient(Given::new(DATA_KEY));
            let opened = read_stored(&cipher, None, &fewer, &body);
            let whole = without(&fewer, "x-amz-m").len() == without(&metadata, "x-amz-m").len();
            if whole {
                assert_eq!(opened, Ok(plaintext(20)));
            } else {
                assert!(matches!(opened, Err(Error::Metadata(_))), "{fewer:?}: {opened:?}");
            }
        }
    }
}

#[test]
fn e3_a_doubled_key_is_refused_whatever_its_spelling_and_value() {
    for Object { metadata, body } in one_of_each(&plaintext(20)) {
        for (name, value) in &metadata {
            let spellings = [
                name.clone(),
                name.to_uppercase(),
                format!("x-amz-meta-{name}"),
                format!("X-Amz-Meta-{}", name.to_uppercase()),
            ];
            for spelling in spellings {
                assert!(is_reserved_name(&spelling));
                // Spelt so alone it is the same.
                let mut respelt = without(&metadata, name);
                respelt.push((spelling.clone(), value.clone()));
                assert_eq!(header(&respelt, None), header(&metadata, None));
                for value in [value, "", "other"] {
                    let mut doubled = metadata.clone();
                    doubled.push((spelling.clone(), value.to_owned()));
                    assert_eq!(fault(&doubled), MetadataFault::Repeated(known(name)));
                }
            }
        }
        // What the format does not know is the user's.
        let others = ["colour", "x-amz-meta-x-amz-meta-x-amz-key", "x-amz-key-v3", "x-amz-"];
        for library in LIBRARIES {
            let cipher = library.lenient(Given::new(DATA_KEY));
            for other in others {
                let metadata = with(&metadata, other, "115");
                assert_eq!(read_stored(&cipher, None, &metadata, &body), Ok(plaintext(20)));
            }
        }
    }
}

#[test]
fn e3_values_that_are_not_known_are_refused() {
    let v3 = v3(b"wrapped", "02", None, &[]).metadata;
    let v2 = v2(b"wrapped", "AES/GCM", "{}", &[]).metadata;
    let cbc = v2_cbc(b"wrapped", "AES/GCM", "{}", &[]).metadata;
    let unknown: [(&Pairs, &str, &[&str]); 5] = [
        (
            &v3,
            "x-amz-c",
            &["", "112", "113", "114", "116", "0115", "115 ", "0x73", "AES/GCM/NoPadding"],
        ),
        (
            &v3,
            "x-amz-w",
            &["", "2", "00", "01", "11", "21", "32", " 02", "AES/GCM", "kms+context", "RSA"],
        ),
        (
            &v2,
            "x-amz-wrap-alg",
            &["", "aes/gcm", "AES", "RSA", "02", "12", "KMS", "kms+Context", "AES/GCM/NoPadding"],
        ),
        (
            &v2,
            "x-amz-cek-alg",
            &[
                "",
                "115",
                "AES/CTR/NoPadding",
                "AES/GCM/nopadding",
                "AES/CBC/NoPadding",
                "AES/ECB/PKCS5Padding",
            ],
        ),
        (&v2, "x-amz-tag-len", &["", "0", "96", "127", "128 ", "+128", "0128", "16"]),
    ];
    for (metadata, name, values) in unknown {
        for value in values {
            let fault = fault(&with(metadata, name, value));
            assert_eq!(fault, MetadataFault::Value(known(name)), "{value}");
        }
    }
    for value in ["", "128", "00", "-0"] {
        let fault = fault(&with(&cbc, "x-amz-tag-len", value));
        assert_eq!(fault, MetadataFault::Value("x-amz-tag-len"));
    }
    header(&with(&cbc, "x-amz-tag-len", "0"), None).unwrap();
}

#[test]
fn e3_bytes_that_are_not_base64_or_of_another_length_are_refused() {
    for Object { metadata, .. } in one_of_each(&[]) {
        let is_gcm = metadata.iter().any(|(_, value)| value.contains("GCM/No"));
        for (name, length) in [
            ("x-amz-key", None),
            ("x-amz-key-v2", None),
            ("x-amz-3", None),
            ("x-amz-iv", Some(if is_gcm { 12 } else { 16 })),
            ("x-amz-d", Some(28)),
            ("x-amz-i", Some(28)),
        ] {
            let Some((_, good)) = metadata.iter().find(|(key, _)| key == name) else { continue };
            let malformed = |value: &str| {
                assert_eq!(fault(&with(&metadata, name, value)), MetadataFault::Value(known(name)));
            };
            for value in ["", "=", "A", "AA", "AA=", "AAA", "_-8=", "é", "AB==", "AA==\n"] {
                malformed(value);
            }
            for value in [
                format!("{good} "),
                format!(" {good}"),
                format!("{good}{good}="),
                format!("{good}===="),
            ] {
                malformed(&value);
            }
            // A wrapped key is as long as a KMS makes them, at most.
            malformed(&b64(&vec![1; 6_145]));
            if let Some(length) = length {
                for wrong in (0..64).filter(|wrong| *wrong != length) {
                    malformed(&b64(&vec![1; wrong]));
                }
            }
        }
    }
}

#[test]
fn e3_a_description_in_two_places_or_the_wrong_one_is_refused() {
    let sealed = |wrap, description| v3(b"wrapped", wrap, description, &[]).metadata;
    let both = with(&sealed("02", Some(("x-amz-m", "{}"))), "x-amz-t", "{}");
    assert_eq!(fault(&both), MetadataFault::Misplaced("x-amz-m"));
    let of_kms = sealed("12", Some(("x-amz-m", r#"{"aws:x-amz-cek-alg":"115"}"#)));
    assert_eq!(fault(&of_kms), MetadataFault::Misplaced("x-amz-m"));
    // The Python client writes any description as a context.
    header(&sealed("02", Some(("x-amz-t", "{}"))), None).unwrap();
    header(&sealed("22", Some(("x-amz-t", "{}"))), None).unwrap();
    for json in ["", "{", "[]", "null", r#"{"a":1}"#, r#"{"a":"b","a":"b"}"#, "=?UTF-8?B?e30"] {
        for metadata in [
            sealed("02", Some(("x-amz-m", json))),
            sealed("12", Some(("x-amz-t", json))),
            v2(b"wrapped", "AES/GCM", json, &[]).metadata,
            with(&v1(b"wrapped", &[]).metadata, "x-amz-matdesc", json),
        ] {
            let fault = fault(&metadata);
            assert!(matches!(fault, MetadataFault::Json | MetadataFault::DoubleEncoding));
        }
    }
}

/// CVE-2026-110310: a key of V2 that is shown as one of V1 is unwrapped by another, weaker algorithm.
#[test]
fn e3_a_key_of_v2_renamed_to_that_of_v1_is_refused_by_what_stands_beside_it() {
    let renamed = |metadata: &Pairs| -> Pairs {
        metadata
            .iter()
            .map(|(key, value)| match key.as_str() {
                "x-amz-key-v2" => ("x-amz-key".to_owned(), value.clone()),
                _ => (key.clone(), value.clone()),
            })
            .collect()
    };
    let metadata = renamed(&v2(b"wrapped", "RSA-OAEP-SHA1", "{}", &[]).metadata);
    assert!(matches!(fault(&metadata), MetadataFault::Misplaced(_)));
    let mut cut = metadata;
    for name in ["x-amz-wrap-alg", "x-amz-cek-alg", "x-amz-tag-len"] {
        cut = without(&cut, name);
    }
    // The IV of AES-GCM is none of AES-CBC.
    assert_eq!(fault(&cut), MetadataFault::Value("x-amz-iv"));
}
