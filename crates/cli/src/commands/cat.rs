//! `cat`: content to standard output.

use std::{io, path::Path};

use object_cipher_core::ReadRange;

use crate::{
    args::{CatArgs, GlobalArgs},
    ciphers::{Ciphers, Purpose},
    console::STDOUT,
    error::{Error, Result},
    sealed::{Found, Sealed},
    transfer::{self, Manner, Sink},
};

pub(crate) fn run(args: &CatArgs, global: GlobalArgs) -> Result<()> {
    let range = args.range.as_ref().unwrap_or(&ReadRange::Whole);
    let found = Found::look(&args.file)?;
    let access = &args.access;
    let ciphers = Ciphers::unlock(&access.keyring, &access.kms, global.backend, Purpose::Opening)?;
    let sealed = found.open(&ciphers, access.name.as_deref())?;
    write_out(&sealed, range, Manner { threads: 1, quiet: global.quiet })
}

/// Writes a range to standard output: verified bytes only, and an error that tells when they are
/// not all.
pub(crate) fn write_out(sealed: &Sealed, range: &ReadRange, manner: Manner) -> Result<()> {
    let mut sink = Sink::new(io::stdout(), Path::new(STDOUT));
    transfer::open(sealed, range, &mut sink, manner).map_err(|error| match (error, sink.written) {
        (error, 0) | (error @ Error::Closed, _) => error,
        (error, written) => Error::CutShort { written, source: Box::new(error) },
    })
}
