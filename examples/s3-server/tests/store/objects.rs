//! Objects and buckets: put, read, listed, deleted.

use futures::future::join_all;
use object_cipher_core::{Attributes, Completion, ReadRange};
use s3_server::store::{BucketName, Error, Listed, Metadata, ObjectRecord, Query, Result};
use serde_json::json;

use crate::host::{self, CHUNK, Host, content, source};

#[tokio::test]
async fn objects_of_every_length_come_back() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 100_001] {
                let body = content(length);
                let record = host.put("a/b", cipher, &body).await.unwrap();
                assert_eq!(record.size, length as u64);
                assert_eq!(host.read_whole("a/b", cipher).await.unwrap(), body);
                assert_eq!(
                    host.read("a/b", cipher, &ReadRange::From(0)).await.ok(),
                    match length {
                        0 => None,
                        _ => Some(body),
                    }
                );
            }
        }
    }
}

#[tokio::test]
async fn a_body_beyond_a_piece_of_the_store_comes_back() {
    for host in Host::all().await {
        let (cipher, body) = (host.sse_s3(), content(20 << 20));
        host.put("a", &cipher, &body).await.unwrap();
        assert!(host.read_whole("a", &cipher).await.unwrap() == body);
        let range = ReadRange::Bytes((6 << 20) - 1..(6 << 20) + 70_000);
        let read = host.read("a", &cipher, &range).await.unwrap();
        assert!(read == body[(6 << 20) - 1..(6 << 20) + 70_000]);
    }
}

#[tokio::test]
async fn a_replaced_or_deleted_object_leaves_no_body() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            host.put("a", cipher, b"one").await.unwrap();
            host.put("a", cipher, b"two").await.unwrap();
            host.bodies(1).await;
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"two");
            for _ in 0..2 {
                host.store.delete(&host.bucket, &host::key("a")).await.unwrap();
            }
            host.bodies(0).await;
            let gone = host.store.head(&host.bucket, &host::key("a")).await;
            assert!(matches!(gone, Err(Error::NoSuchKey)));
        }
    }
}

#[tokio::test]
async fn metadata_comes_back_verified() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let pairs =
                [("content-type", "image/jpeg"), ("x-amz-meta-who", "\u{e9}"), ("empty", "")];
            let metadata = Metadata(pairs.map(|(name, value)| (name.into(), value.into())).into());
            let (key, body) = (host::key("a"), source(b"x", usize::MAX));
            let staged = host.store.stage(&host.bucket, &key, cipher, body).await.unwrap();
            let committed =
                staged.commit(metadata.clone(), None, Attributes::default(), |_| Ok(()));
            committed.await.unwrap();
            let object = host.open("a", cipher).await.unwrap();
            assert_eq!(object.record().metadata, metadata);
        }
    }
}

#[tokio::test]
async fn of_writers_under_a_condition_one_wins_and_the_others_leave_nothing() {
    for host in Host::all().await {
        let cipher = host.sse_s3();
        let put = async |body: u8| -> Result<ObjectRecord> {
            let (key, body) = (host::key("a"), [body]);
            let staged = host.store.stage(&host.bucket, &key, &cipher, source(&body, 9)).await?;
            let absent = host::absent;
            staged.commit(Metadata::default(), None, Attributes::default(), absent).await
        };
        let results = join_all((0..8).map(put)).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        let refused = results.iter().filter_map(|result| result.as_ref().err());
        refused.for_each(|error| assert!(matches!(error, Error::Condition)));
        host.bodies(1).await;
    }
}

#[tokio::test]
async fn keys_that_clash_as_files_lie_side_by_side_and_are_listed_without_a_key() {
    let mut names =
        ["..", "../x", "/a", "A", "a", "a/", "a/b", "a//b", "a.json", "\u{e9}", "e\u{301}"];
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for name in names {
                host.put(name, cipher, name.as_bytes()).await.unwrap();
            }
            let query = Query { limit: 100, ..Query::default() };
            let page = host.store.list(&host.bucket, &query).await.unwrap();
            let sizes = page.found.iter().map(|listed| match listed {
                Listed::Object(key, record) => (key.as_str(), record.size),
                Listed::CommonPrefix(prefix) => panic!("{prefix}"),
            });
            names.sort_unstable();
            assert!(sizes.eq(names.map(|name| (name, name.len() as u64))));
            let query = Query { limit: 3, delimiter: "/".into(), ..Query::default() };
            let page = host.store.list(&host.bucket, &query).await.unwrap();
            assert!(page.truncated && page.found.len() == 3, "{page:?}");
            for name in names {
                assert_eq!(host.read_whole(name, cipher).await.unwrap(), name.as_bytes());
                host.store.delete(&host.bucket, &host::key(name)).await.unwrap();
            }
            host.bodies(0).await;
        }
    }
}

#[tokio::test]
async fn buckets_are_created_once_changed_listed_and_deleted_when_they_are_empty() {
    for host in Host::all().await {
        let (store, cipher) = (&host.store, host.sse_s3());
        let again = store.create_bucket(&host.bucket, json!(null)).await;
        assert!(matches!(again, Err(Error::BucketExists)));
        let other = BucketName::parse("a.b").unwrap();
        store.create_bucket(&other, json!({ "one": 1 })).await.unwrap();
        store.change_bucket(&other, |settings| settings["two"] = 2.into()).await.unwrap();
        let settings = store.bucket(&other).await.unwrap().settings;
        assert_eq!(settings, json!({ "one": 1, "two": 2 }));
        let names: Vec<_> =
            store.buckets().await.unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [other, host.bucket.clone()]);

        host.put("a", &cipher, b"x").await.unwrap();
        assert!(matches!(store.delete_bucket(&host.bucket).await, Err(Error::BucketNotEmpty)));
        store.delete(&host.bucket, &host::key("a")).await.unwrap();
        host.create("a", &cipher, Completion::WithKey).await.unwrap();
        store.delete_bucket(&host.bucket).await.unwrap();
        assert!(matches!(host.put("a", &cipher, b"x").await, Err(Error::NoSuchBucket)));
        let head = store.head(&host.bucket, &host::key("a")).await;
        assert!(matches!(head, Err(Error::NoSuchBucket)));
        assert!(matches!(store.delete_bucket(&host.bucket).await, Err(Error::NoSuchBucket)));
        // The upload goes with the sweep.
        store.sweep().await.unwrap();
        let left = host.kept().await;
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
