//! Objects come back from a plain bucket, whole and in ranges, and nothing else does.

use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{
    COMPANION_PAIR_NAME, ClientSide, MAX_OBJECT_KEY_LEN, MAX_PAIR_LEN, OwnFormatError,
    StoredEnvelope,
};
use object_cipher_core::{
    Attributes, BoxFuture, ENVELOPE_PAIR_NAME, EkSource, Envelope, Error, Fault, FreshKey, KeyBlob,
    KeyRef, KeySource, LayeredCipher, ObjectContext, ReadRange, Result, SourceKey, Step,
};
use object_cipher_kms::{KeyName, LocalKms, Scope};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, TestKeys};
use std::sync::Arc;

use crate::bucket::{Client, Refused, content, cx, raw_key};

const CHUNK: usize = 16_384;

/// Parts whose edges are within, at and beside those of chunks; one is empty.
fn parts(content: &[u8]) -> Vec<(u32, &[u8])> {
    let mut rest = content;
    [(1, CHUNK), (2, 100), (7, 0), (8, 2 * CHUNK + 1), (9_999, CHUNK - 1), (10_000, 5)]
        .map(|(part, length)| {
            let (piece, behind) = rest.split_at(length);
            rest = behind;
            (part, piece)
        })
        .to_vec()
}

#[test]
fn objects_in_one_piece_come_back() {
    let mut client = Client::new();
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
        let content = content(length);
        client.put("cat.jpg", &content);
        assert_eq!(client.get("cat.jpg", &ReadRange::Whole).unwrap(), content);
        let (stored, place) = client.head("cat.jpg").unwrap();
        assert_eq!(place.plaintext_len(stored.body.len() as u64), Ok(Some(length as u64)));
    }
    assert_eq!(client.bucket.len(), 1, "and have no companion");
}

#[test]
fn g9_ranges_over_parts_that_s3_put_together_equal_slices() {
    let content = content(4 * CHUNK + 105);
    let mut client = Client::new();
    let name = client.put_in_parts("cat.jpg", &parts(&content));
    assert_eq!(client.get("cat.jpg", &ReadRange::Whole).unwrap(), content);
    assert_eq!(client.companion(&name).unwrap().plaintext_len(), Ok(content.len() as u64));
    assert_eq!(client.head("cat.jpg").unwrap().1.plaintext_len(1_000), Ok(None));

    let mut edges = vec![0, content.len()];
    for edge in [CHUNK, CHUNK + 100, 2 * CHUNK + 100, 3 * CHUNK + 101, 4 * CHUNK + 100] {
        edges.extend([edge - 1, edge, edge + 1]);
    }
    for (start, end) in edges.iter().flat_map(|start| edges.iter().map(move |end| (*start, *end))) {
        if start < end {
            let range = ReadRange::Bytes(start as u64..end as u64);
            assert_eq!(client.get("cat.jpg", &range).unwrap(), content[start..end]);
        }
    }
    let last = client.get("cat.jpg", &ReadRange::Last(7)).unwrap();
    assert_eq!(last, content[content.len() - 7..]);
    let behind = client.get("cat.jpg", &ReadRange::From(content.len() as u64));
    let length = content.len() as u64;
    assert_eq!(behind, Err(Error::RangeNotSatisfiable { length }.into()));
}

#[test]
fn g7_of_an_object_in_parts_the_chunks_of_a_range_are_fetched_and_no_more() {
    let content = content(4 * CHUNK + 105);
    let mut client = Client::new();
    client.put_in_parts("cat.jpg", &parts(&content));
    let fetched = |range| -> Vec<(u64, u64)> {
        let (_, fetched) = client.fetch("cat.jpg", &ReadRange::Bytes(range)).unwrap();
        fetched.into_iter().map(|bytes| (bytes.start, bytes.end)).collect()
    };
    // Part 1 is stored in 56 + 16,400 + 16 bytes, part 2 in 56 + 116 behind it.
    assert_eq!(fetched(0..1), [(56, 16_456)]);
    assert_eq!(fetched(16_384..16_385), [(16_528, 16_644)]);
    assert_eq!(fetched(16_383..16_385), [(56, 16_456), (16_528, 16_644)]);
}

#[test]
fn objects_of_more_than_a_page_of_parts_come_back() {
    let content = content(600);
    let parts: Vec<_> = (1..=600).zip(content.chunks(1)).collect();
    let mut client = Client::new();
    client.put_in_parts("cat.jpg", &parts);
    assert_eq!(client.get("cat.jpg", &ReadRange::Whole).unwrap(), content);
    for start in [0, 254, 255, 256, 511, 512, 599] {
        let range = ReadRange::Bytes(start as u64..start as u64 + 2);
        let end = content.len().min(start + 2);
        assert_eq!(client.get("cat.jpg", &range).unwrap(), content[start..end]);
    }
}

