//! Multipart uploads and attacks on them (group M).

use std::collections::BTreeMap;

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, Checksum, ChecksumAlgorithm, Completion, ETag, EkSource, Envelope, Error,
    KeylessReceipts, LayeredCipher, Mode, ObjectCipher, ObjectContext, PartFault, PartTable,
    PartTableFault, ReadRange, State, StoredPart, Suite, Uploader,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, TestKeys, Watched, now};

use crate::modes::{all, cipher, cx, one_a_suite, plaintext, upload_cx};

fn create(cipher: &dyn ObjectCipher) -> Uploader {
    now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap()
}

fn two_parts(cipher: &dyn ObjectCipher) -> (StoredObject, Vec<u8>) {
    let content = plaintext(40_000);
    let parts = [(1, &content[..20_000]), (2, &content[20_000..])];
    (StoredObject::upload(cipher, &upload_cx(), &parts, &Attributes::default()).unwrap(), content)
}

#[test]
fn parts_from_several_processes_in_any_order_make_one_object() {
    for cipher in all() {
        let first = create(&*cipher);
        let stored = Envelope::parse(first.envelope().as_bytes()).unwrap();
        assert_eq!(stored.state(), State::Upload);
        let second = now(cipher.resume_upload(&upload_cx(), &stored)).unwrap();
        let content = plaintext(60_000);
        let (body_3, receipt_3) = StoredObject::seal_part(&second, 3, &content[30_000..]).unwrap();
        let (body_1, receipt_1) = StoredObject::seal_part(&first, 1, &content[..30_000]).unwrap();
        let third = now(cipher.resume_upload(&upload_cx(), &stored)).unwrap();
        let opened =
            [(1, &receipt_1, &body_1), (3, &receipt_3, &body_3)].map(|(part, receipt, body)| {
                third.open_receipt(&StoredObject::stored_part(&third, part, receipt, body)).unwrap()
            });
        let attributes = Attributes { etag: Some(ETag([9; 16])), ..Attributes::default() };
        let completed = third.complete(&opened, b"v1", &attributes).unwrap();
        let object = StoredObject {
            envelope: completed.envelope,
            bodies: [(1, body_1), (3, body_3)].into(),
            table: Some(completed.part_table),
        };
        let opener = object.open(&*cipher, &cx()).unwrap();
        assert_eq!((opener.part_count(), opener.etag()), (Some(2), Some(ETag([9; 16]))));
        assert_eq!(object.read(&*cipher, &cx(), &ReadRange::Whole).unwrap(), content);
    }
}

#[test]
fn m1_parts_sent_again_never_repeat_a_key_and_nonce() {
    let backend = Watched::new(AwsLc);
    let cipher = cipher(Mode::SseC, EkSource::Customer, backend.clone());
    let uploader = create(&*cipher);
    for _ in 0..3 {
        for part in 1..=20 {
            StoredObject::seal_part(&uploader, part, &plaintext(50_000)).unwrap();
        }
    }
    assert!(backend.watch().seals() > 3 * 20 * 4);
    assert_eq!(backend.watch().repeats(), 0);
    // The watch does notice a repetition.
    let sealer = uploader.part(1).unwrap();
    let chunks = object_cipher_core::BodySealer::chunks(&sealer);
    chunks.seal(0, true, &mut [0; 20]).unwrap();
    chunks.seal(0, true, &mut [1; 20]).unwrap();
    assert_eq!(backend.watch().repeats(), 1);
}

