//! `rewrap`: another key or name for a pair, by its record alone.

use std::fs;

use crate::{
    args::{BackendName, RewrapArgs},
    console::say,
    describe,
    error::{Error, Result},
    pair::Pair,
    record::Record,
    sealed::{context, now, open_record},
    unlock,
};

pub(crate) fn run(args: &RewrapArgs, backend: BackendName) -> Result<()> {
    let path = &args.sealed.file;
    let pair = Pair::new(path)?;
    let cipher = unlock::cipher(&args.sealed.keyring, backend)?;
    // From reading the old record to writing the new one nobody else may replace the pair.
    let locked = pair.lock()?;
    let mut record = locked.record()?;
    if let Some(name) = &args.sealed.name {
        record.name.clone_from(name);
    }
    let opener = open_record(&*cipher, &record, path)?;
    let name = args.new_name.clone().unwrap_or(record.name);
    let rewrapped = now(cipher.rewrap(&opener, &context(&name)));
    let record = Record { envelope: rewrapped.map_err(Error::object(path))?, name };
    let permissions = fs::metadata(pair.record_path()).map(|metadata| metadata.permissions());
    let permissions = permissions.map_err(Error::io("read", pair.record_path()))?;
    locked.replace_record(pair.new_record(&record, Some(permissions))?)?;
    for layer in record.envelope.layers() {
        say!("key   {}", describe::key(layer.key_ref()))?;
    }
    say!("name  {}", describe::name(&record.name))
}
