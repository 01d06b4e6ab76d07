//! How a request arrived: [`Arrival`].

use object_cipher_core::Mode;

use crate::{Error, Result};

/// How a request arrived, as far as encryption asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Whether nobody on the way can read it: TLS up to this host, or a proxy or loopback that the
    /// host vouches for. Customers' keys and KMS modes are refused otherwise.
    pub secure: bool,
    /// Whether AWS Signature Version 4 signs it. KMS modes are refused otherwise.
    pub signature_v4: bool,
}

impl Arrival {
    /// Whether an object of this mode may be written or read by a request that arrived so.
    pub(crate) fn admit(self, mode: Mode) -> Result<()> {
        match (mode, self) {
            (Mode::SseKms | Mode::DsseKms, Self { secure: false, .. }) => Err(Error::KmsInsecure),
            (Mode::SseKms | Mode::DsseKms, Self { signature_v4: false, .. }) => {
                Err(Error::KmsNeedsSignatureV4)
            }
            _ => Ok(()),
        }
    }
}
