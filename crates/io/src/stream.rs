//! Streams of [`Bytes`](bytes::Bytes), sealed and opened where they lie.

mod open_bytes;
mod pieces;
mod seal_bytes;

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use object_cipher_core::Result;

use crate::Error;

pub use open_bytes::OpenBytes;
pub use seal_bytes::SealBytes;

/// Pieces go in, pieces come out; no I/O inside.
trait Cut {
    /// Takes in a piece, when [`next`](Cut::next) has nothing more.
    fn put(&mut self, piece: Bytes) -> Result<()>;

    /// The input has ended.
    fn end(&mut self) -> Result<()>;

    /// The next piece that is ready.
    fn next(&mut self) -> Result<Option<Bytes>>;
}

/// How far a stream is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Running,
    /// The input has ended well; output may wait.
    Ended,
    /// An error was given out. Nothing follows.
    Failed,
}

/// The next item of a stream that is sent through `cut`.
fn poll_through<St, E>(
    mut stream: Pin<&mut St>,
    cut: &mut impl Cut,
    progress: &mut Progress,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, Error<E>>>>
where
    St: Stream<Item = Result<Bytes, E>>,
{
    let mut step = || loop {
        if *progress == Progress::Failed {
            return Poll::Ready(Ok(None));
        }
        if let Some(bytes) = cut.next()? {
            return Poll::Ready(Ok(Some(bytes)));
        }
        if *progress == Progress::Ended {
            return Poll::Ready(Ok(None));
        }
        let piece = ready!(stream.as_mut().poll_next(cx)).transpose().map_err(Error::Io)?;
        if let Some(piece) = piece {
            cut.put(piece)?;
        } else {
            cut.end()?;
            *progress = Progress::Ended;
        }
    };
    let item = ready!(step());
    if item.is_err() {
        *progress = Progress::Failed;
    }
    Poll::Ready(item.transpose())
}
