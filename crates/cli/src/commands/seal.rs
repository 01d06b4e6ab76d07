//! `seal`: a file in, a pair out.

use std::{
    fs::{File, Permissions},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    args::{BackendName, SealArgs},
    error::{Error, Result},
    files::{expect_other_file, is_dash},
    pair::Pair,
    progress,
    record::Record,
    sealed::{context, now},
    transfer::{self, Sink, Source},
    unlock,
};

const VERB: &str = "sealing";

/// What to seal, and the permission bits that its sealed form takes over.
struct Input {
    source: Source<Box<dyn Read + Send>>,
    permissions: Option<Permissions>,
}

pub(crate) fn run(args: &SealArgs, backend: BackendName) -> Result<()> {
    let pair = Pair::new(&output(args)?)?;
    if !args.force {
        pair.lock()?;
        pair.expect_free()?;
    }
    let Input { mut source, permissions } = Input::open(&args.file, &pair)?;
    let cipher = unlock::cipher(&args.keyring, backend)?;
    let sealer = now(cipher.seal(&context(&args.name))).map_err(Error::object(&source.path))?;

    let mut body = Sink::new(pair.new_file()?, pair.body_path());
    let envelope = transfer::seal(sealer, &mut source, &mut body, args.threads.threads)?;
    let record = Record { envelope, name: args.name.clone() };
    let record = pair.new_record(&record, permissions.clone())?;
    if let Some(permissions) = permissions {
        body.writer.set_permissions(permissions).map_err(Error::io("write", pair.body_path()))?;
    }

    let locked = pair.lock()?;
    if args.force {
        locked.replace(body.writer, record)
    } else {
        locked.create(body.writer, record)
    }
}

/// The body's path: the one given, or the file's with `.sealed` behind.
fn output(args: &SealArgs) -> Result<PathBuf> {
    match &args.output {
        Some(output) if is_dash(output) => {
            Err(Error::Usage("a sealed file is a pair of files and cannot go to standard output"))
        }
        Some(output) => Ok(output.clone()),
        None if is_dash(&args.file) => {
            Err(Error::Usage("sealing standard input needs --output PATH"))
        }
        None => {
            let mut name = args.file.as_os_str().to_owned();
            name.push(".sealed");
            Ok(name.into())
        }
    }
}

impl Input {
    fn open(path: &Path, pair: &Pair) -> Result<Self> {
        if is_dash(path) {
            let (reader, path) = (Box::new(io::stdin()), Path::new("standard input"));
            let source =
                Source::new(reader as Box<dyn Read + Send>, path, progress::bar(VERB, None));
            return Ok(Self { source, permissions: None });
        }
        let file = File::open(path).map_err(Error::io("open", path))?;
        let metadata = file.metadata().map_err(Error::io("open", path))?;
        for output in [pair.body_path(), pair.record_path()] {
            expect_other_file(path, output)?;
        }
        let bar = progress::bar(VERB, metadata.is_file().then_some(metadata.len()));
        let permissions = metadata.is_file().then(|| metadata.permissions());
        Ok(Self { source: Source::new(Box::new(file), path, bar), permissions })
    }
}
