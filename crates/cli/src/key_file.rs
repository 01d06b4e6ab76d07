//! New key files.

use std::{io::Write, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use object_cipher_core::CryptoBackend;
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    output::{Folder, Output, folder_of},
};

/// Writes 32 random bytes in base64, for their owner only, where no file is.
pub(crate) fn create<B: CryptoBackend>(path: &Path, backend: &B) -> Result<()> {
    let mut key = Zeroizing::new([0; 32]);
    backend.random(key.as_mut_slice()).map_err(|error| Error::object(path)(error.into()))?;
    let mut line = Zeroizing::new([b'\n'; 45]);
    let encoded = STANDARD.encode_slice(key.as_slice(), line.as_mut_slice());
    debug_assert_eq!(encoded, Ok(44));

    let folder = folder_of(path);
    let mut file = Output::new(&folder)?;
    file.set_mode(0o600);
    file.write_all(line.as_slice()).map_err(Error::io("write", path))?;
    let folder = Folder::lock(&folder)?;
    file.publish(path)?;
    folder.sync()
}
