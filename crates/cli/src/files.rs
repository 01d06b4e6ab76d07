//! Paths as the command line gives them.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::error::{Error, Result};

/// Whether a path stands for standard input or output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// Refuses an output that is the input itself, under whatever path.
pub(crate) fn expect_other_file(input: &Path, output: &Path) -> Result<()> {
    let place = |path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    match place(output) {
        Some(there) if Some(there) == place(input) => Err(Error::SameFile(output.to_path_buf())),
        _ => Ok(()),
    }
}
