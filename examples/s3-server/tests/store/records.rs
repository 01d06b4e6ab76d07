//! Records and bodies that are moved, mixed, put back, changed or taken away.

use object_cipher_core::{Completion, Error as CipherError, ObjectCipher, ReadRange};
use object_store::ObjectStoreExt as _;
use s3_server::store::{BucketName, Error, Listed, Metadata, ObjectKey, Query, Store};

use crate::{
    host::{self, CHUNK, Host, bytes, content, source},
    writes::Write,
};

fn is_rejected<T>(result: Result<T, Error>) -> bool {
    matches!(result.map(drop), Err(Error::Cipher(CipherError::Rejected { .. })))
}

#[tokio::test]
async fn b1_a_record_in_another_place_does_not_open() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for write in [Write::Put, Write::Multipart] {
                write.act(&host, cipher, cipher).await.unwrap();
                let record = host.get(&host::record("a")).await;
                host.set(&host::record("b"), record).await;
                assert!(is_rejected(host.open("b", cipher).await));
                // Nor in another deployment.
                let other = Store::new(host.objects.clone(), "other");
                let stored = other.get(&host.bucket, &host::key("a")).await.unwrap();
                assert!(is_rejected(stored.open(cipher).await));
                assert!(write.is_done(&host, cipher, cipher).await);
                host.cleared(&["a", "b"]).await;
            }
        }
    }
}

#[tokio::test]
async fn b2_no_object_opens_as_another_of_a_name_alike() {
    let pairs = [
        (("photos", "a//b"), ("photos", "a/b")),
        (("aaa", "b/c"), ("aaa.b", "c")),
        (("photos", "\u{e9}"), ("photos", "e\u{301}")),
        (("photos", ".."), ("photos", ".")),
        (("photos", "a"), ("photos", "A")),
        (("photos", "a/"), ("photos", "a")),
        (("photos", "k"), ("aaa", "k")),
    ];
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for (one, other) in pairs {
                let mut stored = Vec::new();
                for (bucket, key) in [one, other] {
                    stored.push(put_into(&host, cipher, bucket, key).await);
                }
                let record = host.get(&stored[0].2).await;
                host.set(&stored[1].2, record).await;
                let (bucket, key, _) = &stored[1];
                let moved = host.store.get(bucket, key).await.unwrap();
                assert!(is_rejected(moved.open(cipher).await), "{one:?} as {other:?}");
                for (bucket, key, _) in &stored {
                    host.store.delete(bucket, key).await.unwrap();
                }
            }
        }
    }
}

type Place = (BucketName, ObjectKey, object_store::path::Path);

/// Puts an object, and tells where its record has come to.
async fn put_into(host: &Host, cipher: &dyn ObjectCipher, bucket: &str, key: &str) -> Place {
    let (bucket, key) = (BucketName::parse(bucket).unwrap(), host::key(key));
    match host.store.create_bucket(&bucket, serde_json::Value::Null).await {
        Ok(()) | Err(Error::BucketExists) => {}
        Err(error) => panic!("{error}"),
    }
    let before = host.kept().await;
    let staged = host.store.stage(&bucket, &key, cipher, source(b"content", 9)).await.unwrap();
    let attributes = object_cipher_core::Attributes::default();
    staged.commit(Metadata::default(), None, attributes, |_| Ok(())).await.unwrap();
    let new = host.kept().await.into_iter().map(|(path, _)| path).find(|path| {
        path.as_ref().starts_with("objects/") && before.iter().all(|(old, _)| old != path)
    });
    (bucket, key, new.unwrap())
}

#[tokio::test]
async fn b4_a_whole_old_object_put_back_opens_and_a_mixed_one_does_not() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let path = host::record("a");
            host.put("a", cipher, b"old content").await.unwrap();
            let (old, old_body) = (host.json(&path).await, host.bodies(1).await.remove(0));
            host.put("a", cipher, b"new content").await.unwrap();
            let (new, new_body) = (host.json(&path).await, host.bodies(1).await.remove(0));
            // The old Envelope with the new body, and with the new body under the old one's name.
            host.edit(&path, |record| record["envelope"] = old["envelope"].clone()).await;
            assert!(is_rejected(host.open("a", cipher).await));
            host.set(&path, old.to_string()).await;
            host.set(&old_body.0, new_body.1.clone()).await;
            assert!(is_rejected(host.read_whole("a", cipher).await));
            // The new Envelope with a copy of its body under another name.
            host.set(&path, new.to_string()).await;
            host.edit(&path, |record| record["content"] = old["content"].clone()).await;
            assert!(is_rejected(host.open("a", cipher).await));
            // No version is bound: what is put back as a whole is the object.
            host.set(&path, old.to_string()).await;
            host.set(&old_body.0, old_body.1).await;
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"old content");
            host.cleared(&["a"]).await;
        }
    }
}

