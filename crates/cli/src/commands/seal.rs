//! `seal`: a file in, a pair out.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
};

use object_cipher_core::Mode;

use crate::{
    args::{GlobalArgs, ModeName, SealArgs},
    ciphers::{Ciphers, Purpose},
    console::note,
    error::{Error, Result},
    files::{
        cannot_open, expect_no_folder, expect_ordinary_name, expect_other_file, is_dash, with_end,
    },
    output::staged,
    pair::Pair,
    progress,
    record::Record,
    sealed::{context, now},
    transfer::{self, Sink, Source},
    unlock,
};

const VERB: &str = "sealing";

/// What to seal, and the file whose permission bits its sealed form takes over.
struct Input {
    source: Source<Box<dyn Read>>,
    metadata: Option<Metadata>,
}

pub(crate) fn run(args: &SealArgs, global: GlobalArgs) -> Result<()> {
    let mode = mode(args)?;
    let pair = Pair::new(&output(args)?)?;
    let Input { mut source, metadata } = Input::open(&args.file, global.quiet)?;
    check_pair(args, &pair)?;
    let mut body = Sink::new(pair.new_file()?, pair.body_path());
    let purpose = Purpose::Sealing { wraps: 1 };
    let ciphers = Ciphers::unlock(&args.keyring, &args.kms, global.backend, purpose)?;
    let cipher = ciphers.of_mode(mode, args.kms_key.as_deref())?;
    let sealer = now(cipher.seal(&context(&args.name))).map_err(Error::object(&source.path))?;

    let envelope = transfer::seal(sealer, &mut source, &mut body, args.threads.threads)?;
    let mut record = pair.new_record(&Record { envelope, name: args.name.clone() })?;
    if let Some(metadata) = metadata {
        body.writer.copy_mode(&metadata);
        record.copy_mode(&metadata);
    }

    let settled = pair.settle()?;
    if args.force {
        settled.replace(body.writer, record)?;
    } else {
        settled.create(body.writer, record)?;
    }
    if !global.quiet {
        let (path, record) = (pair.body_path().display(), pair.record_path().display());
        note(format_args!("wrote {path}, {} bytes, and {record}", body.written));
    }
    Ok(())
}

fn mode(args: &SealArgs) -> Result<Mode> {
    Ok(match args.mode {
        ModeName::SseKms => Mode::SseKms,
        ModeName::DsseKms => Mode::DsseKms,
        ModeName::SseS3 if args.kms.folder.is_some() || args.kms_key.is_some() => {
            return Err(Error::Usage("--kms and --kms-key need --mode sse-kms or dsse-kms"));
        }
        ModeName::SseS3 => Mode::SseS3,
    })
}

/// The body's path: the one given, or the file's with `.sealed` behind.
fn output(args: &SealArgs) -> Result<PathBuf> {
    match &args.output {
        Some(output) if is_dash(output) => Err(Error::Usage(
            "a sealed file is a pair of files and cannot go to standard output: say --output PATH",
        )),
        Some(output) => Ok(output.clone()),
        None if is_dash(&args.file) => {
            Err(Error::Usage("sealing standard input needs --output PATH"))
        }
        None => Ok(with_end(&args.file, ".sealed")),
    }
}

/// Refuses a pair that is not this command's to write, before anything is asked or read.
fn check_pair(args: &SealArgs, pair: &Pair) -> Result<()> {
    let keys = unlock::key_files(&args.keyring)?.with_kms(args.kms.folder.as_deref());
    for part in [pair.body_path(), pair.record_path()] {
        if !is_dash(&args.file) {
            expect_other_file(&args.file, part)?;
        }
        keys.expect_none_is(part)?;
        keys.expect_none_is(&staged(part))?;
    }
    pair.expect_no_record_of_another()?;
    pair.expect_replaceable()?;
    // What an interrupted run left undone is done first: it may be what is in the way.
    let settled = pair.settle()?;
    if args.force { settled.expect_replaceable() } else { pair.expect_free() }
}

impl Input {
    fn open(path: &Path, quiet: bool) -> Result<Self> {
        if is_dash(path) {
            let bar = progress::bar(VERB, None, quiet);
            let source = Source::new(Box::new(io::stdin()) as _, Path::new("standard input"), bar);
            return Ok(Self { source, metadata: None });
        }
        let file = File::open(path).map_err(cannot_open(path))?;
        expect_no_folder(&file, path)?;
        expect_ordinary_name(path)?;
        let metadata = file.metadata().map_err(Error::io("open", path))?;
        let bar = progress::bar(VERB, metadata.is_file().then_some(metadata.len()), quiet);
        let metadata = metadata.is_file().then_some(metadata);
        Ok(Self { source: Source::new(Box::new(file), path, bar), metadata })
    }
}
