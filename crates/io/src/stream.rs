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
#[inline]
fn poll_through<St, E>(
    mut stream: Pin<&mut St>,
    cut: &mut impl Cut,
    progress: &mut Progress,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, Error<E>>>>
where
    St: Stream<Item = Result<Bytes, E>>,
{
    while *progress != Progress::Failed {
        let error = match cut.next() {
            Ok(Some(bytes)) => return Poll::Ready(Some(Ok(bytes))),
            Ok(None) if *progress == Progress::Ended => break,
            Ok(None) => match poll_more(stream.as_mut(), cut, progress, cx) {
                Poll::Ready(Ok(())) => continue,
                Poll::Ready(Err(error)) => error,
                Poll::Pending => return Poll::Pending,
            },
            Err(error) => error.into(),
        };
        *progress = Progress::Failed;
        return Poll::Ready(Some(Err(error)));
    }
    Poll::Ready(None)
}

/// Takes in one more piece, or the end.
fn poll_more<St, E>(
    stream: Pin<&mut St>,
    cut: &mut impl Cut,
    progress: &mut Progress,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Error<E>>>
where
    St: Stream<Item = Result<Bytes, E>>,
{
    match ready!(stream.poll_next(cx)) {
        Some(Ok(piece)) => cut.put(piece)?,
        Some(Err(error)) => return Poll::Ready(Err(Error::Io(error))),
        None => {
            cut.end()?;
            *progress = Progress::Ended;
        }
    }
    Poll::Ready(Ok(()))
}
