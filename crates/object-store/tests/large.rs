//! Objects of any length, and many readers, in the same memory. A file of its own, since the memory that is
//! looked at is the whole process's.

#![allow(clippy::unwrap_used, reason = "a failed test stops")]

mod setup;

use std::{fs, path};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_cipher_object_store::EncryptedStore;
use object_store::{ObjectStoreExt as _, WriteMultipart, local::LocalFileSystem, path::Path};
use setup::{sse_s3, store};

const MIB: u64 = 1 << 20;
/// What a process of this kind has anyway with parts on their way, and for each of a thousand readers its range
/// and four chunks.
const MOST: u64 = 64 * MIB + READERS * (RANGE + 4 * 16_384);
const PART: u64 = 8 * MIB;
const PARTS_AHEAD: usize = 4;
const READERS: u64 = 1_000;
const RANGE: u64 = 64 << 10;

/// The content of an object at a place: a pattern that no chunk shares with its neighbours.
fn piece(start: u64, length: u64) -> Vec<u8> {
    let byte = |at: u64| (at / 16_384).wrapping_mul(31).wrapping_add(at).to_le_bytes()[0];
    (start..start + length).map(byte).collect()
}

fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1_024
}

async fn put(store: &EncryptedStore<LocalFileSystem>, path: &Path, length: u64) {
    let mut upload = WriteMultipart::new(store.put_multipart(path).await.unwrap());
    for start in (0..length).step_by(usize::try_from(PART).unwrap()) {
        upload.wait_for_capacity(PARTS_AHEAD).await.unwrap();
        upload.put(Bytes::from(piece(start, PART.min(length - start))));
    }
    upload.finish().await.unwrap();
}

async fn read_all(store: &EncryptedStore<LocalFileSystem>, path: &Path, length: u64) {
    let mut at = 0;
    let mut content = store.get(path).await.unwrap().into_stream();
    while let Some(bytes) = content.try_next().await.unwrap() {
        assert_eq!(bytes, piece(at, bytes.len() as u64), "at {at}");
        at += bytes.len() as u64;
    }
    assert_eq!(at, length);
}

async fn read_at_once(store: &EncryptedStore<LocalFileSystem>, path: &Path, length: u64) {
    let starts = (0..READERS).map(|reader| reader * 0x9E37_79B9_7F4A % (length - RANGE));
    let reads = stream::iter(starts).map(|start| async move {
        let got = store.get_range(path, start..start + RANGE).await.unwrap();
        assert_eq!(got, piece(start, RANGE), "at {start}");
    });
    reads.buffer_unordered(usize::try_from(READERS).unwrap()).collect::<()>().await;
}

/// Puts an object, reads it whole and in a thousand ranges at once; tells the peak of memory.
async fn hold(length: u64, folder: &path::Path) -> u64 {
    let store = store(LocalFileSystem::new_with_prefix(folder).unwrap(), sse_s3());
    let path = Path::from("large");
    put(&store, &path, length).await;
    read_all(&store, &path, length).await;
    read_at_once(&store, &path, length).await;
    peak_memory()
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_an_object_of_256_mib_and_a_thousand_readers_take_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let peak = hold(256 * MIB, folder.path()).await;
    println!("256 MiB: at most {} MiB resident", peak / MIB);
    assert!(peak < MOST, "{} MiB", peak / MIB);
}

/// `cargo test -p object-cipher-object-store --test large -- --ignored --nocapture`, with 6 GiB of disk.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes 5 GiB"]
async fn p5_an_object_of_5_gib_takes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let peak = hold(5 * 1_024 * MIB, folder.path()).await;
    println!("5 GiB: at most {} MiB resident", peak / MIB);
    assert!(peak < MOST, "{} MiB", peak / MIB);
}
