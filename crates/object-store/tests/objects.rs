//! What the store does beyond what every store does.

#![allow(clippy::unwrap_used, reason = "a failed test stops")]

mod setup;

use std::{sync::Arc, time::Duration};

use futures::TryStreamExt as _;
use object_cipher_core::{EncryptionContext, Mode};
use object_cipher_kms::KeyName;
use object_cipher_object_store::{
    CipherTable, EncryptedStore, Error, RequestCipher, RequestContext,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_kms::SseKms;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutMode,
    PutOptions, memory::InMemory, path::Path,
};
use setup::{
    KEY, Probe, ciphers, client, content, dsse_kms, kms, put_parts, read, sse_c, sse_kms, sse_s3,
    store,
};

const OTHER_KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ff";
const CHUNK: u64 = 16_384;

/// Every path beneath, with its size.
async fn beneath(store: &EncryptedStore<Probe>) -> Vec<(Path, u64)> {
    let listed = store.inner().memory().list(None);
    listed.map_ok(|meta| (meta.location, meta.size)).try_collect().await.unwrap()
}

async fn bodies(store: &EncryptedStore<Probe>) -> usize {
    let found = beneath(store).await;
    found.iter().filter(|(path, _)| path.as_ref().starts_with(".object-cipher/bodies")).count()
}

#[tokio::test]
async fn every_length_around_chunks_and_every_way_to_put_reads_back_whole_and_in_ranges() {
    let path = Path::from("a");
    for cipher in ciphers() {
        let store = store(Probe::default(), cipher);
        for length in [0, 1, 15, 16_383, 16_384, 16_385, 32_768, 50_000] {
            let plain = content(length, 1);
            store.put(&path, plain.clone().into()).await.unwrap();
            check(&store, &path, &plain).await;
            let (first, rest) = plain.split_at(length / 3);
            put_parts(&store, &path, &[first, rest]).await;
            check(&store, &path, &plain).await;
        }
        put_parts(&store, &path, &[]).await;
        check(&store, &path, &[]).await;
    }
}

async fn check(store: &EncryptedStore<Probe>, path: &Path, plain: &[u8]) {
    assert_eq!(read(store, path).await.unwrap(), plain);
    assert_eq!(store.head(path).await.unwrap().size, plain.len() as u64);
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].size, plain.len() as u64);
    let length = plain.len() as u64;
    if length == 0 {
        return;
    }
    let edges = [0, 1, length / 3, length / 2, CHUNK - 1, CHUNK, CHUNK + 1, length - 1];
    let mut ranges = Vec::new();
    for start in edges.into_iter().filter(|start| *start < length) {
        for end in edges.into_iter().chain([length]).filter(|end| *end > start && *end <= length) {
            ranges.push(start..end);
        }
    }
    let whole = |length| usize::try_from(length).unwrap();
    let slice = |range: &std::ops::Range<u64>| &plain[whole(range.start)..whole(range.end)];
    for range in &ranges {
        assert_eq!(store.get_range(path, range.clone()).await.unwrap(), slice(range), "{range:?}");
        let options = GetOptions::new().with_range(Some(GetRange::Bounded(range.clone())));
        let got = store.get_opts(path, options).await.unwrap();
        assert_eq!((got.range.clone(), got.meta.size), (range.clone(), length));
        assert_eq!(got.bytes().await.unwrap(), slice(range));
    }
    let all = store.get_ranges(path, &ranges).await.unwrap();
    for (range, got) in ranges.iter().zip(all) {
        assert_eq!(got, slice(range), "{range:?} of many");
    }
}

