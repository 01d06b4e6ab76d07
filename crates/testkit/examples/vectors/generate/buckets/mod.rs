//! Client-side objects in a plain bucket (appendix D): metadata pairs, companion names, and stored
//! objects with their companions.

mod faults;
pub(super) mod names;
pub(super) mod objects;
pub(super) mod pairs;

use object_cipher_core::Attributes;
use object_cipher_testkit::vectors::{
    Base64, BucketObjectVector, HeldKeys, IdentityRecord, ObjectVector, Verdict, VerdictStep,
};

use super::{
    kinds::{CLIENT, CLIENT_KMS, Kind},
    samples::{Sample, text, unversioned},
};

pub(super) const ENVELOPE_PAIR: &str = "object-cipher-envelope";
pub(super) const COMPANION_PAIR: &str = "object-cipher-companion";

/// A key that no object is under.
const OTHER_KEY: [u8; 32] = *b"object-cipher vectors, other key";

/// All stored objects.
pub(super) fn all() -> Vec<BucketObjectVector> {
    [objects::all(), faults::all()].concat()
}

/// A stored object, its fields and its keys.
#[derive(Clone)]
struct InBucket {
    name: String,
    keys: HeldKeys,
    key: String,
    sample: Sample,
    /// The head and the table of the companion, which an object in one piece has not.
    companion: Option<RawCompanion>,
}

/// A companion's fields, whatever they hold.
#[derive(Clone)]
struct RawCompanion {
    head: [u8; 5],
    /// The length of the Envelope, if it is not the right one.
    length: Option<u32>,
    table: Vec<u8>,
}

impl InBucket {
    /// An object under a key that the program holds.
    fn held(sample: &Sample) -> Self {
        let name = sample.vector.name.clone();
        let source_key = sample.secrets.source_keys[0].clone();
        let keys = HeldKeys::Program([("laptop".into(), source_key)].into());
        Self::new(&name, keys, sample.rewrapped(|raw| raw.layers[0].blob.clear()))
    }

    /// An object under a KMS.
    fn kms(sample: Sample) -> Self {
        let name = sample.vector.name.clone();
        let keys = HeldKeys::Kms(sample.secrets.source_keys[0].clone());
        Self::new(&name, keys, sample)
    }

    fn new(name: &str, keys: HeldKeys, sample: Sample) -> Self {
        let ObjectVector { part_index, part_pages, identity, .. } = &sample.vector;
        let key = String::from_utf8(identity.key.0.clone()).unwrap();
        let companion = part_index.as_ref().map(|index| {
            let pages: Vec<_> = part_pages.iter().map(|page| page.0.clone()).collect();
            let table = [index.0.clone(), pages.concat()].concat();
            RawCompanion { head: *b"\x89S3C\x01", length: None, table }
        });
        Self { name: name.into(), keys, key, sample, companion }
    }

    /// The vector as it is read, with the fields as they stand.
    fn accept(&self, name: &str) -> BucketObjectVector {
        let ObjectVector { bodies, identity, plaintext, attributes, .. } = &self.sample.vector;
        let content = bodies.values().map(|body| body.0.clone()).collect::<Vec<_>>().concat();
        let envelope = self.sample.raw.to_bytes();
        let (pair, companions) = match &self.companion {
            None => ((ENVELOPE_PAIR, text(&envelope)), None),
            Some(companion) => {
                let stored = (self.companion_key(), Base64(companion.to_bytes(&envelope)));
                ((COMPANION_PAIR, self.object_id()), Some(stored))
            }
        };
        BucketObjectVector {
            name: name.into(),
            keys: self.keys.clone(),
            identity: identity.clone(),
            key: self.key.clone(),
            metadata: vec![(pair.0.into(), pair.1)],
            content: Base64(content),
            companions: companions.into_iter().collect(),
            plaintext: plaintext.clone(),
            attributes: attributes.clone(),
            verdict: Verdict::accept(),
        }
    }

    /// The vector to be refused, with the fields as they stand.
    fn refuse(&self, step: VerdictStep, reason: &str) -> BucketObjectVector {
        BucketObjectVector {
            plaintext: None,
            attributes: None,
            verdict: Verdict::reject(step, reason),
            ..self.accept(&format!("{}: {reason}", self.name))
        }
    }

    fn object_id(&self) -> String {
        hex::encode(self.sample.raw.object_id())
    }

    fn companion_key(&self) -> String {
        companion_key(&self.key, &self.object_id())
    }
}

impl RawCompanion {
    fn to_bytes(&self, envelope: &[u8]) -> Vec<u8> {
        let length = self.length.unwrap_or(u32::try_from(envelope.len()).unwrap());
        [&self.head, &length.to_be_bytes()[..], envelope, &self.table].concat()
    }
}

/// An object in one piece.
fn one_piece(kind: Kind, name: &str, content: &[u8]) -> Sample {
    Sample::single(kind, name, &unversioned(), content, &Attributes::default())
}

/// A small object in one piece, under a key that the program holds.
fn small_piece() -> InBucket {
    InBucket::held(&one_piece(CLIENT, "bucket, one piece", b"content"))
}

/// A small object in three parts, one of them empty, under a key that the program holds.
fn small_parts() -> InBucket {
    InBucket::held(&parts_of("bucket, three parts", &unversioned()))
}

fn parts_of(name: &str, identity: &IdentityRecord) -> Sample {
    let parts: [(u32, &[u8]); 3] = [(1, b"first "), (2, b""), (5, b"second")];
    Sample::multipart(CLIENT, name, identity, &parts, &Attributes::default())
}

/// An identity of another key.
fn identity_of(key: &str) -> IdentityRecord {
    IdentityRecord { key: key.as_bytes().into(), ..unversioned() }
}

fn companion_key(key: &str, object_id: &str) -> String {
    format!("{key}.{object_id}.object-cipher")
}
