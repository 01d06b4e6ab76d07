//! What is kept beside a body to open it again: [`Envelope`].

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    Bound, EkSource, Error, Fault, IdentityItem, Item, KeyBlob, KeyRef, Mode, ObjectId, Result,
    State, Suite,
    per_layer::PerLayer,
    reader::{Reader, write_u16, write_u32},
};

/// The longest Envelope, in bytes. Longer ones are refused before anything is allocated.
pub const MAX_ENVELOPE_LEN: usize = 16_384;
/// The name of the Envelope's pair in an object's metadata.
pub const ENVELOPE_PAIR_NAME: &str = "object-cipher-envelope";
/// Bytes of a wrapped data key: a Cobblestone-256 message of 32 bytes.
pub const WRAPPED_KEY_LEN: usize = 104;

const MAGIC: [u8; 4] = [0x89, b'S', b'3', b'E'];
const VERSION: u8 = 1;
const FLAG_MULTIPART: u8 = 1;
const FLAG_BUCKET_KEY: u8 = 2;
const FLAG_KEYLESS: u8 = 4;

/// The stored record of a sealed object: mode, key names, wrapped data keys and the sealed info
/// block. A canonical byte string; its text form is base64.
///
/// Parsing checks the form only. Nothing in an Envelope is to be trusted until
/// [`ObjectCipher::open`](crate::ObjectCipher::open) has verified the wrap. It covers all of the
/// Envelope but the key blobs, which their key source verifies: a KMS may encrypt them anew.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    bytes: Vec<u8>,
    head: Head,
    layers: PerLayer<LayerKey>,
    info: usize,
}

/// The fixed part of an Envelope.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) mode: Mode,
    pub(crate) state: State,
    pub(crate) multipart: bool,
    pub(crate) bucket_key: bool,
    pub(crate) keyless: bool,
    pub(crate) bound: Bound,
    pub(crate) object: ObjectId,
}

/// How one layer's data key is wrapped, as the Envelope tells it.
#[derive(Clone, PartialEq, Eq)]
pub struct LayerKey {
    pub(crate) name: KeyName,
    pub(crate) wrapped: [u8; WRAPPED_KEY_LEN],
}

/// Which key wraps a layer's data key, and how its source finds it again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyName {
    pub(crate) key_ref: KeyRef,
    pub(crate) blob: KeyBlob,
}

