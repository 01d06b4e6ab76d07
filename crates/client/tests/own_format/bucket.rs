//! A bucket in memory, and a client that keeps its objects there.

use std::{collections::BTreeMap, ops::Range};

use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{
    ClientKeys, ClientSide, Companion, CompanionName, OwnFormatError, StoredEnvelope,
};
use object_cipher_core::{
    Attributes, CompletedUpload, Completion, CryptoBackend, Error, ObjectCipher, ObjectContext,
    ObjectId, Opener, PartReceipt, ReadRange, Segment, SourceKey,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, drive, now};

/// What S3 keeps of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why a read gave nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NoSuchKey,
    NotOurs,
    Format(OwnFormatError),
}

/// A client and its bucket, every byte of it within reach.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) cipher: ClientSide,
    pub(crate) bucket: BTreeMap<String, Stored>,
}

/// An upload that has all its parts and is not completed.
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) object: Stored,
    pub(crate) name: CompanionName,
    pub(crate) companion: Companion,
}

pub(crate) fn raw_key() -> std::sync::Arc<SourceKey> {
    SourceKey::try_fill(|bytes| RustCrypto.random(bytes)).unwrap()
}

pub(crate) fn cx(key: &str) -> ObjectContext<'_> {
    ObjectContext::new("prod", "photos", key)
}

/// Bytes that tell where they are from.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251).to_le_bytes()[0]).collect()
}

impl Client {
    pub(crate) fn new() -> Self {
        let keys = ClientKeys::new("2026", raw_key()).unwrap();
        Self::of(ClientSide::with_keys(keys, AwsLc))
    }

    pub(crate) fn of(cipher: ClientSide) -> Self {
        Self { cipher, bucket: BTreeMap::new() }
    }

    pub(crate) fn put(&mut self, key: &str, content: &[u8]) {
        let sealer = now(self.cipher.seal(&cx(key))).unwrap();
        let length = content.len() as u64;
        let (envelope, sealer) = sealer.announce(length, &Attributes::default()).unwrap();
        let (name, value) = StoredEnvelope::in_metadata(key, envelope).unwrap().pair();
        let mut stream = sealer.into_stream();
        let body = drive(&mut stream, content, usize::MAX).complete().unwrap();
        stream.finish().unwrap();
        let metadata = vec![("team".into(), "red".into()), (name.into(), value)];
        self.bucket.insert(key.into(), Stored { metadata, body });
    }

    /// Seals parts, in reverse order, up to where the companion would be put.
    pub(crate) fn upload(&self, key: &str, parts: &[(u32, &[u8])]) -> Upload {
        let cx = cx(key).with_upload_id("our own");
        let uploader = now(self.cipher.create_upload(&cx, Completion::WithKey)).unwrap();
        let (name, value) = StoredEnvelope::in_companion(key, uploader.object_id()).unwrap().pair();
        let mut sealed: Vec<(PartReceipt, Vec<u8>)> = Vec::new();
        for (part, content) in parts.iter().rev() {
            let (body, receipt) = StoredObject::seal_part(&uploader, *part, content).unwrap();
            let stored = StoredObject::stored_part(&uploader, *part, &receipt, &body);
            sealed.insert(0, (uploader.open_receipt(&stored).unwrap(), body));
        }
        let (receipts, bodies): (Vec<_>, Vec<_>) = sealed.into_iter().unzip();
        let attributes = Attributes::default();
        let completed =
            now(self.cipher.complete_upload(&uploader, &cx, &receipts, &attributes)).unwrap();
        Upload {
            key: key.into(),
            object: Stored { metadata: vec![(name.into(), value)], body: bodies.concat() },
            name: CompanionName::new(key, uploader.object_id()).unwrap(),
            companion: Companion::new(completed).unwrap(),
        }
    }

    pub(crate) fn put_companion(&mut self, upload: &Upload) {
        let body = upload.companion.to_bytes();
        self.bucket.insert(upload.name.to_string(), Stored { metadata: vec![], body });
    }

    pub(crate) fn complete(&mut self, upload: &Upload) {
        self.bucket.insert(upload.key.clone(), upload.object.clone());
    }

    pub(crate) fn put_in_parts(&mut self, key: &str, parts: &[(u32, &[u8])]) -> CompanionName {
        let upload = self.upload(key, parts);
        self.put_companion(&upload);
        self.complete(&upload);
        upload.name
    }