#[test]
fn objects_under_a_kms_stand_in_a_bucket_too() {
    let text = "1234abcd-12ab-34cd-56ef-1234567890ab:5hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=";
    let kms = Arc::new(LocalKms::from_text(text, Scope::default(), AwsLc).unwrap());
    let key = KeyName::parse("1234abcd-12ab-34cd-56ef-1234567890ab").unwrap();
    let mut client = Client::of(ClientSide::with_kms(kms, key, RustCrypto));
    client.put("one", b"content");
    client.put_in_parts("parts", &[(1, b"con"), (2, b"tent")]);
    for key in ["one", "parts"] {
        assert_eq!(client.get(key, &ReadRange::Whole).unwrap(), b"content");
    }
}

#[test]
fn a_lister_shows_objects_and_a_delete_leaves_nothing() {
    let mut client = Client::new();
    client.put("one", b"content");
    client.put_in_parts("parts", &[(1, b"con"), (2, b"tent")]);
    assert_eq!((client.bucket.len(), client.list()), (3, vec!["one", "parts"]));
    for key in ["one", "parts"] {
        client.delete(key).unwrap();
        assert_eq!(client.get(key, &ReadRange::Whole), Err(Refused::NoSuchKey));
    }
    assert!(client.bucket.is_empty());
}

#[test]
fn b11_no_16_bytes_of_the_content_stand_in_the_bucket() {
    let content: Vec<u8> = (0..2 * CHUNK).flat_map(usize::to_be_bytes).collect();
    let mut client = Client::new();
    client.put("one", &content);
    client.put_in_parts("parts", &[(1, &content[..CHUNK]), (2, &content[CHUNK..])]);
    let windows: std::collections::HashSet<_> = content.windows(16).collect();
    for stored in client.bucket.values() {
        let pairs = stored.metadata.iter().flat_map(|(name, value)| [name.as_str(), value]);
        let all = [pairs.collect::<String>().as_bytes(), &stored.body].concat();
        assert!(all.windows(16).all(|window| !windows.contains(window)));
    }
}

#[test]
fn b10_without_its_pair_an_object_is_not_ours_and_with_one_plain_content_is_refused() {
    let mut client = Client::new();
    client.put("one", b"content");
    client.put_in_parts("parts", &[(1, b"content")]);
    for key in ["one", "parts"] {
        let pairs = client.bucket[key].metadata.clone();
        client.bucket.get_mut(key).unwrap().metadata.clear();
        assert_eq!(client.get(key, &ReadRange::Whole), Err(Refused::NotOurs));
        let plain = client.bucket.get_mut(key).unwrap();
        (plain.metadata, plain.body) = (pairs, b"content".to_vec());
        assert!(matches!(client.get(key, &ReadRange::Whole), Err(Refused::Format(_))));
        let range = ReadRange::Bytes(0..1);
        assert!(matches!(client.get(key, &range), Err(Refused::Format(_))));
    }
}

#[test]
fn f14_pairs_of_both_kinds_or_one_twice_are_refused() {
    let mut client = Client::new();
    client.put("one", b"content");
    client.put_in_parts("parts", &[(1, b"content")]);
    let pair = |key: &str| client.bucket[key].metadata.last().unwrap().clone();
    let (envelope, companion) = (pair("one"), pair("parts"));
    let parse = |pairs: &[&(String, String)]| {
        StoredEnvelope::parse("one", pairs.iter().map(|pair| (&pair.0, &pair.1)))
    };
    for both in [[&envelope, &companion], [&companion, &envelope]] {
        assert_eq!(parse(&both), Err(OwnFormatError::TwoPlaces));
    }
    for (pair, name) in [(&envelope, ENVELOPE_PAIR_NAME), (&companion, COMPANION_PAIR_NAME)] {
        assert_eq!(parse(&[pair, pair]), Err(OwnFormatError::RepeatedPair(name)));
        let header = (format!("X-Amz-Meta-{}", pair.0), "another value".to_owned());
        assert_eq!(parse(&[pair, &header]), Err(OwnFormatError::RepeatedPair(name)));
        assert!(parse(&[pair]).unwrap().is_some());
    }
    // S3 joins the values of a header that was sent twice.
    let joined = (envelope.0.clone(), format!("{0},{0}", envelope.1));
    assert!(matches!(parse(&[&joined]), Err(OwnFormatError::Core(Error::Malformed { .. }))));
}