#[tokio::test]
async fn b10_a_record_without_its_envelope_gives_no_byte_and_removes_nothing() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for write in [Write::Put, Write::Multipart] {
                write.act(&host, cipher, cipher).await.unwrap();
                let (path, bodies) =
                    (host::record("a"), host.bodies(1 + write.parts().len()).await);
                let whole = host.get(&path).await;
                for field in ["envelope", "content", "size"] {
                    host.edit(&path, |record| drop(record.as_object_mut().unwrap().remove(field)))
                        .await;
                    let refused = host.read_whole("a", cipher).await;
                    assert!(matches!(refused, Err(Error::Damaged { .. })), "{refused:?}");
                    let refused = host.restarted().store.sweep().await;
                    assert!(matches!(refused, Err(Error::Damaged { .. })), "{refused:?}");
                    assert!(host.bodies(bodies.len()).await == bodies);
                    host.set(&path, whole.clone()).await;
                }
                assert!(write.is_done(&host, cipher, cipher).await);
                host.cleared(&["a"]).await;
            }
        }
    }
}

#[tokio::test]
async fn a_damaged_record_is_replaced_and_deleted_but_meets_no_condition() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for write in [Write::Put, Write::Multipart] {
                for damage in ["", "{}", "not JSON"] {
                    let path = host::record("a");
                    host.put("a", cipher, b"old").await.unwrap();
                    host.set(&path, damage).await;
                    let key = host::key("a");
                    let staged =
                        host.store.stage(&host.bucket, &key, cipher, source(b"new", 3)).await;
                    let attributes = object_cipher_core::Attributes::default();
                    let refused = staged
                        .unwrap()
                        .commit(Metadata::default(), None, attributes, host::absent)
                        .await;
                    assert!(matches!(refused, Err(Error::Condition)), "{refused:?}");
                    assert_eq!(host.get(&path).await, damage.as_bytes());
                    write.act(&host, cipher, cipher).await.unwrap();
                    assert!(write.is_done(&host, cipher, cipher).await);
                    host.set(&path, damage).await;
                    host.store.delete(&host.bucket, &key).await.unwrap();
                    assert!(matches!(host.open("a", cipher).await, Err(Error::NoSuchKey)));
                    // What it named is nobody's now.
                    host.restarted().store.sweep().await.unwrap();
                    assert_eq!(host.bodies(0).await, []);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_damaged_record_keeps_no_other_from_being_listed() {
    let host = Host::in_memory().await;
    let cipher = host.sse_s3();
    for key in ["a", "b"] {
        host.put(key, &*cipher, b"content").await.unwrap();
    }
    host.set(&host::record("a"), "not JSON").await;
    let query = Query { limit: 10, ..Query::default() };
    let page = host.store.list(&host.bucket, &query).await.unwrap();
    let listed = page.found.iter().map(|listed| match listed {
        Listed::Object(key, _) => key.as_str(),
        Listed::CommonPrefix(prefix) => prefix,
    });
    assert!(listed.eq(["b"]));
}

#[tokio::test]
async fn an_upload_in_the_place_of_a_damaged_record_can_be_aborted() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let key = host::key("a");
            let upload = host.store.create_upload(
                &host.bucket,
                &key,
                cipher,
                Completion::WithKey,
                Metadata::default(),
                serde_json::Value::Null,
            );
            let upload = upload.await.unwrap();
            host.set(&host::record("a"), "{}").await;
            host.store.abort(&host.bucket, &key, upload.id()).await.unwrap();
            assert!(host.store.uploads(&host.bucket).await.unwrap().is_empty());
            host.store.delete(&host.bucket, &key).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_there_is_told_by_its_name() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            host.put("a", cipher, b"content").await.unwrap();
            let body = host.body("a").await;
            let whole = host.get(&body).await;
            host.objects.delete(&body).await.unwrap();
            let gone = host.read_whole("a", cipher).await;
            assert!(
                matches!(gone, Err(Error::BodyGone(name)) if body.as_ref().ends_with(name.as_str()))
            );
            host.set(&body, whole).await;
            host.cleared(&["a"]).await;
        }
    }
}

