//! The data keys of one object, and everything that is sealed under them.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::fmt;

use zeroize::zeroize_bytes;

use crate::{
    BackendError, Error, Headers, HkdfExpander, Layout, ObjectId, Result, Step, Suite,
    backend::Library,
    chunk_cipher::Chunks,
    cobblestone::{CHUNK_LEN, Derived, Header, SALT_LEN, TAG_LEN, check_message_len},
    per_layer::PerLayer,
    secret::Secret,
    wiped::Wiped,
};

/// An object's data keys: one for the only layer, or one each for the inner and the outer.
pub(crate) struct DataKeys {
    pub(crate) object: ObjectId,
    pub(crate) layers: PerLayer<Layer>,
}

/// One layer of an object: its library and its data key.
pub(crate) struct Layer {
    pub(crate) library: Arc<dyn Library>,
    /// To be wrapped.
    pub(crate) dek: Secret,
    /// The data key set up: a body and its info block are derived from it at least.
    expander: Box<dyn HkdfExpander>,
}

/// A salt for each layer.
pub(crate) type Salts = PerLayer<[u8; SALT_LEN]>;

/// What a message under the data keys is for. It is bound by the derived key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A body (part 0), or a part of one.
    Body { part: u32 },
    /// The info block.
    Info,
    /// The receipt of a part.
    Receipt { part: u32 },
}

impl Purpose {
    /// The name, ended by a zero byte, and the part number, if the purpose has one.
    fn parts(self) -> (&'static [u8], Option<u32>) {
        match self {
            Self::Body { part } => (b"object-cipher/v1/body\0", Some(part)),
            Self::Info => (b"object-cipher/v1/info\0", None),
            Self::Receipt { part } => (b"object-cipher/v1/part\0", Some(part)),
        }
    }

    pub(crate) fn step(self) -> Step {
        match self {
            Self::Body { .. } => Step::Body,
            Self::Info => Step::Info,
            Self::Receipt { .. } => Step::Receipt,
        }
    }
}

impl Layer {
    pub(crate) fn new(library: &Arc<dyn Library>, dek: Secret) -> Result<Self, BackendError> {
        let expander = library.expander(dek.expose())?;
        Ok(Self { library: Arc::clone(library), dek, expander })
    }

    /// Derives one layer's key of a stored body, and compares its commitment before AES is used.
    pub(crate) fn recover(
        &self,
        purpose: Purpose,
        object: ObjectId,
        number: u8,
        header: &Header,
    ) -> Result<Derived> {
        with_context(purpose, object, number, |context| {
            Derived::recover(&*self.expander, context, header)
        })
    }
}

impl DataKeys {
    pub(crate) fn suite(&self) -> Suite {
        self.layers.suite()
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::new(self.suite())
    }

    /// Draws salts for each layer, each layer's from its own library.
    pub(crate) fn draw_salts<const N: usize>(&self) -> Result<[Salts; N]> {
        draw_salts(&self.layers.try_map(|_, layer| Ok::<_, Error>(&layer.library))?)
    }

    /// Derives the keys of a new body.
    pub(crate) fn derive(&self, purpose: Purpose, salts: &Salts) -> Result<(Headers, Chunks)> {
        let derived = self.derive_layers(purpose, salts)?;
        let headers = derived
            .zip(salts)?
            .try_map(|_, (derived, salt)| Ok::<_, Error>(derived.header(salt)))?;
        Ok((Headers::new(&headers), self.chunks(purpose, &derived)?))
    }

    /// Derives the keys of a stored body and compares every commitment before AES is used.
    pub(crate) fn recover(&self, purpose: Purpose, headers: &Headers) -> Result<Chunks> {
        self.chunks(purpose, &self.recover_layers(purpose, headers)?)
    }

    /// Seals a message of less than one chunk and appends it to `out`.
    pub(crate) fn seal_message(
        &self,
        purpose: Purpose,
        salts: &Salts,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        check_message_len(plaintext.len())?;
        let derived = self.derive_layers(purpose, salts)?;
        let headers = derived
            .zip(salts)?
            .try_map(|_, (derived, salt)| Ok::<_, Error>(derived.header(salt)))?;
        let layout = self.layout();
        out.reserve_exact(layout.header_len() + plaintext.len() + layout.overhead());
        out.extend_from_slice(Headers::new(&headers).as_bytes());
        let start = out.len();
        out.extend_from_slice(plaintext);
        for (_, (layer, derived)) in self.layers.zip(&derived)?.iter() {
            out.extend_from_slice(&[0; TAG_LEN]);
            derived.seal_only_chunk(&*layer.library, &mut out[start..])?;
        }
        Ok(())
    }

