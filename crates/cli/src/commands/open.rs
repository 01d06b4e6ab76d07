//! `open`: the content of a pair, once all of it is verified.

use std::{
    io,
    path::{Path, PathBuf},
};

use object_cipher_core::ReadRange;

use crate::{
    args::{BackendName, OpenArgs},
    commands::cat,
    error::{Error, Result},
    files::{expect_other_file, is_dash},
    output::{Folder, Output, folder_of, staged},
    pair::is_there,
    sealed::Sealed,
    transfer::{self, Sink},
};

pub(crate) fn run(args: &OpenArgs, backend: BackendName) -> Result<()> {
    let target = output(args)?;
    if is_dash(&target) {
        return cat::write_out(
            &Sealed::open(&args.sealed, backend)?,
            &ReadRange::Whole,
            args.threads.threads,
        );
    }
    if !args.force && is_there(&target).map_err(Error::io("look for", &target))? {
        return Err(Error::Exists(target));
    }
    let sealed = Sealed::open(&args.sealed, backend)?;
    let metadata = sealed.body.metadata().map_err(Error::io("read", sealed.path()))?;
    for part in [sealed.path(), sealed.pair.record_path()] {
        expect_other_file(part, &target)?;
    }

    let folder = folder_of(&target);
    let output = Output::new(&folder).map_err(Error::io("create a file in", &folder))?;
    let mut sink = Sink::new(output, &target);
    transfer::open(&sealed, &ReadRange::Whole, &mut sink, args.threads.threads)?;
    sink.writer
        .set_permissions(metadata.permissions())
        .and_then(|()| finish(sink.writer, &target, &folder, args.force))
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists(target.clone()),
            _ => Error::io("write", &target)(error),
        })
}

/// The path to write: the one given, or the body's without `.sealed`.
fn output(args: &OpenArgs) -> Result<PathBuf> {
    let body = &args.sealed.file;
    match &args.output {
        Some(output) => Ok(output.clone()),
        None if body.extension().is_some_and(|extension| extension == "sealed") => {
            Ok(body.with_extension(""))
        }
        None => Err(Error::Usage("FILE does not end in `.sealed`: say --output PATH")),
    }
}

/// Gives the complete file its name.
fn finish(output: Output, path: &Path, folder: &Path, replace: bool) -> io::Result<()> {
    let folder = Folder::lock(folder)?;
    if replace {
        return folder.replace(output, &staged(path), path);
    }
    output.publish(path)?;
    folder.sync()
}