impl Envelope {
    /// Reads the binary form.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything that is not exactly one canonical Envelope of version 1.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_ENVELOPE_LEN {
            return Err(malformed(Fault::TooLong));
        }
        let mut reader = Reader::new(Item::Envelope, bytes);
        let head = Head::read(&mut reader)?;
        let layers = match head.mode.suite() {
            Suite::OneLayer => PerLayer::one(LayerKey::read(&mut reader, head, 0)?),
            Suite::TwoLayers => PerLayer::two(
                LayerKey::read(&mut reader, head, 0)?,
                LayerKey::read(&mut reader, head, 1)?,
            ),
        };
        let length = usize::try_from(reader.u32()?).map_err(|_| malformed(Fault::TooLong))?;
        let info = bytes.len() - reader.rest().len();
        if (length > 0) != (head.state == State::Finished) {
            return Err(malformed(Fault::Field("info length")));
        }
        reader.take(length)?;
        reader.end()?;
        Ok(Self { bytes: bytes.to_owned(), head, layers, info })
    }

    /// Reads the text form: base64 (RFC 4648 section 4) with padding, in canonical form.
    ///
    /// # Errors
    /// [`Error::Malformed`] as [`Envelope::parse`], or when the text is not canonical base64.
    pub fn from_text(text: &str) -> Result<Self> {
        if text.len() > MAX_ENVELOPE_LEN.div_ceil(3) * 4 {
            return Err(malformed(Fault::TooLong));
        }
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| Error::Malformed { item: Item::EnvelopeText, fault: Fault::Base64 })?;
        Self::parse(&bytes)
    }

    /// The text form, for an object's metadata under [`ENVELOPE_PAIR_NAME`].
    pub fn to_text(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    /// The binary form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        self.head.mode
    }

    /// Whether it is of a finished object or of an upload.
    pub fn state(&self) -> State {
        self.head.state
    }

    /// The object's random name.
    pub fn object_id(&self) -> ObjectId {
        self.head.object
    }

    /// Whether the object came, or comes, in parts.
    pub fn is_multipart(&self) -> bool {
        self.head.multipart
    }

    /// Whether the data key is wrapped by a Bucket Key.
    pub fn has_bucket_key(&self) -> bool {
        self.head.bucket_key
    }

    /// Whether the upload may be completed without its key (SSE-C only).
    pub fn allows_keyless_completion(&self) -> bool {
        self.head.keyless
    }

    /// Which identity items the wrap binds, beside realm, bucket and key.
    pub fn bound(&self) -> Bound {
        self.head.bound
    }

    /// How each layer's data key is wrapped: the only or inner layer, then the outer.
    pub fn layers(&self) -> impl Iterator<Item = &LayerKey> {
        self.layers.iter().map(|(_, layer)| layer)
    }

    /// The Envelope of an SSE-C upload that is completed without its key: state 3. It keeps the
    /// wrap; whoever has the key finishes the object through
    /// [`ObjectCipher::complete_upload`](crate::ObjectCipher::complete_upload).
    ///
    /// # Errors
    /// [`Error::WrongState`] when this is not an upload's Envelope, [`Error::Misuse`] when the
    /// upload was not created for it.
    pub fn complete_without_key(&self) -> Result<Self> {
        self.expect_state(State::Upload)?;
        if !self.head.keyless {
            return Err(Error::Misuse(
                "this upload was not created for completion without its key",
            ));
        }
        let head = Head { state: State::KeylessUpload, ..self.head };
        Self::assemble(head, self.layers.clone(), &[])
    }

    /// The same Envelope with key blobs that their KMS encrypted anew, one a layer in the order of
    /// [`layers`](Self::layers). Key names, wraps and all else stay, and no key is needed: a blob that
    /// leads to another key than before opens nothing.
    ///
    /// # Errors
    /// [`Error::Misuse`] when there are not as many blobs as layers, or one does not fit its key's
    /// kind; [`Error::Limit`] when the Envelope would be too long.
    pub fn with_blobs(&self, blobs: &[KeyBlob]) -> Result<Self> {
        if blobs.len() != self.layers().count() {
            return Err(Error::Misuse("an Envelope has one key blob a layer"));
        }
        let layers = self.layers.try_map(|number, layer| {
            let key_ref = layer.key_ref().clone();
            let blob = blobs[usize::from(number)].clone();
            key_ref.check(&blob)?;
            Ok::<_, Error>(LayerKey { name: KeyName { key_ref, blob }, wrapped: layer.wrapped })
        })?;
        Self::assemble(self.head, layers, self.info())
    }

    pub(crate) fn layer_keys(&self) -> &PerLayer<LayerKey> {
        &self.layers
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// The sealed info block, empty for uploads.
    pub(crate) fn info(&self) -> &[u8] {
        &self.bytes[self.info..]
    }

    pub(crate) fn expect_state(&self, expected: State) -> Result<()> {
        if self.head.state == expected {
            return Ok(());
        }
        Err(Error::WrongState { object: self.head.object, expected, found: self.head.state })
    }

    pub(crate) fn assemble(head: Head, layers: PerLayer<LayerKey>, info: &[u8]) -> Result<Self> {
        let mut bytes = Vec::with_capacity(512 + info.len());
        head.write(head.state, &mut bytes);
        for (number, layer) in layers.iter() {
            let KeyName { key_ref, blob } = &layer.name;
            write_key_ref(number, key_ref, &mut bytes)?;
            write_u16(blob.as_bytes().len(), &mut bytes)?;
            bytes.extend_from_slice(blob.as_bytes());
            bytes.extend_from_slice(&layer.wrapped);
        }
        write_u32(info.len(), &mut bytes)?;
        let info_start = bytes.len();
        bytes.extend_from_slice(info);
        if bytes.len() > MAX_ENVELOPE_LEN {
            return Err(Error::Limit("an Envelope has at most 16,384 bytes"));
        }
        Ok(Self { bytes, head, layers, info: info_start })
    }
}

impl Head {
    /// Appends the fields that the wrap binds: the fixed header, with state 3 written as 2, and
    /// every layer's number, source and key name.
    pub(crate) fn write_clear_fields(
        &self,
        key_refs: &PerLayer<&KeyRef>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let state = match self.state {
            State::KeylessUpload => State::Upload,
            state => state,
        };
        self.write(state, out);
        key_refs.iter().try_for_each(|(number, key_ref)| write_key_ref(number, key_ref, out))
    }

