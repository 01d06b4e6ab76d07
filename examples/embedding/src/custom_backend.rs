//! A cryptographic library of one's own: [`Drawn`].

use std::{fs::File, io::Read as _, path::PathBuf};

use object_cipher::{AwsLc, BackendError, CryptoBackend, Lineage};

/// AWS-LC, with its randomness from a device of the host's, such as `/dev/hwrng`.
///
/// What another library does better is taken from it, and the rest from one that is there: here the
/// randomness alone. A backend over a library of its own writes out `Aead` and `Expander` too.
#[derive(Clone, Debug)]
pub struct Drawn {
    device: PathBuf,
}

impl Drawn {
    /// Draws from a device.
    pub fn from(device: impl Into<PathBuf>) -> Self {
        Self { device: device.into() }
    }
}

impl CryptoBackend for Drawn {
    type Aead = <AwsLc as CryptoBackend>::Aead;
    type Expander = <AwsLc as CryptoBackend>::Expander;

    // Its ciphers are AWS-LC's, and so is its ancestry: with AWS-LC it makes no pair for two layers.
    const LINEAGE: Lineage = AwsLc::LINEAGE;

    fn aead(&self, key: &[u8; 32]) -> Result<Self::Aead, BackendError> {
        AwsLc.aead(key)
    }

    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError> {
        AwsLc.hmac_sha512(key, data, mac)
    }

    fn expander(&self, prk: &[u8]) -> Result<Self::Expander, BackendError> {
        AwsLc.expander(prk)
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        AwsLc.sha256(data)
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        AwsLc.sha512(data)
    }

    /// No fallback: a device that cannot be read is an error, and nothing is sealed.
    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        let device = File::open(&self.device);
        device.and_then(|mut device| device.read_exact(out)).map_err(|_| BackendError::Unavailable)
    }
}
