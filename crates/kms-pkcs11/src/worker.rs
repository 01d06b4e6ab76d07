//! What a thread does with its session: [`Worker`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use object_cipher_core::{KeyError, KeyErrorKind, SourceKey};
use object_cipher_kms::{KeyId, KmsResult};
use subtle::ConstantTimeEq;

use crate::{
    WrapCounter,
    blob::{Blob, IV_LEN},
    counter::MAX_WRAPS,
    fault::{self, Verdict},
    fitness::unfitness,
    token::{Key, Session, Token},
    version::Version,
};

/// What proves that a key works: sealed once for each version, opened whenever it is in doubt.
const CANARY: &[u8; 32] = b"object-cipher/v1/pkcs11-canary/1";
const CANARY_AAD: &[u8] = b"object-cipher/v1/pkcs11-canary\0";

/// What all workers of a KMS share.
pub(crate) struct Rules {
    pub(crate) token: Arc<dyn Token>,
    pub(crate) serial: String,
    pub(crate) imported_keys: bool,
    pub(crate) iv_from_token: bool,
    pub(crate) refresh: Duration,
    pub(crate) counter: Arc<dyn WrapCounter>,
    pub(crate) canaries: Canaries,
}

/// The canary of each version of each label that was proven to work.
#[derive(Default)]
pub(crate) struct Canaries(Mutex<BTreeMap<(String, Version), Blob>>);

/// One thread's session and the keys found on it.
pub(crate) struct Worker {
    rules: Arc<Rules>,
    held: Option<Held>,
}

/// What is to be opened.
pub(crate) struct Sealed {
    pub(crate) label: String,
    pub(crate) version: Version,
    pub(crate) blob: Blob,
    pub(crate) aad: Vec<u8>,
}

struct Held {
    session: Box<dyn Session>,
    keys: BTreeMap<String, Known>,
}

/// A label's keys, by version, and when they were found.
struct Known {
    since: Instant,
    versions: BTreeMap<Version, Box<dyn Key>>,
}

/// How old may be what is known of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Any,
    Recent,
    New,
}

impl Rules {
    /// The id that a label's key is stored under.
    pub(crate) fn id(&self, label: &str) -> KmsResult<KeyId> {
        KeyId::new(format!("pkcs11:{}/{label}", self.serial))
    }
}

