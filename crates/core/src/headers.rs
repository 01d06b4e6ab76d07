//! What a stored body begins with: [`Headers`].

use core::fmt;

use crate::{
    Error, Fault, Item, Result, Suite,
    cobblestone::{HEADER_LEN, Header},
    per_layer::PerLayer,
};

/// The 56 or 112 bytes that a body begins with: the outer layer's salt and commitment, if there is
/// one, then the inner layer's. Public values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Headers {
    bytes: [u8; 2 * HEADER_LEN],
    suite: Suite,
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

    pub(crate) fn new(layers: &PerLayer<Header>) -> Self {
        let mut bytes = [0; 2 * HEADER_LEN];
        let outside_in = layers.outer.iter().chain([&layers.inner]);
        for (stored, header) in bytes.as_chunks_mut().0.iter_mut().zip(outside_in) {
            *stored = header.to_bytes();
        }
        Self { bytes, suite: layers.suite() }
    }

    pub(crate) fn layers(&self) -> PerLayer<Header> {
        let [first, second] = [0, HEADER_LEN].map(|at| {
            let mut header = [0; HEADER_LEN];
            header.copy_from_slice(&self.bytes[at..at + HEADER_LEN]);
            Header::from_bytes(&header)
        });
        match self.suite {
            Suite::OneLayer => PerLayer::one(first),
            Suite::TwoLayers => PerLayer::two(second, first),
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Headers(")?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
