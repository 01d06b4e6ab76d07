//! Wrapping data keys into an Envelope and unwrapping them: where identity and Envelope are bound.

use alloc::{sync::Arc, vec::Vec};

use crate::{
    EkSource, Envelope, Error, FreshKey, KeyBlob, KeyRef, LayerKey, Mode, Result, Step,
    backend::Library,
    cobblestone::{open_from, seal_into},
    context::Identity,
    data_keys::{DataKeys, Layer, Salts, draw_salts, reject},
    envelope::{Head, WRAPPED_KEY_LEN},
    secret::Secret,
    source_key::WrappingKey,
};

const WRAP_CONTEXT: &[u8] = b"object-cipher/v1/wrap\0";

/// The keys that wrap an object's data keys, with what the Envelope says of them.
pub(crate) struct Wrapping {
    mode: Mode,
    layers: Vec<LayerWrapping>,
}

/// One layer's wrapping key.
struct LayerWrapping {
    library: Arc<dyn Library>,
    key: Arc<WrappingKey>,
    key_ref: KeyRef,
    blob: KeyBlob,
}

impl Wrapping {
    /// The wrapping of a mode by one key a layer: the only or inner layer's first.
    pub(crate) fn new(mode: Mode, layers: Vec<(Arc<dyn Library>, FreshKey)>) -> Result<Self> {
        let layers = (0..)
            .zip(layers)
            .map(|(number, (library, fresh))| {
                let source = fresh.key_ref.source();
                if !source.serves(mode) {
                    return Err(Error::Misuse("keys of this kind do not serve the mode"));
                }
                let key = fresh.key.wrapping_key(&*library, mode, number, source)?;
                Ok(LayerWrapping { library, key, key_ref: fresh.key_ref, blob: fresh.blob })
            })
            .collect::<Result<Vec<_>>>()?;
        let bucket_keys = layers.iter().filter(|layer| layer.is_bucket_key()).count();
        if layers.len() != mode.suite().layers() || bucket_keys > 1 {
            return Err(Error::Misuse("a mode takes one key a layer"));
        }
        Ok(Self { mode, layers })
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn has_bucket_key(&self) -> bool {
        self.layers.iter().any(LayerWrapping::is_bucket_key)
    }

    /// Draws salts for each layer, each layer's from its own library.
    pub(crate) fn draw_salts<const N: usize>(&self) -> Result<[Salts; N]> {
        draw_salts(self.layers.iter().map(|layer| &*layer.library))
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
        let clear = head.clear_fields(self.layers.iter().map(|layer| &layer.key_ref))?;
        let identity = identity.encoded()?;
        let layers = keys
            .layers()
            .zip(&self.layers)
            .map(|((number, Layer { dek, .. }), layer)| {
                let bound = bound_digest(&*layer.library, &clear, &identity, info);
                let context = [WRAP_CONTEXT, &[number], &bound];
                let mut message = Vec::new();
                let (ek, salt) = (layer.key.0.expose(), &salts[usize::from(number)]);
                seal_into(&*layer.library, ek, &context, salt, dek.expose(), &mut message)?;
                let wrapped: [u8; WRAPPED_KEY_LEN] =
                    message.try_into().map_err(|_| Error::Misuse("a wrapped key has 104 bytes"))?;
                let (key_ref, blob) = (layer.key_ref.clone(), layer.blob.clone());
                Ok(LayerKey { key_ref, blob, wrapped })
            })
            .collect::<Result<Vec<_>>>()?;
        Envelope::assemble(head, layers, info)
    }

    /// Unwraps an Envelope's data keys. Everything in the Envelope is verified by it.
    pub(crate) fn unwrap(&self, envelope: &Envelope, identity: &Identity) -> Result<DataKeys> {
        let head = envelope.head();
        let object = head.object;
        let clear = head.clear_fields(envelope.layers().iter().map(LayerKey::key_ref))?;
        let identity = identity.encoded()?;
        let mut layers = (0..).zip(self.layers.iter().zip(envelope.layers())).map(
            |(number, (layer, stored)): (u8, _)| {
                let bound = bound_digest(&*layer.library, &clear, &identity, envelope.info());
                let context = [WRAP_CONTEXT, &[number], &bound];
                let opened =
                    open_from(&*layer.library, layer.key.0.expose(), &context, &stored.wrapped)
                        .map_err(|error| reject(object, Step::KeyWrap, error))?;
                let mut dek = Secret::zeroed();
                dek.expose_mut().copy_from_slice(&opened);
                Ok::<_, Error>(Layer { library: Arc::clone(&layer.library), dek })
            },
        );
        let inner = layers.next().ok_or(Error::Misuse("an Envelope has one layer or two"))??;
        let outer = layers.next().transpose()?;
        Ok(DataKeys { object, inner, outer })
    }
}

impl LayerWrapping {
    fn is_bucket_key(&self) -> bool {
        self.key_ref.source() == EkSource::BucketKey
    }
}

/// H: what a wrap binds. SHA-512 of enc(clear fields) ‖ enc(identity) ‖ enc(info message), the
/// lengths as u32.
fn bound_digest(library: &dyn Library, clear: &[u8], identity: &[u8], info: &[u8]) -> [u8; 64] {
    // Envelopes are far below 4 GiB, and identity items were measured when they were encoded.
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    library.sha512(&[&length(clear), clear, &length(identity), identity, &length(info), info])
}
