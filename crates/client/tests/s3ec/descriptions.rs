//! E10: descriptions that are not ASCII, as S3 gives them back, and those that cannot be.

use std::fmt::Write as _;

use object_cipher_client::{
    Error, MetadataFault,
    s3ec::{Description, S3ec},
};
use object_cipher_core::EncryptionContext;

use crate::{
    formats::b64,
    setup::{
        BOTH_FORMATS, LIBRARIES, Pairs, aes, fake_kms, header, kms_keyring, plaintext, read,
        read_stored, seal, value, with,
    },
};

const PAIRS: [(&str, &str); 3] =
    [("ville", "Zürich – 東京 🦀"), ("q\"\\", "\u{7f}\t\n/\u{2028}"), ("é", "=?UTF-8?B?e30=?=")];

/// The places that a description may stand in.
const PLACES: [&str; 3] = ["x-amz-matdesc", "x-amz-m", "x-amz-t"];

/// What S3 gives back for a header of these bytes: encoded words of what they are in ISO-8859-1.
fn encoded_twice(text: &str, encoding: char, word_len: usize) -> String {
    let latin: String = text.bytes().map(char::from).collect();
    let words = latin.as_bytes().chunks(word_len).map(|word| {
        let encoded = if encoding.eq_ignore_ascii_case(&'b') {
            b64(word)
        } else {
            word.iter().fold(String::new(), |mut text, byte| {
                let _ = match byte {
                    b' ' => write!(text, "_"),
                    byte if byte.is_ascii_alphanumeric() => write!(text, "{}", char::from(*byte)),
                    byte => write!(text, "={byte:02X}"),
                };
                text
            })
        };
        format!("=?UTF-8?{encoding}?{encoded}?=")
    });
    words.collect::<Vec<_>>().join(" ")
}

/// JSON whose characters are not escaped, as writers that leave them as they are.
fn raw_json() -> String {
    let map: serde_json::Map<_, _> =
        PAIRS.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    serde_json::Value::from(map).to_string()
}

/// Sealed under raw AES with such a description and under a KMS with such a context, in both formats.
fn sealed(check: impl Fn(&S3ec, Option<&EncryptionContext>, &Pairs, &[u8])) {
    let kms = fake_kms();
    let mut context = EncryptionContext::new();
    for (key, value) in PAIRS {
        context.insert(key, value).unwrap();
    }
    for library in LIBRARIES {
        for policy in BOTH_FORMATS {
            let raw = library.builder(aes(7, 32).with_description(PAIRS));
            let of_kms = library.builder(kms_keyring(&kms));
            for (builder, context) in [(raw, None), (of_kms, Some(&context))] {
                let cipher = builder.commitment_policy(policy).build();
                let (header, body) = seal(&cipher, context, &plaintext(20));
                let metadata = header.to_metadata().unwrap();
                check(&cipher, context, &metadata, &body);
            }
        }
    }
}

fn place(metadata: &Pairs) -> &'static str {
    PLACES.into_iter().find(|place| metadata.iter().any(|(key, _)| key == place)).unwrap()
}

