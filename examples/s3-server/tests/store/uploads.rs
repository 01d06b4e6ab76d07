//! Uploads: their parts, their receipts, their end.

use futures::future::join_all;
use object_cipher_core::{Completion, ETag, Error as CipherError, ObjectCipher, ReadRange, Step};
use object_cipher_s3::ETagRule;
use object_store::ObjectStoreExt as _;
use s3_server::store::{Error, NamedPart, Upload};

use crate::{
    faulty::{Fate, Faulty, Operation},
    host::{self, Host},
    writes::Write,
};

async fn one_part(host: &Host, cipher: &dyn ObjectCipher, body: &[u8]) -> (Upload, NamedPart) {
    let parts = [(1, body.to_vec())];
    let (upload, named) = host.upload_of("a", cipher, Completion::WithKey, &parts).await.unwrap();
    (upload, named[0])
}

#[tokio::test]
async fn m6_ten_thousand_parts_from_eight_tasks_some_sent_again_make_one_object() {
    let host = Host::in_memory().await;
    let cipher = host.sse_s3();
    let upload = host.create("a", &cipher, Completion::WithKey).await.unwrap();
    let task = |task: u32| {
        let upload = upload.clone();
        async move {
            let mut named = Vec::new();
            // Rising by a number prime to 10,000: every part once, in no order.
            for part in (task..10_000).step_by(8).map(|at| at * 7_919 % 10_000 + 1) {
                if part % 50 == 0 {
                    host::part(&upload, part, b"an earlier attempt").await.unwrap();
                }
                named.push(host::part(&upload, part, &part.to_be_bytes()).await.unwrap());
            }
            named
        }
    };
    let tasks = join_all((0..8).map(|number| tokio::spawn(task(number)))).await;
    let mut named: Vec<_> = tasks.into_iter().flat_map(Result::unwrap).collect();
    named.sort_by_key(|named| named.part);
    let record = host::complete(&upload, &cipher, &named).await.unwrap();
    assert_eq!((record.size, record.part_count()), (40_000, Some(10_000)));
    let whole: Vec<u8> = (1..=10_000_u32).flat_map(u32::to_be_bytes).collect();
    assert!(host.read_whole("a", &cipher).await.unwrap() == whole);
    let middle = host.read("a", &cipher, &ReadRange::Bytes(20_001..20_007)).await.unwrap();
    assert_eq!(middle, whole[20_001..20_007]);
    // What was sent again, and the upload, are gone.
    host.bodies(10_001).await;
    assert!(host.store.uploads(&host.bucket).await.unwrap().is_empty());
    assert_eq!(host.restarted().store.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn parts_are_listed_and_their_digests_are_for_who_has_the_key() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let parts = Write::Multipart.parts();
            let upload = host.upload_of("a", cipher, Completion::WithKey, &parts);
            let (upload, named) = upload.await.unwrap();
            assert_eq!(&host.store.uploads(&host.bucket).await.unwrap()[0].0, upload.id());
            let listed = host.store.parts(upload.id()).await.unwrap();
            assert_eq!(listed.len(), parts.len());
            let random = ETagRule::of(cipher.mode()) == ETagRule::Random;
            for (((number, record), named), (part, body)) in listed.iter().zip(&named).zip(&parts) {
                assert_eq!((*number, record.size), (*part, body.len() as u64));
                assert_eq!(record.etag, random.then(|| hex::encode(named.etag.0)));
                let receipt = upload.receipt(*number, record, None).await.unwrap();
                assert_eq!(receipt.etag(), named.etag);
                let digests = host::digests(body);
                assert_eq!(receipt.checksums().len(), 4);
                for checksum in receipt.checksums() {
                    assert_eq!(digests.get(checksum.algorithm()), Some(checksum));
                }
            }
            host.store.abort(&host.bucket, &host::key("a"), upload.id()).await.unwrap();
            assert!(host.cleared(&[]).await.is_empty());
        }
    }
}

#[tokio::test]
async fn m7_an_uploads_envelope_is_no_objects_and_the_reverse() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            host.put("a", cipher, b"content").await.unwrap();
            let (upload, _) = one_part(&host, cipher, b"part").await;
            let (object, upload_record) = (host::record("a"), host::upload_record(upload.id()));
            let envelope = host.json(&object).await["envelope"].take();
            let of_upload = host.json(&upload_record).await["envelope"].take();
            host.edit(&object, |record| record["envelope"] = of_upload).await;
            host.edit(&upload_record, |record| record["envelope"] = envelope).await;
            let opened = host.open("a", cipher).await.map(drop);
            let key = host::key("a");
            let resumed = host.store.resume(&host.bucket, &key, upload.id(), cipher);
            for result in [opened, resumed.await.map(drop)] {
                let wrong = matches!(result, Err(Error::Cipher(CipherError::WrongState { .. })));
                assert!(wrong, "{result:?}");
            }
            assert!(host.cleared(&["a"]).await.is_empty());
        }
    }
}

