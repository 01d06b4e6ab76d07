//! P3: all modes side by side for a long time, while calls of the store beneath fail. Three seconds as a test;
//! an hour, with resident memory held flat, by `crates/object-store/tests/soak`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test stops")]

mod setup;

use std::{
    env, fs,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{TryStreamExt as _, future::join_all};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::KeyringId;
use object_cipher_dsse_kms::DsseKms;
use object_cipher_keyring::{KeyringFile, Unlock};
use object_cipher_kms::{Kms, LocalKms, Scope};
use object_cipher_object_store::{CipherTable, EncryptedStore};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_kms::SseKms;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, Result, path::Path};
use setup::{Cipher, KEY, Probe, client, content, key, read, sse_c, sse_s3};
use tempfile::TempDir;

/// How long, in seconds.
const SECONDS: &str = "OBJECT_CIPHER_SOAK";
const WRITERS: usize = 10;
const PATHS: u64 = 6;
/// What each writer does between two checks of everything.
const ACTS: u64 = 60;
const LENGTHS: [usize; 6] = [0, 1, 1_000, 16_384, 40_000, 200_000];

/// What may be at a path: a seed of its content, or nothing. More than one after a fault.
type May = Vec<Option<u64>>;

/// One of those who write side by side, each at paths and in a mode of its own.
struct Writer {
    store: EncryptedStore<Probe>,
    probe: Probe,
    name: usize,
    random: u64,
    may: Vec<May>,
    faults: u64,
}

#[tokio::test]
async fn p3_nothing_is_wrong_and_memory_is_flat_while_calls_fail() {
    let seconds = env::var(SECONDS).map_or(3, |text| text.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let probe = Probe::default();
    let folder = TempDir::new().unwrap();
    let mut ciphers = vec![sse_s3(), sse_c(7), client()];
    ciphers.extend(kms_ciphers(&folder));
    let named = (0..WRITERS).zip(ciphers.into_iter().cycle());
    let mut writers: Vec<_> =
        named.map(|(name, cipher)| Writer::new(name, &probe, cipher)).collect();
    let (mut resident, mut acts) = (Vec::new(), 0);
    while Instant::now() < end {
        join_all(writers.iter_mut().map(Writer::act_for_a_while)).await;
        probe.reset();
        for writer in &mut writers {
            writer.check_all().await;
        }
        writers[0].store.sweep(Duration::ZERO).await.unwrap();
        expect_no_bodies_left(&probe, &writers).await;
        acts += ACTS * WRITERS as u64;
        resident.push(resident_kib());
    }
    let faults: u64 = writers.iter().map(|writer| writer.faults).sum();
    let [first, last] = quarters(&resident);
    println!(
        "{seconds} s: {acts} acts in five modes, {faults} of them failed as they should, 0 wrong; \
         resident {first} KiB after a quarter, {last} KiB at the end"
    );
    assert!(acts > 0 && faults > 0);
    if seconds >= 60 {
        assert!(first.abs_diff(last) * 20 <= first, "memory is not flat");
    }
}

impl Writer {
    fn new(name: usize, probe: &Probe, cipher: Cipher) -> Self {
        let random = 0x9E37_79B9_7F4A_7C15 ^ name as u64;
        let (may, probe) = (vec![vec![None]; usize::try_from(PATHS).unwrap()], probe.clone());
        // Caches are soon full, so that what grows is none.
        let store = EncryptedStore::builder(probe.clone(), "lake", CipherTable::new(cipher));
        let store = store.cached_lengths(256).cached_records(1 << 18).build();
        Self { store, probe, name, random, may, faults: 0 }
    }

    /// The next number below a bound.
    fn draw(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 33) % below
    }

    fn path(&self, number: usize) -> Path {
        Path::from(format!("{}/{number}", self.name))
    }

    async fn act_for_a_while(&mut self) {
        for _ in 0..ACTS {
            // Some call of somebody's fails: about one of a hundred.
            if self.draw(20) == 0 {
                let (call, works) = (1 + self.draw(10), self.draw(2) == 0);
                self.probe.fail_at(call, works);
            }
            self.act().await;
        }
    }

    async fn act(&mut self) {
        let number = usize::try_from(self.draw(PATHS)).unwrap();
        let other = usize::try_from(self.draw(PATHS)).unwrap();
        let (path, to) = (self.path(number), self.path(other));
        match self.draw(8) {
            0 | 1 => {
                let seed = self.draw(1 << 30);
                let done = self.store.put(&path, plain(seed).into()).await.map(drop);
                self.note(number, done, vec![Some(seed)]);
            }
            2 => {
                let seed = self.draw(1 << 30);
                let done = self.upload(&path, &plain(seed)).await;
                self.note(number, done, vec![Some(seed)]);
            }
            3 => self.check(number).await,
            4 => self.check_range(number).await,
            5 => {
                let done = self.store.delete(&path).await;
                self.note(number, gone_is_done(done), vec![None]);
            }
            6 if number != other => {
                let (done, from) = (self.store.copy(&path, &to).await, self.may[number].clone());
                self.note(other, done, from);
            }
            7 if number != other => {
                let (done, from) = (self.store.rename(&path, &to).await, self.may[number].clone());
                let failed = done.is_err();
                self.note(other, done, from);
                let nothing = if failed { Err(fault()) } else { Ok(()) };
                self.note(number, nothing, vec![None]);
            }
            _ => {}
        }
    }

    async fn upload(&self, path: &Path, plain: &[u8]) -> Result<()> {
        let mut upload = self.store.put_multipart(path).await?;
        let sent = async {
            for part in plain.chunks(70_000) {
                upload.put_part(part.to_vec().into()).await?;
            }
            upload.complete().await.map(drop)
        };
        let sent = sent.await;
        if sent.is_err() {
            let _ = upload.abort().await;
        }
        sent
    }

    /// What may be at a path after something was done there, or failed.
    fn note(&mut self, number: usize, done: Result<()>, then: May) {
        match done {
            // There was nothing to copy.
            Err(Error::NotFound { .. }) => {}
            Ok(()) => self.may[number] = then,
            Err(error) => {
                expect_fault(&error);
                self.faults += 1;
                self.may[number].extend(then);
            }
        }
    }

    /// What is read has to be what may be there, and then is.
    async fn check(&mut self, number: usize) {
        let found = match read(&self.store, &self.path(number)).await {
            Ok(bytes) => Some(bytes),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return expect_fault(&error),
        };
        let is_found = |may: &Option<u64>| may.map(plain) == found;
        let found = self.may[number].iter().copied().find(is_found);
        let found = found.unwrap_or_else(|| panic!("{} is not what it was", self.path(number)));
        self.may[number] = vec![found];
    }

    async fn check_range(&mut self, number: usize) {
        let &[Some(seed)] = &self.may[number][..] else { return };
        let plain = plain(seed);
        if plain.is_empty() {
            return;
        }
        let from = self.draw(plain.len() as u64);
        let to = from + 1 + self.draw(plain.len() as u64 - from);
        match self.store.get_range(&self.path(number), from..to).await {
            Ok(bytes) => {
                let [from, to] = [from, to].map(|at| usize::try_from(at).unwrap());
                assert_eq!(bytes, plain[from..to], "{} is not what it was", self.path(number));
            }
            Err(error) => expect_fault(&error),
        }
    }

    async fn check_all(&mut self) {
        for number in 0..self.may.len() {
            self.check(number).await;
            assert_eq!(self.may[number].len(), 1);
        }
    }
}

