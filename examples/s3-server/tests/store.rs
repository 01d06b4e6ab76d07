//! The storage layer: what goes in comes out, whatever the mode, and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod host;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use host::{Host, bytes, content, source};
use md5::{Digest as _, Md5};
use object_cipher_core::{Attributes, Completion, ETag, ReadRange};
use object_store::{ObjectStoreExt as _, path::Path};
use s3_server::store::{Error, Metadata, Query};

#[tokio::test]
async fn objects_of_every_length_come_back_whole_and_in_ranges() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for length in [0, 1, 16_383, 16_384, 16_385, 100_001] {
                let body = content(length);
                host.put("a/b", cipher, &body).await;
                let record = host.store.head(&host.bucket, &host.key("a/b")).await.unwrap();
                assert_eq!(record.size, body.len() as u64);
                assert_eq!(host.read("a/b", cipher, &ReadRange::Whole).await.unwrap(), body);
                if length > 2 {
                    let range = ReadRange::Bytes(1..length as u64 - 1);
                    let read = host.read("a/b", cipher, &range).await.unwrap();
                    assert_eq!(read, body[1..body.len() - 1]);
                    let read = host.read("a/b", cipher, &ReadRange::Last(2)).await.unwrap();
                    assert_eq!(read, body[body.len() - 2..]);
                }
            }
        }
    }
}

#[tokio::test]
async fn g9_g10_ranges_and_parts_of_an_upload_come_back() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let parts =
                [(1, content(70_000)), (2, content(1)), (900, content(16_384)), (901, content(1))];
            host.upload("big", cipher, &parts).await.unwrap();
            let whole: Vec<u8> = parts.iter().flat_map(|(_, body)| body.clone()).collect();
            assert_eq!(host.read("big", cipher, &ReadRange::Whole).await.unwrap(), whole);
            for start in (0..whole.len()).step_by(7_919) {
                for end in [start + 1, start + 20_000, whole.len()] {
                    let end = end.min(whole.len());
                    let range = ReadRange::Bytes(start as u64..end as u64);
                    let read = host.read("big", cipher, &range).await.unwrap();
                    assert_eq!(read, whole[start..end]);
                }
            }
            for (number, body) in &parts {
                let object = host.open("big", cipher).await.unwrap();
                let range = object.part(*number).unwrap();
                let read = bytes(object.read(&ReadRange::Bytes(range)).unwrap()).await.unwrap();
                assert_eq!(read, *body);
            }
            assert_eq!(host.open("big", cipher).await.unwrap().part(3), None);
        }
    }
}

#[tokio::test]
async fn m6_parts_in_any_order_from_many_tasks_some_sent_again_make_one_object() {
    let host = Host::on_disk().await;
    let cipher = host.sse_s3();
    let upload = host.create("many", &*cipher, Completion::WithKey).await;
    let tasks: Vec<_> = (0..8_u32)
        .map(|task| {
            let upload = upload.clone();
            tokio::spawn(async move {
                let mut named = Vec::new();
                for part in (1..=400).rev().filter(|part| part % 8 == task) {
                    if part % 5 == 0 {
                        host::part(&upload, part, &[0xFF; 9]).await.unwrap();
                    }
                    named.push(host::part(&upload, part, &part.to_be_bytes()).await.unwrap());
                }
                named
            })
        })
        .collect();
    let mut named = Vec::new();
    for task in tasks {
        named.extend(task.await.unwrap());
    }
    named.sort_by_key(|named| named.part);
    host::complete(&upload, &*cipher, &named).await.unwrap();
    let expected: Vec<u8> = (1..=400_u32).flat_map(u32::to_be_bytes).collect();
    assert_eq!(host.read("many", &*cipher, &ReadRange::Whole).await.unwrap(), expected);
    // What was sent again, and the upload, are gone.
    host.settle().await;
    assert_eq!(host.bodies().await.len(), 401);
    assert_eq!(host.store.sweep().await.unwrap(), 0);
    assert!(host.store.uploads(&host.bucket).await.unwrap().is_empty());
}

