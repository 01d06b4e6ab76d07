//! `open`: the content of a pair, once all of it is verified.

use std::path::{Path, PathBuf};

use object_cipher_core::ReadRange;

use crate::{
    args::{GlobalArgs, OpenArgs},
    ciphers::{Ciphers, Purpose},
    commands::cat,
    console::note,
    error::{Error, Result},
    files::{expect_other_file, expect_replaceable, is_dash, is_there},
    output::{Folder, Output, folder_of, staged},
    pair::Pair,
    sealed::{Found, Sealed},
    transfer::{self, Manner, Sink},
    unlock,
};

pub(crate) fn run(args: &OpenArgs, global: GlobalArgs) -> Result<()> {
    let manner = Manner { threads: args.threads.threads, quiet: global.quiet };
    let unlocked = |found: Found| {
        let access = &args.access;
        let ciphers =
            Ciphers::unlock(&access.keyring, &access.kms, global.backend, Purpose::Opening)?;
        found.open(&ciphers, access.name.as_deref())
    };
    let found = Found::look(&args.file)?;
    let target = output(args)?;
    if is_dash(&target) {
        return cat::write_out(&unlocked(found)?, &ReadRange::Whole, manner);
    }
    check_target(args, &found.pair, &target)?;
    let output = Output::new(&folder_of(&target))?;
    let sealed = unlocked(found)?;
    let written = write(&sealed, output, &target, args.force, manner)?;
    if !global.quiet {
        note(format_args!("wrote {}, {written} bytes", target.display()));
    }
    Ok(())
}

/// The path to write: the one given, or the body's without `.sealed`.
fn output(args: &OpenArgs) -> Result<PathBuf> {
    let body = &args.file;
    match &args.output {
        Some(output) => Ok(output.clone()),
        None if body.extension().is_some_and(|extension| extension == "sealed") => {
            Ok(body.with_extension(""))
        }
        None => Err(Error::Usage(
            "FILE does not end in `.sealed`: say --output PATH, or --output - for standard output",
        )),
    }
}

/// Refuses a path that is not this command's to write, before anything is asked or read.
fn check_target(args: &OpenArgs, input: &Pair, target: &Path) -> Result<()> {
    for part in [input.body_path(), input.record_path()] {
        expect_other_file(part, target)?;
    }
    Pair::expect_no_part(target)?;
    let kms = args.access.kms.folder.as_deref();
    let keys = unlock::key_files(&args.access.keyring)?.with_kms(kms);
    keys.expect_none_is(target)?;
    keys.expect_none_is(&staged(target))?;
    expect_replaceable(target)?;
    if !args.force && is_there(target)? {
        return Err(Error::NeedsForce(target.to_path_buf()));
    }
    Ok(())
}

/// Writes the content, and gives the complete file its name.
fn write(
    sealed: &Sealed,
    output: Output,
    target: &Path,
    replace: bool,
    manner: Manner,
) -> Result<u64> {
    let metadata = sealed.body.metadata().map_err(Error::io("read", sealed.path()))?;
    let mut sink = Sink::new(output, target);
    transfer::open(sealed, &ReadRange::Whole, &mut sink, manner)?;
    let Sink { writer: mut output, written, .. } = sink;
    output.copy_mode(&metadata);
    let folder = Folder::open_locked(&folder_of(target))?;
    if replace {
        folder.replace(output, &staged(target), target)?;
    } else {
        output.publish(target)?;
        folder.sync()?;
    }
    Ok(written)
}
