//! The data keys of one object, and everything that is sealed under them.

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::{
    BackendError, ChunkCipher, Error, Fault, Item, Layout, ObjectId, Result, Step, Suite,
    backend::Library,
    chunk_cipher::Chunks,
    cobblestone::{CHUNK_LEN, ChunkKey, HEADER_LEN, Header, SALT_LEN},
    secret::Secret,
};

/// The 56 or 112 bytes that a body begins with: outer header, if there is one, then inner header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Headers {
    bytes: [u8; 2 * HEADER_LEN],
    suite: Suite,
}

/// One layer of an object: its library and its data key.
pub(crate) struct Layer {
    pub(crate) library: Arc<dyn Library>,
    pub(crate) dek: Secret,
}

/// An object's data keys: one for the only layer, or one each for the inner and the outer.
pub(crate) struct DataKeys {
    pub(crate) object: ObjectId,
    pub(crate) inner: Layer,
    pub(crate) outer: Option<Layer>,
}

/// A salt for each layer: index 0 for the inner or only one, 1 for the outer.
pub(crate) type Salts = [[u8; SALT_LEN]; 2];

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

impl Headers {
    /// Reads the headers at the beginning of a stored body: exactly 56 or 112 bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the length is another.
    pub fn parse(suite: Suite, stored: &[u8]) -> Result<Self> {
        let mut bytes = [0; 2 * HEADER_LEN];
        let length = HEADER_LEN * suite.layers();
        if stored.len() != length {
            let fault = if stored.len() < length { Fault::TooShort } else { Fault::TooLong };
            return Err(Error::Malformed { item: Item::Message, fault });
        }
        bytes[..length].copy_from_slice(stored);
        Ok(Self { bytes, suite })
    }

