//! Attacks on what is stored, by their numbers in `docs/attacks.md`.

#![allow(clippy::unwrap_used, reason = "a failed test stops")]

mod setup;

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use object_cipher_core::ObjectCipher as _;
use object_cipher_object_store::{EncryptedStore, Record};
use object_store::{
    Attribute, Attributes, ObjectStore, ObjectStoreExt as _, PutMode, UpdateVersion,
    memory::InMemory, path::Path,
};
use setup::{Probe, ciphers, content, put_parts, read, sse_kms, sse_s3, store};

type Store = EncryptedStore<InMemory>;

async fn stored(store: &Store, path: &Path) -> Vec<u8> {
    read(store.inner(), path).await.unwrap()
}

async fn overwrite(store: &Store, path: &Path, bytes: Vec<u8>) {
    store.inner().put(path, bytes.into()).await.unwrap();
}

/// The only body.
async fn body_path(store: &Store) -> Path {
    let prefix = Path::from(".object-cipher/bodies");
    let bodies: Vec<_> = store.inner().list(Some(&prefix)).try_collect().await.unwrap();
    assert_eq!(bodies.len(), 1);
    bodies[0].location.clone()
}

/// Nothing but an error comes out, whichever way it is read.
async fn refused(store: &Store, path: &Path, what: &str) {
    assert!(read(store, path).await.is_err(), "{what}: read whole");
    assert!(store.get_range(path, 0..1).await.is_err(), "{what}: read in ranges");
}

async fn attributed(store: &Store, path: &Path, plain: &[u8]) {
    let attributes: Attributes =
        [(Attribute::ContentType, "image/cat"), (Attribute::Metadata("Colour".into()), "black")]
            .into_iter()
            .collect();
    store.put_opts(path, plain.to_vec().into(), attributes.into()).await.unwrap();
}

#[tokio::test]
async fn f1_every_flipped_bit_of_a_record_is_refused_in_every_mode() {
    let path = Path::from("a");
    for cipher in ciphers() {
        let mode = cipher.mode();
        let store = store(InMemory::new(), cipher);
        attributed(&store, &path, b"meow").await;
        let record = stored(&store, &path).await;
        let versions = key_versions(&record);
        for bit in 0..record.len() * 8 {
            let mut altered = record.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            overwrite(&store, &path, altered).await;
            // A key blob is the KMS's to refuse, which does not look at the version told in it.
            if versions.contains(&(bit / 8)) {
                continue;
            }
            refused(&store, &path, &format!("bit {bit}, {mode}")).await;
        }
        overwrite(&store, &path, record).await;
        assert_eq!(read(&store, &path).await.unwrap(), b"meow");
    }
}

/// Where a record holds the version of a KMS's key, which blobs begin with.
fn key_versions(record: &[u8]) -> Vec<usize> {
    let envelope = Record::parse(record).unwrap().envelope;
    let blobs = envelope.layers().map(|layer| layer.blob().as_bytes().to_vec());
    let at = |blob: &[u8]| record.windows(blob.len()).position(|bytes| bytes == blob).unwrap();
    let version = b"v1";
    blobs
        .filter(|blob| !blob.is_empty())
        .filter_map(|blob| {
            let start = blob.windows(2).position(|bytes| bytes == version)?;
            Some(at(&blob) + start..at(&blob) + start + version.len())
        })
        .flatten()
        .collect()
}

#[tokio::test]
async fn f1_m5_every_flipped_bit_of_a_record_with_parts_is_refused() {
    let path = Path::from("a");
    let store = store(InMemory::new(), sse_s3());
    put_parts(&store, &path, &[b"me", b"ow"]).await;
    let record = stored(&store, &path).await;
    for bit in 0..record.len() * 8 {
        let mut altered = record.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        overwrite(&store, &path, altered).await;
        refused(&store, &path, &format!("bit {bit}")).await;
    }
}

#[tokio::test]
async fn f2_f3_a_record_cut_or_with_bytes_behind_it_is_refused() {
    let path = Path::from("a");
    let store = store(InMemory::new(), sse_kms());
    attributed(&store, &path, b"meow").await;
    let record = stored(&store, &path).await;
    for length in 0..record.len() {
        overwrite(&store, &path, record[..length].to_vec()).await;
        refused(&store, &path, &format!("cut to {length}")).await;
    }
    for more in [1, 16, 5_000] {
        overwrite(&store, &path, [&record[..], &vec![0; more]].concat()).await;
        refused(&store, &path, &format!("{more} more")).await;
    }
    overwrite(&store, &path, vec![0x89; 3 << 20]).await;
    refused(&store, &path, "longer than a record can be").await;
}