#[test]
fn m2_m3_swapped_parts_and_earlier_attempts_are_refused() {
    for cipher in all() {
        let (stored, content) = two_parts(&*cipher);
        let mut swapped = stored.clone();
        let (one, two) = (stored.bodies[&1].clone(), stored.bodies[&2].clone());
        swapped.bodies = [(1, two), (2, one)].into();
        let driven = swapped.fetch(&*cipher, &cx(), &ReadRange::Whole);
        assert!(driven.result.is_err() && driven.released.is_empty());

        let uploader = create(&*cipher);
        let (old, old_receipt) = StoredObject::seal_part(&uploader, 1, &content).unwrap();
        let (new, new_receipt) = StoredObject::seal_part(&uploader, 1, &content).unwrap();
        for (receipt, body) in [(&old_receipt, &new), (&new_receipt, &old)] {
            let part = StoredObject::stored_part(&uploader, 1, receipt, body);
            let error = uploader.open_receipt(&part).unwrap_err();
            assert!(matches!(error, Error::Part { fault: PartFault::Body, .. }), "{error}");
        }
        // After Complete the earlier attempt is refused when it is read.
        let part = StoredObject::stored_part(&uploader, 1, &new_receipt, &new);
        let receipt = uploader.open_receipt(&part).unwrap();
        let completed = uploader.complete(&[receipt], b"", &Attributes::default()).unwrap();
        let put_back = StoredObject {
            envelope: completed.envelope,
            table: Some(completed.part_table),
            bodies: [(1, old)].into(),
        };
        assert!(put_back.read(&*cipher, &cx(), &ReadRange::Whole).is_err());
        assert!(put_back.read(&*cipher, &cx(), &ReadRange::Bytes(5..6)).is_err());
    }
}

#[test]
fn m4_receipts_and_parts_of_another_upload_are_refused() {
    for cipher in all() {
        let (ours, theirs) = (create(&*cipher), create(&*cipher));
        let (body, receipt) = StoredObject::seal_part(&theirs, 1, b"theirs").unwrap();
        let part = StoredObject::stored_part(&ours, 1, &receipt, &body);
        assert!(matches!(ours.open_receipt(&part), Err(Error::Rejected { .. })));
        let part = StoredObject::stored_part(&theirs, 1, &receipt, &body);
        let foreign = theirs.open_receipt(&part).unwrap();
        let error = ours.complete(&[foreign], b"", &Attributes::default()).unwrap_err();
        assert!(matches!(error, Error::Part { fault: PartFault::Foreign, .. }));
        // Under another part number the receipt does not open either.
        let part = StoredObject::stored_part(&theirs, 2, &receipt, &body);
        assert!(matches!(theirs.open_receipt(&part), Err(Error::Rejected { .. })));
    }
}

#[test]
fn m5_an_altered_part_table_is_refused() {
    for cipher in one_a_suite() {
        let uploader = create(&*cipher);
        let mut bodies = BTreeMap::new();
        let mut receipts = Vec::new();
        for part in 1..=300 {
            let (body, receipt) = StoredObject::seal_part(&uploader, part, b"some bytes").unwrap();
            let stored = StoredObject::stored_part(&uploader, part, &receipt, &body);
            receipts.push(uploader.open_receipt(&stored).unwrap());
            bodies.insert(part, body);
        }
        let completed = uploader.complete(&receipts, b"", &Attributes::default()).unwrap();
        let suite = cipher.mode().suite();
        let table = completed.part_table.to_bytes();
        assert_eq!(PartTable::parse(suite, &table).unwrap(), completed.part_table);
        let envelope = completed.envelope;
        let stored =
            |table| StoredObject { envelope: envelope.clone(), bodies: bodies.clone(), table };
        let whole = stored(Some(completed.part_table)).read(&*cipher, &cx(), &ReadRange::Whole);
        assert_eq!(whole.unwrap().len(), 3_000);
        for at in (0..table.len()).step_by(41) {
            let mut altered = table.clone();
            altered[at] ^= 0x10;
            let Ok(altered) = PartTable::parse(suite, &altered) else { continue };
            let read = stored(Some(altered)).read(&*cipher, &cx(), &ReadRange::Whole);
            assert!(matches!(read, Err(Error::PartTable { .. } | Error::Malformed { .. })), "{at}");
        }
        for length in (0..table.len()).step_by(397) {
            assert!(PartTable::parse(suite, &table[..length]).is_err());
        }
        let read = stored(None).read(&*cipher, &cx(), &ReadRange::Whole);
        let missing = PartTableFault::Missing;
        assert!(matches!(read, Err(Error::PartTable { fault, .. }) if fault == missing));
    }
}

