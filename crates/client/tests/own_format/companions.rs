//! Attacks on companion objects.

use std::collections::BTreeMap;

use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{
    COMPANION_PAIR_NAME, Companion, CompanionName, MAX_COMPANION_LEN, OwnFormatError,
    StoredEnvelope,
};
use object_cipher_core::{
    Attributes, CompletedUpload, Completion, ENVELOPE_PAIR_NAME, EkSource, Envelope, Error, Fault,
    LayeredCipher, ObjectCipher, PartTable, ReadRange, Step, Suite,
};
use object_cipher_testkit::{StoredObject, TestKeys, now};

use crate::bucket::{Client, Refused, Stored, companion_bytes, completed, content, cx, name};

/// A bucket with one object of two parts, its companion's name and bytes.
fn one_object() -> (Client, CompanionName, Vec<u8>) {
    let mut client = Client::new();
    let name = client.put_in_parts("cat.jpg", &[(1, b"a photo "), (2, b"of a cat")]);
    let bytes = client.bucket[name.as_str()].body.clone();
    (client, name, bytes)
}

fn read(client: &Client) -> Result<Vec<u8>, Refused> {
    client.get("cat.jpg", &ReadRange::Whole)
}

fn malformed(result: Result<Companion, OwnFormatError>) -> Fault {
    match result.unwrap_err() {
        OwnFormatError::Malformed { fault, .. }
        | OwnFormatError::Core(Error::Malformed { fault, .. }) => fault,
        other => panic!("{other}"),
    }
}

/// The Envelope of an object in one piece, by the same keys.
fn in_one_piece(client: &mut Client) -> Envelope {
    client.put("one", b"content");
    match client.head("one").unwrap().1 {
        StoredEnvelope::Metadata(envelope) => *envelope,
        StoredEnvelope::Companion(_) => panic!("is in one piece"),
    }
}

#[test]
fn a_companion_is_laid_out_as_the_specification_says() {
    let (client, name, bytes) = one_object();
    assert_eq!(name.as_str(), format!("cat.jpg.{}.object-cipher", name.object_id()));
    let companion = client.companion(&name).unwrap();
    let (envelope, table) = (companion.envelope().as_bytes(), companion.part_table().to_bytes());
    assert_eq!(bytes[..5], [0x89, 0x53, 0x33, 0x43, 1]);
    assert_eq!(bytes[5..9], u32::try_from(envelope.len()).unwrap().to_be_bytes());
    assert_eq!(bytes[9..], [envelope, &table].concat());
    assert_eq!(companion.to_bytes(), bytes);
    assert_eq!(table.len(), 4 + 44 + 2 * 68);
    assert_eq!(MAX_COMPANION_LEN, 9 + 16_384 + 4 + 40 * 44 + 10_000 * 68);
}

#[test]
fn f1_m5_every_flipped_bit_of_a_companion_is_refused() {
    let (mut client, name, bytes) = one_object();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            client.replace(&name, altered);
            assert!(matches!(read(&client), Err(Refused::Format(_))), "byte {at}, bit {bit}");
        }
    }
    client.replace(&name, bytes);
    assert_eq!(read(&client).unwrap(), b"a photo of a cat");
}

#[test]
fn f2_f3_a_companion_cut_or_with_bytes_behind_it_is_refused() {
    let (_, name, bytes) = one_object();
    for length in 0..bytes.len() {
        let fault = malformed(Companion::parse(&name, &bytes[..length]));
        assert_eq!(fault, Fault::TooShort, "{length}");
    }
    for behind in [&[0][..], &[0; 68], &[0xff; 10_000], &bytes] {
        let longer = [&bytes, behind].concat();
        assert_eq!(malformed(Companion::parse(&name, &longer)), Fault::TrailingBytes);
    }
}

#[test]
fn f13_another_magic_or_version_is_refused() {
    let (_, name, bytes) = one_object();
    for at in 0..5 {
        for other in (0..=255).filter(|other| *other != bytes[at]) {
            let mut altered = bytes.clone();
            altered[at] = other;
            let expected = if at < 4 { Fault::Magic } else { Fault::Version };
            assert_eq!(malformed(Companion::parse(&name, &altered)), expected);
        }
    }
}

#[test]
fn f15_lengths_and_counts_at_their_maximum_are_refused() {
    let (client, name, bytes) = one_object();
    let envelope_len = client.companion(&name).unwrap().envelope().as_bytes().len();
    let count = 9 + envelope_len;
    for (at, values) in
        [(5, [0, 1, 16_384, 16_385, u32::MAX]), (count, [0, 1, 10_000, 10_001, u32::MAX])]
    {
        for value in values {
            let mut altered = bytes.clone();
            altered[at..at + 4].copy_from_slice(&value.to_be_bytes());
            malformed(Companion::parse(&name, &altered));
        }
    }
    let huge = vec![0x89; MAX_COMPANION_LEN + 1];
    assert_eq!(malformed(Companion::parse(&name, &huge)), Fault::TooLong);
    let longest = vec![0x89; MAX_COMPANION_LEN];
    assert_eq!(malformed(Companion::parse(&name, &longest)), Fault::Magic);
}

