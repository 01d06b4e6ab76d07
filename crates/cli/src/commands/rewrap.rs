//! `rewrap`: another key or name for pairs, by their records alone.

use std::{fs, path::Path};

use crate::{
    args::{GlobalArgs, RewrapArgs},
    batch,
    ciphers::{Ciphers, Purpose},
    console::say,
    describe,
    error::{Error, KEEP_OWNER, Result},
    pair::Pair,
    record::Record,
    sealed::{context, now, open_record},
};

pub(crate) fn run(args: &RewrapArgs, global: GlobalArgs) -> Result<()> {
    batch::run(
        &args.files,
        |file| Pair::new(file)?.settle()?.record().map(drop),
        || {
            // What is reserved and not used is lost: no more than there are files.
            let purpose = Purpose::Sealing { wraps: args.files.len() as u64 };
            Ciphers::unlock(&args.access.keyring, &args.access.kms, global.backend, purpose)
        },
        |file, ciphers| {
            let record = rewrap(file, ciphers, args)?;
            if global.quiet { Ok(()) } else { print(file, &record) }
        },
    )
}

fn rewrap(file: &Path, ciphers: &Ciphers, args: &RewrapArgs) -> Result<Record> {
    let pair = Pair::new(file)?;
    // From reading the old record to writing the new one nobody else may replace the pair.
    let settled = pair.settle()?;
    let mut record = settled.record()?;
    if let Some(name) = &args.access.name {
        record.name.clone_from(name);
    }
    let cipher = ciphers.of(&record.envelope)?;
    let opener = open_record(&*cipher, &record, file)?;
    let name = args.new_name.clone().unwrap_or(record.name);
    let rewrapped = now(cipher.rewrap(&opener, &context(&name)));
    let record = Record { envelope: rewrapped.map_err(Error::object(file))?, name };
    let path = pair.record_path();
    let old = fs::metadata(path).map_err(Error::io("read", path))?;
    let mut output = pair.new_record(&record)?;
    output.stand_in_for(&old).map_err(Error::io(KEEP_OWNER, path))?;
    settled.replace_record(output)?;
    Ok(record)
}

fn print(file: &Path, record: &Record) -> Result<()> {
    say!("{}: wrapped anew", file.display())?;
    for layer in record.envelope.layers() {
        say!("key     {}", describe::layer_key(layer))?;
    }
    say!("name    {}", describe::name(&record.name))
}