#[tokio::test]
async fn g7_a_range_fetches_its_record_and_at_most_a_chunk_more_at_each_end() {
    let store = store(Probe::default(), sse_s3());
    let path = Path::from("a");
    let plain = content(1 << 20, 2);
    store.put(&path, plain.clone().into()).await.unwrap();
    put_parts(&store, &Path::from("p"), &[&plain[..300_000], &plain[300_000..]]).await;
    for path in [path, Path::from("p")] {
        let record = store.inner().memory().head(&path).await.unwrap().size;
        for range in [5..6, 16_383..16_385, 299_999..300_001, 100_000..165_536] {
            store.inner().reset();
            store.get_ranges(&path, std::slice::from_ref(&range)).await.unwrap();
            let fetched = store.inner().bytes() - record;
            let most = range.end - range.start
                + 2 * CHUNK
                + 5 * 16
                + 16 * (range.end - range.start) / CHUNK;
            assert!(fetched <= most, "{fetched} bytes for {range:?}");
        }
        store.inner().reset();
        store.get_ranges(&path, &[0..10, 900_000..900_010]).await.unwrap();
        assert!(store.inner().bytes() - record <= 2 * (CHUNK + 16), "what lies between stays");
    }
}

#[tokio::test]
async fn heads_and_lists_make_no_call_of_the_kms_and_known_records_are_not_read_again() {
    let kms = Arc::new(kms());
    let cipher = SseKms::new(kms.clone(), KeyName::parse(KEY).unwrap(), RustCrypto);
    let store = EncryptedStore::new(Probe::default(), "lake", cipher);
    for name in ["a", "b/c", "b/d"] {
        store.put(&Path::from(name), "meow".into()).await.unwrap();
    }
    let calls = kms.calls();
    assert_eq!(calls, 3);
    // What was put just now is not kept.
    tokio::time::sleep(Duration::from_secs(2)).await;
    store.head(&Path::from("a")).await.unwrap();
    let sizes: Vec<_> = store.list(None).map_ok(|meta| meta.size).try_collect().await.unwrap();
    assert_eq!(sizes, [4, 4, 4]);
    assert_eq!(kms.calls(), calls);

    store.inner().reset();
    store.list_with_delimiter(Some(&Path::from("b"))).await.unwrap();
    assert_eq!((store.inner().calls(), store.inner().bytes()), (1, 0));
    store.put(&Path::from("a"), "meow!".into()).await.unwrap();
    let sizes: Vec<_> = store.list(None).map_ok(|meta| meta.size).try_collect().await.unwrap();
    assert_eq!(sizes, [5, 4, 4], "a new record is read");
}

#[tokio::test]
async fn nobody_sees_or_writes_what_is_reserved() {
    let store = store(Probe::default(), sse_s3());
    store.put(&Path::from("a"), "meow".into()).await.unwrap();
    let (body, _) = beneath(&store).await.swap_remove(0);
    assert!(body.as_ref().starts_with(".object-cipher/bodies/"), "{body}");
    assert_eq!(
        store.list(Some(&Path::from(".object-cipher"))).try_collect::<Vec<_>>().await.unwrap(),
        []
    );
    assert!(store.list_with_delimiter(None).await.unwrap().common_prefixes.is_empty());
    for denied in [
        store.get(&body).await.map(|_| ()),
        store.head(&body).await.map(|_| ()),
        store.get_range(&body, 0..1).await.map(|_| ()),
        store.copy(&body, &Path::from("b")).await,
        store.rename(&body, &Path::from("b")).await,
    ] {
        assert!(matches!(denied, Err(object_store::Error::NotFound { .. })), "{denied:?}");
    }
    for denied in [
        store.put(&body, "purr".into()).await.map(|_| ()),
        store.put_multipart(&body).await.map(|_| ()),
        store.delete(&body).await,
        store.copy(&Path::from("a"), &body).await,
    ] {
        assert!(matches!(denied, Err(object_store::Error::NotSupported { .. })), "{denied:?}");
    }
    assert_eq!(read(&store, &Path::from("a")).await.unwrap(), b"meow");
}

