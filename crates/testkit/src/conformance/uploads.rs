//! Multipart uploads and attacks on them (group M).

use std::collections::BTreeMap;

use crate::{StoredObject, cx, drive, now, plaintext, upload_cx};
use object_cipher_core::{
    Attributes, Checksum, ChecksumAlgorithm, Completion, ETag, Envelope, Error, ObjectCipher,
    ObjectContext, PartFault, PartTable, PartTableFault, ReadRange, State, StoredPart, Uploader,
};

fn create(cipher: &dyn ObjectCipher) -> Uploader {
    now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap()
}

fn two_parts(cipher: &dyn ObjectCipher) -> (StoredObject, Vec<u8>) {
    let content = plaintext(40_000);
    let parts = [(1, &content[..20_000]), (2, &content[20_000..])];
    (StoredObject::upload(cipher, &upload_cx(), &parts, &Attributes::default()).unwrap(), content)
}

/// Parts from several processes in any order make one object.
pub fn parts_from_several_processes_in_any_order_make_one_object(cipher: &dyn ObjectCipher) {
    let first = create(cipher);
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
    let completed = now(cipher.complete_upload(&third, &cx(), &opened, &attributes)).unwrap();
    let object = StoredObject {
        envelope: completed.envelope,
        bodies: [(1, body_1), (3, body_3)].into(),
        table: Some(completed.part_table),
    };
    let opener = object.open(cipher, &cx()).unwrap();
    assert_eq!((opener.part_count(), opener.etag()), (Some(2), Some(ETag([9; 16]))));
    assert_eq!(object.read(cipher, &cx(), &ReadRange::Whole).unwrap(), content);
}

/// M2, M3, M13: swapped parts and earlier attempts are refused, and so is one attempt's body with
/// another's receipt.
pub fn m2_m3_m13_swapped_parts_and_mixed_attempts_are_refused(cipher: &dyn ObjectCipher) {
    let (stored, content) = two_parts(cipher);
    let mut swapped = stored.clone();
    let (one, two) = (stored.bodies[&1].clone(), stored.bodies[&2].clone());
    swapped.bodies = [(1, two), (2, one)].into();
    let driven = swapped.fetch(cipher, &cx(), &ReadRange::Whole);
    assert!(driven.result.is_err() && driven.released.is_empty());

    let uploader = create(cipher);
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
    let completed =
        now(cipher.complete_upload(&uploader, &cx(), &[receipt], &Attributes::default())).unwrap();
    let put_back = StoredObject {
        envelope: completed.envelope,
        table: Some(completed.part_table),
        bodies: [(1, old)].into(),
    };
    assert!(put_back.read(cipher, &cx(), &ReadRange::Whole).is_err());
    assert!(put_back.read(cipher, &cx(), &ReadRange::Bytes(5..6)).is_err());
}

/// M4: receipts and parts of another upload are refused.
pub fn m4_receipts_and_parts_of_another_upload_are_refused(cipher: &dyn ObjectCipher) {
    let (ours, theirs) = (create(cipher), create(cipher));
    let (body, receipt) = StoredObject::seal_part(&theirs, 1, b"theirs").unwrap();
    let part = StoredObject::stored_part(&ours, 1, &receipt, &body);
    assert!(matches!(ours.open_receipt(&part), Err(Error::Rejected { .. })));
    let part = StoredObject::stored_part(&theirs, 1, &receipt, &body);
    let foreign = theirs.open_receipt(&part).unwrap();
    let error =
        now(cipher.complete_upload(&ours, &cx(), &[foreign], &Attributes::default())).unwrap_err();
    assert!(matches!(error, Error::Part { fault: PartFault::Foreign, .. }));
    // Under another part number the receipt does not open either.
    let part = StoredObject::stored_part(&theirs, 2, &receipt, &body);
    assert!(matches!(theirs.open_receipt(&part), Err(Error::Rejected { .. })));
}

/// M5: an altered part table is refused.
pub fn m5_an_altered_part_table_is_refused(cipher: &dyn ObjectCipher) {
    let uploader = create(cipher);
    let mut bodies = BTreeMap::new();
    let mut receipts = Vec::new();
    for part in 1..=300 {
        let (body, receipt) = StoredObject::seal_part(&uploader, part, b"some bytes").unwrap();
        let stored = StoredObject::stored_part(&uploader, part, &receipt, &body);
        receipts.push(uploader.open_receipt(&stored).unwrap());
        bodies.insert(part, body);
    }
    let completed =
        now(cipher.complete_upload(&uploader, &cx(), &receipts, &Attributes::default())).unwrap();
    let suite = cipher.mode().suite();
    let table = completed.part_table.to_bytes();
    assert_eq!(PartTable::parse(suite, &table).unwrap(), completed.part_table);
    let envelope = completed.envelope;
    let stored = |table| StoredObject { envelope: envelope.clone(), bodies: bodies.clone(), table };
    let whole = stored(Some(completed.part_table)).read(cipher, &cx(), &ReadRange::Whole);
    assert_eq!(whole.unwrap().len(), 3_000);
    for at in (0..table.len()).step_by(41) {
        let mut altered = table.clone();
        altered[at] ^= 0x10;
        let Ok(altered) = PartTable::parse(suite, &altered) else { continue };
        let read = stored(Some(altered)).read(cipher, &cx(), &ReadRange::Whole);
        assert!(matches!(read, Err(Error::PartTable { .. } | Error::Malformed { .. })), "{at}");
    }
    for length in (0..table.len()).step_by(397) {
        assert!(PartTable::parse(suite, &table[..length]).is_err());
    }
    let read = stored(None).read(cipher, &cx(), &ReadRange::Whole);
    let missing = PartTableFault::Missing;
    assert!(matches!(read, Err(Error::PartTable { fault, .. }) if fault == missing));
}