impl Worker {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self { rules, held: None }
    }

    /// The version that wraps now.
    pub(crate) fn newest(&mut self, label: &str) -> KmsResult<Version> {
        self.attempt(|worker| Ok(worker.newest_key(label, Age::New)?.0))
    }

    /// A data key under the newest version.
    pub(crate) fn wrap(
        &mut self,
        label: &str,
        aad: &[u8],
        data_key: &SourceKey,
    ) -> KmsResult<(Version, Blob)> {
        self.attempt(|worker| worker.wrapped(label, aad, data_key))
    }

    pub(crate) fn unwrap(&mut self, sealed: &Sealed) -> KmsResult<Arc<SourceKey>> {
        self.attempt(|worker| worker.unwrapped(sealed))
    }

    /// Under the newest version what is under an older one; none where it is under that already.
    pub(crate) fn rewrap(&mut self, sealed: &Sealed) -> KmsResult<Option<(Version, Blob)>> {
        self.attempt(|worker| {
            let (newest, _) = worker.newest_key(&sealed.label, Age::New)?;
            let data_key = worker.unwrapped(sealed)?;
            if newest == sealed.version {
                return Ok(None);
            }
            worker.wrapped(&sealed.label, &sealed.aad, &data_key).map(Some)
        })
    }

    /// After any error, the session is not used again: an operation may be left active on it.
    fn attempt<T>(&mut self, job: impl FnOnce(&mut Self) -> KmsResult<T>) -> KmsResult<T> {
        let done = job(self);
        if done.is_err() {
            self.held = None;
        }
        done
    }

    fn wrapped(
        &mut self,
        label: &str,
        aad: &[u8],
        data_key: &SourceKey,
    ) -> KmsResult<(Version, Blob)> {
        let rules = Arc::clone(&self.rules);
        let (version, key) = self.newest_key(label, Age::Recent)?;
        let id = rules.id(label)?;
        if rules.counter.count(&id, &version.to_string())? > MAX_WRAPS {
            let message = format!("{id} {version} has wrapped all it may: make a new version");
            return Err(KeyError::new(KeyErrorKind::InvalidState, message));
        }
        let blob = seal(key, rules.iv_from_token, aad, data_key.expose_bytes())?;
        Ok((version, blob))
    }

    fn unwrapped(&mut self, sealed: &Sealed) -> KmsResult<Arc<SourceKey>> {
        let Sealed { label, version, blob, aad } = sealed;
        let key = self.version_key(label, version)?;
        let error = match key.decrypt(blob.iv(), aad, blob.sealed()) {
            Ok(bytes) => return data_key(&bytes),
            Err(error) => error,
        };
        let meaning = fault::meaning(&error);
        let rejected = match fault::verdict(&error) {
            Verdict::Rejected => true,
            Verdict::Unclear => self.works(label, version),
            Verdict::Silent => return Err(meaning),
        };
        let error = if rejected {
            fault::rejected()
        } else {
            KeyError::new(KeyErrorKind::Unavailable, "the token does not work")
        };
        Err(match meaning.code() {
            Some(code) => error.with_code(code.to_owned()),
            None => error,
        })
    }

    /// Whether a new session opens a version's canary.
    fn works(&mut self, label: &str, version: &Version) -> bool {
        self.held = None;
        let Some(canary) = self.rules.canaries.get(label, version) else { return false };
        let opened = self.version_key(label, version).map(|key| open_canary(key, &canary));
        opened.unwrap_or(false)
    }

    fn newest_key(&mut self, label: &str, age: Age) -> KmsResult<(Version, &dyn Key)> {
        let newest = self.versions(label, age)?.last_key_value();
        let (version, key) = newest.ok_or_else(|| missing(label))?;
        Ok((version.clone(), &**key))
    }

    /// The key of a version. One that is not known may have been made a moment ago.
    fn version_key(&mut self, label: &str, version: &Version) -> KmsResult<&dyn Key> {
        let known = self.versions(label, Age::Any)?.contains_key(version);
        let age = if known { Age::Any } else { Age::New };
        let key = self.versions(label, age)?.get(version);
        key.map(|key| &**key).ok_or_else(|| {
            let message = format!("the key {label} has no version {version} in the token");
            KeyError::new(KeyErrorKind::KeyVersionMissing, message)
        })
    }

    /// The keys of a label, each proven to work.
    fn versions(&mut self, label: &str, age: Age) -> KmsResult<&BTreeMap<Version, Box<dyn Key>>> {
        let rules = Arc::clone(&self.rules);
        let held = match self.held.take() {
            Some(held) if held.is_known(label, age, rules.refresh) => held,
            held => self.found(label, held)?,
        };
        let held = self.held.insert(held);
        held.keys.get(label).map(|known| &known.versions).ok_or_else(|| missing(label))
    }

    /// Looks for the keys of a label, and proves those that no worker has proven.
    fn found(&self, label: &str, held: Option<Held>) -> KmsResult<Held> {
        let rules = &*self.rules;
        let mut held = held.map_or_else(|| Held::open(rules), Ok)?;
        loop {
            let versions = find(rules, &*held.session, label)?;
            let mut unproven =
                versions.iter().filter(|(version, _)| rules.canaries.get(label, version).is_none());
            let Some((version, key)) = unproven.next() else {
                held.keys.insert(label.to_owned(), Known { since: Instant::now(), versions });
                return Ok(held);
            };
            let canary = prove(rules, &**key)?;
            rules.canaries.insert(label, version, canary);
            // The last step of a proof is an error.
            held = Held::open(rules)?;
        }
    }
}

impl Canaries {
    fn get(&self, label: &str, version: &Version) -> Option<Blob> {
        let canaries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        canaries.get(&(label.to_owned(), version.clone())).cloned()
    }

    fn insert(&self, label: &str, version: &Version, canary: Blob) {
        let mut canaries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        canaries.insert((label.to_owned(), version.clone()), canary);
    }
}

