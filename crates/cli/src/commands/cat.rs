//! `cat`: content to standard output.

use std::{io, path::Path};

use object_cipher_core::ReadRange;

use crate::{
    args::{BackendName, CatArgs},
    console::STDOUT,
    error::{Error, Result},
    sealed::Sealed,
    transfer::{self, Sink},
};

pub(crate) fn run(args: &CatArgs, backend: BackendName) -> Result<()> {
    let range = args.range.as_ref().unwrap_or(&ReadRange::Whole);
    write_out(&Sealed::open(&args.sealed, backend)?, range, 1)
}

/// Writes a range to standard output: verified bytes only, and an error that tells when they are
/// not all.
pub(crate) fn write_out(sealed: &Sealed, range: &ReadRange, threads: u16) -> Result<()> {
    let mut sink = Sink::new(io::stdout(), Path::new(STDOUT));
    transfer::open(sealed, range, &mut sink, threads).map_err(|error| match (error, sink.written) {
        (error, 0) | (error @ Error::Closed, _) => error,
        (error, written) => Error::CutShort { written, source: Box::new(error) },
    })
}
