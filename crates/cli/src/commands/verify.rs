//! `verify`: all of a pair, read and checked.

use std::{io, path::Path};

use object_cipher_core::ReadRange;

use crate::{
    args::{BackendName, VerifyArgs},
    console::say,
    describe,
    error::Result,
    sealed::Sealed,
    transfer::{self, Sink},
};

pub(crate) fn run(args: &VerifyArgs, backend: BackendName) -> Result<()> {
    let sealed = Sealed::open(&args.sealed, backend)?;
    let mut sink = Sink::new(io::sink(), Path::new("nowhere"));
    transfer::open(&sealed, &ReadRange::Whole, &mut sink, args.threads.threads)?;
    let record = &sealed.record;
    say!("{}: whole and unaltered", sealed.path().display())?;
    say!("length  {} bytes", sealed.opener.plaintext_len())?;
    say!("mode    {}", record.envelope.mode())?;
    for layer in record.envelope.layers() {
        say!("key     {}", describe::key(layer.key_ref()))?;
    }
    say!("name    {}", describe::name(&record.name))
}