#[tokio::test]
async fn m8_stale_foreign_and_missing_parts_are_refused_and_the_upload_stays() {
    let host = Host::in_memory().await;
    for cipher in host.ciphers() {
        let upload = host.create("a", cipher, Completion::WithKey).await;
        let stale = host::part(&upload, 1, b"first attempt").await.unwrap();
        let fresh = host::part(&upload, 1, b"second attempt").await.unwrap();
        let other = host::part(&upload, 2, b"another").await.unwrap();
        let renumbered = s3_server::store::NamedPart { part: 1, ..other };
        let missing = s3_server::store::NamedPart { part: 3, ..other };
        for named in [vec![stale], vec![renumbered], vec![fresh, missing]] {
            let error = host::complete(&upload, cipher, &named).await.unwrap_err();
            assert!(matches!(error, Error::Part(1 | 3)), "{error:?}");
        }
        for named in [vec![other, fresh], vec![fresh, fresh]] {
            let error = host::complete(&upload, cipher, &named).await.unwrap_err();
            assert!(matches!(error, Error::PartOrder), "{error:?}");
        }
        host::complete(&upload, cipher, &[fresh, other]).await.unwrap();
        let whole = host.read("a", cipher, &ReadRange::Whole).await.unwrap();
        assert_eq!(whole, b"second attemptanother");
    }
}

#[tokio::test]
async fn m12_an_upload_ends_once() {
    let host = Host::in_memory().await;
    let cipher = host.sse_s3();
    for round in 0..50 {
        let upload = host.create("a", &*cipher, Completion::WithKey).await;
        let named = [host::part(&upload, 1, &[round; 10]).await.unwrap()];
        let (bucket, key, id) = (host.bucket.clone(), host.key("a"), upload.id().clone());
        let (one, other, abort) = tokio::join!(
            host::complete(&upload, &*cipher, &named),
            host::complete(&upload, &*cipher, &named),
            host.store.abort(&bucket, &key, &id),
        );
        let results = [one.map(drop), other.map(drop), abort];
        let won = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(won, 1, "{results:?}");
        for error in results.into_iter().filter_map(Result::err) {
            assert!(matches!(error, Error::NoSuchUpload), "{error:?}");
        }
    }
}

#[tokio::test]
async fn an_upload_completed_without_its_key_is_finished_by_the_first_that_brings_it() {
    let host = Host::on_disk().await;
    let cipher = host.sse_c(1);
    let upload = host.create("a", &*cipher, Completion::Keyless).await;
    let named = [
        host::part(&upload, 1, &content(40_000)).await.unwrap(),
        host::part(&upload, 3, b"end").await.unwrap(),
    ];
    let key = host.key("a");
    let done = host.store.complete_keyless(&host.bucket, &key, upload.id(), &named, 0, |_| Ok(()));
    let etag = done.await.unwrap().etag;
    assert!(host.read("a", &*host.sse_c(2), &ReadRange::Whole).await.is_err());
    let whole = [content(40_000), b"end".to_vec()].concat();
    let cx = || host.read("a", &*cipher, &ReadRange::Whole);
    let (one, other) = tokio::join!(cx(), cx());
    assert_eq!((one.unwrap(), other.unwrap()), (whole.clone(), whole));
    let record = host.store.head(&host.bucket, &key).await.unwrap();
    assert_eq!(record.part_count(), Some(2));
    assert_eq!(record.etag, etag);
    host.settle().await;
    assert_eq!(host.bodies().await.len(), 3);
}

#[tokio::test]
async fn m14_an_upload_not_created_for_it_is_not_completed_without_its_key() {
    let host = Host::in_memory().await;
    for cipher in host.ciphers() {
        let upload = host.create("a", cipher, Completion::WithKey).await;
        let named = [host::part(&upload, 1, b"x").await.unwrap()];
        let key = host.key("a");
        let done =
            host.store.complete_keyless(&host.bucket, &key, upload.id(), &named, 0, |_| Ok(()));
        assert!(matches!(done.await, Err(Error::Cipher(_))));
    }
}

#[tokio::test]
async fn b5_an_objects_key_changes_without_its_body() {
    let host = Host::on_disk().await;
    for (from, to) in [
        (host.sse_s3(), host.sse_c(1)),
        (host.sse_c(1), host.sse_c(2)),
        (host.sse_c(2), host.sse_s3()),
    ] {
        let body = content(50_000);
        host.put("a", &*from, &body).await;
        host.settle().await;
        let stored = host.bodies().await;
        let key = host.key("a");
        host.store.rewrap(&host.bucket, &key, &*from, &*to).await.unwrap();
        assert!(host.read("a", &*from, &ReadRange::Whole).await.is_err());
        assert_eq!(host.read("a", &*to, &ReadRange::Whole).await.unwrap(), body);
        assert!(host.bodies().await == stored, "no body changed");
    }
}

