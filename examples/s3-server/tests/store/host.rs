//! A store with its ciphers, and what tests do with it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, Checksum, ChecksumAlgorithm, ChecksumKind, Completion, ETag, KeyringId, Mode,
    ObjectChecksum, ObjectCipher, PartReceipt, ReadRange, SourceKey,
};
use object_cipher_dsse_kms::DsseKms;
use object_cipher_keyring::{Keyring, SharedKeyring, VersionedKeys};
use object_cipher_kms::{KeyName, Kms, LocalKms, Scope};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::{CustomerKey, Digester, Digests, ETagRule, ObjectETag, checksum};
use object_cipher_sse_c::SseC;
use object_cipher_sse_kms::SseKms;
use object_cipher_sse_s3::SseS3;
use object_store::{
    ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem, memory::InMemory,
    path::Path,
};
use s3_server::store::{
    BucketName, Error, Metadata, NamedPart, ObjectKey, ObjectRecord, OpenObject, Result,
    StagedObject, StagedPart, Store, There, Upload, UploadId,
};
use serde_json::Value;
use tempfile::TempDir;

/// Bytes of plaintext in a chunk.
pub(crate) const CHUNK: usize = 16_384;

/// The keys that everything is sealed under: nothing stored may tell them.
pub(crate) const SECRETS: [&[u8; 32]; 2] =
    [b"any 32 bytes that nobody guesses", b"the customer's own key, 32 bytes"];

/// A store, what lies under it, and the ciphers to use it with. Clones are the same.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) store: Store,
    pub(crate) bucket: BucketName,
    pub(crate) objects: Arc<dyn ObjectStore>,
    folder: Option<Arc<TempDir>>,
    ciphers: Vec<Arc<dyn ObjectCipher>>,
    strangers: Vec<Arc<dyn ObjectCipher>>,
}

/// Every cipher that the server has, by both libraries.
fn ciphers([master, customer]: [&[u8; 32]; 2]) -> Vec<Arc<dyn ObjectCipher>> {
    let keyring = Keyring::builder(KeyringId::parse("main").unwrap());
    let keyring = keyring.enabled(1, SourceKey::from_bytes(master)).build(&AwsLc).unwrap();
    let keyring: Arc<dyn VersionedKeys> = Arc::new(SharedKeyring::new(keyring));
    vec![
        Arc::new(SseS3::new(Arc::clone(&keyring), AwsLc)),
        Arc::new(SseS3::new(keyring, RustCrypto)),
        Arc::new(SseC::new(&CustomerKey::from_bytes(customer), AwsLc)),
        Arc::new(SseC::new(&CustomerKey::from_bytes(customer), RustCrypto)),
        Arc::new(SseKms::new(kms(master), kms_key(), AwsLc)),
        Arc::new(DsseKms::new(kms(master), kms_key(), RustCrypto, AwsLc)),
    ]
}

const KMS_KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn kms_key() -> KeyName {
    KeyName::parse(KMS_KEY).unwrap()
}

fn kms(key: &[u8; 32]) -> Arc<dyn Kms> {
    let text = format!("{KMS_KEY}:{}", STANDARD.encode(key));
    Arc::new(LocalKms::from_text(&text, Scope::default(), AwsLc).unwrap())
}