#[test]
fn b1_an_object_copied_under_another_key_does_not_open() {
    let mut client = Client::new();
    client.put("one", b"content");
    let name = client.put_in_parts("parts", &[(1, b"content")]);
    for key in ["one", "parts"] {
        let copy = client.bucket[key].clone();
        client.bucket.insert("copy".into(), copy);
        let read = client.get("copy", &ReadRange::Whole);
        if key == "parts" {
            assert_eq!(read, Err(Refused::NoSuchKey), "there is no companion of the copy");
            let companion = client.bucket[name.as_str()].clone();
            let copy = client.head("copy").unwrap().1;
            let StoredEnvelope::Companion(copied) = copy else { panic!("has one") };
            client.bucket.insert(copied.to_string(), companion);
        }
        let read = client.get("copy", &ReadRange::Whole);
        let rejected = matches!(
            read,
            Err(Refused::Format(OwnFormatError::Core(Error::Rejected { step: Step::KeyWrap, .. })))
        );
        assert!(rejected, "{read:?}");
    }
}

#[test]
fn keys_that_no_object_may_have_are_refused() {
    let mut client = Client::new();
    let name = client.put_in_parts("parts", &[(1, b"content")]);
    client.put("one", b"content");
    let (_, StoredEnvelope::Metadata(envelope)) = client.head("one").unwrap() else {
        panic!("is in one piece")
    };
    for reserved in [name.as_str(), ""] {
        let refused = StoredEnvelope::in_metadata(reserved, (*envelope).clone());
        assert_eq!(refused, Err(OwnFormatError::ReservedKey));
        let pairs = client.bucket["one"].metadata.iter().map(|(name, value)| (name, value));
        assert_eq!(StoredEnvelope::parse(reserved, pairs), Err(OwnFormatError::ReservedKey));
        let refused = StoredEnvelope::in_companion(reserved, name.object_id());
        assert_eq!(refused, Err(OwnFormatError::ReservedKey));
    }
    let long = "x".repeat(MAX_OBJECT_KEY_LEN + 1);
    let refused = StoredEnvelope::in_companion(&long, name.object_id());
    assert_eq!(refused, Err(OwnFormatError::KeyTooLong));
    client.put(&long, b"in one piece it has room");
    assert!(client.get(&long, &ReadRange::Whole).is_ok());
}

/// Gives keys whose blob has any length.
struct Blobs(usize);

impl KeySource for Blobs {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(async {
            let (key_ref, blob) =
                (KeyRef::Client(String::new()), KeyBlob::client(vec![0; self.0])?);
            Ok(FreshKey { key: raw_key(), key_ref, blob })
        })
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        _: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(async { Err(Error::Misuse("nothing is read")) })
    }
}

#[test]
fn an_envelope_that_s3_could_not_keep_as_metadata_is_refused() {
    let envelope = |blob| -> Envelope {
        let cipher = LayeredCipher::client(Blobs(blob), AwsLc);
        StoredObject::seal(&cipher, &cx("k"), b"", &Attributes::default()).unwrap().envelope
    };
    let without = envelope(0).as_bytes().len();
    // 2,026 bytes are left for base64, which comes by fours: 1,518 bytes.
    for (length, fits) in [(1_517, true), (1_518, true), (1_519, false), (1_520, false)] {
        let placed = StoredEnvelope::in_metadata("k", envelope(length - without));
        match placed {
            Ok(placed) => {
                let (name, value) = placed.pair();
                assert!(fits && name.len() + value.len() <= MAX_PAIR_LEN);
                assert_eq!(StoredEnvelope::parse("k", [(name, value)]), Ok(Some(placed)));
            }
            Err(error) => assert!(!fits && error == OwnFormatError::MetadataTooLong),
        }
    }
}

#[test]
fn f13_an_envelope_of_another_mode_or_altered_text_is_refused() {
    let keys = TestKeys::new(EkSource::Customer, [7; 32]);
    let sse_c = LayeredCipher::sse_c(keys, AwsLc);
    let stored = StoredObject::seal(&sse_c, &cx("k"), b"", &Attributes::default()).unwrap();
    let text = stored.envelope.to_text();
    let other_mode = |result| matches!(result, Err(OwnFormatError::Core(Error::WrongMode { .. })));
    assert!(other_mode(StoredEnvelope::parse("k", [(ENVELOPE_PAIR_NAME, &text)]).map(drop)));
    assert!(other_mode(StoredEnvelope::in_metadata("k", stored.envelope).map(drop)));
    for altered in [String::new(), format!("{text}="), format!(" {text}"), text[1..].into()] {
        let parsed = StoredEnvelope::parse("k", [(ENVELOPE_PAIR_NAME, altered)]);
        assert!(matches!(parsed, Err(OwnFormatError::Core(Error::Malformed { .. }))));
    }
    let long = "A".repeat(30_000);
    let parsed = StoredEnvelope::parse("k", [(ENVELOPE_PAIR_NAME, long)]);
    let fault = Fault::TooLong;
    let too_long = matches!(parsed, Err(OwnFormatError::Core(Error::Malformed { fault: f, .. })) if f == fault);
    assert!(too_long);
}