    /// Opens a message of less than one chunk.
    pub(crate) fn open_message(&self, purpose: Purpose, message: &[u8]) -> Result<Wiped<Vec<u8>>> {
        let layout = self.layout();
        let length = layout.plaintext_len(message.len() as u64)?;
        if length >= CHUNK_LEN as u64 {
            return Err(Error::message_too_long());
        }
        let (headers, chunk) = message.split_at(layout.header_len());
        let derived = self.recover_layers(purpose, &Headers::parse(self.suite(), headers)?)?;
        let mut plaintext = Wiped::new(chunk.to_vec());
        let layers = self.layers.zip(&derived)?;
        // The outer layer comes off first.
        for (layer, derived) in layers.outer.into_iter().chain([layers.inner]) {
            derived
                .open_only_chunk(&*layer.library, &mut plaintext)
                .map_err(|error| self.rejected(purpose, error.into()))?;
            let length = plaintext.len() - TAG_LEN;
            plaintext.truncate(length);
        }
        Ok(plaintext)
    }

    /// SHA-256 of `data` by every layer's library, which must agree.
    pub(crate) fn sha256(&self, data: &[u8]) -> Result<[u8; 32]> {
        let digests =
            self.layers.try_map(|_, layer| Ok::<_, Error>(layer.library.sha256(&[data])))?;
        match digests.outer {
            Some(outer) if outer != digests.inner => Err(BackendError::Unavailable.into()),
            _ => Ok(digests.inner),
        }
    }

    fn derive_layers(&self, purpose: Purpose, salts: &Salts) -> Result<PerLayer<Derived>> {
        self.layers.zip(salts)?.try_map(|number, (layer, salt)| {
            with_context(purpose, self.object, number, |context| {
                Derived::new(&*layer.expander, context, salt)
            })
        })
    }

    fn recover_layers(&self, purpose: Purpose, headers: &Headers) -> Result<PerLayer<Derived>> {
        let headers = headers.layers();
        let recovered = self
            .layers
            .zip(&headers)?
            .try_map(|number, (layer, header)| layer.recover(purpose, self.object, number, header));
        recovered.map_err(|error| self.rejected(purpose, error))
    }

    fn chunks(&self, purpose: Purpose, derived: &PerLayer<Derived>) -> Result<Chunks> {
        let keys = self
            .layers
            .zip(derived)?
            .try_map(|_, (layer, derived)| derived.chunk_key(&*layer.library))?;
        Ok(Chunks::new(keys, self.object, purpose.step()))
    }

    fn rejected(&self, purpose: Purpose, error: Error) -> Error {
        reject(self.object, purpose.step(), error)
    }
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeys")
            .field("object", &self.object)
            .field("suite", &self.suite())
            .finish_non_exhaustive()
    }
}

/// What a layer's key for a purpose is bound to.
fn with_context<T>(
    purpose: Purpose,
    object: ObjectId,
    layer: u8,
    use_context: impl FnOnce(&[&[u8]]) -> T,
) -> T {
    let (name, part) = purpose.parts();
    let part = part.map(u32::to_be_bytes);
    let rest = part.as_ref().map_or(&[][..], <[u8; 4]>::as_slice);
    use_context(&[name, &object.0, &[layer], rest])
}

/// Names the object and the step in a failed authentication.
pub(crate) fn reject(object: ObjectId, step: Step, error: Error) -> Error {
    match error {
        Error::Backend(BackendError::Rejected) => Error::Rejected { object, step },
        other => other,
    }
}

/// Draws salts for each layer, each layer's from its own library.
pub(crate) fn draw_salts<const N: usize>(
    libraries: &PerLayer<&Arc<dyn Library>>,
) -> Result<[Salts; N]> {
    let drawn = libraries.try_map(|_, library| {
        let mut salts = [[0; SALT_LEN]; N];
        library.random(salts.as_flattened_mut()).map(|()| salts)
    })?;
    Ok(core::array::from_fn(|n| PerLayer {
        inner: drawn.inner[n],
        outer: drawn.outer.map(|salts| salts[n]),
    }))
}

/// A random draw, split into its pieces; wiped on drop.
pub(crate) struct Draw {
    bytes: Wiped<[u8; Self::ROOM]>,
    taken: usize,
}

impl Draw {
    /// The most that an object draws: a data key, three salts, an object id.
    const ROOM: usize = 32 + 3 * SALT_LEN + 16;

    /// Draws `length` bytes, at most 120, in one call.
    pub(crate) fn new(library: &dyn Library, length: usize) -> Result<Self> {
        let mut bytes = Wiped::new([0; Self::ROOM]);
        library.random(&mut bytes[..length])?;
        Ok(Self { bytes, taken: 0 })
    }

    /// Moves the next bytes into `out`.
    pub(crate) fn take(&mut self, out: &mut [u8]) {
        let piece = &mut self.bytes[self.taken..self.taken + out.len()];
        out.copy_from_slice(piece);
        zeroize_bytes(piece);
        self.taken += out.len();
    }
}