#[test]
fn m6_ten_thousand_parts_in_any_order_make_one_valid_object() {
    let cipher = cipher(Mode::SseKms, EkSource::Kms, AwsLc);
    let uploader = create(&*cipher);
    let content = plaintext(10_000 * 7);
    let part_of = |part: u32| {
        let at = (part as usize - 1) * 7;
        &content[at..at + 7]
    };
    let sealed: Vec<_> = std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..8_u32)
            .map(|task| {
                let (uploader, part_of) = (&uploader, &part_of);
                scope.spawn(move || {
                    let mine = (1..=10_000_u32)
                        .map(|n| (n * 7_919) % 10_007)
                        .filter(|part| (1..=10_000).contains(part) && part % 8 == task);
                    let mut sealed = Vec::new();
                    for part in mine {
                        // Every tenth part is sent twice; the second attempt counts.
                        for _ in 0..if part % 10 == 0 { 2 } else { 1 } {
                            let attempt = StoredObject::seal_part(uploader, part, part_of(part));
                            sealed.push((part, attempt.unwrap()));
                        }
                    }
                    sealed
                })
            })
            .collect();
        tasks.into_iter().flat_map(|task| task.join().unwrap()).collect()
    });
    let mut attempts: BTreeMap<u32, (Vec<u8>, Vec<u8>)> = sealed.into_iter().collect();
    for part in 1..=10_000 {
        // The walk above leaves some numbers out.
        attempts
            .entry(part)
            .or_insert_with(|| StoredObject::seal_part(&uploader, part, part_of(part)).unwrap());
    }
    let receipts: Vec<_> = attempts
        .iter()
        .map(|(part, (body, receipt))| {
            let stored = StoredObject::stored_part(&uploader, *part, receipt, body);
            uploader.open_receipt(&stored).unwrap()
        })
        .collect();
    let completed = uploader.complete(&receipts, b"", &Attributes::default()).unwrap();
    assert_eq!(completed.part_table.index().len(), 1_764);
    let object = StoredObject {
        envelope: completed.envelope,
        bodies: attempts.into_iter().map(|(part, (body, _))| (part, body)).collect(),
        table: Some(completed.part_table),
    };
    assert_eq!(object.read(&*cipher, &cx(), &ReadRange::Whole).unwrap(), content);
    let range = object.read(&*cipher, &cx(), &ReadRange::Bytes(34_567..34_600)).unwrap();
    assert_eq!(range, &content[34_567..34_600]);
}

#[test]
fn m7_an_upload_is_not_an_object_nor_an_object_an_upload() {
    for cipher in all() {
        let uploader = create(&*cipher);
        let error = now(cipher.open(&upload_cx(), uploader.envelope())).unwrap_err();
        assert!(matches!(error, Error::WrongState { .. }));
        let (stored, _) = two_parts(&*cipher);
        let error = now(cipher.resume_upload(&upload_cx(), &stored.envelope)).unwrap_err();
        assert!(matches!(error, Error::WrongState { .. }));
        // Nor does it help to change the state by hand.
        for (envelope, state) in [(uploader.envelope(), 1), (&stored.envelope, 2)] {
            let mut bytes = envelope.as_bytes().to_vec();
            bytes[7] = state;
            assert!(Envelope::parse(&bytes).is_err());
        }
    }
}