impl Held {
    fn open(rules: &Rules) -> KmsResult<Self> {
        Ok(Self { session: rules.token.open()?, keys: BTreeMap::new() })
    }

    fn is_known(&self, label: &str, age: Age, refresh: Duration) -> bool {
        self.keys.get(label).is_some_and(|known| match age {
            Age::Any => true,
            Age::Recent => known.since.elapsed() < refresh,
            Age::New => false,
        })
    }
}

/// All keys of a label. One that is unfit, or two of one id, and none is used: somebody else may
/// know the one that would wrap.
fn find(
    rules: &Rules,
    session: &dyn Session,
    label: &str,
) -> KmsResult<BTreeMap<Version, Box<dyn Key>>> {
    let found = session.find(label).map_err(|error| fault::meaning(&error))?;
    if found.is_empty() {
        // A token that is gone may look like one without keys.
        rules.token.present()?;
        return Err(missing(label));
    }
    let unfit = |version: &Version, fault: &str| {
        let message = format!("the key {label}, version {version}, {fault}");
        KeyError::new(KeyErrorKind::InvalidState, message)
    };
    let mut versions = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    for key in found {
        let version = Version::new(key.id).ok_or_else(|| {
            let message = format!("a key {label} has a CKA_ID that is empty or too long");
            KeyError::new(KeyErrorKind::InvalidState, message)
        })?;
        if let Some(fault) = unfitness(key.facts, rules.imported_keys) {
            return Err(unfit(&version, fault));
        }
        if !numbers.insert(version.number().to_vec()) {
            return Err(unfit(&version, "is there twice (CKA_ID)"));
        }
        versions.insert(version, key.key);
    }
    Ok(versions)
}

/// Has a key seal and open, and refuse another context. Leaves an error behind on the session.
fn prove(rules: &Rules, key: &dyn Key) -> KmsResult<Blob> {
    let broken = |what: &'static str| KeyError::new(KeyErrorKind::Unsupported, what);
    let canary = seal(key, rules.iv_from_token, CANARY_AAD, CANARY)?;
    if !open_canary(key, &canary) {
        return Err(broken("the token does not open with AES-GCM what it sealed"));
    }
    if key.decrypt(canary.iv(), b"another context", canary.sealed()).is_ok() {
        return Err(broken("the token does not bind the context with AES-GCM"));
    }
    Ok(canary)
}

fn open_canary(key: &dyn Key, canary: &Blob) -> bool {
    let opened = key.decrypt(canary.iv(), CANARY_AAD, canary.sealed());
    opened.is_ok_and(|opened| opened.as_slice() == CANARY)
}

fn seal(key: &dyn Key, iv_from_token: bool, aad: &[u8], data_key: &[u8; 32]) -> KmsResult<Blob> {
    let internal = |message: &'static str| KeyError::new(KeyErrorKind::Internal, message);
    let mut iv = [0; IV_LEN];
    if !iv_from_token {
        getrandom::fill(&mut iv).map_err(|_| internal("the system has no randomness"))?;
    }
    let sealed = key.encrypt(&mut iv, aad, data_key).map_err(|error| fault::meaning(&error))?;
    if iv == [0; IV_LEN] {
        return Err(internal("the token was to make an IV, and made none"));
    }
    let blob = Blob::new(iv, &sealed);
    blob.ok_or_else(|| internal("the token answered with a wrapped key that is none"))
}

/// What AES-GCM opened is what was wrapped; a token that answers with less than that is not believed.
fn data_key(bytes: &[u8]) -> KmsResult<Arc<SourceKey>> {
    let bytes: Option<&[u8; 32]> = bytes.try_into().ok();
    let bytes = bytes.filter(|bytes| !bool::from(bytes.ct_eq(&[0; 32])));
    bytes.map(SourceKey::from_bytes).ok_or_else(|| {
        let message = "the token answered with a data key that is none";
        KeyError::new(KeyErrorKind::Internal, message)
    })
}

fn missing(label: &str) -> KeyError {
    KeyError::new(KeyErrorKind::NotFound, format!("the token has no key {label}"))
}
