//! A data key in clear: [`DataKey`].

use std::fmt;

use zeroize::Zeroizing;

use crate::{Error, Result};

/// The data key of one object: 32 bytes, wiped on drop, never printed, never copied by accident.
pub struct DataKey(Box<Zeroizing<[u8; 32]>>);

impl DataKey {
    /// A key of 32 bytes, for keyrings of your own. The caller wipes its copy.
    ///
    /// # Errors
    /// [`Error::Unwrap`] for another length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        let mut key = Self::zeroed();
        if bytes.len() != key.0.len() {
            return Err(Error::Unwrap);
        }
        key.expose_mut().copy_from_slice(bytes);
        Ok(key)
    }

    /// The 32 bytes. Never log or compare them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn zeroed() -> Self {
        Self(Box::default())
    }

    pub(crate) fn expose_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }

    pub(crate) fn duplicate(&self) -> Self {
        let mut key = Self::zeroed();
        key.expose_mut().copy_from_slice(self.expose());
        key
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey([redacted])")
    }
}
