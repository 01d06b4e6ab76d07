//! Moving content from a reader through a cipher to a writer.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use indicatif::ProgressBar;
use object_cipher_core::{Attributes, Envelope, ReadRange, Sealer};
use object_cipher_io::{self as cipher_io, Parallel};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    error::{Error, Result},
    progress,
    sealed::Sealed,
};

/// Where content comes from, by name; shows how far it is read.
pub(crate) struct Source<R> {
    reader: R,
    pub(crate) path: PathBuf,
    bar: ProgressBar,
}

/// Where content goes, by name, and how much of it went.
pub(crate) struct Sink<W> {
    pub(crate) writer: W,
    path: PathBuf,
    pub(crate) written: u64,
}

/// How the work is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) threads: u16,
    /// Shows no progress.
    pub(crate) quiet: bool,
}

/// Seals all of a source.
pub(crate) fn seal<R: Read, W: Write>(
    sealer: Sealer,
    source: &mut Source<R>,
    sink: &mut Sink<W>,
    threads: u16,
) -> Result<Envelope> {
    let path = source.path.clone();
    let attributes = Attributes::default();
    let pool = pool(threads)?;
    let sealed = on(pool.as_ref()).seal_all(sealer, source, sink);
    sealed.map_err(failed(&path))?.finish(&attributes).map_err(Error::object(&path))
}

/// Opens a range of a sealed file. What goes out is verified, piece by piece.
pub(crate) fn open<W: Write>(
    sealed: &Sealed,
    range: &ReadRange,
    sink: &mut Sink<W>,
    manner: Manner,
) -> Result<()> {
    let (opener, path) = (&sealed.opener, sealed.path());
    let length = opener.plan(range).map_err(Error::object(path))?.range();
    let bar = progress::bar("opening", Some(length.end - length.start), manner.quiet);
    let mut body = Source::new(&sealed.body, path, bar);
    let pool = pool(manner.threads)?;
    let opened = on(pool.as_ref()).open_range(opener, range, &mut body, sink);
    opened.map(drop).map_err(failed(path))
}

impl<R> Source<R> {
    pub(crate) fn new(reader: R, path: &Path, bar: ProgressBar) -> Self {
        Self { reader, path: path.to_path_buf(), bar }
    }
}

impl<W> Sink<W> {
    pub(crate) fn new(writer: W, path: &Path) -> Self {
        Self { writer, path: path.to_path_buf(), written: 0 }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count =
            self.reader.read(buf).map_err(|error| named(error, Error::io("read", &self.path)))?;
        self.bar.inc(count as u64);
        Ok(count)
    }
}

impl<R: Seek> Seek for Source<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to).map_err(|error| named(error, Error::io("read", &self.path)))
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let count =
            self.writer.write(buf).map_err(|error| named(error, Error::write(&self.path)))?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().map_err(|error| named(error, Error::write(&self.path)))
    }
}

/// Threads to work on, if it is more than this one.
fn pool(threads: u16) -> Result<Option<ThreadPool>> {
    if threads == 1 {
        return Ok(None);
    }
    Ok(Some(ThreadPoolBuilder::new().num_threads(threads.into()).build()?))
}

/// Those threads, or this one; either way files are read and written in long pieces.
fn on(pool: Option<&ThreadPool>) -> Parallel<'_> {
    pool.map_or_else(Parallel::alone, |pool| Parallel::new().with_pool(pool))
}

/// Puts the name of the file into an error on its way through the cipher; its kind stays.
fn named(error: io::Error, name: impl FnOnce(io::Error) -> Error) -> io::Error {
    io::Error::new(error.kind(), name(error))
}

/// Takes the error that [`named`] made back out, or says which object the cipher refused.
fn failed(object: &Path) -> impl FnOnce(cipher_io::Error) -> Error {
    move |error| match error {
        cipher_io::Error::Cipher(source) => Error::object(object)(source),
        cipher_io::Error::Io(error) => error.downcast().unwrap_or_else(Error::io("move", object)),
        other => Error::io("move", object)(io::Error::other(other)),
    }
}
