//! E3: instruction files that are mixed, cut, doubled, not JSON, or not there.

use object_cipher_client::{
    Error, MetadataFault,
    s3ec::{Found, MAX_INSTRUCTION_FILE_LEN},
};

use crate::{
    formats::{DATA_KEY, b64, v1, v2, v3},
    setup::{
        BOTH_FORMATS, Given, LIBRARIES, Pairs, aes, found, header, plaintext, read, seal, with,
        without,
    },
};

const ON_OBJECT: [&str; 3] = ["x-amz-c", "x-amz-d", "x-amz-i"];

fn v3_shared_out() -> (Pairs, Pairs) {
    let metadata = v3(b"wrapped", "02", Some(("x-amz-m", "{}")), &plaintext(20)).metadata;
    metadata.into_iter().partition(|(key, _)| ON_OBJECT.contains(&&**key))
}

fn json(pairs: &[(String, String)]) -> String {
    let map: serde_json::Map<_, _> =
        pairs.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    serde_json::Value::from(map).to_string()
}

fn refused(object: &[(String, String)], file: &str) -> MetadataFault {
    match header(object, Some(file)) {
        Err(Error::Metadata(fault)) => fault,
        other => panic!("{object:?}, {file}: {other:?}"),
    }
}

#[test]
fn e3_what_belongs_to_the_object_is_refused_in_the_instruction_file() {
    let (object, file) = v3_shared_out();
    let body = v3(b"wrapped", "02", None, &plaintext(20)).body;
    for library in LIBRARIES {
        let cipher = library.builder(Given::new(DATA_KEY)).build();
        let header = header(&object, Some(&json(&file))).unwrap();
        assert_eq!(read(&cipher, None, &header, &body), Ok(plaintext(20)));
    }
    for name in ON_OBJECT {
        let value = &object.iter().find(|(key, _)| key == name).unwrap().1;
        for value in [value, "", "other"] {
            let fault = refused(&object, &json(&with(&file, name, value)));
            assert_eq!(fault, MetadataFault::Misplaced(name));
        }
        // It must be on the object.
        assert_eq!(refused(&without(&object, name), &json(&file)), MetadataFault::Missing(name));
    }
}

#[test]
fn e3_legacy_keys_beside_v3_in_file_or_object_are_refused() {
    let (object, file) = v3_shared_out();
    let legacy = [v1(b"wrapped", &[]).metadata, v2(b"wrapped", "AES/GCM", "{}", &[]).metadata];
    for pair in legacy.iter().flatten() {
        let pair = std::slice::from_ref(pair);
        let mixed = [&file[..], pair].concat();
        assert_eq!(refused(&object, &json(&mixed)), MetadataFault::Mixed);
        assert_eq!(refused(&[&object[..], pair].concat(), &json(&file)), MetadataFault::Mixed);
    }
    // A whole legacy file beside V3's content keys, and V3's file beside an object with none.
    for legacy in &legacy {
        assert_eq!(refused(&object, &json(legacy)), MetadataFault::Mixed);
    }
    assert_eq!(refused(&[], &json(&file)), MetadataFault::Mixed);
    assert_eq!(refused(&[], &json(&[object, file].concat())), MetadataFault::Mixed);
}

#[test]
fn e3_keys_of_the_file_on_the_object_alone_are_refused() {
    let (object, file) = v3_shared_out();
    for pair in file.iter().filter(|(key, _)| key != "x-amz-3") {
        let metadata = [&object[..], std::slice::from_ref(pair)].concat();
        assert!(matches!(found(&metadata), Err(Error::Metadata(MetadataFault::Misplaced(_)))));
    }
    // With the wrapped key too, the object is complete and no file is asked for.
    let complete = [object, file].concat();
    assert!(matches!(found(&complete), Ok(Found::Complete(_))));
    // Of V2, a part of it on the object is not made whole by a file.
    let v2 = v2(b"wrapped", "AES/GCM", "{}", &[]).metadata;
    for pair in &v2 {
        let alone = std::slice::from_ref(pair);
        assert!(matches!(found(alone), Err(Error::Metadata(MetadataFault::Missing(_)))));
    }
}

