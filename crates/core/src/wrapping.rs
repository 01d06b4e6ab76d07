//! Wrapping data keys into an Envelope and unwrapping them: where identity and Envelope are bound.

use alloc::{sync::Arc, vec::Vec};

use crate::{
    EkSource, Envelope, Error, FreshKey, KeyRef, LayerKey, Mode, Result, SourceKey, Step,
    backend::Library,
    cobblestone::{Derived, HEADER_LEN, SALT_LEN, TAG_LEN, split_message},
    context::Identity,
    data_keys::{DataKeys, Layer, Salts, draw_salts, reject},
    envelope::{Head, KeyName, WRAPPED_KEY_LEN},
    per_layer::PerLayer,
    reader::write_u32,
    secret::Secret,
    source_key::WrappingKey,
    wiped::Wiped,
};

const WRAP_CONTEXT: &[u8] = b"object-cipher/v1/wrap\0";

/// The keys that wrap an object's data keys, with what the Envelope says of them.
pub(crate) struct Wrapping {
    mode: Mode,
    keys: PerLayer<LayerWrap>,
    names: PerLayer<KeyName>,
}

/// One layer's library and wrapping key.
pub(crate) struct LayerWrap {
    library: Arc<dyn Library>,
    key: Arc<WrappingKey>,
}

/// What a wrap binds: enc(clear fields) ‖ enc(identity) ‖ enc(info message).
struct Binding(Vec<u8>);

impl Wrapping {
    /// The wrapping of a mode by a fresh key a layer.
    pub(crate) fn fresh(
        mode: Mode,
        libraries: &PerLayer<Arc<dyn Library>>,
        fresh: PerLayer<FreshKey>,
    ) -> Result<Self> {
        let keys = libraries.zip(&fresh)?.try_map(|number, (library, fresh)| {
            fresh.key_ref.check(&fresh.blob)?;
            LayerWrap::new(library, mode, number, fresh.key_ref.source(), &fresh.key)
        })?;
        Ok(Self {
            mode,
            keys,
            names: fresh.map(|FreshKey { key_ref, blob, .. }| KeyName { key_ref, blob }),
        })
    }