#[tokio::test]
async fn f2_f3_a_body_cut_or_with_bytes_behind_it_is_refused() {
    let path = Path::from("a");
    for parts in [&[&content(40_000, 1)[..]][..], &[&content(20_000, 1), &content(20_000, 2)]] {
        let store = store(InMemory::new(), sse_s3());
        match parts {
            [one] => drop(store.put(&path, one.to_vec().into()).await.unwrap()),
            _ => put_parts(&store, &path, parts).await,
        }
        let at = body_path(&store).await;
        let body = stored(&store, &at).await;
        for length in [0, 56, 72, 16_456, 20_000, body.len() - 1] {
            overwrite(&store, &at, body[..length].to_vec()).await;
            assert!(read(&store, &path).await.is_err(), "cut to {length}");
        }
        for more in [1, 16, 16_416] {
            overwrite(&store, &at, [&body[..], &vec![0; more]].concat()).await;
            assert!(read(&store, &path).await.is_err(), "{more} bytes more");
        }
        store.inner().delete(&at).await.unwrap();
        let gone = read(&store, &path).await.unwrap_err();
        assert!(gone.to_string().contains("its body is gone"), "{gone}");
    }
}

#[tokio::test]
async fn g2_g3_a_bad_chunk_spoils_the_ranges_that_touch_it_and_no_other() {
    let path = Path::from("a");
    let store = store(InMemory::new(), sse_s3());
    let plain = content(50_000, 1);
    store.put(&path, plain.clone().into()).await.unwrap();
    let at = body_path(&store).await;
    let mut body = stored(&store, &at).await;
    body[20_000] ^= 1;
    overwrite(&store, &at, body).await;
    assert_eq!(store.get_range(&path, 0..16_384).await.unwrap(), plain[..16_384]);
    assert_eq!(store.get_range(&path, 32_768..50_000).await.unwrap(), plain[32_768..]);
    store.get_range(&path, 16_383..16_385).await.unwrap_err();
    store.get_ranges(&path, &[0..5, 17_000..17_001]).await.unwrap_err();

    // What comes before the bad chunk is verified, and the stream ends in an error.
    let mut stream = store.get(&path).await.unwrap().into_stream();
    let mut released = Vec::new();
    let error = loop {
        match stream.next().await.unwrap() {
            Ok(bytes) => released.extend_from_slice(&bytes),
            Err(error) => break error,
        }
    };
    assert_eq!(released, plain[..16_384]);
    assert!(error.to_string().contains("failed authentication"), "{error}");
}

#[tokio::test]
async fn b1_a_record_moved_to_another_path_is_refused() {
    let store = store(InMemory::new(), sse_s3());
    let [a, b] = ["a", "b"].map(Path::from);
    store.put(&a, "meow".into()).await.unwrap();
    store.inner().copy(&a, &b).await.unwrap();
    refused(&store, &b, "moved").await;
    assert_eq!(read(&store, &a).await.unwrap(), b"meow");
}

#[tokio::test]
async fn b3_sections_of_two_records_make_none() {
    let store = store(InMemory::new(), sse_s3());
    let [a, b] = ["a", "b"].map(Path::from);
    attributed(&store, &a, b"meow").await;
    store.put(&b, "purr".into()).await.unwrap();
    put_parts(&store, &Path::from("p"), &[b"me", b"ow"]).await;
    let [first, second, parts] = [
        Record::parse(&stored(&store, &a).await).unwrap(),
        Record::parse(&stored(&store, &b).await).unwrap(),
        Record::parse(&stored(&store, &Path::from("p")).await).unwrap(),
    ];
    let mixed = [
        ("attributes", Record { attributes: second.attributes.clone(), ..first.clone() }),
        ("Envelope", Record { envelope: second.envelope.clone(), ..first.clone() }),
        ("length", Record { plaintext_len: 3, ..first.clone() }),
        ("parts", Record { envelope: first.envelope.clone(), ..parts.clone() }),
        ("table", Record { part_table: None, ..parts }),
    ];
    for (what, record) in mixed {
        overwrite(&store, &a, record.to_bytes().unwrap()).await;
        refused(&store, &a, what).await;
    }
}

#[tokio::test]
async fn b4_an_old_record_put_back_opens_nothing_once_its_body_is_gone() {
    let store = store(InMemory::new(), sse_s3());
    let path = Path::from("a");
    store.put(&path, "old".into()).await.unwrap();
    let old = stored(&store, &path).await;
    store.put(&path, "new".into()).await.unwrap();
    overwrite(&store, &path, old).await;
    refused(&store, &path, "an old record").await;
}

