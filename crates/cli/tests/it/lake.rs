//! A store of files, filled by the library, for the binary to rekey.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_cipher_core::{KeyRef, ObjectCipher};
use object_cipher_keyring::{KeyringFile, Unlock};
use object_cipher_object_store::EncryptedStore;
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_s3::SseS3;
use object_store::{ObjectStoreExt as _, local::LocalFileSystem, path::Path};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::bench::{Bench, Run, content};

pub(crate) type Store = EncryptedStore<LocalFileSystem>;

/// A folder with a keyring and a store.
pub(crate) struct Lake {
    pub(crate) bench: Bench,
    pub(crate) objects: usize,
}

/// How many at once.
const SIDE_BY_SIDE: usize = 16;

impl Lake {
    /// With so many objects under the keyring's first version.
    pub(crate) fn new(objects: usize) -> Self {
        let lake = Self { bench: Bench::new(), objects };
        fs::create_dir(lake.bench.path("lake")).unwrap();
        let store = lake.store();
        now(stream::iter(0..objects).map(|number| (store.clone(), number)).for_each_concurrent(
            SIDE_BY_SIDE,
            async |(store, number)| {
                store.put(&path(number), plain(number).into()).await.unwrap();
            },
        ));
        lake
    }

    pub(crate) fn url(&self) -> String {
        url::Url::from_directory_path(self.bench.path("lake")).unwrap().into()
    }

    /// The store, by the library, under the keyring as it is.
    pub(crate) fn store(&self) -> Store {
        let unlock = Unlock::key_file(self.bench.path("unlock.key")).unwrap();
        let keyring = KeyringFile::open(self.bench.path("keyring"), &unlock, RustCrypto).unwrap();
        self.store_by(SseS3::new(Arc::new(keyring), RustCrypto))
    }

    pub(crate) fn store_by(&self, cipher: impl ObjectCipher + 'static) -> Store {
        let files = LocalFileSystem::new_with_prefix(self.bench.path("lake")).unwrap();
        EncryptedStore::new(files, "lake", cipher)
    }

    /// The arguments of a run that puts all under the keyring's enabled version.
    pub(crate) fn rekey(&self, more: &[&str]) -> Vec<String> {
        let url = self.url();
        let all = ["rekey", "run", &url, "--bucket", "lake", "--single-writer"];
        all.iter().chain(more).map(ToString::to_string).collect()
    }

    /// Runs it to sse-s3.
    pub(crate) fn run(&self, more: &[&str]) -> Run {
        let arguments = self.rekey(&[&["--mode", "sse-s3"], more].concat());
        self.bench.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Counts by the binary, as JSON.
    pub(crate) fn census(&self) -> Value {
        let run = self.bench.plain(&["rekey", "census", &self.url(), "--json"]);
        serde_json::from_slice(&run.stdout).unwrap()
    }

    /// By the library, one record after the other: how many objects are under each version.
    pub(crate) fn versions(&self) -> BTreeMap<u32, usize> {
        let store = self.store();
        let version = async |number| {
            let (_, record) = store.record(&path(number)).await.unwrap();
            let layer = record.envelope.layers().next().unwrap();
            let KeyRef::Master(key) = layer.key_ref() else { return 0 };
            key.version()
        };
        let versions = stream::iter(0..self.objects).map(version).buffered(SIDE_BY_SIDE);
        now(versions.fold(BTreeMap::new(), async |mut counts, version| {
            *counts.entry(version).or_default() += 1;
            counts
        }))
    }

    /// One digest of all bodies and their names.
    pub(crate) fn bodies(&self) -> [u8; 32] {
        let mut folders = vec![self.bench.path("lake/.object-cipher/bodies")];
        let mut files: Vec<PathBuf> = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() { &mut folders } else { &mut files }.push(entry.path());
            }
        }
        files.sort();
        assert_eq!(files.len(), self.objects);
        let mut digest = Sha256::new();
        for file in files {
            digest.update(Sha256::digest(file.file_name().unwrap().as_encoded_bytes()));
            digest.update(Sha256::digest(fs::read(file).unwrap()));
        }
        digest.finalize().into()
    }

    /// Reads every object, and compares it with what was put.
    pub(crate) fn read_all(&self) {
        let store = self.store();
        now(stream::iter(0..self.objects)
            .map(|number| (store.clone(), number))
            .for_each_concurrent(SIDE_BY_SIDE, async |(store, number)| {
                let found = store.get(&path(number)).await.unwrap().bytes().await.unwrap();
                assert_eq!(found, plain(number), "{number}");
            }));
    }

    /// All paths that the store lists.
    pub(crate) fn paths(&self) -> Vec<String> {
        use object_store::ObjectStore as _;
        let store = self.store();
        let mut paths: Vec<_> =
            now(store.list(None).map_ok(|meta| meta.location.into()).try_collect()).unwrap();
        paths.sort();
        paths
    }
}

pub(crate) fn path(number: usize) -> Path {
    Path::from(format!("{}/object {number}", number % 97))
}

pub(crate) fn plain(number: usize) -> Vec<u8> {
    content(100 + number % 500)
}

pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
