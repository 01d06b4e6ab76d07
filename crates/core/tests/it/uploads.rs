//! Multipart uploads: many parts, other keys, completion without the key (group M).

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, BoxFuture, ChunkSealer, Completion, EkSource, Envelope, Error, FreshKey, KeyBlob,
    KeyRef, KeySource, KeylessReceipts, LayeredCipher, Mode, ObjectCipher, ObjectContext,
    PartTable, ReadRange, Result, SourceKey, State, Suite, Uploader,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, TestKeys, Watched, cx, now, plaintext, upload_cx};

use crate::modes::{all, cipher, dsse_kms};

fn create(cipher: &dyn ObjectCipher) -> Uploader {
    now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap()
}

#[test]
fn m1_parts_sent_again_never_repeat_a_key_and_nonce() {
    let backend = Watched::new(AwsLc);
    let cipher = cipher(Mode::SseC, EkSource::Customer, backend.clone());
    let uploader = create(&*cipher);
    seal_a_million_chunks(&uploader);
    assert!(backend.watch().seals() >= 1_000_000);
    assert_eq!(backend.watch().repeats(), 0);
    // The watch does notice a repetition.
    let chunks = uploader.part(1).unwrap().into_chunks();
    chunks.seal(0, true, &mut [0; 20]).unwrap();
    chunks.seal(0, true, &mut [1; 20]).unwrap();
    assert_eq!(backend.watch().repeats(), 1);
}

#[test]
fn m1_nor_does_either_of_two_layers() {
    let (inner, outer) = (Watched::new(RustCrypto), Watched::new(AwsLc));
    let cipher = dsse_kms(inner.clone(), outer.clone());
    seal_a_million_chunks(&create(&*cipher));
    for watched in [inner.watch(), outer.watch()] {
        assert!(watched.seals() >= 1_000_000);
        assert_eq!(watched.repeats(), 0);
    }
}

/// A hundred parts, each sent twice.
fn seal_a_million_chunks(uploader: &Uploader) {
    for part in 1..=100 {
        for _ in 0..2 {
            let chunks = uploader.part(part).unwrap().into_chunks();
            for index in 0..5_000 {
                chunks.seal(index, true, &mut [0x5A; 48]).unwrap();
            }
        }
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
    let completed =
        now(cipher.complete_upload(&uploader, &cx(), &receipts, &Attributes::default())).unwrap();
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
fn an_upload_is_completed_in_its_own_mode() {
    let ours = cipher(Mode::SseKms, EkSource::Kms, RustCrypto);
    let uploader = create(&*ours);
    let (body, receipt) = StoredObject::seal_part(&uploader, 1, b"x").unwrap();
    let stored = StoredObject::stored_part(&uploader, 1, &receipt, &body);
    let parts = [uploader.open_receipt(&stored).unwrap()];
    for other in all() {
        let (cx, attributes) = (cx(), Attributes::default());
        let completed = now(other.complete_upload(&uploader, &cx, &parts, &attributes));
        match other.mode() {
            Mode::SseKms => assert!(completed.is_ok()),
            _ => assert!(matches!(completed, Err(Error::Misuse(_)))),
        }
    }
}

#[test]
fn a_source_that_renews_one_layer_of_two_is_refused() {
    /// Renews every second key that it is asked for.
    struct Half(TestKeys, AtomicU64);

    impl KeySource for Half {
        fn fresh<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
            self.0.fresh(cx)
        }

        fn recover<'a>(
            &'a self,
            cx: &'a ObjectContext<'a>,
            key_ref: &'a KeyRef,
            blob: &'a KeyBlob,
        ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
            self.0.recover(cx, key_ref, blob)
        }

        fn renewed<'a>(
            &'a self,
            cx: &'a ObjectContext<'a>,
        ) -> BoxFuture<'a, Result<Option<FreshKey>>> {
            let odd = self.1.fetch_add(1, Ordering::Relaxed) % 2 == 1;
            Box::pin(async move { if odd { self.0.fresh(cx).await.map(Some) } else { Ok(None) } })
        }
    }

    for first in [0, 1] {
        let keys = Half(TestKeys::new(EkSource::Kms, [3; 32]), AtomicU64::new(first));
        let cipher = LayeredCipher::dsse_kms(keys, RustCrypto, AwsLc);
        let uploader = create(&cipher);
        let (body, receipt) = StoredObject::seal_part(&uploader, 1, b"x").unwrap();
        let stored = StoredObject::stored_part(&uploader, 1, &receipt, &body);
        let parts = [uploader.open_receipt(&stored).unwrap()];
        let completed =
            now(cipher.complete_upload(&uploader, &cx(), &parts, &Attributes::default()));
        assert!(matches!(completed, Err(Error::Misuse(_))));
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
    let completed =
        now(cipher.complete_upload(&reader, &cx(), &receipts, &Attributes::default())).unwrap();
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
    for cipher in all() {
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
