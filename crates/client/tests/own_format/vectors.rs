//! The frozen vectors of appendix D, by both libraries.

use std::{fmt::Debug, ops::Range, path::Path, sync::Arc};

use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{
    COMPANION_PAIR_NAME, ClientKeys, ClientSide, Companion, CompanionName, OwnFormatError,
    StoredEnvelope,
};
use object_cipher_core::{
    BoxFuture, CryptoBackend, ENVELOPE_PAIR_NAME, Error, FreshKey, Item, KeyBlob, KeyError,
    KeyErrorKind, KeyRef, KeySource, KeyringId, LayeredCipher, ObjectCipher, ObjectContext,
    ObjectId, Opener, ReadRange, Result as CoreResult, Segment, SourceKey, Step, StoredParts,
};
use object_cipher_keyring::{Keyring, SharedKeyring};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{
    drive, now,
    vectors::{
        BucketObjectVector, CompanionNameVector, GivenKeys, HeldKeys, Hex, MetadataPairVector,
        VectorFile, Verdict, VerdictStep,
    },
};
use serde::de::DeserializeOwned;

use crate::bucket::{Refused, raw_key};

fn load<V: DeserializeOwned>(file: &str) -> Vec<V> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors");
    VectorFile::load(Path::new(folder), file).unwrap().vectors
}

#[test]
fn every_metadata_pair_is_read_and_written_or_refused() {
    for vector in &load::<MetadataPairVector>("metadata_pairs.json") {
        let pairs = vector.metadata.iter().map(|(name, value)| (name, value));
        let read = StoredEnvelope::parse(&vector.key, pairs).map_err(Refused::from);
        let Some(place) = judge(&vector.name, &vector.verdict, read) else { continue };
        check_pair(vector, place);
    }
}

fn check_pair(vector: &MetadataPairVector, place: Option<StoredEnvelope>) {
    let name = &vector.name;
    let expected = (vector.envelope.as_deref(), vector.companion.as_deref());
    match place {
        None => assert_eq!(expected, (None, None), "{name}"),
        Some(StoredEnvelope::Companion(companion)) => {
            assert_eq!(expected, (None, Some(companion.as_str())), "{name}");
            let place = StoredEnvelope::in_companion(&vector.key, companion.object_id()).unwrap();
            let value = companion.object_id().to_string();
            assert_eq!(place.pair(), (COMPANION_PAIR_NAME, value), "{name}");
        }
        Some(StoredEnvelope::Metadata(envelope)) => {
            assert_eq!(expected, (Some(envelope.as_bytes()), None), "{name}");
            let text = envelope.to_text();
            let written = StoredEnvelope::in_metadata(&vector.key, *envelope);
            let expected = if vector.too_long {
                Err(OwnFormatError::MetadataTooLong)
            } else {
                Ok((ENVELOPE_PAIR_NAME, text))
            };
            assert_eq!(written.map(|place| place.pair()), expected, "{name}");
        }
    }
}

#[test]
fn every_companion_name_is_read_and_made_or_refused() {
    for vector in &load::<CompanionNameVector>("companion_names.json") {
        let object = |id: &Hex| ObjectId::from_bytes(id[..].try_into().unwrap());
        let id = vector.object_id.as_ref().map(object);
        let made =
            vector.object_key.as_deref().zip(id).map(|(key, id)| CompanionName::new(key, id));
        let Some(key) = &vector.key else {
            judge(&vector.name, &vector.verdict, made.unwrap().map_err(Refused::from));
            continue;
        };
        let read = CompanionName::parse(key);
        assert_eq!(read.is_none(), vector.verdict.reject, "{}", vector.name);
        let Some(read) = read else { continue };
        assert_eq!(Some(read.object_key()), vector.object_key.as_deref(), "{}", vector.name);
        assert_eq!(Some(read.object_id()), id, "{}", vector.name);
        assert_eq!(made.unwrap().ok(), (!vector.only_read).then_some(read), "{}", vector.name);
    }
}

