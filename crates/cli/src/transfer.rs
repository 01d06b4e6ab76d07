//! Moving content from a reader through a cipher to a writer.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use indicatif::ProgressBar;
use object_cipher_core::{Attributes, BodyStream, Envelope, ReadRange, Sealer};

use crate::{
    error::{Error, Result},
    progress,
    sealed::Sealed,
};

/// Where content comes from, by name.
pub(crate) struct Source {
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) path: PathBuf,
    pub(crate) length: Option<u64>,
}

/// Where content goes, by name, and how much of it went.
pub(crate) struct Sink<W> {
    pub(crate) writer: W,
    pub(crate) path: PathBuf,
    pub(crate) written: u64,
}

impl Source {
    pub(crate) fn stdin() -> Self {
        Self { reader: Box::new(io::stdin()), path: "standard input".into(), length: None }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        loop {
            match self.reader.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(Error::io("read", &self.path)),
            }
        }
    }
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(writer: W, path: &Path) -> Self {
        Self { writer, path: path.to_path_buf(), written: 0 }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.written += bytes.len() as u64;
        self.writer.write_all(bytes).map_err(Error::write(&self.path))
    }

    fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(Error::write(&self.path))
    }
}

/// Seals all of a source.
pub(crate) fn seal<W: Write>(
    sealer: Sealer,
    source: &mut Source,
    sink: &mut Sink<W>,
) -> Result<Envelope> {
    let bar = progress::bar("sealing", source.length);
    let object = source.path.clone();
    let mut stream = sealer.into_stream();
    run(&mut stream, source, sink, &bar, &object)?;
    stream.finish(&Attributes::default()).map_err(Error::object(&object))
}

/// Opens a range of a stored body. What goes out is verified, piece by piece.
pub(crate) fn open<W: Write>(sealed: &Sealed, range: &ReadRange, sink: &mut Sink<W>) -> Result<()> {
    let (opener, path) = (&sealed.opener, sealed.path());
    let mut body = &sealed.body;
    let plan = opener.plan(range).map_err(Error::object(path))?;
    for segment in opener.segments(&plan, None).map_err(Error::object(path))? {
        let fetch = segment.fetch();
        body.seek(SeekFrom::Start(fetch.start)).map_err(Error::io("read", path))?;
        // One byte more than there should be shows a body that goes on after its end.
        let spare = u64::from(*range == ReadRange::Whole);
        let reader = body.try_clone().map_err(Error::io("read", path))?;
        let mut source = Source {
            reader: Box::new(reader.take(fetch.end - fetch.start + spare)),
            path: path.to_path_buf(),
            length: Some(fetch.end - fetch.start),
        };
        let bar = progress::bar("opening", source.length);
        let mut stream = opener.open_segment(&segment).map_err(Error::object(path))?;
        run(&mut stream, &mut source, sink, &bar, path)?;
    }
    sink.flush()
}

fn run<W: Write>(
    stream: &mut impl BodyStream,
    source: &mut Source,
    sink: &mut Sink<W>,
    bar: &ProgressBar,
    object: &Path,
) -> Result<()> {
    loop {
        let ready = stream.output().len();
        sink.write(stream.output())?;
        stream.taken(ready);
        if stream.is_done() {
            return Ok(());
        }
        let advanced = match source.read(stream.input())? {
            0 => stream.end(),
            count => {
                bar.inc(count as u64);
                stream.filled(count)
            }
        };
        advanced.map_err(Error::object(object))?;
    }
}
