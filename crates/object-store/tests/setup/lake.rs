//! Objects to put under other keys.

use std::{path::PathBuf, sync::Arc};

use futures::{StreamExt as _, TryStreamExt as _};
use object_cipher_core::{KeyRef, Mode};
use object_cipher_kms::{KeyName, Scope};
use object_cipher_object_store::{
    EncryptedStore,
    rekey::{Failure, Goal, Rekey, Report, Walk},
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_kms::SseKms;
use object_cipher_testkit::FakeKms;
use object_store::{ObjectStore as _, ObjectStoreExt as _, path::Path};
use tempfile::TempDir;

use super::{KEY, Probe, content, put_parts, read};

pub(crate) const OTHER_KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ff";
pub(crate) const OBJECTS: usize = 23;

pub(crate) type Store = EncryptedStore<Probe>;

/// Objects under one key of a KMS that has two.
pub(crate) struct Lake {
    pub(crate) kms: Arc<FakeKms>,
    pub(crate) probe: Probe,
    pub(crate) folder: TempDir,
}

impl Lake {
    pub(crate) async fn new() -> Self {
        let kms = Arc::new(FakeKms::new().with_key(KEY).with_key(OTHER_KEY));
        let lake = Self { kms, probe: Probe::default(), folder: TempDir::new().unwrap() };
        let store = lake.store(KEY);
        for number in 0..OBJECTS {
            if number % 5 == 0 {
                let plain = plain(number);
                let (one, two) = plain.split_at(100);
                put_parts(&store, &path(number), &[one, two]).await;
            } else {
                store.put(&path(number), plain(number).into()).await.unwrap();
            }
        }
        lake.probe.reset();
        lake
    }

    /// The store, which seals under a key.
    pub(crate) fn store(&self, key: &str) -> Store {
        EncryptedStore::new(self.probe.clone(), "lake", self.cipher(key))
    }

    pub(crate) fn cipher(&self, key: &str) -> SseKms {
        SseKms::new(self.kms.clone(), KeyName::parse(key).unwrap(), RustCrypto)
    }

    /// To the other key.
    pub(crate) fn rekey(&self) -> Rekey<Probe> {
        Rekey::new(self.store(OTHER_KEY), goal(OTHER_KEY)).named("lake")
    }

    pub(crate) fn moving(&self, from: &str, to: &str) -> Rekey<Probe> {
        let (store, goal) = (self.store(OTHER_KEY), goal(OTHER_KEY));
        Rekey::moving(store, goal, from.into(), to.into()).unwrap().named("lake")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    pub(crate) async fn census(&self) -> Report {
        Rekey::census(self.store(KEY)).named("lake").run(Walk::list(None)).await.unwrap()
    }

    /// Checks that all objects are under one key, and read what was written.
    pub(crate) async fn expect_all_under(&self, key: &str, at: impl Fn(usize) -> Path) {
        let census = self.census().await;
        assert_eq!(under(&census), [(arn(key), OBJECTS as u64)]);
        for number in 0..OBJECTS {
            assert_eq!(read(&self.store(key), &at(number)).await.unwrap(), plain(number));
        }
    }
}

pub(crate) fn path(number: usize) -> Path {
    Path::from(format!("a/{}/{number}", number % 3))
}

pub(crate) fn plain(number: usize) -> Vec<u8> {
    content(1_000 + number, number as u64)
}

pub(crate) fn arn(key: &str) -> String {
    Scope::default().arn(key)
}

pub(crate) fn goal(key: &str) -> Goal {
    Goal::new(Mode::SseKms).under(KeyRef::Kms(arn(key))).of_version("v1")
}

/// How many objects are under which key.
pub(crate) fn under(report: &Report) -> Vec<(String, u64)> {
    let census = report.census.iter();
    census.map(|counted| (counted.under.keys[0].name.clone(), counted.objects)).collect()
}

pub(crate) fn changed(report: &Report) -> u64 {
    report.changes.iter().map(|changed| changed.objects).sum()
}

/// Everything in the store, with its ETag.
pub(crate) async fn beneath(probe: &Probe) -> Vec<(Path, Option<String>)> {
    let listed = probe.memory().list(None).map_ok(|meta| (meta.location, meta.e_tag));
    listed.try_collect().await.unwrap()
}

pub(crate) fn walk_of(paths: Vec<Result<Path, Failure>>) -> Walk {
    Walk::paths(futures::stream::iter(paths).boxed())
}