/// SSE-KMS and DSSE-KMS by a real KMS: the fake one remembers all that it ever wrapped.
fn kms_ciphers(folder: &TempDir) -> [Cipher; 2] {
    let unlock = Unlock::new_key_file(folder.path().join("unlock.key"), &AwsLc).unwrap();
    let id = KeyringId::parse("soak").unwrap();
    let keyring = KeyringFile::create(folder.path().join("keyring"), &id, &unlock, AwsLc).unwrap();
    let (keyring, at) = (Arc::new(keyring), folder.path().join("kms"));
    let kms = LocalKms::create(at, keyring, Scope::default(), AwsLc).unwrap();
    kms.create_key_of_id(KEY, &[]).unwrap();
    let kms: Arc<dyn Kms> = Arc::new(kms);
    let sse = SseKms::new(Arc::clone(&kms), key(), AwsLc);
    [Arc::new(sse), Arc::new(DsseKms::new(kms, key(), RustCrypto, AwsLc))]
}

fn plain(seed: u64) -> Vec<u8> {
    content(LENGTHS[usize::try_from(seed % 6).unwrap()], seed)
}

fn fault() -> Error {
    Error::Generic { store: "Probe", source: "the fault that was asked for".into() }
}

fn expect_fault(error: &Error) {
    assert!(format!("{error:?}").contains("the fault that was asked for"), "{error:?}");
}

/// A store may say that there was nothing to delete.
fn gone_is_done(done: Result<()>) -> Result<()> {
    match done {
        Err(Error::NotFound { .. }) => Ok(()),
        done => done,
    }
}

/// After a sweep there are bodies of what can be read, and no others.
async fn expect_no_bodies_left(probe: &Probe, writers: &[Writer]) {
    let prefix = Path::from(".object-cipher/bodies");
    let bodies: Vec<_> = probe.memory().list(Some(&prefix)).try_collect().await.unwrap();
    let objects = writers.iter().flat_map(|writer| &writer.may).filter(|may| may[0].is_some());
    let objects = objects.count();
    assert!(bodies.len() <= objects, "{} bodies of {objects} objects", bodies.len());
}

/// Resident memory of this process.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// Medians of the second quarter and of the last.
fn quarters(values: &[u64]) -> [u64; 2] {
    let quarter = values.len() / 4;
    [quarter..2 * quarter, 3 * quarter..values.len()].map(|range| {
        let mut values = values[range].to_vec();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    })
}