#[tokio::test]
async fn a_body_goes_with_its_record_and_stays_with_those_that_share_it() {
    let store = store(Probe::default(), sse_kms());
    let [a, b, c] = ["a", "b", "c"].map(Path::from);
    store.put(&a, "meow".into()).await.unwrap();
    store.put(&a, "purr".into()).await.unwrap();
    assert_eq!(bodies(&store).await, 1, "what was replaced is gone");
    store.copy(&a, &b).await.unwrap();
    store.rename(&a, &c).await.unwrap();
    assert_eq!(bodies(&store).await, 1, "three records had one body");
    store.delete(&b).await.unwrap();
    assert_eq!(read(&store, &c).await.unwrap(), b"purr");
    store.delete(&c).await.unwrap();
    assert_eq!(bodies(&store).await, 1, "left to a sweep");
    let young = store.sweep(Duration::from_secs(3600)).await.unwrap();
    assert_eq!((young.young, young.removed), (1, 0));
    let swept = store.sweep(Duration::ZERO).await.unwrap();
    assert_eq!((swept.named, swept.removed, swept.removed_bytes), (0, 1, 76));
    assert_eq!(beneath(&store).await, [], "its mark is gone too");

    store.put(&a, "meow".into()).await.unwrap();
    store.copy(&a, &a).await.unwrap();
    assert_eq!(read(&store, &a).await.unwrap(), b"meow", "copied upon itself");
    store.rename(&a, &a).await.unwrap();
    assert_eq!(read(&store, &a).await.unwrap(), b"meow", "renamed to its own name");
}

/// A copy marks the body, finds that a delete had it, and fails: its mark stays.
#[tokio::test]
async fn a_sweep_removes_marks_of_bodies_that_are_gone() {
    let store = store(Probe::default(), sse_kms());
    let [a, b] = ["a", "b"].map(Path::from);
    store.put(&a, "meow".into()).await.unwrap();
    store.copy(&a, &b).await.unwrap();
    store.sweep(Duration::ZERO).await.unwrap();
    assert_eq!(beneath(&store).await.len(), 4, "two records, their body and its mark");
    for path in [&a, &b] {
        store.delete(path).await.unwrap();
    }
    for (path, _) in beneath(&store).await {
        if path.as_ref().starts_with(".object-cipher/bodies") {
            store.inner().delete(&path).await.unwrap();
        }
    }
    store.sweep(Duration::from_secs(3600)).await.unwrap();
    assert_eq!(beneath(&store).await.len(), 1, "too young to be judged");
    store.sweep(Duration::ZERO).await.unwrap();
    assert_eq!(beneath(&store).await, []);
}

#[tokio::test]
async fn b5_copies_and_renames_read_and_write_no_body() {
    let store = store(Probe::default(), sse_kms());
    let [a, b, c] = ["a", "b", "c"].map(Path::from);
    let plain = content(5_000_000, 3);
    put_parts(&store, &a, &[&plain[..2_500_000], &plain[2_500_000..]]).await;
    store.inner().reset();
    store.copy(&a, &b).await.unwrap();
    store.rename(&a, &c).await.unwrap();
    assert!(store.inner().bytes() < 10_000, "{} bytes were read", store.inner().bytes());
    assert_eq!(read(&store, &b).await.unwrap(), plain);
    assert_eq!(read(&store, &c).await.unwrap(), plain);
}

#[tokio::test]
async fn between_one_layer_and_two_a_copy_is_encrypted_anew() {
    let table = CipherTable::new(sse_kms()).under("two", dsse_kms());
    let store = EncryptedStore::builder(Probe::default(), "lake", table).build();
    let plain = content(20_000_000, 4);
    let [one, two, back] = ["one", "two/layers", "back"].map(Path::from);
    let attributes: Attributes = [(Attribute::ContentType, "image/cat")].into_iter().collect();
    store.put_opts(&one, plain.clone().into(), attributes.clone().into()).await.unwrap();
    store.copy(&one, &two).await.unwrap();
    store.rename(&two, &back).await.unwrap();
    let got = store.get(&back).await.unwrap();
    assert_eq!(got.attributes, attributes);
    assert_eq!(got.bytes().await.unwrap(), plain);
    assert_eq!(bodies(&store).await, 2);
    let create = object_store::CopyMode::Create;
    store.copy_opts(&one, &two, object_store::CopyOptions::new().with_mode(create)).await.unwrap();
    let again =
        store.copy_opts(&one, &two, object_store::CopyOptions::new().with_mode(create)).await;
    assert!(matches!(again, Err(object_store::Error::AlreadyExists { .. })), "{again:?}");
    assert_eq!(bodies(&store).await, 3, "the refused copy's body is gone");
}