#[test]
fn e3_a_file_that_is_no_object_of_strings_is_refused() {
    let (object, file) = v3_shared_out();
    let whole = json(&file);
    let bad = [
        "",
        " ",
        "null",
        "[]",
        "\"x-amz-3\"",
        "115",
        "{\"x-amz-3\":1}",
        "{\"x-amz-3\":null}",
        "{\"x-amz-3\":{\"a\":\"b\"}}",
        "{\"other\":[\"x\"]}",
        "\u{feff}{}",
        "<xml/>",
    ];
    for text in bad {
        assert_eq!(refused(&object, text), MetadataFault::InstructionFile, "{text}");
        assert_eq!(refused(&[], text), MetadataFault::InstructionFile, "{text}");
    }
    let Found::InInstructionFile(partial) = found(&object).unwrap() else { panic!() };
    partial.complete(whole.as_bytes()).unwrap();
    let malformed = Err(Error::Metadata(MetadataFault::InstructionFile));
    for length in 0..whole.len() {
        assert_eq!(partial.complete(&whole.as_bytes()[..length]), malformed);
    }
    for behind in ["{}", "x", "\0", ","] {
        assert_eq!(partial.complete(format!("{whole}{behind}").as_bytes()), malformed);
    }
    assert_eq!(partial.complete(&[whole.as_bytes(), &[0xff]].concat()), malformed);
    assert_eq!(partial.complete(&[0xff, 0xfe]), malformed);
    // Deep nesting is refused where it begins.
    let deep = format!("{{\"a\":{}", "[".repeat(MAX_INSTRUCTION_FILE_LEN - 10));
    assert_eq!(partial.complete(deep.as_bytes()), malformed);
}

#[test]
fn e3_doubled_keys_of_a_file_are_refused() {
    let (object, file) = v3_shared_out();
    for (key, value) in &file {
        let key_json = serde_json::to_string(key).unwrap();
        let value_json = serde_json::to_string(value).unwrap();
        let whole = json(&file);
        let inner = whole.strip_suffix('}').unwrap();
        let same = format!("{inner},{key_json}:{value_json}}}");
        assert_eq!(refused(&object, &same), MetadataFault::InstructionFile);
        let escaped = format!("{inner},\"\\u0078{}\":{value_json}}}", &key[1..]);
        assert_eq!(refused(&object, &escaped), MetadataFault::InstructionFile);
        let upper = with(&file, &key.to_uppercase(), value);
        assert!(matches!(refused(&object, &json(&upper)), MetadataFault::Repeated(_)));
        let prefixed = with(&file, &format!("x-amz-meta-{key}"), value);
        assert!(matches!(refused(&object, &json(&prefixed)), MetadataFault::Repeated(_)));
    }
}

#[test]
fn e3_a_file_that_is_too_long_is_refused_and_one_of_the_longest_length_read() {
    let (object, file) = v3_shared_out();
    let whole = json(&file);
    let padded = |length: usize| format!("{whole}{}", " ".repeat(length - whole.len()));
    header(&object, Some(&padded(MAX_INSTRUCTION_FILE_LEN))).unwrap();
    let long = padded(MAX_INSTRUCTION_FILE_LEN + 1);
    assert_eq!(refused(&object, &long), MetadataFault::InstructionFile);
    let description = format!("{{\"a\":\"{}\"}}", "b".repeat(65_536));
    let long = with(&file, "x-amz-m", &description);
    assert_eq!(refused(&object, &json(&long)), MetadataFault::Json);
    let long = with(&file, "x-amz-3", &b64(&[1; 6_145]));
    assert_eq!(refused(&object, &json(&long)), MetadataFault::Value("x-amz-3"));
}

#[test]
fn e3_without_an_instruction_file_nothing_is_taken_for_plaintext() {
    let (object, _) = v3_shared_out();
    for metadata in [&object[..], &[], &[("colour".to_owned(), "blue".to_owned())]] {
        let missing = Err(Error::Metadata(MetadataFault::NoInstructionFile));
        assert_eq!(header(metadata, None), missing);
    }
}

#[test]
fn e3_every_subset_of_a_written_file_is_the_whole_one_or_does_not_open() {
    for policy in BOTH_FORMATS {
        for library in LIBRARIES {
            let keyring = aes(7, 32).with_description([("key", "blue")]);
            let cipher = library.builder(keyring).commitment_policy(policy).build();
            let (sealed, body) = seal(&cipher, None, &plaintext(20));
            let written = sealed.to_instruction_file().unwrap();
            let file: std::collections::BTreeMap<String, String> =
                serde_json::from_str(&written.body).unwrap();
            let file: Pairs = file.into_iter().collect();
            for subset in 0..1u32 << file.len() {
                let fewer: Pairs = (0..file.len())
                    .filter(|at| subset >> at & 1 == 1)
                    .map(|at| file[at].clone())
                    .collect();
                let opened = header(&written.object_metadata, Some(&json(&fewer)))
                    .and_then(|header| read(&cipher, None, &header, &body));
                let whole = without(&fewer, "x-amz-m").len() == without(&file, "x-amz-m").len();
                assert_eq!(opened.is_ok(), whole, "{fewer:?}: {opened:?}");
            }
        }
    }
}