    /// The bytes as they stand at the beginning of the body.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..HEADER_LEN * self.suite.layers()]
    }

    fn new(inner: &Header, outer: Option<&Header>) -> Self {
        let mut bytes = [0; 2 * HEADER_LEN];
        let (first, second) = bytes.split_at_mut(HEADER_LEN);
        match outer {
            None => first.copy_from_slice(inner.as_bytes()),
            Some(outer) => {
                first.copy_from_slice(outer.as_bytes());
                second.copy_from_slice(inner.as_bytes());
            }
        }
        let suite = if outer.is_some() { Suite::TwoLayers } else { Suite::OneLayer };
        Self { bytes, suite }
    }

    fn inner(&self) -> Result<Header> {
        let start = self.as_bytes().len() - HEADER_LEN;
        Header::from_slice(&self.bytes[start..start + HEADER_LEN])
    }

    fn outer(&self) -> Result<Header> {
        Header::from_slice(&self.bytes[..HEADER_LEN])
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Headers(")?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
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

    fn step(self) -> Step {
        match self {
            Self::Body { .. } => Step::Body,
            Self::Info => Step::Info,
            Self::Receipt { .. } => Step::Receipt,
        }
    }
}

impl DataKeys {
    pub(crate) fn suite(&self) -> Suite {
        if self.outer.is_some() { Suite::TwoLayers } else { Suite::OneLayer }
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::new(self.suite())
    }

    /// The layers with their numbers.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (u8, &Layer)> {
        (0..).zip(core::iter::once(&self.inner).chain(self.outer.as_ref()))
    }

    /// Draws salts for each layer, each layer's from its own library.
    pub(crate) fn draw_salts<const N: usize>(&self) -> Result<[Salts; N]> {
        draw_salts(self.layers().map(|(_, layer)| &*layer.library))
    }

    /// Derives the keys of a new message.
    pub(crate) fn derive(&self, purpose: Purpose, salts: &Salts) -> Result<(Headers, Chunks)> {
        let derive = |number: u8, layer: &Layer| {
            let salt = &salts[usize::from(number)];
            self.with_context(purpose, number, |context| {
                ChunkKey::derive(&*layer.library, layer.dek.expose(), context, salt)
            })
        };
        let (inner_header, inner) = derive(0, &self.inner)?;
        let (outer_header, outer) =
            self.outer.as_ref().map(|layer| derive(1, layer)).transpose()?.unzip();
        let headers = Headers::new(&inner_header, outer_header.as_ref());
        Ok((headers, Chunks::new(inner, outer, self.object, purpose.step())))
    }

    /// Derives the keys of a stored message and compares every commitment before AES is used.
    pub(crate) fn recover(&self, purpose: Purpose, headers: &Headers) -> Result<Chunks> {
        if headers.suite != self.suite() {
            return Err(Error::Misuse("the headers belong to another suite"));
        }
        let recover = |number: u8, layer: &Layer, header: Header| {
            self.with_context(purpose, number, |context| {
                ChunkKey::recover(&*layer.library, layer.dek.expose(), context, &header)
            })
        };
        let outer = match &self.outer {
            Some(layer) => Some(recover(1, layer, headers.outer()?)),
            None => None,
        };
        let inner = recover(0, &self.inner, headers.inner()?);
        let (object, step) = (self.object, purpose.step());
        let rejected = |error| reject(object, step, error);
        let outer = outer.transpose().map_err(rejected)?;
        Ok(Chunks::new(inner.map_err(rejected)?, outer, object, step))
    }

    /// Seals a message of less than one chunk and appends it to `out`.
    pub(crate) fn seal_message(
        &self,
        purpose: Purpose,
        salts: &Salts,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if plaintext.len() >= CHUNK_LEN {
            return Err(Error::Limit("a message holds at most 16,383 bytes"));
        }
        let (headers, chunks) = self.derive(purpose, salts)?;
        out.reserve_exact(headers.as_bytes().len() + plaintext.len() + chunks.overhead());
        out.extend_from_slice(headers.as_bytes());
        let start = out.len();
        out.extend_from_slice(plaintext);
        out.resize(out.len() + chunks.overhead(), 0);
        chunks.seal(0, true, &mut out[start..])
    }

    /// Opens a message of less than one chunk.
    pub(crate) fn open_message(
        &self,
        purpose: Purpose,
        message: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let layout = self.layout();
        let length = layout.plaintext_len(message.len() as u64)?;
        if length >= layout.chunk_len() {
            return Err(Error::Malformed { item: Item::Message, fault: Fault::TooLong });
        }
        let (headers, chunk) = message.split_at(layout.header_len());
        let chunks = self.recover(purpose, &Headers::parse(self.suite(), headers)?)?;
        let mut plaintext = Zeroizing::new(chunk.to_vec());
        chunks.open(0, true, &mut plaintext)?;
        plaintext.truncate(chunk.len() - layout.overhead());
        Ok(plaintext)
    }

    /// SHA-256 of `data` by every layer's library, which must agree.
    pub(crate) fn sha256(&self, data: &[u8]) -> Result<[u8; 32]> {
        let digest = self.inner.library.sha256(&[data]);
        match &self.outer {
            Some(outer) if outer.library.sha256(&[data]) != digest => {
                Err(BackendError::Unavailable.into())
            }
            _ => Ok(digest),
        }
    }

    fn with_context<T>(
        &self,
        purpose: Purpose,
        layer: u8,
        use_context: impl FnOnce(&[&[u8]]) -> T,
    ) -> T {
        let (name, part) = purpose.parts();
        let part = part.map(u32::to_be_bytes);
        let rest = part.as_ref().map_or(&[][..], <[u8; 4]>::as_slice);
        use_context(&[name, &self.object.0, &[layer], rest])
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

/// Names the object and the step in a failed authentication.
pub(crate) fn reject(object: ObjectId, step: Step, error: Error) -> Error {
    match error {
        Error::Backend(BackendError::Rejected) => Error::Rejected { object, step },
        other => other,
    }
}

/// Draws salts for each layer, each layer's from its own library.
pub(crate) fn draw_salts<'a, const N: usize>(
    libraries: impl Iterator<Item = &'a dyn Library>,
) -> Result<[Salts; N]> {
    let mut salts = [Salts::default(); N];
    for (layer, library) in libraries.enumerate() {
        let mut drawn = [[0; SALT_LEN]; N];
        library.random(drawn.as_flattened_mut())?;
        for (salts, drawn) in salts.iter_mut().zip(drawn) {
            salts[layer] = drawn;
        }
    }
    Ok(salts)
}

/// A random draw, split into its pieces; wiped on drop.
pub(crate) struct Draw(Zeroizing<Vec<u8>>, usize);

impl Draw {
    /// Draws `length` bytes in one call.
    pub(crate) fn new(library: &dyn Library, length: usize) -> Result<Self> {
        let mut bytes = Zeroizing::new(alloc::vec![0; length]);
        library.random(&mut bytes)?;
        Ok(Self(bytes, 0))
    }

    /// Moves the next `N` bytes into `out`.
    pub(crate) fn take<const N: usize>(&mut self, out: &mut [u8; N]) {
        let piece = &mut self.0[self.1..self.1 + N];
        out.copy_from_slice(piece);
        piece.zeroize();
        self.1 += N;
    }
}
