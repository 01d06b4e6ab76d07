//! `verify`: all of each pair, read and checked.

use std::{io, path::Path};

use object_cipher_core::ReadRange;

use crate::{
    args::{GlobalArgs, VerifyArgs},
    batch,
    ciphers::{Ciphers, Purpose},
    console::say,
    describe,
    error::Result,
    sealed::{Found, Sealed},
    transfer::{self, Manner, Sink},
};

pub(crate) fn run(args: &VerifyArgs, global: GlobalArgs) -> Result<()> {
    let access = &args.access;
    let manner = Manner { threads: args.threads.threads, quiet: global.quiet };
    batch::run(
        &args.files,
        |file| Found::look(file).map(drop),
        || Ciphers::unlock(&access.keyring, &access.kms, global.backend, Purpose::Opening),
        |file, ciphers| {
            let sealed = Found::look(file)?.open(ciphers, access.name.as_deref())?;
            let mut sink = Sink::new(io::sink(), Path::new("nowhere"));
            transfer::open(&sealed, &ReadRange::Whole, &mut sink, manner)?;
            if global.quiet { Ok(()) } else { print(&sealed) }
        },
    )
}

fn print(sealed: &Sealed) -> Result<()> {
    let record = &sealed.record;
    say!("{}: whole and unaltered", sealed.path().display())?;
    say!("length  {} bytes", sealed.opener.plaintext_len())?;
    say!("mode    {}", record.envelope.mode())?;
    for layer in record.envelope.layers() {
        say!("key     {}", describe::layer_key(layer))?;
    }
    say!("name    {}", describe::name(&record.name))
}
