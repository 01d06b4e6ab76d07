//! What others do meanwhile, or beneath the store.

#![allow(clippy::unwrap_used, reason = "a failed test stops")]

mod setup;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures::{FutureExt as _, TryStreamExt as _};
use http::Extensions;
use object_cipher_object_store::{CipherTable, EncryptedStore, Error};
use object_store::{
    Error as StoreError, MultipartUpload as _, ObjectStore, ObjectStoreExt as _,
    local::LocalFileSystem, memory::InMemory, path::Path,
};
use setup::{Hooked, Probe, content, dsse_kms, read, sse_s3, store};
use tokio::sync::Notify;

const GRACE: Duration = Duration::from_millis(300);
/// Longer than the grace.
const LONG: Duration = Duration::from_millis(600);

fn path(text: &str) -> Path {
    Path::from(text)
}

#[tokio::test]
async fn a_sweep_that_takes_longer_than_its_grace_leaves_what_is_put_meanwhile() {
    let hooked = Hooked::default();
    let store = store(hooked.clone(), sse_s3());
    store.put(&path("z"), "old".into()).await.unwrap();
    // The body is stored before the sweep lists, the record after it listed.
    let listed = Arc::new(Notify::new());
    hooked.before(move |call, at| match (call, at.as_ref()) {
        ("put", "a") => Some(wait_for(&listed).boxed()),
        ("list", "") => {
            listed.notify_one();
            None
        }
        ("get", "z") => Some(tokio::time::sleep(LONG).boxed()),
        _ => None,
    });
    let put = async {
        let begin = Instant::now();
        store.put(&path("a"), "precious".into()).await.unwrap();
        begin.elapsed()
    };
    let sweep = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        store.sweep(GRACE).await.unwrap()
    };
    let (took, swept) = tokio::join!(put, sweep);
    assert!(took < GRACE, "{took:?}");
    assert_eq!((swept.removed, swept.young), (0, 1));
    assert_eq!(read(&store, &path("a")).await.unwrap(), b"precious");
}

fn wait_for(notify: &Arc<Notify>) -> impl Future<Output = ()> + Send + use<> {
    let notify = Arc::clone(notify);
    async move { notify.notified().await }
}

#[tokio::test]
async fn a_sweep_that_takes_longer_than_its_grace_leaves_what_is_renamed_meanwhile() {
    let hooked = Hooked::default();
    let swept = store(hooked.clone(), sse_s3());
    for (at, text) in [("y", "other"), ("z", "precious")] {
        swept.put(&path(at), text.into()).await.unwrap();
    }
    tokio::time::sleep(GRACE).await;
    let other = store(Arc::clone(&hooked.memory), sse_s3());
    hooked.once_before("get", "y", async move {
        // From where the list had not been to where it had.
        other.rename(&path("z"), &path("a")).await.unwrap();
        tokio::time::sleep(LONG).await;
    });
    swept.sweep(GRACE).await.unwrap();
    assert_eq!(read(&swept, &path("a")).await.unwrap(), b"precious");
}

#[tokio::test]
async fn a_record_copied_beneath_opens_nothing_and_takes_no_body_with_it() {
    for is_put_over in [false, true] {
        let store = store(InMemory::new(), sse_s3());
        let (own, copy) = (path("a"), path("backup/a"));
        store.put(&own, "precious".into()).await.unwrap();
        store.inner().copy(&own, &copy).await.unwrap();
        let error = read(&store, &copy).await.unwrap_err();
        assert!(error.to_string().contains("copied here beneath the store"), "{error}");
        assert_eq!(store.head(&copy).await.unwrap().size, 8);
        if is_put_over {
            store.put(&copy, "another".into()).await.unwrap();
        } else {
            store.delete(&copy).await.unwrap();
        }
        assert_eq!(read(&store, &own).await.unwrap(), b"precious");
        assert_eq!(store.sweep(Duration::ZERO).await.unwrap().removed, 0);
    }
}

#[tokio::test]
async fn a_copy_onto_itself_undoes_nothing_that_others_do_meanwhile() {
    for (is_anew, deletes) in [(false, false), (false, true), (true, false), (true, true)] {
        let hooked = Hooked::default();
        let ciphers = if is_anew {
            CipherTable::new(dsse_kms()).also_open(sse_s3())
        } else {
            CipherTable::new(sse_s3())
        };
        let copied = EncryptedStore::builder(hooked.clone(), "lake", ciphers).build();
        let other = store(Arc::clone(&hooked.memory), sse_s3());
        other.put(&path("a"), "old".into()).await.unwrap();
        hooked.once_before("put", "a", async move {
            if deletes {
                other.delete(&path("a")).await.unwrap();
            } else {
                other.put(&path("a"), "new".into()).await.unwrap();
            }
        });
        copied.copy(&path("a"), &path("a")).await.unwrap_err();
        match (deletes, read(&copied, &path("a")).await) {
            (true, found) => {
                assert!(matches!(found, Err(StoreError::NotFound { .. })), "{found:?}");
            }
            (false, found) => assert_eq!(found.unwrap(), b"new"),
        }
    }
}