#[tokio::test]
async fn g11_a_reader_of_a_replaced_object_gets_the_old_one_whole() {
    let host = Host::on_disk().await;
    let cipher = host.sse_s3();
    let parts = [(1, content(40_000)), (2, content(30_000))];
    host.upload("a", &*cipher, &parts).await.unwrap();
    let object = host.open("a", &*cipher).await.unwrap();
    host.put("a", &*cipher, b"new").await;
    host.settle().await;
    let whole = bytes(object.read(&ReadRange::Whole).unwrap()).await.unwrap();
    assert_eq!(whole, [content(40_000), content(30_000)].concat());
    host.settle().await;
    assert_eq!(host.bodies().await.len(), 1, "what nobody reads any more is gone");
}

#[tokio::test]
async fn x1_x4_a_body_that_fails_leaves_nothing() {
    let host = Host::on_disk().await;
    let cipher = host.sse_s3();
    host.put("a", &*cipher, b"old").await;
    let failing = source(&content(50_000), 3);
    let staged = host.store.stage(&host.bucket, &host.key("a"), &*cipher, failing).await;
    assert!(matches!(staged, Err(Error::Source(_))));
    let staged = host.store.stage(&host.bucket, &host.key("a"), &*cipher, source(b"new", 9)).await;
    drop(staged.unwrap());
    host.settle().await;
    assert_eq!(host.read("a", &*cipher, &ReadRange::Whole).await.unwrap(), b"old");
    assert_eq!(host.bodies().await.len(), 1);
}

#[tokio::test]
async fn changed_sizes_and_metadata_are_refused() {
    let host = Host::on_disk().await;
    let cipher = host.sse_s3();
    host.put("a", &*cipher, b"content").await;
    for (from, to) in [("\"size\":7", "\"size\":6"), ("note", "mote"), ("kept", "lost")] {
        host.edit_record(from, to);
        let error = host.open("a", &*cipher).await.map(drop).unwrap_err();
        assert!(matches!(error, Error::Altered(_)), "{error:?}");
        host.edit_record(to, from);
    }
    assert!(host.open("a", &*cipher).await.is_ok());
}

#[tokio::test]
async fn b1_b4_a_record_in_another_place_or_beside_another_body_is_refused() {
    let host = Host::on_disk().await;
    let cipher = host.sse_s3();
    host.put("a", &*cipher, b"content of a").await;
    let path = host.record_file();
    let record = std::fs::read_to_string(&path).unwrap();
    let moved = path.with_file_name("b.json");
    std::fs::copy(&path, &moved).unwrap();
    assert!(matches!(host.open("b", &*cipher).await, Err(Error::Cipher(_))));
    std::fs::remove_file(moved).unwrap();

    // Another body, with the Envelope of the first.
    host.put("a", &*cipher, b"content of b").await;
    let newer = std::fs::read_to_string(host.record_file()).unwrap();
    let field = |record: &str, name: &str| {
        let value: serde_json::Value = serde_json::from_str(record).unwrap();
        value[name].to_string()
    };
    host.edit_record(&field(&newer, "envelope"), &field(&record, "envelope"));
    assert!(matches!(host.open("a", &*cipher).await, Err(Error::Cipher(_))));
}

#[tokio::test]
async fn lists_buckets_and_metadata_need_no_key() {
    for host in Host::all().await {
        let cipher = host.sse_c(1);
        for key in ["b", "a/1", "a/2", "..", "a//"] {
            host.put(key, &*cipher, b"x").await;
        }
        let query = Query { limit: 10, delimiter: "/".into(), ..Query::default() };
        let page = host.store.list(&host.bucket, &query).await.unwrap();
        assert_eq!(page.found.len(), 3, "{page:?}");
        assert!(!page.truncated);
        assert!(matches!(host.store.delete_bucket(&host.bucket).await, Err(Error::BucketNotEmpty)));
        for key in ["b", "a/1", "a/2", "..", "a//"] {
            host.store.delete(&host.bucket, &host.key(key)).await.unwrap();
            let gone = host.store.head(&host.bucket, &host.key(key)).await;
            assert!(matches!(gone, Err(Error::NoSuchKey)));
        }
        host.settle().await;
        assert_eq!(host.bodies().await.len(), 0);
        host.store.delete_bucket(&host.bucket).await.unwrap();
        assert!(matches!(host.store.bucket(&host.bucket).await, Err(Error::NoSuchBucket)));
    }
}