    /// The wrapping that an Envelope has.
    pub(crate) fn stored(keys: PerLayer<LayerWrap>, envelope: &Envelope) -> Self {
        Self {
            mode: envelope.mode(),
            keys,
            names: envelope.layer_keys().as_ref().map(|layer| layer.name.clone()),
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn has_bucket_key(&self) -> bool {
        self.names.iter().any(|(_, name)| name.key_ref.source() == EkSource::BucketKey)
    }

    /// Draws salts for each layer, each layer's from its own library.
    pub(crate) fn draw_salts<const N: usize>(&self) -> Result<[Salts; N]> {
        draw_salts(&self.keys.as_ref().map(|key| &key.library))
    }

    /// Wraps the data keys and builds the Envelope around them.
    pub(crate) fn wrap(
        &self,
        keys: &DataKeys,
        head: Head,
        identity: &Identity,
        info: &[u8],
        salts: &Salts,
    ) -> Result<Envelope> {
        let key_refs = self.names.as_ref().map(|name| &name.key_ref);
        let binding = Binding::new(&head, &key_refs, identity, info)?;
        let parts = keys.layers.zip(&self.keys)?;
        let wrapped = parts
            .zip(salts)?
            .try_map(|number, ((layer, key), salt)| key.wrap(number, &layer.dek, &binding, salt))?;
        let layers = self
            .names
            .zip(&wrapped)?
            .map(|(name, wrapped)| LayerKey { name: name.clone(), wrapped: *wrapped });
        Envelope::assemble(head, layers, info)
    }
}

impl LayerWrap {
    pub(crate) fn new(
        library: &Arc<dyn Library>,
        mode: Mode,
        layer: u8,
        source: EkSource,
        key: &SourceKey,
    ) -> Result<Self> {
        if !source.serves(mode) {
            return Err(Error::Misuse("keys of this kind do not serve the mode"));
        }
        let key = key.wrapping_key(&**library, mode, layer, source)?;
        Ok(Self { library: Arc::clone(library), key })
    }

    fn wrap(
        &self,
        layer: u8,
        dek: &Secret,
        binding: &Binding,
        salt: &[u8; SALT_LEN],
    ) -> Result<[u8; WRAPPED_KEY_LEN]> {
        let context = [WRAP_CONTEXT, &[layer], &binding.digest(&*self.library)];
        let derived = Derived::new(&*self.key.0, &context, salt)?;
        let mut message = [0; WRAPPED_KEY_LEN];
        message[..HEADER_LEN].copy_from_slice(&derived.header(salt).to_bytes());
        message[HEADER_LEN..HEADER_LEN + 32].copy_from_slice(dek.expose());
        derived.seal_only_chunk(&*self.library, &mut message[HEADER_LEN..])?;
        Ok(message)
    }

    fn unwrap(&self, layer: u8, wrapped: &[u8], binding: &Binding) -> Result<Secret> {
        let (header, chunk) = split_message(wrapped)?;
        let context = [WRAP_CONTEXT, &[layer], &binding.digest(&*self.library)];
        let derived = Derived::recover(&*self.key.0, &context, &header)?;
        let mut opened = Wiped::new([0; 32 + TAG_LEN]);
        opened.copy_from_slice(chunk);
        derived.open_only_chunk(&*self.library, opened.as_mut_slice())?;
        let mut dek = Secret::zeroed();
        dek.expose_mut().copy_from_slice(&opened[..32]);
        Ok(dek)
    }
}

impl Binding {
    fn of(envelope: &Envelope, identity: &Identity) -> Result<Self> {
        let key_refs = envelope.layer_keys().as_ref().map(LayerKey::key_ref);
        Self::new(envelope.head(), &key_refs, identity, envelope.info())
    }

    fn new(
        head: &Head,
        key_refs: &PerLayer<&KeyRef>,
        identity: &Identity,
        info: &[u8],
    ) -> Result<Self> {
        let mut bytes = Vec::with_capacity(256 + info.len());
        prefixed(&mut bytes, |bytes| head.write_clear_fields(key_refs, bytes))?;
        prefixed(&mut bytes, |bytes| identity.write(bytes))?;
        write_u32(info.len(), &mut bytes)?;
        bytes.extend_from_slice(info);
        Ok(Self(bytes))
    }

    /// H, which goes into the context of every wrap.
    fn digest(&self, library: &dyn Library) -> [u8; 64] {
        library.sha512(&[&self.0])
    }
}

/// Unwraps the data key of one layer of an Envelope alone, which verifies the Envelope but for the
/// other layer's wrap.
pub(crate) fn unwrap_layer(
    number: u8,
    key: &LayerWrap,
    stored: &LayerKey,
    envelope: &Envelope,
    identity: &Identity,
) -> Result<Layer> {
    let binding = Binding::of(envelope, identity)?;
    let dek = key
        .unwrap(number, &stored.wrapped, &binding)
        .map_err(|error| reject(envelope.object_id(), Step::KeyWrap, error))?;
    Ok(Layer::new(&key.library, dek)?)
}

/// Unwraps an Envelope's data keys. Everything in the Envelope is verified by it.
pub(crate) fn unwrap(
    keys: &PerLayer<LayerWrap>,
    envelope: &Envelope,
    identity: &Identity,
) -> Result<DataKeys> {
    let object = envelope.object_id();
    let binding = Binding::of(envelope, identity)?;
    let layers = keys.zip(envelope.layer_keys())?.try_map(|number, (key, stored)| {
        let dek = key.unwrap(number, &stored.wrapped, &binding)?;
        Ok::<_, Error>(Layer::new(&key.library, dek)?)
    });
    let layers = layers.map_err(|error| reject(object, Step::KeyWrap, error))?;
    Ok(DataKeys { object, layers })
}

/// Appends what `write` does, its length as u32 before it.
fn prefixed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let at = out.len();
    write_u32(0, out)?;
    let start = out.len();
    write(out)?;
    let length =
        u32::try_from(out.len() - start).map_err(|_| Error::Limit("a field has at most 4 GiB"))?;
    out[at..start].copy_from_slice(&length.to_be_bytes());
    Ok(())
}