#[test]
fn m8_a_stale_or_foreign_etag_or_checksum_is_an_invalid_part() {
    let cipher = &*one_a_suite().remove(0);
    let uploader = create(cipher);
    let checksum = Checksum::new(ChecksumAlgorithm::Crc32C, &[1, 2, 3, 4]).unwrap();
    let mut stream = uploader.part(1).unwrap().into_stream();
    let body = object_cipher_testkit::drive(&mut stream, b"part", 100).complete().unwrap();
    let receipt = stream.finish(ETag([1; 16]), &[checksum]).unwrap();
    let named = |etag, checksum| {
        let part = StoredObject::stored_part(&uploader, 1, &receipt, &body);
        uploader.open_receipt(&StoredPart { etag, checksum, ..part })
    };
    let opened = named(Some(ETag([1; 16])), Some(checksum)).unwrap();
    assert_eq!((opened.etag(), opened.checksums()), (ETag([1; 16]), &[checksum][..]));
    let stale = named(Some(ETag([2; 16])), None).unwrap_err();
    assert!(matches!(stale, Error::Part { fault: PartFault::ETag, .. }));
    let other = Checksum::new(ChecksumAlgorithm::Crc32C, &[0; 4]).unwrap();
    let wrong = named(None, Some(other)).unwrap_err();
    assert!(matches!(wrong, Error::Part { fault: PartFault::Checksum, .. }));
}

#[test]
fn m9_a_missing_or_unreadable_receipt_is_refused() {
    for cipher in one_a_suite() {
        let uploader = create(&*cipher);
        let (body, receipt) = StoredObject::seal_part(&uploader, 1, b"bytes").unwrap();
        for at in 0..receipt.len() {
            let mut altered = receipt.clone();
            altered[at] ^= 1;
            let part = StoredObject::stored_part(&uploader, 1, &altered, &body);
            assert!(uploader.open_receipt(&part).is_err());
            let part = StoredObject::stored_part(&uploader, 1, &receipt[..at], &body);
            assert!(uploader.open_receipt(&part).is_err());
        }
        let error = uploader.complete(&[], b"", &Attributes::default()).unwrap_err();
        assert!(matches!(error, Error::Misuse(_)));
    }
}

#[test]
fn m10_a_part_under_another_key_is_refused() {
    let ours = cipher(Mode::SseC, EkSource::Customer, RustCrypto);
    let keys = TestKeys::new(EkSource::Customer, [0x11; 32]);
    let other = LayeredCipher::sse_c(keys, RustCrypto);
    let uploader = create(&*ours);
    let error = now(other.resume_upload(&upload_cx(), uploader.envelope())).unwrap_err();
    assert!(matches!(error, Error::Rejected { .. }));
}

#[test]
fn parts_out_of_order_or_out_of_bounds_are_refused() {
    let cipher = &*one_a_suite().remove(0);
    let uploader = create(cipher);
    for part in [0, 10_001, u32::MAX] {
        let error = uploader.part(part).unwrap_err();
        assert!(matches!(error, Error::Part { fault: PartFault::Number, .. }));
    }
    let receipts = [2, 1].map(|part| {
        let (body, receipt) = StoredObject::seal_part(&uploader, part, b"x").unwrap();
        let stored = StoredObject::stored_part(&uploader, part, &receipt, &body);
        uploader.open_receipt(&stored).unwrap()
    });
    for wrong in [vec![receipts[0].clone(), receipts[1].clone()], vec![receipts[0].clone(); 2]] {
        let error = uploader.complete(&wrong, b"", &Attributes::default()).unwrap_err();
        assert!(matches!(error, Error::Part { fault: PartFault::Order, .. }));
    }
    assert!(uploader.part(1).unwrap().finish((5 << 30) + 1, ETag([0; 16]), &[]).is_err());
}

#[test]
fn m14_only_an_upload_created_for_it_is_completed_without_its_key() {
    let cipher = cipher(Mode::SseC, EkSource::Customer, RustCrypto);
    let keyed = create(&*cipher);
    assert!(matches!(keyed.envelope().complete_without_key(), Err(Error::Misuse(_))));
    // The flag set by hand breaks the wrap, the state set by hand the form.
    let mut bytes = keyed.envelope().as_bytes().to_vec();
    bytes[8] |= 4;
    let forged = Envelope::parse(&bytes).unwrap();
    assert!(now(cipher.resume_upload(&upload_cx(), &forged)).is_err());
    let forged = forged.complete_without_key().unwrap();
    assert!(now(cipher.resume_keyless_upload(&upload_cx(), &forged)).is_err());
    let mut bytes = keyed.envelope().as_bytes().to_vec();
    bytes[7] = 3;
    assert!(Envelope::parse(&bytes).is_err());
}