#[tokio::test]
async fn a_prefix_and_a_request_choose_their_cipher_and_a_wrong_key_opens_nothing() {
    let table = CipherTable::new(sse_s3()).under("kms", sse_kms()).under("kms/two", dsse_kms());
    let store = EncryptedStore::builder(Probe::default(), "lake", table).build();
    let mut modes = Vec::new();
    for name in ["a", "kms/a", "kms/two/a", "kmsx"] {
        let path = Path::from(name);
        store.put(&path, "meow".into()).await.unwrap();
        assert_eq!(read(&store, &path).await.unwrap(), b"meow");
        let to = store.rewrap(&path, http::Extensions::new()).await.unwrap();
        modes.push(to.to_mode);
    }
    assert_eq!(modes, [Mode::SseS3, Mode::SseKms, Mode::DsseKms, Mode::SseS3]);

    let path = Path::from("mine");
    let with = |byte| {
        let mut extensions = http::Extensions::new();
        extensions.insert(RequestCipher(sse_c(byte)));
        extensions
    };
    let options = PutOptions { extensions: with(1), ..PutOptions::default() };
    store.put_opts(&path, "mine".into(), options).await.unwrap();
    let none = read(&store, &path).await.unwrap_err();
    assert!(none.to_string().contains("no cipher was given"), "{none}");
    let get = |byte| store.get_opts(&path, GetOptions::new().with_extensions(with(byte)));
    assert_eq!(get(1).await.unwrap().bytes().await.unwrap(), "mine");
    let other = get(2).await.unwrap_err();
    assert!(other.to_string().contains("failed authentication"), "{other}");
}

#[tokio::test]
async fn an_encryption_context_is_kept_and_bound() {
    let store = store(Probe::default(), sse_kms());
    let path = Path::from("a");
    let mut context = EncryptionContext::new();
    context.insert("team", "cats").unwrap();
    let mut options = PutOptions::default();
    options.extensions.insert(RequestContext(context));
    store.put_opts(&path, "meow".into(), options).await.unwrap();
    assert_eq!(read(&store, &path).await.unwrap(), b"meow");
    store.copy(&path, &Path::from("b")).await.unwrap();
    assert_eq!(read(&store, &Path::from("b")).await.unwrap(), b"meow");

    let memory = store.inner().memory();
    let record = memory.get(&path).await.unwrap().bytes().await.unwrap();
    let at = record.windows(4).position(|window| window == b"cats").unwrap();
    let mut altered = record.to_vec();
    altered[at..at + 4].copy_from_slice(b"dogs");
    memory.put(&path, altered.into()).await.unwrap();
    read(&store, &path).await.unwrap_err();
}