    pub(crate) fn head(&self, key: &str) -> Result<(&Stored, StoredEnvelope), Refused> {
        let stored = self.bucket.get(key).ok_or(Refused::NoSuchKey)?;
        let pairs = stored.metadata.iter().map(|(name, value)| (name, value));
        Ok((stored, StoredEnvelope::parse(key, pairs)?.ok_or(Refused::NotOurs)?))
    }

    pub(crate) fn companion(&self, name: &CompanionName) -> Result<Companion, Refused> {
        let stored = self.bucket.get(name.as_str()).ok_or(Refused::NoSuchKey)?;
        Ok(Companion::parse(name, &stored.body)?)
    }

    pub(crate) fn get(&self, key: &str, range: &ReadRange) -> Result<Vec<u8>, Refused> {
        self.fetch(key, range).map(|(content, _)| content)
    }

    /// Reads a range, and tells what of the object was fetched for it.
    pub(crate) fn fetch(
        &self,
        key: &str,
        range: &ReadRange,
    ) -> Result<(Vec<u8>, Vec<Range<u64>>), Refused> {
        let (stored, place) = self.head(key)?;
        let body = &stored.body;
        match place {
            StoredEnvelope::Metadata(envelope) => {
                let opener = now(self.cipher.open(&cx(key), &envelope))?;
                let plan = opener.plan(range)?;
                let segment = plan.body().unwrap();
                let bytes = match range {
                    ReadRange::Whole => 0..body.len() as u64,
                    _ => segment.fetch(),
                };
                let content = read(&opener, segment, &bytes, body)?;
                Ok((content, vec![bytes]))
            }
            StoredEnvelope::Companion(name) => {
                let companion = self.companion(&name)?;
                let cx = cx(key).with_part_index(companion.part_table().index());
                let opener = now(self.cipher.open(&cx, companion.envelope()))?;
                let parts = companion.parts(&opener)?;
                if *range == ReadRange::Whole && parts.stored_len() != body.len() as u64 {
                    return Err(Error::TrailingBytes { object: opener.object_id() }.into());
                }
                let (mut content, mut fetched) = (Vec::new(), Vec::new());
                for fetch in parts.fetches(&opener.plan(range)?)? {
                    content.extend(read(&opener, &fetch.segment, &fetch.bytes, body)?);
                    fetched.push(fetch.bytes);
                }
                Ok((content, fetched))
            }
        }
    }

    /// Deletes an object, and then the companion that its metadata named.
    pub(crate) fn delete(&mut self, key: &str) -> Result<(), Refused> {
        let (_, place) = self.head(key)?;
        self.bucket.remove(key);
        if let StoredEnvelope::Companion(name) = place {
            self.bucket.remove(name.as_str());
        }
        Ok(())
    }

    /// The keys that a lister shows.
    pub(crate) fn list(&self) -> Vec<&str> {
        let shown = |key: &&str| CompanionName::parse(key).is_none();
        self.bucket.keys().map(String::as_str).filter(shown).collect()
    }

    /// Puts other bytes in a companion's place.
    pub(crate) fn replace(&mut self, name: &CompanionName, body: Vec<u8>) {
        self.bucket.get_mut(name.as_str()).unwrap().body = body;
    }
}

/// The companion's bytes around any Envelope and table.
pub(crate) fn companion_bytes(envelope: &[u8], table: &[u8]) -> Vec<u8> {
    let length = u32::try_from(envelope.len()).unwrap().to_be_bytes();
    [b"\x89S3C\x01", &length[..], envelope, table].concat()
}

pub(crate) fn name(key: &str, object: ObjectId) -> CompanionName {
    CompanionName::new(key, object).unwrap()
}

/// As an upload gave it: the Envelope and the table of a companion.
pub(crate) fn completed(companion: &Companion) -> CompletedUpload {
    let (envelope, part_table) = (companion.envelope().clone(), companion.part_table().clone());
    CompletedUpload { envelope, part_table }
}

fn read(
    opener: &Opener,
    segment: &Segment,
    bytes: &Range<u64>,
    body: &[u8],
) -> Result<Vec<u8>, Refused> {
    let clamp = |at: u64| usize::try_from(at).unwrap().min(body.len());
    let fetched = &body[clamp(bytes.start)..clamp(bytes.end)];
    let mut stream = opener.open_segment(segment)?;
    Ok(drive(&mut stream, fetched, usize::MAX).complete()?)
}

impl From<OwnFormatError> for Refused {
    fn from(error: OwnFormatError) -> Self {
        Self::Format(error)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Format(error.into())
    }
}