#[tokio::test]
async fn b10_what_is_no_record_is_never_given_out_as_content() {
    let store = store(InMemory::new(), sse_s3());
    let path = Path::from("plain");
    for bytes in [&b""[..], b"plain text", &content(100, 1), &content(100_000, 1)] {
        overwrite(&store, &path, bytes.to_vec()).await;
        refused(&store, &path, "no record").await;
        store.head(&path).await.unwrap_err();
        store.list(None).try_collect::<Vec<_>>().await.unwrap_err();
        let swept = store.sweep(std::time::Duration::ZERO).await;
        swept.expect_err("it might have named a body");
    }
    store.delete(&path).await.unwrap();
    assert!(store.list(None).try_collect::<Vec<_>>().await.unwrap().is_empty());
}

#[tokio::test]
async fn b11_i1_nothing_of_the_content_is_stored() {
    for cipher in ciphers() {
        let store = store(InMemory::new(), cipher);
        let plain = content(100_000, 9);
        let [a, b, c] = ["a", "b", "c"].map(Path::from);
        store.put(&a, plain.clone().into()).await.unwrap();
        put_parts(&store, &b, &[&plain[..50_000], &plain[50_000..]]).await;
        store.copy(&a, &c).await.unwrap();
        store.rename(&b, &a).await.unwrap();
        let windows: std::collections::HashSet<&[u8]> = plain.windows(16).collect();
        let paths: Vec<_> =
            store.inner().list(None).map_ok(|meta| meta.location).try_collect().await.unwrap();
        assert!(paths.len() >= 4);
        for path in paths {
            let bytes = stored(&store, &path).await;
            let found = bytes.windows(16).any(|window| windows.contains(window));
            assert!(!found, "plaintext at {path}");
        }
        // The scan finds what is there.
        let planted = [&[0; 7][..], &plain[500..516]].concat();
        assert!(planted.windows(16).any(|window| windows.contains(window)));
    }
}

#[tokio::test]
async fn g11_a_body_put_over_another_between_two_reads_is_refused() {
    let store = store(InMemory::new(), sse_s3());
    let [a, b] = ["a", "b"].map(Path::from);
    store.put(&a, content(50_000, 1).into()).await.unwrap();
    let at = body_path(&store).await;
    let before = store.get(&a).await.unwrap();
    store.put(&b, content(50_000, 2).into()).await.unwrap();
    let id = Record::parse(&stored(&store, &b).await).unwrap().envelope.object_id().to_string();
    let other = Path::from(format!(".object-cipher/bodies/{}/{id}", &id[..2]));
    store.inner().copy(&other, &at).await.unwrap();
    refused(&store, &a, "another's body").await;
    assert_eq!(before.bytes().await.unwrap(), content(50_000, 1), "what was begun goes on");
}

/// A store puts the record, its answer is lost, and the client sends it again: then our own record is in
/// the way. Its body stays, and the put has succeeded.
#[tokio::test]
async fn a_put_whose_answer_was_lost_keeps_its_body() {
    let probe = Probe::default();
    let store = store(probe.clone(), sse_s3());
    let path = Path::from("a");
    probe.put_twice();
    let created = store.put_opts(&path, "meow".into(), PutMode::Create.into()).await.unwrap();
    assert_eq!(read(&store, &path).await.unwrap(), b"meow");

    let update = PutMode::Update(UpdateVersion { e_tag: created.e_tag, version: created.version });
    store.put_opts(&path, "purr".into(), update.clone().into()).await.unwrap();
    assert_eq!(read(&store, &path).await.unwrap(), b"purr");

    for mode in [PutMode::Create, update] {
        store.put_opts(&path, "hiss".into(), mode.into()).await.unwrap_err();
        assert_eq!(read(&store, &path).await.unwrap(), b"purr", "the other's is not touched");
    }
    assert_eq!(probe.memory().list(None).count().await, 2, "a record and its body");
}

