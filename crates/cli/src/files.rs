//! Paths as the command line gives them.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

use crate::error::{Error, Result};

/// Whether a path stands for standard input or output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// Refuses an output that is the input itself.
pub(crate) fn expect_other_file(input: &Metadata, output: &Path) -> Result<()> {
    match fs::metadata(output) {
        Ok(there) if (there.dev(), there.ino()) == (input.dev(), input.ino()) => {
            Err(Error::SameFile(output.to_path_buf()))
        }
        _ => Ok(()),
    }
}
