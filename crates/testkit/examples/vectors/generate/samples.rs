//! Objects that core seals, taken apart so that one fault can be put into each.

use std::collections::BTreeMap;

use object_cipher_core::{Attributes, Completion, ETag, Envelope, ObjectContext, PartTable};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{
    StoredObject, now,
    vectors::{Base64, Hex, IdentityRecord, ObjectVector, Plaintext, Verdict, VerdictStep},
};

use super::{
    envelope::{self, RawEnvelope},
    kinds::Kind,
    message::{self, LayerKey},
};

/// A stored object, its fields and its keys.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) vector: ObjectVector,
    pub(crate) raw: RawEnvelope,
    pub(crate) secrets: Secrets,
}

/// What an honest key holder knows of an object or an upload.
#[derive(Clone)]
pub(crate) struct Secrets {
    pub(crate) deks: Vec<[u8; 32]>,
    pub(crate) source_keys: Vec<Hex>,
    pub(crate) identity: IdentityRecord,
}

/// An identity that binds a version id.
pub(crate) fn identity() -> IdentityRecord {
    IdentityRecord { version_id: b"v1"[..].into(), ..unversioned() }
}

/// An identity of realm, bucket and key.
pub(crate) fn unversioned() -> IdentityRecord {
    IdentityRecord {
        realm: b"realm"[..].into(),
        bucket: b"bucket"[..].into(),
        key: b"dir/key"[..].into(),
        ..IdentityRecord::default()
    }
}

impl Sample {
    /// An object of one body.
    pub(crate) fn single(
        kind: Kind,
        name: &str,
        identity: &IdentityRecord,
        content: &[u8],
        attributes: &Attributes,
    ) -> Self {
        let seeded = kind.cipher(name);
        let context = identity.encryption_context().unwrap();
        let cx = identity.object_context(&context);
        let stored = StoredObject::seal(&*seeded.cipher, &cx, content, attributes).unwrap();
        Self::new(kind, name, identity, seeded.deks(), stored, content, attributes)
    }

    /// An object of parts.
    pub(crate) fn multipart(
        kind: Kind,
        name: &str,
        identity: &IdentityRecord,
        parts: &[(u32, &[u8])],
        attributes: &Attributes,
    ) -> Self {
        let seeded = kind.cipher(name);
        let context = identity.encryption_context().unwrap();
        let cx: ObjectContext<'_> = identity.object_context(&context).with_upload_id("upload");
        let uploader = now(seeded.cipher.create_upload(&cx, Completion::WithKey)).unwrap();
        let (mut bodies, mut receipts) = (BTreeMap::new(), Vec::new());
        for (part, content) in parts {
            let (body, receipt) = StoredObject::seal_part(&uploader, *part, content).unwrap();
            let stored = StoredObject::stored_part(&uploader, *part, &receipt, &body);
            receipts.push(uploader.open_receipt(&stored).unwrap());
            bodies.insert(*part, body);
        }
        let done =
            now(seeded.cipher.complete_upload(&uploader, &cx, &receipts, attributes)).unwrap();
        let table = Some(done.part_table);
        let stored = StoredObject { envelope: done.envelope, bodies, table };
        let content = parts.iter().map(|(_, content)| *content).collect::<Vec<_>>().concat();
        Self::new(kind, name, identity, seeded.deks(), stored, &content, attributes)
    }

    fn new(
        kind: Kind,
        name: &str,
        identity: &IdentityRecord,
        deks: Vec<[u8; 32]>,
        stored: StoredObject,
        content: &[u8],
        attributes: &Attributes,
    ) -> Self {
        let source_keys: Vec<Hex> = kind.source_keys().into_iter().map(Hex::from).collect();
        let bodies = stored.bodies.into_iter().map(|(part, body)| (part, Base64(body)));
        let table = stored.table.as_ref();
        let pages = table.map(PartTable::pages).unwrap_or_default();
        let vector = ObjectVector {
            name: name.into(),
            mode: kind.mode,
            ek_source: kind.source,
            source_keys: source_keys.clone(),
            identity: identity.clone(),
            required: Vec::new(),
            envelope: stored.envelope.to_text(),
            bodies: bodies.collect(),
            part_index: table.map(|table| table.index().into()),
            part_pages: pages.iter().map(|page| page.as_slice().into()).collect(),
            plaintext: Some(Plaintext::of(&RustCrypto, content)),
            attributes: Some(attributes.into()),
            verdict: Verdict::accept(),
        };
        let raw = RawEnvelope::parse(stored.envelope.as_bytes());
        Self { vector, raw, secrets: Secrets { deks, source_keys, identity: identity.clone() } }
    }