#[tokio::test]
async fn m8_stale_foreign_and_missing_parts_are_refused_and_the_upload_stays() {
    let host = Host::in_memory().await;
    for cipher in host.ciphers() {
        let (upload, stale) = one_part(&host, cipher, b"first attempt").await;
        let fresh = host::part(&upload, 1, b"second attempt").await.unwrap();
        let other = host::part(&upload, 2, b"another").await.unwrap();
        let renumbered = NamedPart { part: 1, ..other };
        let foreign = NamedPart { etag: ETag([9; 16]), ..fresh };
        let missing = NamedPart { part: 3, ..other };
        for named in [vec![stale], vec![renumbered], vec![foreign], vec![fresh, missing]] {
            let error = host::complete(&upload, cipher, &named).await.unwrap_err();
            assert!(matches!(error, Error::Part(1 | 3)), "{error:?}");
        }
        for named in [vec![other, fresh], vec![fresh, fresh]] {
            let error = host::complete(&upload, cipher, &named).await.unwrap_err();
            assert!(matches!(error, Error::PartOrder), "{error:?}");
        }
        host::complete(&upload, cipher, &[fresh, other]).await.unwrap();
        let whole = host.read_whole("a", cipher).await.unwrap();
        assert_eq!(whole, b"second attemptanother");
    }
}

#[tokio::test]
async fn m9_a_part_whose_receipt_is_missing_or_unreadable_makes_no_object() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let (upload, named) = one_part(&host, cipher, b"content").await;
            let path = host::part_record(upload.id(), 1);
            let right = host.json(&path).await;
            let receipt = host.store.parts(upload.id()).await.unwrap()[0].1.receipt.clone();
            for at in 0..receipt.len() {
                let mut flipped = receipt.clone();
                flipped[at] ^= 1;
                let mut part = host.store.parts(upload.id()).await.unwrap().remove(0).1;
                part.receipt = flipped;
                host.set(&path, serde_json::to_vec(&part).unwrap()).await;
                let refused = host::complete(&upload, cipher, &[named]).await.unwrap_err();
                let step = matches!(
                    refused,
                    Error::Cipher(CipherError::Rejected { step: Step::Receipt, .. })
                );
                assert!(step, "{refused:?}");
                host.set(&path, right.to_string()).await;
            }
            for cut in ["", "AAAA"] {
                host.edit(&path, |part| part["receipt"] = cut.into()).await;
                let refused = host::complete(&upload, cipher, &[named]).await.unwrap_err();
                assert!(matches!(refused, Error::Cipher(_)), "{refused:?}");
            }
            host.edit(&path, |part| drop(part.as_object_mut().unwrap().remove("receipt"))).await;
            let refused = host::complete(&upload, cipher, &[named]).await.unwrap_err();
            assert!(matches!(refused, Error::Damaged { .. }), "{refused:?}");
            host.objects.delete(&path).await.unwrap();
            let refused = host::complete(&upload, cipher, &[named]).await.unwrap_err();
            assert!(matches!(refused, Error::Part(1)), "{refused:?}");
            host.set(&path, right.to_string()).await;
            host::complete(&upload, cipher, &[named]).await.unwrap();
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"content");
        }
    }
}

#[tokio::test]
async fn m9_a_store_that_cannot_keep_receipts_takes_no_parts() {
    for host in Host::all().await {
        let no_receipts = Faulty::by(&host.objects, |operation, path| {
            let receipt = path.as_ref().contains("/parts/") && operation == Operation::Puts;
            if receipt { Fate::Fails } else { Fate::Passes }
        });
        let host = host.through(no_receipts);
        for cipher in host.ciphers() {
            let upload = host.create("a", cipher, Completion::WithKey).await.unwrap();
            let refused = host::part(&upload, 1, b"content").await.unwrap_err();
            assert!(matches!(refused, Error::Store(_)));
            let named = NamedPart { part: 1, etag: ETag([0; 16]), checksum: None };
            let refused = host::complete(&upload, cipher, &[named]).await.unwrap_err();
            assert!(matches!(refused, Error::Part(1)));
            assert!(host.cleared(&["a"]).await.is_empty());
        }
    }
}

#[tokio::test]
async fn m10_another_key_or_mode_than_the_uploads_adds_no_part_and_completes_nothing() {
    for host in Host::all().await {
        for (cipher, stranger) in host.strangers() {
            let (upload, named) = one_part(&host, cipher, b"content").await;
            let (key, id) = (host::key("a"), upload.id());
            for other in host.ciphers().chain([stranger]) {
                let resumed = host.store.resume(&host.bucket, &key, id, other).await;
                let own = other.mode() == cipher.mode() && !std::ptr::addr_eq(other, stranger);
                match resumed {
                    // The same key by either library.
                    Ok(_) => assert!(own),
                    Err(Error::Cipher(error)) => assert!(!own, "{error}"),
                    Err(error) => panic!("{error:?}"),
                }
                if other.mode() != cipher.mode() {
                    host::complete(&upload, other, &[named]).await.unwrap_err();
                }
            }
            let other_key = host.store.resume(&host.bucket, &host::key("b"), id, cipher).await;
            assert!(matches!(other_key.map(drop), Err(Error::NoSuchUpload)));
            host.bodies(1).await;
            host::complete(&upload, cipher, &[named]).await.unwrap();
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"content");
            assert!(host.cleared(&["a"]).await.is_empty());
        }
    }
}