#[test]
fn every_bucket_object_opens_or_is_refused_on_both_backends() {
    for vector in &load::<BucketObjectVector>("bucket_objects.json") {
        for cipher in [cipher(&vector.keys, RustCrypto), cipher(&vector.keys, AwsLc)] {
            let read = Opened::new(vector, &*cipher).and_then(|opened| {
                let content = opened.read(&ReadRange::Whole)?;
                Ok((opened, content))
            });
            if let Some((opened, content)) = judge(&vector.name, &vector.verdict, read) {
                check_object(&opened, &content);
            }
        }
    }
}

fn check_object(opened: &Opened<'_>, content: &[u8]) {
    let (vector, name) = (opened.vector, &opened.vector.name);
    assert!(vector.plaintext.as_ref().unwrap().is(&RustCrypto, content), "{name}: content");
    assert_eq!(vector.attributes, Some(opened.opener.attributes().into()), "{name}: attributes");
    let length = content.len() as u64;
    let edges = [0, 1, length / 2, 16_383, 16_384, 16_385, length - length.min(1), length];
    for start in edges.into_iter().filter(|start| *start < length) {
        for end in edges.into_iter().filter(|end| start < *end && *end <= length) {
            let range = opened.read(&ReadRange::Bytes(start..end)).unwrap();
            assert!(range == content[at(start)..at(end)], "{name}: {start}..{end}");
        }
    }
    if let Some((name, companion, _)) = &opened.in_parts {
        assert_eq!(*vector.companions[name.as_str()], companion.to_bytes(), "{name}");
    }
}

/// A vector's object, opened.
#[derive(Debug)]
struct Opened<'a> {
    vector: &'a BucketObjectVector,
    opener: Opener,
    in_parts: Option<(CompanionName, Companion, StoredParts)>,
}

impl<'a> Opened<'a> {
    fn new(vector: &'a BucketObjectVector, cipher: &dyn ObjectCipher) -> Result<Self, Refused> {
        let context = vector.identity.encryption_context()?;
        let cx = vector.identity.object_context(&context);
        let pairs = vector.metadata.iter().map(|(name, value)| (name, value));
        let name = match StoredEnvelope::parse(&vector.key, pairs)?.ok_or(Refused::NotOurs)? {
            StoredEnvelope::Metadata(envelope) => {
                let opener = now(cipher.open(&cx, &envelope))?;
                return Ok(Self { vector, opener, in_parts: None });
            }
            StoredEnvelope::Companion(name) => name,
        };
        let stored = vector.companions.get(name.as_str()).ok_or(Refused::NoSuchKey)?;
        let companion = Companion::parse(&name, stored)?;
        let cx = cx.with_part_index(companion.part_table().index());
        let opener = now(cipher.open(&cx, companion.envelope()))?;
        let parts = companion.parts(&opener)?;
        Ok(Self { vector, opener, in_parts: Some((name, companion, parts)) })
    }

    fn read(&self, range: &ReadRange) -> Result<Vec<u8>, Refused> {
        let (plan, stored) = (self.opener.plan(range)?, &self.vector.content);
        let whole = *range == ReadRange::Whole;
        let Some((_, _, parts)) = &self.in_parts else {
            let segment = plan.body().unwrap();
            let bytes = if whole { 0..stored.len() as u64 } else { segment.fetch() };
            return self.open(segment, &bytes);
        };
        if whole && parts.stored_len() != stored.len() as u64 {
            return Err(Error::TrailingBytes { object: self.opener.object_id() }.into());
        }
        let mut content = Vec::new();
        for fetch in parts.fetches(&plan)? {
            content.extend(self.open(&fetch.segment, &fetch.bytes)?);
        }
        Ok(content)
    }

    fn open(&self, segment: &Segment, bytes: &Range<u64>) -> Result<Vec<u8>, Refused> {
        let stored = &self.vector.content;
        let fetched = &stored[at(bytes.start).min(stored.len())..at(bytes.end).min(stored.len())];
        let mut stream = self.opener.open_segment(segment)?;
        Ok(drive(&mut stream, fetched, usize::MAX).complete()?)
    }
}

/// A KMS that gives one answer.
struct Answer(GivenKeys);

impl KeySource for Answer {
    fn fresh<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, CoreResult<FreshKey>> {
        self.0.fresh(cx)
    }

