//! Driving a stream and a future by hand.

use std::{
    future::Future,
    iter,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use object_cipher_core::{BodyStream, Result};

/// What a stream gave out, and how it ended.
#[derive(Debug)]
pub struct Driven {
    /// Every byte that was given out, also before an error.
    pub released: Vec<u8>,
    /// How it ended.
    pub result: Result<()>,
}

impl Driven {
    /// The output of a stream that ended well.
    ///
    /// # Errors
    /// The stream's own.
    pub fn complete(self) -> Result<Vec<u8>> {
        self.result.map(|()| self.released)
    }
}

/// Sends `input` through a stream, at most `piece` bytes at a time.
pub fn drive(stream: &mut impl BodyStream, input: &[u8], piece: usize) -> Driven {
    drive_cut(stream, input, iter::repeat(piece))
}

/// Sends `input` through a stream in pieces of at most these sizes, and then of any.
pub(crate) fn drive_cut(
    stream: &mut impl BodyStream,
    mut input: &[u8],
    cuts: impl IntoIterator<Item = usize>,
) -> Driven {
    let mut cuts = cuts.into_iter();
    let mut released = Vec::new();
    loop {
        released.extend_from_slice(stream.output());
        stream.taken(stream.output().len());
        if stream.is_done() {
            return Driven { released, result: Ok(()) };
        }
        let piece = cuts.next().unwrap_or(usize::MAX);
        let count = stream.input().len().min(input.len()).min(piece);
        let result = if count == 0 {
            stream.end()
        } else {
            stream.input()[..count].copy_from_slice(&input[..count]);
            input = &input[count..];
            stream.filled(count)
        };
        if result.is_err() {
            return Driven { released, result };
        }
    }
}

/// The result of a future, waited for on this thread.
///
/// A future that needs a runtime is given one by entering it; the runtime's own threads must then
/// drive it.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
