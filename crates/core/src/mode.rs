//! The five modes, the two suites, and the random name of an object.

use core::fmt;

/// How an object is protected: one of the five ways of Amazon S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Server-side encryption under the server's master keyring.
    SseS3,
    /// Server-side encryption under keys of a KMS.
    SseKms,
    /// Two layers of server-side encryption under keys of a KMS.
    DsseKms,
    /// Server-side encryption under the customer's key, sent with each request.
    SseC,
    /// Client-side encryption: the server sees ciphertext only.
    Client,
}

/// How many layers a body has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// One Cobblestone-256 message.
    OneLayer,
    /// Two layers composed per chunk, each by a library of its own.
    TwoLayers,
}

/// The random 16-byte name that an object has in its Envelope and in errors. It stays through
/// rename, key rotation and change of mode.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectId(pub(crate) [u8; 16]);

impl Mode {
    /// The byte in the Envelope.
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::SseS3 => 1,
            Self::SseKms => 2,
            Self::DsseKms => 3,
            Self::SseC => 4,
            Self::Client => 5,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::SseS3, Self::SseKms, Self::DsseKms, Self::SseC, Self::Client]
            .into_iter()
            .find(|mode| mode.byte() == byte)
    }

    /// The suite of the mode's bodies: two layers for DSSE-KMS, one for the others.
    pub const fn suite(self) -> Suite {
        match self {
            Self::DsseKms => Suite::TwoLayers,
            _ => Suite::OneLayer,
        }
    }
}

impl Suite {
    /// The number of layers, 1 or 2; also the byte in the Envelope.
    pub const fn layers(self) -> usize {
        match self {
            Self::OneLayer => 1,
            Self::TwoLayers => 2,
        }
    }
}

impl ObjectId {
    /// A name for an object of a format that gives it none of its own.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SseS3 => "SSE-S3",
            Self::SseKms => "SSE-KMS",
            Self::DsseKms => "DSSE-KMS",
            Self::SseC => "SSE-C",
            Self::Client => "client-side encryption",
        })
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}
