//! A store with its ciphers, and what tests do with it.
#![allow(
    clippy::unused_self,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "shared by tests"
)]

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, Completion, ETag, KeyringId, ObjectCipher, PartReceipt, ReadRange, SourceKey,
};
use object_cipher_keyring::{Keyring, SharedKeyring, VersionedKeys};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::CustomerKey;
use object_cipher_sse_c::SseC;
use object_cipher_sse_s3::SseS3;
use object_store::{GetOptions, ObjectStore, local::LocalFileSystem, memory::InMemory, path::Path};
use s3_server::store::{
    BucketName, Error, Metadata, NamedPart, ObjectKey, ObjectRecord, OpenObject, Result, Store,
    Upload,
};
use tempfile::TempDir;

pub struct Host {
    pub store: Store,
    pub bucket: BucketName,
    pub objects: Arc<dyn ObjectStore>,
    folder: Option<TempDir>,
    ciphers: Vec<Arc<dyn ObjectCipher>>,
}

/// Every cipher that the server has, by both libraries.
fn ciphers() -> Vec<Arc<dyn ObjectCipher>> {
    let key = SourceKey::from_bytes(b"any 32 bytes that nobody guesses");
    let keyring = Keyring::builder(KeyringId::parse("main").unwrap()).enabled(1, key);
    let keyring: Arc<dyn VersionedKeys> =
        Arc::new(SharedKeyring::new(keyring.build(&AwsLc).unwrap()));
    vec![
        Arc::new(SseS3::new(Arc::clone(&keyring), AwsLc)),
        Arc::new(SseS3::new(keyring, RustCrypto)),
        Arc::new(SseC::new(&CustomerKey::from_bytes(&[1; 32]), AwsLc)),
        Arc::new(SseC::new(&CustomerKey::from_bytes(&[1; 32]), RustCrypto)),
    ]
}