#[tokio::test]
async fn the_first_writer_under_a_condition_wins() {
    let host = Host::in_memory().await;
    let cipher = host.sse_s3();
    let put = |body: &'static [u8]| {
        let cipher = cipher.clone();
        let host = &host;
        async move {
            let staged =
                host.store.stage(&host.bucket, &host.key("a"), &*cipher, source(body, 9)).await;
            let absent = |old: Option<&_>| old.map_or(Ok(()), |_| Err(Error::Condition));
            staged?.commit(Metadata::default(), None, Attributes::default(), absent).await
        }
    };
    let (one, other) = tokio::join!(put(b"one"), put(b"other"));
    assert!(one.is_ok() != other.is_ok());
}

#[tokio::test]
async fn i1_a_sealed_etag_stays_sealed_whatever_mode_an_object_comes_to() {
    let host = Host::on_disk().await;
    let (key, body) = (host.key("a"), content(50_000));
    let md5: [u8; 16] = Md5::digest(&body).into();
    let (sse_s3, sse_c) = (host.sse_s3(), host.sse_c(1));
    let source = source(&body, usize::MAX);
    let staged = host.store.stage(&host.bucket, &key, &*sse_s3, source).await.unwrap();
    let attributes = Attributes { etag: Some(ETag(md5)), ..Attributes::default() };
    staged.commit(Metadata::default(), None, attributes, |_| Ok(())).await.unwrap();
    host.store.rewrap(&host.bucket, &key, &*sse_s3, &*sse_c).await.unwrap();
    let object = host.open("a", &*sse_c).await.unwrap();
    assert_eq!(object.opener().etag(), Some(ETag(md5)));
    let traces = [md5.to_vec(), hex::encode(md5).into_bytes(), STANDARD.encode(md5).into_bytes()];
    for (path, kept) in host.kept().await {
        for trace in &traces {
            let found = kept.windows(trace.len()).any(|window| window == trace);
            assert!(!found, "{path} tells the digest of the plaintext");
        }
    }
}

#[tokio::test]
async fn a_sweep_keeps_what_any_record_names_and_removes_nothing_when_one_is_damaged() {
    let host = Host::on_disk().await;
    let cipher = host.sse_s3();
    host.put("a", &*cipher, b"content").await;
    let upload = host.create("b", &*cipher, Completion::WithKey).await;
    host::part(&upload, 1, b"part").await.unwrap();
    let orphan = Path::from(format!("bodies/00/{}", "0".repeat(32)));
    host.objects.put(&orphan, "left by a crash".into()).await.unwrap();

    // Without the bucket's own record the objects are still there.
    let bucket = Path::from("buckets/photos.json");
    let record = host.objects.get(&bucket).await.unwrap().bytes().await.unwrap();
    host.edit_record("\"size\":7", "\"size\":\"seven\"");
    assert!(matches!(host.restarted().sweep().await, Err(Error::Damaged { .. })));
    assert_eq!(host.bodies().await.len(), 3);
    host.edit_record("\"size\":\"seven\"", "\"size\":7");
    assert_eq!(host.restarted().sweep().await.unwrap(), 1);
    host.objects.delete(&bucket).await.unwrap();
    host.restarted().sweep().await.unwrap();
    host.objects.put(&bucket, record.into()).await.unwrap();
    let read = host.read("a", &*cipher, &ReadRange::Whole).await.unwrap();
    assert_eq!(read, b"content");
}

#[tokio::test]
async fn f15_a_record_of_any_length_is_refused_before_it_is_read() {
    let host = Host::on_disk().await;
    let cipher = host.sse_s3();
    host.put("a", &*cipher, b"content").await;
    std::fs::write(host.record_file(), vec![b' '; 17 * 1024 * 1024]).unwrap();
    let error = host.open("a", &*cipher).await.map(drop).unwrap_err();
    assert!(matches!(error, Error::Altered(_)), "{error:?}");
}