    fn write(&self, state: State, out: &mut Vec<u8>) {
        let suite = self.mode.suite().layers().to_le_bytes()[0];
        let set = |on: bool, flag: u8| if on { flag } else { 0 };
        let flags = set(self.multipart, FLAG_MULTIPART)
            | set(self.bucket_key, FLAG_BUCKET_KEY)
            | set(self.keyless, FLAG_KEYLESS);
        let state = state_byte(state);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[VERSION, suite, self.mode.byte(), state, flags, suite]);
        out.extend_from_slice(&[self.bound.byte(), 0]);
        out.extend_from_slice(&self.object.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let field = |name| malformed(Fault::Field(name));
        if reader.array::<4>()? != MAGIC {
            return Err(malformed(Fault::Magic));
        }
        if reader.u8()? != VERSION {
            return Err(malformed(Fault::Version));
        }
        let [suite, mode, state, flags, layers, bound, zero] = reader.array()?;
        let mode = Mode::from_byte(mode).ok_or(field("mode"))?;
        if usize::from(suite) != mode.suite().layers() {
            return Err(field("suite"));
        }
        let state = [State::Finished, State::Upload, State::KeylessUpload]
            .into_iter()
            .find(|known| state_byte(*known) == state)
            .ok_or(field("state"))?;
        if layers != suite {
            return Err(field("layer count"));
        }
        let head = Self {
            mode,
            state,
            multipart: flags & FLAG_MULTIPART != 0,
            bucket_key: flags & FLAG_BUCKET_KEY != 0,
            keyless: flags & FLAG_KEYLESS != 0,
            bound: Bound::from_byte(bound).ok_or(field("bound"))?,
            object: ObjectId(reader.array()?),
        };
        if flags & !(FLAG_MULTIPART | FLAG_BUCKET_KEY | FLAG_KEYLESS) != 0 || zero != 0 {
            return Err(field("flags"));
        }
        head.check()?;
        Ok(head)
    }

    /// What must hold between the fields.
    fn check(&self) -> Result<()> {
        let field = |name| Err(malformed(Fault::Field(name)));
        let upload = self.state != State::Finished;
        if upload && !self.multipart
            || self.keyless && !(upload && self.mode == Mode::SseC)
            || self.bucket_key && self.mode != Mode::SseKms
        {
            return field("flags");
        }
        if self.state == State::KeylessUpload && !self.keyless {
            return field("state");
        }
        let of_objects = [IdentityItem::VersionId, IdentityItem::Extra];
        if self.bound.has(IdentityItem::UploadId) != upload
            || upload && of_objects.iter().any(|item| self.bound.has(*item))
        {
            return field("bound");
        }
        Ok(())
    }
}

impl LayerKey {
    /// The name of the key that wrapped the layer's data key.
    pub fn key_ref(&self) -> &KeyRef {
        &self.name.key_ref
    }

    /// What the key source needs to find its key again.
    pub fn blob(&self) -> &KeyBlob {
        &self.name.blob
    }

    fn read(reader: &mut Reader<'_>, head: Head, number: u8) -> Result<Self> {
        if reader.u8()? != number {
            return Err(malformed(Fault::Field("layer index")));
        }
        let source = EkSource::from_byte(reader.u8()?)
            .filter(|source| source.serves(head.mode))
            .filter(|source| (*source == EkSource::BucketKey) == head.bucket_key)
            .ok_or(malformed(Fault::Field("ek_source")))?;
        let key_ref = reader.prefixed_u16(crate::MAX_KEY_REF_LEN)?;
        let blob = reader.prefixed_u16(crate::MAX_KEY_BLOB_LEN)?;
        let name = KeyName {
            key_ref: KeyRef::parse(source, key_ref)?,
            blob: KeyBlob::parse(source, blob)?,
        };
        Ok(Self { name, wrapped: reader.array()? })
    }
}

impl fmt::Debug for LayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerKey")
            .field("key_ref", self.key_ref())
            .field("blob", self.blob())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("object_id", &self.head.object)
            .field("mode", &self.head.mode)
            .field("state", &self.head.state)
            .field("bound", &self.head.bound)
            .field("layers", &self.layers)
            .finish_non_exhaustive()
    }
}

fn write_key_ref(number: u8, key_ref: &KeyRef, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&[number, key_ref.source().byte()]);
    let at = out.len();
    out.extend_from_slice(&[0; 2]);
    key_ref.write(out);
    let length = u16::try_from(out.len() - at - 2)
        .map_err(|_| Error::Limit("a key reference has at most 1,024 bytes"))?;
    out[at..at + 2].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn state_byte(state: State) -> u8 {
    match state {
        State::Finished => 1,
        State::Upload => 2,
        State::KeylessUpload => 3,
    }
}

fn malformed(fault: Fault) -> Error {
    Error::Malformed { item: Item::Envelope, fault }
}