    /// The vector as it is read, with the fields as they stand.
    pub(crate) fn accept(&self, name: &str) -> ObjectVector {
        let envelope = text(&self.raw.to_bytes());
        ObjectVector { name: name.into(), envelope, ..self.vector.clone() }
    }

    /// The vector to be refused, with the fields as they stand.
    pub(crate) fn refuse(&self, step: VerdictStep, reason: &str) -> ObjectVector {
        self.refuse_bytes(step, reason, &self.raw.to_bytes())
    }

    /// The vector to be refused, with an Envelope of any bytes.
    pub(crate) fn refuse_bytes(
        &self,
        step: VerdictStep,
        reason: &str,
        envelope: &[u8],
    ) -> ObjectVector {
        ObjectVector {
            name: format!("{}: {reason}", self.vector.name),
            envelope: text(envelope),
            plaintext: None,
            attributes: None,
            verdict: Verdict::reject(step, reason),
            ..self.vector.clone()
        }
    }

    /// The sample with its fields edited, and nothing else.
    pub(crate) fn edited(&self, edit: impl FnOnce(&mut RawEnvelope)) -> Self {
        let mut sample = self.clone();
        edit(&mut sample.raw);
        sample
    }

    /// The sample with its fields edited and then wrapped anew, as a key holder could.
    pub(crate) fn rewrapped(&self, edit: impl FnOnce(&mut RawEnvelope)) -> Self {
        let mut sample = self.edited(edit);
        sample.secrets.wrap(&mut sample.raw);
        sample
    }

    /// The sample with another info block, sealed and wrapped as a key holder could.
    pub(crate) fn with_info(&self, block: &[u8]) -> Self {
        let message = self.secrets.seal(self.raw.object_id(), "info", None, block);
        self.rewrapped(|raw| raw.info = message)
    }
}

impl Secrets {
    /// Wraps the data keys over the Envelope's fields as they stand.
    pub(crate) fn wrap(&self, raw: &mut RawEnvelope) {
        let identity = envelope::identity(&self.identity, raw.head[7] == 1);
        let digest = envelope::bound_digest(&raw.clear_fields(), &identity, &raw.info);
        let uses: Vec<_> = (0..raw.layers.len()).map(|layer| raw.ek_use(layer)).collect();
        let keys = self.source_keys.iter().zip(&self.deks);
        for ((number, layer), (source_key, dek)) in (0..).zip(&mut raw.layers).zip(keys) {
            let ek = envelope::ek(source_key, uses[usize::from(number)]);
            layer.wrapped = envelope::wrap(ek, number, &digest, dek);
        }
    }

    /// Seals a message under the data keys.
    pub(crate) fn seal(
        &self,
        object: &[u8],
        purpose: &str,
        part: Option<u32>,
        plaintext: &[u8],
    ) -> Vec<u8> {
        message::seal(&self.layer_keys(object, purpose, part, plaintext), plaintext)
    }

    /// The keys of a message, with salts that follow from its content.
    pub(crate) fn layer_keys(
        &self,
        object: &[u8],
        purpose: &str,
        part: Option<u32>,
        plaintext: &[u8],
    ) -> Vec<LayerKey> {
        let layers = (0..).zip(&self.deks).map(|(layer, dek)| {
            let context = message::context(purpose, object, layer, part);
            let salt = message::salt(&[&context, dek, plaintext]);
            LayerKey { dek: *dek, context, salt }
        });
        layers.collect()
    }
}

/// The text form of an Envelope of any bytes.
pub(crate) fn text(envelope: &[u8]) -> String {
    let json = serde_json::to_value(Base64::from(envelope)).unwrap();
    json.as_str().unwrap().into()
}

/// An `ETag` of one byte, repeated.
pub(crate) fn etag(byte: u8) -> ETag {
    ETag([byte; 16])
}

/// The Envelope that core reads in these bytes.
pub(crate) fn parsed(raw: &RawEnvelope) -> Envelope {
    Envelope::parse(&raw.to_bytes()).unwrap()
}