/// Whatever call fails, before its work or after it, an object is the old one or the new one, and what
/// is left over goes with a sweep.
#[tokio::test]
async fn x1_whichever_call_fails_the_object_is_the_old_or_the_new_one() {
    let [a, b] = ["a", "b"].map(Path::from);
    for works in [false, true] {
        for step in ["put", "parts", "copy", "rename", "delete", "rewrap"] {
            for call in 1.. {
                let probe = Probe::default();
                let store = store(probe.clone(), sse_s3());
                store.put(&a, "old a".into()).await.unwrap();
                store.put(&b, "old b".into()).await.unwrap();
                probe.fail_at(call, works);
                let done = perform(&store, step).await;
                let reached = probe.calls() >= call;
                probe.reset();
                let told = format!("{step}, call {call}, {works}: {done:?}");
                let got = [read(&store, &a).await.ok(), read(&store, &b).await.ok()];
                assert!(allowed(step, &got), "{told}: {got:?}");
                if done.is_ok() {
                    assert_eq!(got, after(step), "{told}");
                }
                store.sweep(std::time::Duration::ZERO).await.unwrap();
                let again = [read(&store, &a).await.ok(), read(&store, &b).await.ok()];
                assert_eq!(got, again, "{told}: a sweep changes nothing");
                let prefix = Path::from(".object-cipher/bodies");
                let bodies = probe.memory().list(Some(&prefix)).count().await;
                let distinct: std::collections::HashSet<_> = got.iter().flatten().collect();
                assert_eq!(bodies, distinct.len(), "{told}: one body a content");
                if !reached {
                    assert!(call > 2, "{step} was watched");
                    break;
                }
            }
        }
    }
}

async fn perform(store: &EncryptedStore<Probe>, step: &str) -> Result<(), String> {
    let [a, b] = ["a", "b"].map(Path::from);
    let done = match step {
        "put" => store.put(&b, "new b".into()).await.map(|_| ()),
        "parts" => parts(store, &b).await,
        "copy" => store.copy(&a, &b).await,
        "rename" => store.rename(&a, &b).await,
        "delete" => store.delete(&b).await,
        _ => return store.rewrap(&b, http::Extensions::new()).await.map(drop).map_err(text),
    };
    done.map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

async fn parts(store: &EncryptedStore<Probe>, path: &Path) -> object_store::Result<()> {
    let mut upload = store.put_multipart(path).await?;
    upload.put_part("new ".into()).await?;
    upload.put_part("b".into()).await?;
    upload.complete().await.map(|_| ())
}

/// What `a` and `b` hold when a step has gone well.
fn after(step: &str) -> [Option<Vec<u8>>; 2] {
    let some = |text: &str| Some(text.as_bytes().to_vec());
    match step {
        "put" | "parts" => [some("old a"), some("new b")],
        "copy" => [some("old a"), some("old a")],
        "rename" => [None, some("old a")],
        "delete" => [some("old a"), None],
        _ => [some("old a"), some("old b")],
    }
}

/// What they may hold when it has not: before, after, or for a rename between.
fn allowed(step: &str, got: &[Option<Vec<u8>>; 2]) -> bool {
    let between = step == "rename" && *got == after("copy");
    *got == after("nothing") || *got == after(step) || between
}

#[tokio::test]
async fn races_of_puts_copies_renames_and_deletes_lose_no_body_that_a_record_names() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(Path::from);
    for seed in 0..400 {
        let probe = Probe::default();
        let store = store(probe.clone(), sse_s3());
        store.put(&a, "a".into()).await.unwrap();
        probe.yield_by(seed);
        let _ = tokio::join!(
            store.rename(&a, &b),
            store.delete(&a),
            store.put(&a, "a again".into()),
            store.copy(&a, &c),
            store.copy(&b, &d),
        );
        for path in [&a, &b, &c, &d] {
            match read(&store, path).await {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => panic!("seed {seed}, {path}: {error}"),
            }
        }
    }
}

/// A rename takes a record from where a sweep has yet to look to where it has looked.
#[tokio::test]
async fn a_sweep_removes_no_body_whose_record_moves_meanwhile() {
    let (grace, longer) = (Duration::from_millis(20), Duration::from_millis(30));
    let [z, a] = ["z", "a"].map(Path::from);
    let mut removed = 0;
    for seed in 0..60 {
        let probe = Probe::default();
        let store = store(probe.clone(), sse_s3());
        for name in ["m", "n", "o", "z"] {
            store.put(&Path::from(name), "meow".into()).await.unwrap();
        }
        store.inner().memory().delete(&Path::from("m")).await.unwrap();
        tokio::time::sleep(longer).await;
        probe.yield_by(seed);
        let (swept, renamed) = tokio::join!(store.sweep(grace), store.rename(&z, &a));
        renamed.unwrap();
        removed += swept.unwrap().removed;
        assert_eq!(read(&store, &a).await.unwrap(), b"meow", "seed {seed}");
    }
    assert_eq!(removed, 60, "what nothing names goes");
}