#[tokio::test]
async fn a_rewrap_moves_an_object_to_the_key_of_now_without_its_body() {
    let both = Arc::new(kms().with_key(OTHER_KEY));
    let under = |key| SseKms::new(both.clone(), KeyName::parse(key).unwrap(), RustCrypto);
    let memory = Probe::default();
    let path = Path::from("a");
    EncryptedStore::new(memory.clone(), "lake", under(KEY))
        .put(&path, "meow".into())
        .await
        .unwrap();
    let store = EncryptedStore::new(memory.clone(), "lake", under(OTHER_KEY));
    memory.reset();
    let done = store.rewrap(&path, http::Extensions::new()).await.unwrap();
    assert_ne!(done.from_keys, done.to_keys);
    assert!(format!("{:?}", done.to_keys).contains(OTHER_KEY));
    assert!(memory.bytes() < 2_000);
    assert_eq!(read(&store, &path).await.unwrap(), b"meow");

    let table = CipherTable::new(sse_s3()).also_open(under(KEY));
    let store = EncryptedStore::builder(memory.clone(), "lake", table).build();
    let done = store.rewrap(&path, http::Extensions::new()).await.unwrap();
    assert_eq!((done.from_mode, done.to_mode), (Mode::SseKms, Mode::SseS3));
    assert_eq!(read(&store, &path).await.unwrap(), b"meow");
}

#[tokio::test]
async fn a_rewrap_does_not_write_over_what_it_did_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let files = || object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let path = Path::from("a");
    let careful = store(files(), sse_s3());
    careful.put(&path, "meow".into()).await.unwrap();
    let refused = careful.rewrap(&path, http::Extensions::new()).await;
    assert!(matches!(refused, Err(Error::NoConditions { .. })), "{refused:?}");
    let alone = EncryptedStore::builder(files(), "lake", CipherTable::new(sse_s3()));
    alone.single_writer().build().rewrap(&path, http::Extensions::new()).await.unwrap();
    assert_eq!(read(&careful, &path).await.unwrap(), b"meow");

    // In memory there are conditions: whoever writes meanwhile wins.
    let probe = Probe::default();
    let store = store(probe.clone(), sse_s3());
    for seed in 0..200 {
        store.put(&path, "old".into()).await.unwrap();
        probe.yield_by(seed);
        let (rewrapped, put) = tokio::join!(
            store.rewrap(&path, http::Extensions::new()),
            store.put(&path, "new".into())
        );
        put.unwrap();
        assert!(matches!(rewrapped, Ok(_) | Err(Error::Changed { .. } | Error::BodyGone { .. })));
        assert_eq!(read(&store, &path).await.unwrap(), b"new", "seed {seed}");
    }
}

#[tokio::test]
async fn the_bodies_of_replaced_objects_stay_if_they_shall() {
    let inner = Probe::default();
    let store = EncryptedStore::builder(inner, "lake", CipherTable::new(client()));
    let store = store.keep_replaced().build();
    let path = Path::from("a");
    store.put(&path, "old".into()).await.unwrap();
    store.put(&path, "new".into()).await.unwrap();
    store.delete(&path).await.unwrap();
    assert_eq!(bodies(&store).await, 2);
    assert_eq!(store.sweep(Duration::ZERO).await.unwrap().removed, 2);
}

#[tokio::test]
async fn a_refused_put_leaves_no_body() {
    let store = store(Probe::default(), sse_s3());
    let path = Path::from("a");
    store.put(&path, "meow".into()).await.unwrap();
    let refused = store.put_opts(&path, "purr".into(), PutMode::Create.into()).await;
    assert!(matches!(refused, Err(object_store::Error::AlreadyExists { .. })));
    assert_eq!(bodies(&store).await, 1);
    assert_eq!(read(&store, &path).await.unwrap(), b"meow");
}

#[tokio::test]
async fn two_stores_of_one_bucket_read_each_other_and_other_buckets_and_realms_do_not() {
    let inner = Arc::new(InMemory::new());
    let path = Path::from("a");
    let of = |bucket: &str, realm: &str| {
        let table = CipherTable::new(sse_s3());
        EncryptedStore::builder(inner.clone(), bucket, table).realm(realm).build()
    };
    of("lake", "").put(&path, "meow".into()).await.unwrap();
    assert_eq!(read(&of("lake", ""), &path).await.unwrap(), b"meow");
    for other in [of("pond", ""), of("lake", "prod")] {
        read(&other, &path).await.unwrap_err();
    }
}