#[tokio::test]
async fn b10_an_envelope_added_to_plain_content_does_not_make_it_an_object() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            host.put("a", cipher, &content(CHUNK + 1)).await.unwrap();
            let body = host.body("a").await;
            let length = host.get(&body).await.len();
            host.set(&body, content(length)).await;
            for range in [ReadRange::Whole, ReadRange::Bytes(5..6), ReadRange::Last(1)] {
                assert!(is_rejected(host.read("a", cipher, &range).await));
            }
        }
    }
}

#[tokio::test]
async fn i5_sizes_and_metadata_that_were_changed_are_refused() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for write in [Write::Put, Write::Multipart, Write::Keyless] {
                if !write.fits(cipher, cipher) {
                    continue;
                }
                write.act(&host, cipher, cipher).await.unwrap();
                assert!(write.is_done(&host, cipher, cipher).await);
                let path = host::record("a");
                let honest = host.json(&path).await;
                let size = write.after().unwrap().len();
                assert_eq!(honest["size"], size);
                for altered in [0, size - 1, size + 1, usize::MAX] {
                    host.edit(&path, |record| record["size"] = altered.into()).await;
                    expect_altered(&host, cipher).await;
                    host.set(&path, honest.to_string()).await;
                }
                for metadata in [serde_json::json!({"note": "lost"}), serde_json::json!({"a": ""})]
                {
                    host.edit(&path, |record| record["metadata"] = metadata).await;
                    expect_altered(&host, cipher).await;
                    host.set(&path, honest.to_string()).await;
                }
                if write != Write::Put {
                    host.edit(&path, |record| record["content"]["parts"]["count"] = 2.into()).await;
                    expect_altered(&host, cipher).await;
                }
                host.cleared(&["a"]).await;
            }
        }
    }
}

async fn expect_altered(host: &Host, cipher: &dyn ObjectCipher) {
    let error = host.open("a", cipher).await.map(drop).unwrap_err();
    assert!(matches!(error, Error::Altered(_)), "{error:?}");
}

#[tokio::test]
async fn i5_a_stored_length_that_was_changed_is_refused() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for length in [0, 1, CHUNK, CHUNK + 10] {
                host.put("a", cipher, &content(length)).await.unwrap();
                let path = host.body("a").await;
                let body = host.get(&path).await;
                let longer = [&body[..], b"x"].concat();
                for altered in [body.slice(..body.len() - 1), longer.into(), body.slice(..0)] {
                    host.set(&path, altered).await;
                    host.read_whole("a", cipher).await.unwrap_err();
                }
            }
        }
    }
}

#[tokio::test]
async fn i5_the_sizes_in_a_table_of_parts_are_of_no_account() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let parts = Write::Multipart.parts();
            host.upload("a", cipher, &parts).await.unwrap();
            let table = host.body("a").await;
            host.edit(&table, |table| table["parts"][0]["size"] = 5.into()).await;
            for (part, body) in &parts {
                let object = host.open("a", cipher).await.unwrap();
                let range = ReadRange::Bytes(object.part(*part).unwrap().unwrap());
                assert!(bytes(object.read(&range).unwrap()).await.unwrap() == *body);
            }
            // A page that was changed tells of no part.
            host.edit(&table, |table| table["pages"][0] = "AAAA".into()).await;
            assert!(host.open("a", cipher).await.unwrap().part(1).is_err());
        }
    }
}

#[tokio::test]
async fn i5_the_size_of_a_part_that_was_changed_makes_no_object() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let parts = Write::Multipart.parts();
            let upload = host.upload_of("a", cipher, Completion::WithKey, &parts);
            let (upload, named) = upload.await.unwrap();
            let path = host::part_record(upload.id(), 1);
            for size in [0_u64, 1 << 40, u64::MAX] {
                let honest = host.json(&path).await;
                host.edit(&path, |part| part["size"] = size.into()).await;
                let refused = host::complete(&upload, cipher, &named).await.unwrap_err();
                assert!(matches!(refused, Error::Altered(_)), "{refused:?}");
                host.set(&path, honest.to_string()).await;
            }
            host::complete(&upload, cipher, &named).await.unwrap();
        }
    }
}

#[tokio::test]
async fn f15_a_record_of_any_length_is_refused_before_it_is_read() {
    for host in Host::all().await {
        let cipher = host.sse_s3();
        host.put("a", &cipher, b"content").await.unwrap();
        host.set(&host::record("a"), vec![b' '; 17 * 1024 * 1024]).await;
        let error = host.open("a", &cipher).await.map(drop).unwrap_err();
        assert!(matches!(error, Error::Altered(_)), "{error:?}");
    }
}