impl Host {
    /// Over a folder.
    pub(crate) async fn on_disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
        Self::over(objects, Some(Arc::new(folder))).await
    }

    /// In memory.
    pub(crate) async fn in_memory() -> Self {
        Self::over(Arc::new(InMemory::new()), None).await
    }

    pub(crate) async fn all() -> [Self; 2] {
        [Self::on_disk().await, Self::in_memory().await]
    }

    async fn over(objects: Arc<dyn ObjectStore>, folder: Option<Arc<TempDir>>) -> Self {
        let store = Store::new(Arc::clone(&objects), "test");
        let bucket = BucketName::parse("photos").unwrap();
        store.create_bucket(&bucket, Value::Null).await.unwrap();
        let strangers = [b"another 32 bytes nobody guesses!", b"some other customer's 32 bytes.."];
        let (ciphers, strangers) = (ciphers(SECRETS), ciphers(strangers));
        Self { store, bucket, objects, folder, ciphers, strangers }
    }

    /// Another host of the same kind.
    pub(crate) async fn fresh(&self) -> Self {
        if self.folder.is_some() { Self::on_disk().await } else { Self::in_memory().await }
    }

    /// The same buckets in another process, which sees them through `objects`.
    pub(crate) fn through(&self, objects: Arc<dyn ObjectStore>) -> Self {
        Self { store: Store::new(Arc::clone(&objects), "test"), objects, ..self.clone() }
    }

    /// The same buckets, as after a crash.
    pub(crate) fn restarted(&self) -> Self {
        self.through(Arc::clone(&self.objects))
    }

    pub(crate) fn ciphers(&self) -> impl Iterator<Item = &dyn ObjectCipher> {
        self.ciphers.iter().map(|cipher| &**cipher)
    }

    /// Every cipher with every cipher.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&dyn ObjectCipher, &dyn ObjectCipher)> {
        self.ciphers().flat_map(|from| self.ciphers().map(move |to| (from, to)))
    }

    /// Each cipher, and the same one under a key that is not the object's.
    pub(crate) fn strangers(&self) -> impl Iterator<Item = (&dyn ObjectCipher, &dyn ObjectCipher)> {
        self.ciphers().zip(self.strangers.iter().map(|cipher| &**cipher))
    }

    pub(crate) fn sse_s3(&self) -> Arc<dyn ObjectCipher> {
        Arc::clone(&self.ciphers[0])
    }

    pub(crate) async fn put(
        &self,
        key: &str,
        cipher: &dyn ObjectCipher,
        body: &[u8],
    ) -> Result<ObjectRecord> {
        self.put_with(ChecksumAlgorithm::Crc64Nvme, key, cipher, body).await
    }

    pub(crate) async fn put_with(
        &self,
        algorithm: ChecksumAlgorithm,
        name: &str,
        cipher: &dyn ObjectCipher,
        body: &[u8],
    ) -> Result<ObjectRecord> {
        let source = source(body, usize::MAX);
        let staged = self.store.stage(&self.bucket, &key(name), cipher, source).await?;
        commit(staged, cipher.mode(), &digests(body), algorithm).await
    }

    pub(crate) async fn open(&self, name: &str, cipher: &dyn ObjectCipher) -> Result<OpenObject> {
        self.store.get(&self.bucket, &key(name)).await?.open(cipher).await
    }

    pub(crate) async fn read(
        &self,
        key: &str,
        cipher: &dyn ObjectCipher,
        range: &ReadRange,
    ) -> Result<Vec<u8>> {
        bytes(self.open(key, cipher).await?.read(range)?).await
    }

    pub(crate) async fn read_whole(&self, key: &str, cipher: &dyn ObjectCipher) -> Result<Vec<u8>> {
        self.read(key, cipher, &ReadRange::Whole).await
    }

    pub(crate) async fn create(
        &self,
        name: &str,
        cipher: &dyn ObjectCipher,
        completion: Completion,
    ) -> Result<Upload> {
        let (metadata, none) = (Metadata::default(), Value::Null);
        let key = key(name);
        self.store.create_upload(&self.bucket, &key, cipher, completion, metadata, none).await
    }

    /// A new upload, with these parts.
    pub(crate) async fn upload_of(
        &self,
        key: &str,
        cipher: &dyn ObjectCipher,
        completion: Completion,
        parts: &[(u32, Vec<u8>)],
    ) -> Result<(Upload, Vec<NamedPart>)> {
        let upload = self.create(key, cipher, completion).await?;
        let mut named = Vec::new();
        for (number, body) in parts {
            named.push(part(&upload, *number, body).await?);
        }
        Ok((upload, named))
    }

    /// A whole upload, parts in the order given.
    pub(crate) async fn upload(
        &self,
        key: &str,
        cipher: &dyn ObjectCipher,
        parts: &[(u32, Vec<u8>)],
    ) -> Result<ObjectRecord> {
        let (upload, named) = self.upload_of(key, cipher, Completion::WithKey, parts).await?;
        complete(&upload, cipher, &named).await
    }

    /// Completes an upload without its key.
    pub(crate) async fn complete_keyless(
        &self,
        name: &str,
        id: &UploadId,
        named: &[NamedPart],
    ) -> Result<ObjectRecord> {
        self.store.complete_keyless(&self.bucket, &key(name), id, named, 0, |_| Ok(())).await
    }

    /// Everything that is kept, by path.
    pub(crate) async fn kept(&self) -> Vec<(Path, Bytes)> {
        let found: Vec<_> = self.objects.list(None).try_collect().await.unwrap();
        let mut kept = Vec::new();
        for meta in found {
            // What goes meanwhile is not kept.
            let Ok(found) = self.objects.get(&meta.location).await else { continue };
            kept.push((meta.location, found.bytes().await.unwrap()));
        }
        kept.sort();
        kept
    }

    /// What is kept of bodies, once there are as many: they go behind the answers.
    pub(crate) async fn bodies(&self, count: usize) -> Vec<(Path, Bytes)> {
        let mut kept = Vec::new();
        for _ in 0..400 {
            kept = self.kept().await;
            kept.retain(|(path, _)| path.as_ref().starts_with("bodies/"));
            if kept.len() == count {
                return kept;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("there are {} bodies, not {count}", kept.len());
    }

    /// Deletes the objects and aborts the uploads, lets the sweep do the rest, and tells what is left.
    pub(crate) async fn cleared(&self, keys: &[&str]) -> Vec<Path> {
        for name in keys {
            self.store.delete(&self.bucket, &key(name)).await.unwrap();
        }
        for (id, upload) in self.store.uploads(&self.bucket).await.unwrap() {
            // One that ends meanwhile is as good.
            match self.store.abort(&self.bucket, &key(&upload.key), &id).await {
                Ok(()) | Err(Error::NoSuchUpload) => {}
                Err(error) => panic!("{error}"),
            }
        }
        self.store.sweep().await.unwrap();
        let left = self.kept().await.into_iter().map(|(path, _)| path);
        left.filter(|path| !path.as_ref().starts_with("buckets/")).collect()
    }

    pub(crate) async fn get(&self, path: &Path) -> Bytes {
        self.objects.get(path).await.unwrap().bytes().await.unwrap()
    }

    pub(crate) async fn set(&self, path: &Path, bytes: impl Into<PutPayload>) {
        self.objects.put(path, bytes.into()).await.unwrap();
    }

    pub(crate) async fn json(&self, path: &Path) -> Value {
        serde_json::from_slice(&self.get(path).await).unwrap()
    }

    /// Changes a record behind the store's back.
    pub(crate) async fn edit(&self, path: &Path, change: impl FnOnce(&mut Value)) {
        let mut record = self.json(path).await;
        change(&mut record);
        self.set(path, record.to_string()).await;
    }

    /// Where the body of an object is kept, or its table of parts.
    pub(crate) async fn body(&self, key: &str) -> Path {
        let content = self.json(&record(key)).await["content"].take();
        let mut of_parts = content.as_object().unwrap().values();
        let name = content["body"].as_str();
        let name = name.or_else(|| of_parts.next()?["table"].as_str()).unwrap();
        body(name)
    }

    /// All files of a host on disk, also those that are not finished.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        folders.push(self.folder.as_ref().unwrap().path().to_owned());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    }
}

pub(crate) fn key(key: &str) -> ObjectKey {
    ObjectKey::parse(key).unwrap()
}

/// Where the record of an object is kept whose key needs no escape.
pub(crate) fn record(key: &str) -> Path {
    Path::from(format!("objects/photos/{key}.json"))
}

/// Where the record of an upload is kept.
pub(crate) fn upload_record(id: &UploadId) -> Path {
    Path::from(format!("uploads/{id}/upload.json"))
}

/// Where the record of a part is kept.
pub(crate) fn part_record(id: &UploadId, part: u32) -> Path {
    Path::from(format!("uploads/{id}/parts/{part}.json"))
}

/// Where a body is kept.
pub(crate) fn body(name: &str) -> Path {
    Path::from(format!("bodies/{}/{name}", &name[..2]))
}

/// Makes what was staged the object, with digests of its content.
pub(crate) async fn commit(
    staged: StagedObject,
    mode: Mode,
    digests: &Digests,
    algorithm: ChecksumAlgorithm,
) -> Result<ObjectRecord> {
    let (etag, shown) = etag(mode, digests);
    let checksum = *digests.get(algorithm).unwrap();
    let attributes = Attributes {
        etag: Some(etag),
        checksum: Some(ObjectChecksum { checksum, kind: ChecksumKind::FullObject }),
        ..Attributes::default()
    };
    let metadata = Metadata([("note".to_owned(), "kept".to_owned())].into());
    let shown = shown.then(|| ObjectETag::Single(etag).to_string());
    staged.commit(metadata, shown, attributes, |_| Ok(())).await
}

/// One attempt of a part, with digests of its content.
pub(crate) async fn part(upload: &Upload, number: u32, body: &[u8]) -> Result<NamedPart> {
    let staged = upload.stage(number, source(body, usize::MAX)).await?;
    commit_part(staged, upload, number, body).await
}

/// Makes what was staged the part, with the digests of its content.
pub(crate) async fn commit_part(
    staged: StagedPart,
    upload: &Upload,
    number: u32,
    body: &[u8],
) -> Result<NamedPart> {
    let digests = digests(body);
    let (etag, shown) = etag(upload.record().envelope.mode(), &digests);
    // A receipt takes four of them.
    let first = usize::try_from(number).unwrap() % checksum::ALGORITHMS.len();
    let algorithms = checksum::ALGORITHMS.into_iter().cycle().skip(first).take(4);
    let checksums: Vec<Checksum> =
        algorithms.filter_map(|algorithm| digests.get(algorithm).copied()).collect();
    staged.commit(etag, shown, &checksums).await?;
    Ok(NamedPart { part: number, etag, checksum: None })
}

pub(crate) async fn complete(
    upload: &Upload,
    cipher: &dyn ObjectCipher,
    named: &[NamedPart],
) -> Result<ObjectRecord> {
    let shown = ETagRule::of(cipher.mode()) == ETagRule::Random;
    let attributes = |receipts: &[PartReceipt]| {
        let etag = ObjectETag::of_parts(receipts.iter().map(PartReceipt::etag));
        let Some(ObjectETag::Multipart { digest, .. }) = etag else {
            return Err(Error::PartOrder);
        };
        let attributes = Attributes { etag: Some(digest), ..Attributes::default() };
        Ok((attributes, etag.filter(|_| shown).map(|etag| etag.to_string())))
    };
    upload.complete(cipher, named, 0, attributes, |_| Ok(())).await
}

/// All digests of a content that the front computes.
pub(crate) fn digests(content: &[u8]) -> Digests {
    let algorithms = checksum::ALGORITHMS.into_iter().chain([ChecksumAlgorithm::Md5]);
    let mut digester = Digester::new(algorithms).unwrap();
    digester.update(content);
    digester.finish()
}

/// The ETag of a content in a mode, and whether records show it.
fn etag(mode: Mode, digests: &Digests) -> (ETag, bool) {
    let rule = ETagRule::of(mode);
    (rule.etag(digests, &AwsLc).unwrap(), rule == ETagRule::Random)
}

/// Pieces of a body; piece number `fails` is an error.
pub(crate) fn source(
    body: &[u8],
    fails: usize,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + Unpin + use<> {
    let pieces: Vec<_> = body.chunks(10_000).map(Bytes::copy_from_slice).collect();
    stream::iter(pieces).enumerate().map(move |(number, piece)| {
        if number == fails { Err(std::io::Error::other("the client has gone")) } else { Ok(piece) }
    })
}

pub(crate) async fn bytes(source: impl Stream<Item = Result<Bytes>>) -> Result<Vec<u8>> {
    let pieces: Vec<Bytes> = source.try_collect().await?;
    Ok(pieces.concat())
}

/// Bytes without a pattern; other ones for every length.
pub(crate) fn content(length: usize) -> Vec<u8> {
    let mut state = (length as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// A condition of a write: that there is nothing.
pub(crate) fn absent(there: There<'_>) -> Result<()> {
    if matches!(there, There::Nothing) { Ok(()) } else { Err(Error::Condition) }
}