impl Host {
    /// Over a folder.
    pub async fn on_disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
        Self::over(objects, Some(folder)).await
    }

    /// In memory.
    pub async fn in_memory() -> Self {
        Self::over(Arc::new(InMemory::new()), None).await
    }

    pub async fn all() -> [Self; 2] {
        [Self::on_disk().await, Self::in_memory().await]
    }

    pub async fn over(objects: Arc<dyn ObjectStore>, folder: Option<TempDir>) -> Self {
        let store = Store::new(Arc::clone(&objects), "test");
        let bucket = BucketName::parse("photos").unwrap();
        store.create_bucket(&bucket, serde_json::Value::Null).await.unwrap();
        Self { store, bucket, objects, folder, ciphers: ciphers() }
    }

    /// The same store, as after a crash.
    pub fn restarted(&self) -> Store {
        Store::new(Arc::clone(&self.objects), "test")
    }

    pub fn ciphers(&self) -> impl Iterator<Item = &dyn ObjectCipher> {
        self.ciphers.iter().map(|cipher| &**cipher)
    }

    pub fn sse_s3(&self) -> Arc<dyn ObjectCipher> {
        Arc::clone(&self.ciphers[0])
    }

    pub fn sse_c(&self, key: u8) -> Arc<dyn ObjectCipher> {
        Arc::new(SseC::new(&CustomerKey::from_bytes(&[key; 32]), AwsLc))
    }

    pub fn key(&self, key: &str) -> ObjectKey {
        ObjectKey::parse(key).unwrap()
    }

    pub async fn put(&self, key: &str, cipher: &dyn ObjectCipher, body: &[u8]) -> ObjectRecord {
        self.try_put(key, cipher, body).await.unwrap()
    }

    pub async fn try_put(
        &self,
        key: &str,
        cipher: &dyn ObjectCipher,
        body: &[u8],
    ) -> Result<ObjectRecord> {
        let source = source(body, usize::MAX);
        let staged = self.store.stage(&self.bucket, &self.key(key), cipher, source).await?;
        let metadata = Metadata([("note".to_owned(), "kept".to_owned())].into());
        staged.commit(metadata, None, Attributes::default(), |_| Ok(())).await
    }

    pub async fn open(&self, key: &str, cipher: &dyn ObjectCipher) -> Result<OpenObject> {
        self.store.get(&self.bucket, &self.key(key)).await?.open(cipher).await
    }

    pub async fn read(
        &self,
        key: &str,
        cipher: &dyn ObjectCipher,
        range: &ReadRange,
    ) -> Result<Vec<u8>> {
        bytes(self.open(key, cipher).await?.read(range)?).await
    }

    pub async fn create(
        &self,
        key: &str,
        cipher: &dyn ObjectCipher,
        completion: Completion,
    ) -> Upload {
        let (key, metadata) = (self.key(key), Metadata::default());
        let none = serde_json::Value::Null;
        let upload =
            self.store.create_upload(&self.bucket, &key, cipher, completion, metadata, none);
        upload.await.unwrap()
    }

    /// A whole upload, parts in the order given.
    pub async fn upload(
        &self,
        key: &str,
        cipher: &dyn ObjectCipher,
        parts: &[(u32, Vec<u8>)],
    ) -> Result<ObjectRecord> {
        let upload = self.create(key, cipher, Completion::WithKey).await;
        let mut named = Vec::new();
        for (number, body) in parts {
            named.push(part(&upload, *number, body).await?);
        }
        complete(&upload, cipher, &named).await
    }

    /// Lets deletions that go on behind the answers end.
    pub async fn settle(&self) {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Everything that is kept, by path.
    pub async fn kept(&self) -> Vec<(Path, Bytes)> {
        let found: Vec<_> = self.objects.list(None).try_collect().await.unwrap();
        let mut kept = Vec::new();
        for meta in found {
            let bytes = self.objects.get_opts(&meta.location, GetOptions::default()).await.unwrap();
            kept.push((meta.location, bytes.bytes().await.unwrap()));
        }
        kept.sort();
        kept
    }

    /// What is kept of bodies.
    pub async fn bodies(&self) -> Vec<(Path, Bytes)> {
        let mut kept = self.kept().await;
        kept.retain(|(path, _)| path.as_ref().starts_with("bodies/"));
        kept
    }

    /// The file of the record of the object `a`.
    pub fn record_file(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("objects/photos/a.json")
    }

    pub fn edit_record(&self, from: &str, to: &str) {
        let record = std::fs::read_to_string(self.record_file()).unwrap();
        assert!(record.contains(from), "{record} has no {from}");
        std::fs::write(self.record_file(), record.replace(from, to)).unwrap();
    }
}

/// One attempt of a part, under a random ETag.
pub async fn part(upload: &Upload, number: u32, body: &[u8]) -> Result<NamedPart> {
    let mut etag = ETag([0; 16]);
    getrandom::fill(&mut etag.0).map_err(Error::Random)?;
    let staged = upload.stage(number, source(body, usize::MAX)).await?;
    staged.commit(etag, true, &[]).await?;
    Ok(NamedPart { part: number, etag, checksum: None })
}

pub async fn complete(
    upload: &Upload,
    cipher: &dyn ObjectCipher,
    named: &[NamedPart],
) -> Result<ObjectRecord> {
    let attributes = |receipts: &[PartReceipt]| {
        let etag = receipts.first().map(PartReceipt::etag);
        Ok((Attributes { etag, ..Attributes::default() }, None))
    };
    upload.complete(cipher, named, 0, attributes, |_| Ok(())).await
}

/// Pieces of a body; piece number `fails` is an error.
pub fn source(
    body: &[u8],
    fails: usize,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + Unpin + use<> {
    let pieces: Vec<_> = body.chunks(10_000).map(Bytes::copy_from_slice).collect();
    stream::iter(pieces).enumerate().map(move |(number, piece)| {
        if number == fails { Err(std::io::Error::other("the client has gone")) } else { Ok(piece) }
    })
}

pub async fn bytes(source: impl Stream<Item = Result<Bytes>>) -> Result<Vec<u8>> {
    let pieces: Vec<Bytes> = source.try_collect().await?;
    Ok(pieces.concat())
}

/// Bytes without a pattern.
pub fn content(length: usize) -> Vec<u8> {
    let mut state = length as u64 | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