#[test]
fn m4_the_companion_of_another_object_or_upload_is_refused() {
    let (mut client, name, bytes) = one_object();
    let twin = client.upload("cat.jpg", &[(1, b"a photo "), (2, b"of a cat")]);
    let other = client.upload("dog.jpg", &[(1, b"a photo "), (2, b"of a dog")]);
    for foreign in [&twin, &other] {
        client.replace(&name, foreign.companion.to_bytes());
        let (object, found) = (name.object_id(), foreign.name.object_id());
        assert_eq!(read(&client), Err(OwnFormatError::Foreign { object, found }.into()));

        // The metadata names it too, so that only the body is not its own.
        let moved = crate::bucket::name("cat.jpg", found);
        let body = foreign.companion.to_bytes();
        client.bucket.insert(moved.to_string(), Stored { metadata: vec![], body });
        let pair = (COMPANION_PAIR_NAME.to_owned(), found.to_string());
        let own = client.bucket["cat.jpg"].metadata.clone();
        client.bucket.get_mut("cat.jpg").unwrap().metadata = vec![pair];
        for range in [ReadRange::Whole, ReadRange::Bytes(0..1), ReadRange::Last(1)] {
            let refused = client.get("cat.jpg", &range).unwrap_err();
            let rejected = matches!(
                refused,
                Refused::Format(OwnFormatError::Core(Error::Rejected {
                    step: Step::Body | Step::KeyWrap,
                    ..
                }))
            );
            assert!(rejected, "{refused:?}");
        }
        client.bucket.get_mut("cat.jpg").unwrap().metadata = own;
    }
    client.replace(&name, bytes);
    assert!(read(&client).is_ok());
}

#[test]
fn m5_an_envelope_with_the_table_of_another_upload_is_refused() {
    let (mut client, name, _) = one_object();
    let own = client.companion(&name).unwrap();
    let twin = client.upload("cat.jpg", &[(1, b"a photo "), (2, b"of a cat")]).companion;
    let part_table = twin.part_table().clone();
    let mixed = Companion::new(CompletedUpload { part_table, ..completed(&own) }).unwrap();
    client.replace(&name, mixed.to_bytes());
    let refused = read(&client).unwrap_err();
    let table = matches!(refused, Refused::Format(OwnFormatError::Core(Error::PartTable { .. })));
    assert!(table, "{refused:?}");
}

#[test]
fn m5_pages_that_are_missing_repeated_or_swapped_are_refused() {
    let content = content(600);
    let parts: Vec<_> = (1..=600).zip(content.chunks(1)).collect();
    let mut client = Client::new();
    let name = client.put_in_parts("cat.jpg", &parts);
    let own = client.companion(&name).unwrap();
    let (index, pages) = (own.part_table().index(), own.part_table().pages());
    let with = |order: &[usize]| {
        let mut table = index.to_vec();
        for page in order {
            table.extend_from_slice(&pages[*page]);
        }
        companion_bytes(own.envelope().as_bytes(), &table)
    };
    assert_eq!(with(&[0, 1, 2]), own.to_bytes());
    for order in [&[][..], &[0], &[0, 1], &[1, 2], &[0, 2], &[0, 1, 1], &[0, 1, 2, 2]] {
        malformed(Companion::parse(&name, &with(order)));
    }
    client.replace(&name, with(&[1, 0, 2]));
    for range in [ReadRange::Whole, ReadRange::Bytes(0..1), ReadRange::Last(1)] {
        assert!(matches!(client.get("cat.jpg", &range), Err(Refused::Format(_))));
    }
}

#[test]
fn m5_a_table_opened_by_the_opener_of_another_is_refused() {
    let (mut client, small, _) = one_object();
    let parts: Vec<_> = (1..=257).map(|part| (part, &b"x"[..])).collect();
    let large = client.put_in_parts("large", &parts);
    let companions = BTreeMap::from([("cat.jpg", small), ("large", large)]);
    let open = |key: &str| {
        let companion = client.companion(&companions[key]).unwrap();
        let cx = cx(key).with_part_index(companion.part_table().index());
        let opener = now(client.cipher.open(&cx, companion.envelope())).unwrap();
        (companion, opener)
    };
    let ((small, small_opener), (large, large_opener)) = (open("cat.jpg"), open("large"));
    assert!(small.parts(&large_opener).is_err() && large.parts(&small_opener).is_err());
    let plan = large_opener.plan(&ReadRange::Last(1)).unwrap();
    assert!(large.parts(&large_opener).unwrap().fetches(&plan).is_ok());
    assert!(small.parts(&small_opener).unwrap().fetches(&plan).is_err());
    client.put("one", b"content");
    let (_, StoredEnvelope::Metadata(one)) = client.head("one").unwrap() else { panic!("is one") };
    let one = now(client.cipher.open(&cx("one"), &one)).unwrap();
    let plan = one.plan(&ReadRange::Whole).unwrap();
    assert!(large.parts(&large_opener).unwrap().fetches(&plan).is_err());

    // A table that ends after the first of two pages, beside the right index.
    let (index, pages) = (large.part_table().index(), large.part_table().pages());
    let shorter = [&256_u32.to_be_bytes(), &index[4..48], &pages[0]].concat();
    let part_table = PartTable::parse(Suite::OneLayer, &shorter).unwrap();
    let shorter = Companion::new(CompletedUpload { part_table, ..completed(&large) }).unwrap();
    assert!(shorter.parts(&large_opener).is_err());
    let without = now(client.cipher.open(&cx("large"), large.envelope())).unwrap();
    let missing = large.parts(&without);
    assert!(matches!(missing, Err(OwnFormatError::Core(Error::PartTable { .. }))));
}