/// M7: an upload is not an object nor an object an upload.
pub fn m7_an_upload_is_not_an_object_nor_an_object_an_upload(cipher: &dyn ObjectCipher) {
    let uploader = create(cipher);
    let error = now(cipher.open(&upload_cx(), uploader.envelope())).unwrap_err();
    assert!(matches!(error, Error::WrongState { .. }));
    let (stored, _) = two_parts(cipher);
    let error = now(cipher.resume_upload(&upload_cx(), &stored.envelope)).unwrap_err();
    assert!(matches!(error, Error::WrongState { .. }));
    // Nor does it help to change the state by hand.
    for (envelope, state) in [(uploader.envelope(), 1), (&stored.envelope, 2)] {
        let mut bytes = envelope.as_bytes().to_vec();
        bytes[7] = state;
        assert!(Envelope::parse(&bytes).is_err());
    }
}

/// M8: a stale or foreign etag or checksum is an invalid part.
pub fn m8_a_stale_or_foreign_etag_or_checksum_is_an_invalid_part(cipher: &dyn ObjectCipher) {
    let uploader = create(cipher);
    let checksum = Checksum::new(ChecksumAlgorithm::Crc32C, &[1, 2, 3, 4]).unwrap();
    let mut stream = uploader.part(1).unwrap().into_stream();
    let body = drive(&mut stream, b"part", 100).complete().unwrap();
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

/// M9: a missing or unreadable receipt is refused.
pub fn m9_a_missing_or_unreadable_receipt_is_refused(cipher: &dyn ObjectCipher) {
    let uploader = create(cipher);
    let (body, receipt) = StoredObject::seal_part(&uploader, 1, b"bytes").unwrap();
    for at in 0..receipt.len() {
        let mut altered = receipt.clone();
        altered[at] ^= 1;
        let part = StoredObject::stored_part(&uploader, 1, &altered, &body);
        assert!(uploader.open_receipt(&part).is_err());
        let part = StoredObject::stored_part(&uploader, 1, &receipt[..at], &body);
        assert!(uploader.open_receipt(&part).is_err());
    }
    let error =
        now(cipher.complete_upload(&uploader, &cx(), &[], &Attributes::default())).unwrap_err();
    assert!(matches!(error, Error::Misuse(_)));
}

/// Parts out of order or out of bounds are refused.
pub fn parts_out_of_order_or_out_of_bounds_are_refused(cipher: &dyn ObjectCipher) {
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
        let error = now(cipher.complete_upload(&uploader, &cx(), &wrong, &Attributes::default()))
            .unwrap_err();
        assert!(matches!(error, Error::Part { fault: PartFault::Order, .. }));
    }
    assert!(
        uploader.part(1).unwrap().into_chunks().finish((5 << 30) + 1, ETag([0; 16]), &[]).is_err()
    );
}

/// An upload becomes the object it was created for, with the version id and extra item that the host
/// knows when it completes.
pub fn an_upload_becomes_its_own_object_and_no_other(cipher: &dyn ObjectCipher) {
    let uploader = create(cipher);
    let (body, receipt) = StoredObject::seal_part(&uploader, 1, b"bytes").unwrap();
    let stored = StoredObject::stored_part(&uploader, 1, &receipt, &body);
    let receipt = uploader.open_receipt(&stored).unwrap();
    let complete = |cx: &ObjectContext<'_>| {
        now(cipher.complete_upload(
            &uploader,
            cx,
            std::slice::from_ref(&receipt),
            &Attributes::default(),
        ))
    };
    let other = ObjectContext::new("realm", "bucket", "other");
    assert!(matches!(complete(&other), Err(Error::Misuse(_))));
    let late = upload_cx().with_version_id("v7").with_extra("generation 7");
    let envelope = complete(&late).unwrap().envelope;
    assert!(now(cipher.open(&late, &envelope)).is_ok());
    assert!(now(cipher.open(&late.clone().with_extra("generation 8"), &envelope)).is_err());
    assert!(now(cipher.open(&late.with_version_id("v8"), &envelope)).is_err());
    // The upload's own Envelope has neither.
    for bit in [1, 8] {
        let mut bytes = uploader.envelope().as_bytes().to_vec();
        bytes[10] |= bit;
        assert!(Envelope::parse(&bytes).is_err());
    }
}
