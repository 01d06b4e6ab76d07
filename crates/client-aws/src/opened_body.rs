//! A body that is decrypted while it is read: [`OpenedBody`].

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use object_cipher_core::BodyStream;

use crate::Result;

/// The content of a stored body. Its end is reached only if the body verified.
pub(crate) struct OpenedBody {
    stored: ByteStream,
    /// What came and was not taken in yet.
    pending: Bytes,
    /// Nothing shares it: the lock only lets the body be `Sync`.
    stream: Mutex<Box<dyn BodyStream>>,
    /// The length of what is still to come, as far as the answer told it.
    remaining: Option<u64>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl OpenedBody {
    pub(crate) fn new(
        stored: ByteStream,
        stream: impl BodyStream + 'static,
        plaintext_len: Option<u64>,
    ) -> Self {
        let (pending, stream) = (Bytes::new(), Mutex::new(Box::new(stream) as Box<_>));
        Self { stored, pending, stream, remaining: plaintext_len }
    }

    /// Reads the stored body to its end, for a stream that gives nothing out before. Gives the length of
    /// the content.
    pub(crate) async fn take_all_in(&mut self) -> Result<u64> {
        loop {
            let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
            take_in(&mut **stream, &mut self.pending)?;
            match self.stored.try_next().await? {
                Some(bytes) => self.pending = bytes,
                None => break,
            }
        }
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        stream.end()?;
        let length = stream.output().len() as u64;
        self.remaining = Some(length);
        Ok(length)
    }

    pub(crate) fn into_byte_stream(self) -> ByteStream {
        ByteStream::new(SdkBody::from_body_1_x(self))
    }
}

impl Body for OpenedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let stream = this.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        loop {
            if !stream.output().is_empty() {
                let length = stream.output().len().min(PIECE_LEN);
                let piece = Bytes::copy_from_slice(&stream.output()[..length]);
                stream.taken(length);
                this.remaining = this.remaining.map(|left| left.saturating_sub(length as u64));
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if stream.is_done() {
                return Poll::Ready(None);
            }
            if this.pending.is_empty() {
                match ready!(Pin::new(&mut this.stored).poll_next(task)) {
                    Some(bytes) => this.pending = bytes?,
                    None => stream.end()?,
                }
            } else {
                take_in(&mut **stream, &mut this.pending)?;
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// What is given out at a time, at most.
const PIECE_LEN: usize = 65_536;

/// As much as there is room for.
fn take_in(stream: &mut dyn BodyStream, pending: &mut Bytes) -> object_cipher_core::Result<()> {
    while !pending.is_empty() {
        let count = stream.input().len().min(pending.len());
        if count == 0 && stream.output().is_empty() {
            // A stream that is done or full takes nothing more: this names its error.
            return stream.filled(1);
        }
        if count == 0 {
            break;
        }
        stream.input()[..count].copy_from_slice(&pending[..count]);
        stream.filled(count)?;
        pending.advance(count);
    }
    Ok(())
}