#[test]
fn e10_what_is_written_is_ascii_and_opens() {
    sealed(|cipher, context, metadata, body| {
        for text in metadata.iter().flat_map(|(key, value)| [key, value]) {
            assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{text}");
        }
        let header = header(metadata, None).unwrap();
        let description = &header.encrypted_data_key().description;
        assert!(PAIRS.iter().all(|(key, value)| description.get(key) == Some(value)));
        assert_eq!(read_stored(cipher, context, metadata, body), Ok(plaintext(20)));
        let file = header.to_instruction_file().unwrap();
        assert!(file.body.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        let again = crate::setup::header(&file.object_metadata, Some(&file.body)).unwrap();
        assert_eq!(again, header);
        assert_eq!(read(cipher, context, &again, body), Ok(plaintext(20)));
    });
}

#[test]
fn e10_what_s3_encoded_twice_opens_whatever_the_words() {
    sealed(|cipher, context, metadata, body| {
        let place = place(metadata);
        // As another writer has it, escaped less; a KMS gets the same map.
        let description = Description::from_json(value(metadata, place)).unwrap();
        let map: serde_json::Map<_, _> =
            description.iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        let raw = serde_json::Value::from(map).to_string();
        assert!(!raw.is_ascii());
        let plain = with(metadata, place, &raw);
        assert_eq!(read_stored(cipher, context, &plain, body), Ok(plaintext(20)));
        for encoding in ['B', 'b', 'Q', 'q'] {
            for word_len in [1, 2, 3, 7, 20, 45, 1_000] {
                let twice = encoded_twice(&raw, encoding, word_len);
                let metadata = with(metadata, place, &twice);
                let opened = read_stored(cipher, context, &metadata, body);
                assert_eq!(opened, Ok(plaintext(20)), "{twice}");
            }
        }
    });
}

#[test]
fn e10_every_cut_and_every_changed_character_of_encoded_words_is_clean() {
    let twice = encoded_twice(&raw_json(), 'B', 20);
    let clean = |value: &str| {
        let object = crate::formats::v3(b"wrapped", "02", Some(("x-amz-m", value)), &[]);
        match header(&object.metadata, None) {
            Ok(header) => drop(header),
            Err(Error::Metadata(MetadataFault::DoubleEncoding | MetadataFault::Json)) => {}
            Err(error) => panic!("{value}: {error:?}"),
        }
    };
    for length in 0..twice.len() {
        clean(&twice[..length]);
        clean(&twice[length..]);
        for character in ["?", "=", " ", "_", "\u{e9}", "A", "\0"] {
            let mut changed = twice.clone();
            changed.replace_range(length..=length, character);
            clean(&changed);
        }
    }
}

#[test]
fn e10_descriptions_that_cannot_be_are_a_clean_error() {
    let json = Err(Error::Metadata(MetadataFault::Json));
    let encoding = Err(Error::Metadata(MetadataFault::DoubleEncoding));
    let bad = [
        ("Zürich", &json),
        ("{\"a\":\"\u{fffd}\"", &json),
        (" =?UTF-8?B?e30=?=", &json),
        ("{\"a\":\"\\ud800\"}", &json),
        ("=?UTF-8?B?e30=?", &encoding),
        ("=?UTF-16?B?e30=?=", &encoding),
        ("=?UTF-8?Q?=E6=9D=B1?=", &encoding),
        ("=?UTF-8?Q?=C3=BF?=", &encoding),
        ("=?UTF-8?B?W10=?=", &json),
        ("=?UTF-8?B??=", &json),
        ("=?", &encoding),
        // Encoded words within encoded words are not decoded again.
        ("=?UTF-8?B?PT9VVEYtOD9CP2UzMD0/PQ==?=", &json),
    ];
    for (text, expected) in bad {
        for place in ["x-amz-m", "x-amz-t"] {
            let object = crate::formats::v3(b"wrapped", "02", Some((place, text)), &[]);
            assert_eq!(header(&object.metadata, None).map(drop), *expected, "{text}");
        }
        let object = crate::formats::v2(b"wrapped", "AES/GCM", text, &[]);
        assert_eq!(header(&object.metadata, None).map(drop), *expected, "{text}");
    }
    let long = format!("=?UTF-8?B?{}?=", b64(&vec![b' '; 70_000]));
    let object = crate::formats::v3(b"wrapped", "02", Some(("x-amz-m", &long)), &[]);
    assert_eq!(header(&object.metadata, None).map(drop), json);
}

#[test]
fn e10_a_context_that_no_kms_takes_is_refused_before_it_is_asked() {
    let kms = fake_kms();
    for library in LIBRARIES {
        let cipher = library.lenient(kms_keyring(&kms));
        let long = "v".repeat(9_000);
        for (key, value) in [("", "v"), ("k\\u0000", "v"), ("k", "v\\u0000"), ("k", &long)] {
            let json = format!(r#"{{"{key}":"{value}"}}"#);
            let object = crate::formats::v2(b"wrapped", "kms", &json, &[]);
            let opened = read_stored(&cipher, None, &object.metadata, &object.body);
            assert!(matches!(opened, Err(Error::Core(_))), "{opened:?}");
        }
    }
    assert_eq!(kms.calls(), 0);
}