#[test]
fn a_keyless_upload_is_finished_by_who_has_the_key() {
    let cipher = cipher(Mode::SseC, EkSource::Customer, AwsLc);
    let uploader = now(cipher.create_upload(&upload_cx(), Completion::Keyless)).unwrap();
    let content = plaintext(30_000);
    let sealed = [(4, &content[..12_345]), (9, &content[12_345..])]
        .map(|(part, bytes)| (part, StoredObject::seal_part(&uploader, part, bytes).unwrap()));
    // The host, without the key.
    let envelope = uploader.envelope().complete_without_key().unwrap();
    let envelope = Envelope::parse(envelope.as_bytes()).unwrap();
    assert_eq!(envelope.state(), State::KeylessUpload);
    let kept = sealed.iter().map(|(part, (_, receipt))| (*part, receipt.clone())).collect();
    let kept = KeylessReceipts::new(kept).unwrap().to_bytes().unwrap();
    // Nobody takes it for an object or for an upload in progress.
    assert!(now(cipher.open(&upload_cx(), &envelope)).is_err());
    assert!(now(cipher.resume_upload(&upload_cx(), &envelope)).is_err());
    // A reader with the key finishes it.
    let reader = now(cipher.resume_keyless_upload(&upload_cx(), &envelope)).unwrap();
    assert!(reader.part(5).is_err(), "no more parts");
    let kept = KeylessReceipts::parse(&kept).unwrap();
    let bodies: BTreeMap<u32, Vec<u8>> =
        sealed.into_iter().map(|(part, (body, _))| (part, body)).collect();
    let receipts: Vec<_> = kept
        .iter()
        .map(|(part, receipt)| {
            let stored = StoredObject::stored_part(&reader, part, receipt, &bodies[&part]);
            reader.open_receipt(&stored).unwrap()
        })
        .collect();
    let completed = reader.complete(&receipts, b"v1", &Attributes::default()).unwrap();
    let object =
        StoredObject { envelope: completed.envelope, bodies, table: Some(completed.part_table) };
    assert_eq!(object.read(&*cipher, &cx(), &ReadRange::Whole).unwrap(), content);
}

#[test]
fn keyless_completion_is_for_sse_c_only() {
    for cipher in all() {
        let created = now(cipher.create_upload(&upload_cx(), Completion::Keyless));
        assert_eq!(created.is_ok(), cipher.mode() == Mode::SseC);
    }
    let no_upload_id = ObjectContext::new("realm", "bucket", "key");
    for cipher in one_a_suite() {
        let created = now(cipher.create_upload(&no_upload_id, Completion::WithKey));
        assert!(matches!(created, Err(Error::Misuse(_))));
    }
}

#[test]
fn kept_receipts_have_one_form() {
    let receipts = KeylessReceipts::new(vec![(1, vec![1, 2]), (3, vec![])]).unwrap();
    let bytes = receipts.to_bytes().unwrap();
    assert_eq!(bytes, [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 0, 0, 0, 3, 0, 0, 0, 0]);
    assert_eq!(KeylessReceipts::parse(&bytes).unwrap(), receipts);
    for length in 0..bytes.len() {
        assert!(KeylessReceipts::parse(&bytes[..length]).is_err());
    }
    for parts in [vec![], vec![0], vec![10_001], vec![2, 2], vec![3, 2]] {
        let receipts = parts.into_iter().map(|part| (part, vec![])).collect();
        assert!(KeylessReceipts::new(receipts).is_err());
    }
    assert!(PartTable::parse(Suite::OneLayer, &[0, 0, 0, 0]).is_err());
}