#[test]
fn m7_envelopes_stand_only_where_their_kind_does() {
    let (mut client, name, _) = one_object();
    let parts = client.companion(&name).unwrap();
    let one = in_one_piece(&mut client);
    let cx = cx("cat.jpg").with_upload_id("our own");
    let uploader = now(client.cipher.create_upload(&cx, Completion::WithKey)).unwrap();
    let keys = TestKeys::new(EkSource::Customer, [7; 32]);
    let sse_c = LayeredCipher::sse_c(keys, AwsLc);
    let pieces: [(u32, &[u8]); 1] = [(1, b"content")];
    let sse_c = StoredObject::upload(&sse_c, &cx, &pieces, &Attributes::default()).unwrap();

    let in_companion = |envelope: &Envelope| {
        let bytes = companion_bytes(envelope.as_bytes(), &parts.part_table().to_bytes());
        Companion::parse(&crate::bucket::name("cat.jpg", envelope.object_id()), &bytes)
    };
    let in_metadata = |envelope: &Envelope| {
        StoredEnvelope::parse("cat.jpg", [(ENVELOPE_PAIR_NAME, envelope.to_text())])
    };
    let object = one.object_id();
    assert_eq!(in_companion(&one), Err(OwnFormatError::OtherPlace { object }));
    let object = name.object_id();
    assert_eq!(in_metadata(parts.envelope()), Err(OwnFormatError::OtherPlace { object }));
    let of_upload = |result: Option<OwnFormatError>| {
        matches!(result, Some(OwnFormatError::Core(Error::WrongState { .. })))
    };
    assert!(of_upload(in_companion(uploader.envelope()).err()));
    assert!(of_upload(in_metadata(uploader.envelope()).err()));
    let other_mode = |result: Option<OwnFormatError>| {
        matches!(result, Some(OwnFormatError::Core(Error::WrongMode { .. })))
    };
    assert!(other_mode(in_companion(&sse_c.envelope).err()));
    assert!(other_mode(in_metadata(&sse_c.envelope).err()));
}

#[test]
fn m2_parts_swapped_in_the_stored_object_and_bytes_behind_the_last_are_refused() {
    let (mut client, _, _) = one_object();
    let body = client.bucket["cat.jpg"].body.clone();
    let half = body.len() / 2;
    let swapped = [&body[half..], &body[..half]].concat();
    let doubled = [&body[..half], &body[..half]].concat();
    let longer = [&body[..], &[0]].concat();
    for altered in [swapped, doubled, longer, body[..body.len() - 1].to_vec(), vec![]] {
        client.bucket.get_mut("cat.jpg").unwrap().body = altered;
        assert!(matches!(read(&client), Err(Refused::Format(_))));
    }
    client.bucket.get_mut("cat.jpg").unwrap().body = body;
    assert!(read(&client).is_ok());
}

#[test]
fn b5_a_new_key_or_name_takes_a_new_companion_and_leaves_the_body() {
    let (mut client, own_name, bytes) = one_object();
    let before = client.bucket["cat.jpg"].clone();
    let companion = client.companion(&own_name).unwrap();
    let opener = now(client.cipher.open(&cx("cat.jpg"), companion.envelope())).unwrap();
    let rewrapped = |client: &Client, key: &str| {
        let envelope = now(client.cipher.rewrap(&opener, &cx(key))).unwrap();
        Companion::new(CompletedUpload { envelope, ..completed(&companion) }).unwrap()
    };

    // Another key: put over the old one.
    let other = Client { bucket: client.bucket.clone(), ..Client::new() };
    let rekeyed = rewrapped(&other, "cat.jpg").to_bytes();
    let mut other = other;
    other.replace(&own_name, rekeyed);
    assert_eq!(read(&other).unwrap(), b"a photo of a cat");
    assert_eq!(other.bucket["cat.jpg"], before);
    other.replace(&own_name, bytes);
    assert!(read(&other).is_err());

    // Another name: put beside the copy, which names the same id.
    let moved = name("dog.jpg", own_name.object_id());
    let body = rewrapped(&client, "dog.jpg").to_bytes();
    client.bucket.insert(moved.to_string(), Stored { metadata: vec![], body });
    client.bucket.insert("dog.jpg".into(), before);
    assert_eq!(client.get("dog.jpg", &ReadRange::Whole).unwrap(), b"a photo of a cat");
}