#[tokio::test]
async fn m12_an_upload_ends_once() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for round in 0..20 {
                let (upload, named) = one_part(&host, cipher, &[round; 10]).await;
                let (key, id, named) = (host::key("a"), upload.id().clone(), [named]);
                let (one, other, abort) = tokio::join!(
                    host::complete(&upload, cipher, &named),
                    host::complete(&upload, cipher, &named),
                    host.store.abort(&host.bucket, &key, &id),
                );
                let results = [one.map(drop), other.map(drop), abort];
                let won = results.iter().filter(|result| result.is_ok()).count();
                assert_eq!(won, 1, "{results:?}");
                for error in results.into_iter().filter_map(Result::err) {
                    assert!(matches!(error, Error::NoSuchUpload), "{error:?}");
                }
            }
            assert!(host.cleared(&["a"]).await.is_empty());
        }
    }
}

#[tokio::test]
async fn m13_an_attempts_body_with_anothers_receipt_makes_no_object() {
    for host in Host::all().await {
        let other_host = host.restarted();
        for cipher in host.ciphers() {
            let (upload, first) = one_part(&host, cipher, b"first attempt").await;
            let path = host::part_record(upload.id(), 1);
            let mut records = vec![host.json(&path).await];
            let mut bodies = vec![host.bodies(1).await.remove(0)];
            // The retry comes to another host.
            let key = host::key("a");
            let there = other_host.store.resume(&host.bucket, &key, upload.id(), cipher);
            let second = host::part(&there.await.unwrap(), 1, b"other attempt").await.unwrap();
            records.push(host.json(&path).await);
            bodies.push(host.bodies(1).await.remove(0));
            for (one, other) in [(0, 1), (1, 0)] {
                // The receipt of one, with the other's body under its own name, or in the place.
                let mut mixed = records[one].clone();
                mixed["body"] = records[other]["body"].clone();
                for (record, place) in [(&mixed, other), (&records[one], one)] {
                    host.set(&path, record.to_string()).await;
                    host.set(&bodies[place].0, bodies[other].1.clone()).await;
                    for named in [first, second] {
                        let refused = host::complete(&upload, cipher, &[named]).await.unwrap_err();
                        assert!(matches!(refused, Error::Part(1)), "{refused:?}");
                    }
                    host.set(&bodies[place].0, bodies[place].1.clone()).await;
                }
            }
            host.set(&path, records[1].to_string()).await;
            host::complete(&upload, cipher, &[second]).await.unwrap();
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"other attempt");
            host.cleared(&["a"]).await;
        }
    }
}

#[tokio::test]
async fn a_refused_completion_leaves_the_upload_and_the_old_object() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            host.put("a", cipher, b"old").await.unwrap();
            let parts = [(1, b"small".to_vec()), (2, b"last".to_vec())];
            let upload = host.upload_of("a", cipher, Completion::WithKey, &parts);
            let (upload, named) = upload.await.unwrap();
            let none = || Ok((object_cipher_core::Attributes::default(), None));
            let small = upload.complete(cipher, &named, 6, |_| none(), |_| Ok(())).await;
            assert!(matches!(small, Err(Error::PartTooSmall(1))));
            let refused = |_: &_| Err(Error::Condition);
            let refused = upload.complete(cipher, &named, 5, refused, |_| Ok(())).await;
            assert!(matches!(refused, Err(Error::Condition)));
            let absent = host::absent;
            let refused = upload.complete(cipher, &named, 5, |_| none(), absent).await;
            assert!(matches!(refused, Err(Error::Condition)));
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"old");
            host::complete(&upload, cipher, &named).await.unwrap();
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"smalllast");
            assert!(host.cleared(&["a"]).await.is_empty());
        }
    }
}

#[tokio::test]
async fn parts_that_are_not_named_late_ones_and_earlier_attempts_go() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let (upload, _) = one_part(&host, cipher, b"a").await;
            let one = host::part(&upload, 1, b"b").await.unwrap();
            let two = host::part(&upload, 2, b"c").await.unwrap();
            host::part(&upload, 3, b"d").await.unwrap();
            host.bodies(3).await;
            host::complete(&upload, cipher, &[one, two]).await.unwrap();
            host.bodies(3).await;
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"bc");
            let late = host::part(&upload, 4, b"late").await.unwrap_err();
            assert!(matches!(late, Error::NoSuchUpload));
            host.bodies(3).await;
            assert!(host.cleared(&["a"]).await.is_empty());
        }
    }
}