    fn recover<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        blob: &'a KeyBlob,
    ) -> BoxFuture<'a, CoreResult<Arc<SourceKey>>> {
        if matches!(key_ref, KeyRef::Kms(_)) {
            return self.0.recover(cx, key_ref, blob);
        }
        let other = KeyError::new(KeyErrorKind::Invalid, "not wrapped by a KMS");
        Box::pin(std::future::ready(Err(other.into())))
    }
}

fn cipher<B: CryptoBackend>(keys: &HeldKeys, backend: B) -> Box<dyn ObjectCipher> {
    let key = |key: &Hex| SourceKey::from_bytes(key[..].try_into().unwrap());
    match keys {
        HeldKeys::Program(held) => {
            // One that wraps is needed, and opens nothing here.
            let keys = ClientKeys::new("none of them", raw_key()).unwrap();
            let keys = held
                .iter()
                .fold(keys, |keys, (name, held)| keys.decrypt_only(name, key(held)).unwrap());
            Box::new(ClientSide::with_keys(keys, backend))
        }
        HeldKeys::Keyring { id, versions } => {
            let enabled = versions.keys().next_back().unwrap();
            let builder = Keyring::builder(KeyringId::parse(id).unwrap());
            let keyring = versions.iter().fold(builder, |builder, (version, held)| {
                if version == enabled {
                    builder.enabled(*version, key(held))
                } else {
                    builder.decrypt_only(*version, key(held))
                }
            });
            let keyring = SharedKeyring::new(keyring.build(&backend).unwrap());
            Box::new(ClientSide::with_keyring(Arc::new(keyring), backend))
        }
        HeldKeys::Kms(answer) => {
            let keys = Answer(GivenKeys::new(std::slice::from_ref(answer)));
            Box::new(LayeredCipher::client(keys, backend))
        }
    }
}

/// Whether what a reader made of a vector is what the vector says.
fn judge<T: Debug>(name: &str, verdict: &Verdict, read: Result<T, Refused>) -> Option<T> {
    match (read, verdict.step) {
        (Ok(value), None) => Some(value),
        (Err(refused), Some(expected)) if step(&refused) == Some(expected) => None,
        (read, _) => panic!("{name}: must be {verdict}, and is {read:?}"),
    }
}

fn step(refused: &Refused) -> Option<VerdictStep> {
    let error = match refused {
        Refused::NotOurs => return Some(VerdictStep::Metadata),
        Refused::NoSuchKey => return Some(VerdictStep::Companion),
        Refused::Format(error) => error,
    };
    match error {
        OwnFormatError::RepeatedPair(_)
        | OwnFormatError::TwoPlaces
        | OwnFormatError::CompanionId => Some(VerdictStep::Metadata),
        OwnFormatError::KeyTooLong | OwnFormatError::ReservedKey => Some(VerdictStep::ObjectKey),
        OwnFormatError::Malformed { .. } | OwnFormatError::Foreign { .. } => {
            Some(VerdictStep::Companion)
        }
        OwnFormatError::OtherPlace { .. } => Some(VerdictStep::Place),
        OwnFormatError::Core(error) => step_of_core(error),
        _ => None,
    }
}

fn step_of_core(error: &Error) -> Option<VerdictStep> {
    match error {
        Error::WrongMode { .. } => Some(VerdictStep::Mode),
        Error::WrongState { .. } => Some(VerdictStep::State),
        Error::Key(_) | Error::Rejected { step: Step::KeyWrap, .. } => Some(VerdictStep::KeyWrap),
        Error::PartTable { .. } => Some(VerdictStep::PartTable),
        Error::Rejected { step: Step::Body, .. }
        | Error::Truncated { .. }
        | Error::TrailingBytes { .. } => Some(VerdictStep::Body),
        Error::Malformed { item, .. } => match item {
            Item::EnvelopeText => Some(VerdictStep::EnvelopeText),
            Item::Envelope | Item::KeyRef => Some(VerdictStep::Envelope),
            Item::Info => Some(VerdictStep::Info),
            Item::PartIndex | Item::PartPage => Some(VerdictStep::PartTable),
            _ => None,
        },
        _ => None,
    }
}

fn at(at: u64) -> usize {
    usize::try_from(at).unwrap()
}