#[tokio::test]
async fn what_was_done_though_its_answer_was_lost_is_done() {
    let probe = Probe::default();
    let store = store(probe.clone(), sse_s3());
    store.put(&path("a"), "meow".into()).await.unwrap();
    probe.put_twice();
    store.copy_if_not_exists(&path("a"), &path("b")).await.unwrap();
    store.rewrap(&path("b"), Extensions::new()).await.unwrap();
    store.rename_if_not_exists(&path("b"), &path("c")).await.unwrap();
    for at in ["a", "c"] {
        assert_eq!(read(&store, &path(at)).await.unwrap(), b"meow");
    }
    assert!(matches!(store.head(&path("b")).await, Err(StoreError::NotFound { .. })));
    let taken = store.copy_if_not_exists(&path("a"), &path("c")).await;
    assert!(matches!(taken, Err(StoreError::AlreadyExists { .. })), "another one's: {taken:?}");
}

#[tokio::test]
async fn an_upload_is_not_completed_without_a_part_that_was_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(LocalFileSystem::new_with_prefix(folder.path()).unwrap(), sse_s3());
    store.put(&path("a"), "old".into()).await.unwrap();
    let mut upload = store.put_multipart(&path("a")).await.unwrap();
    drop(upload.put_part(content(1_000, 1).into()));
    upload.put_part(content(1_000, 2).into()).await.unwrap();
    let error = upload.complete().await.unwrap_err();
    assert!(error.to_string().contains("not sent"), "{error}");
    assert_eq!(read(&store, &path("a")).await.unwrap(), b"old");
}

/// Before Linux 6.13 a file system's times went on by some milliseconds at a time.
#[tokio::test]
async fn what_is_known_of_a_record_is_not_believed_of_the_next_one_by_the_same_etag() {
    for keeps in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let files = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        let builder = EncryptedStore::builder(files, "lake", CipherTable::new(sse_s3()));
        let store = if keeps { builder.keep_replaced().build() } else { builder.build() };
        let put = async |text: &'static str| {
            store.put(&path("a"), text.into()).await.unwrap();
            let file = std::fs::File::options().write(true).open(folder.path().join("a")).unwrap();
            file.set_modified(coarse(file.metadata().unwrap().modified().unwrap())).unwrap();
            store.inner().head(&path("a")).await.unwrap().e_tag
        };
        let mut recurred = 0;
        for _ in 0..100 {
            let first = put("one").await;
            list(&store).await;
            read(&store, &path("a")).await.unwrap();
            store.delete(&path("a")).await.unwrap();
            recurred += u32::from(put("another").await == first);
            assert_eq!(store.head(&path("a")).await.unwrap().size, 7);
            assert_eq!(list(&store).await[0].size, 7);
            assert_eq!(read(&store, &path("a")).await.unwrap(), b"another");
            store.delete(&path("a")).await.unwrap();
        }
        println!("{recurred} ETags of 100 came again");
    }
}

fn coarse(time: SystemTime) -> SystemTime {
    let millis = time.duration_since(UNIX_EPOCH).unwrap().as_millis() / 20 * 20;
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap())
}

async fn list<S: ObjectStore>(store: &S) -> Vec<object_store::ObjectMeta> {
    store.list(None).try_collect().await.unwrap()
}

#[tokio::test]
async fn a_list_tells_the_length_of_the_record_whose_etag_it_tells() {
    let hooked = Hooked::default();
    let listed = store(hooked.clone(), sse_s3());
    let other = store(Arc::clone(&hooked.memory), sse_s3());
    listed.put(&path("a"), "one".into()).await.unwrap();
    hooked.once_before("get", "a", async move {
        other.put(&path("a"), "another".into()).await.unwrap();
    });
    let found = list(&listed).await.remove(0);
    let now = hooked.memory.head(&path("a")).await.unwrap();
    assert_eq!((found.size, found.e_tag), (7, now.e_tag));
}

#[tokio::test]
async fn a_reserved_prefix_is_reserved_in_whatever_case() {
    let store = store(InMemory::new(), sse_s3());
    let refused = store.put(&path(".Object-Cipher/bodies/a"), "x".into()).await.unwrap_err();
    let StoreError::NotSupported { source } = refused else { panic!("{refused}") };
    assert!(matches!(source.downcast_ref(), Some(Error::Reserved { .. })), "{source}");
    store.put(&path(".object-cipher-too"), "x".into()).await.unwrap();
}
