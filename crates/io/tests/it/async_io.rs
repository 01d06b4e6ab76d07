//! tokio's `AsyncRead` and `AsyncWrite`.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{executor::block_on, future::poll_immediate};
use object_cipher_core::{Attributes, Error as CoreError, SealStream, Sealer};
use object_cipher_io::{OpenReader, OpenWriter, SealReader, SealWriter, cipher_error};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::fixture::{CHUNK, Cuts, Fixture, HEADER, Object, STRIDE, content, sizes};

/// Is pending before every call that gets through, cuts, and fails at its `n`-th call.
struct Slow<T> {
    inner: T,
    sizes: Box<dyn Iterator<Item = usize> + Send>,
    pending: bool,
    fails_at: usize,
    calls: usize,
}

impl<T: Unpin> Slow<T> {
    fn new(inner: T, cuts: Cuts) -> Self {
        Self { inner, sizes: cuts.sizes(), pending: false, fails_at: usize::MAX, calls: 0 }
    }

    fn failing(inner: T, n: usize) -> Self {
        Self { fails_at: n, ..Self::new(inner, Cuts::Whole) }
    }

    fn poll_call(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.pending = !self.pending;
        if self.pending {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let call = self.calls;
        self.calls += 1;
        if call == self.fails_at {
            return Poll::Ready(Err(io::Error::other("the network is gone")));
        }
        Poll::Ready(Ok(self.sizes.next().unwrap_or(usize::MAX)))
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Slow<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = std::task::ready!(self.poll_call(cx))?.min(buf.remaining());
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
        let polled = Pin::new(&mut self.inner).poll_read(cx, &mut part);
        let count = part.filled().len();
        buf.advance(count);
        polled
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Slow<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let most = std::task::ready!(self.poll_call(cx))?.min(buf.len());
        Pin::new(&mut self.inner).poll_write(cx, &buf[..most])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_call(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_call(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

type Sealed = (Vec<u8>, SealStream<Sealer>);
type Opened = (Vec<u8>, io::Result<()>);

async fn seal_by_reader(sealer: Sealer, plaintext: &[u8], cuts: Cuts) -> Sealed {
    let mut reader = SealReader::new(sealer.into_stream(), Slow::new(plaintext, cuts));
    let mut body = Vec::new();
    reader.read_to_end(&mut body).await.unwrap();
    (body, reader.into_parts().1)
}

async fn seal_by_writer(sealer: Sealer, plaintext: &[u8], cuts: Cuts) -> Sealed {
    let mut writer = SealWriter::new(sealer.into_stream(), Slow::new(Vec::new(), cuts));
    for piece in cuts.of(plaintext) {
        writer.write_all(piece).await.unwrap();
    }
    writer.flush().await.unwrap();
    writer.shutdown().await.unwrap();
    let (body, stream) = writer.into_parts().unwrap();
    (body.inner, stream)
}

async fn open_by_reader(object: &Object, body: &[u8], cuts: Cuts) -> Opened {
    let mut reader = OpenReader::new(object.stream(), Slow::new(body, cuts));
    let mut plaintext = Vec::new();
    let result = reader.read_to_end(&mut plaintext).await.map(|_| ());
    if let Err(error) = &result {
        let again = reader.read(&mut [0]).await.unwrap_err();
        assert_eq!(cipher_error(&again), cipher_error(error), "an error is final");
    }
    (plaintext, result)
}

async fn open_by_writer(object: &Object, body: &[u8], cuts: Cuts) -> Opened {
    let mut writer = OpenWriter::new(object.stream(), Slow::new(Vec::new(), cuts));
    let result = async {
        for piece in cuts.of(body) {
            writer.write_all(piece).await?;
        }
        writer.shutdown().await
    }
    .await;
    if let Err(error) = &result {
        let again = writer.shutdown().await.unwrap_err();
        assert_eq!(cipher_error(&again), cipher_error(error), "an error is final");
    }
    // Only a closed writer gives back what is below it.
    let plaintext = writer.into_parts().map(|(slow, _)| slow.inner);
    assert_eq!(plaintext.is_ok(), result.is_ok());
    (plaintext.unwrap_or_default(), result)
}

#[test]
fn x2_what_one_way_seals_every_way_opens_though_calls_are_pending() {
    for fixture in Fixture::both() {
        for length in sizes() {
            round_trips(&fixture, length, Cuts::Whole);
        }
        for cuts in Cuts::ALL {
            for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5] {
                round_trips(&fixture, length, cuts);
            }
        }
    }
}

fn round_trips(fixture: &Fixture, length: usize, cuts: Cuts) {
    let plaintext = content(length);
    let sealed = [
        block_on(seal_by_reader(fixture.sealer(), &plaintext, cuts)),
        block_on(seal_by_writer(fixture.sealer(), &plaintext, cuts)),
    ];
    for (body, stream) in sealed {
        let opener = fixture.opener(&stream.finish(&Attributes::default()).unwrap());
        let object = Object { plaintext: plaintext.clone(), body, opener };
        let opened = [
            block_on(open_by_reader(&object, &object.body, cuts)),
            block_on(open_by_writer(&object, &object.body, cuts)),
        ];
        for (opened, result) in opened {
            result.unwrap();
            assert!(opened == plaintext, "{length} bytes, {cuts:?}");
        }
    }
}

#[test]
fn a_cut_or_longer_body_ends_in_an_error() {
    let object = Fixture::one_layer().object(2 * CHUNK + 7);
    for cut in [0, HEADER - 1, HEADER, HEADER + STRIDE, HEADER + STRIDE + 1, object.body.len() - 1]
    {
        let (opened, result) =
            block_on(open_by_reader(&object, &object.body[..cut], Cuts::Random(4)));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(matches!(cipher_error(&error), Some(CoreError::Truncated { .. })));
        assert!(opened == object.plaintext[..cut.saturating_sub(HEADER) / STRIDE * CHUNK]);
        let (_, result) = block_on(open_by_writer(&object, &object.body[..cut], Cuts::Whole));
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
    let mut body = object.body.clone();
    body.push(0);
    let (opened, result) = block_on(open_by_reader(&object, &body, Cuts::Whole));
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert!(opened == object.plaintext);
    let (_, result) = block_on(open_by_writer(&object, &body, Cuts::Whole));
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn x1_a_failed_call_gives_no_envelope() {
    let fixture = Fixture::one_layer();
    let plaintext = content(2 * CHUNK + 10);
    let write = |n| {
        let slow = Slow::failing(Vec::new(), n);
        let mut writer = SealWriter::new(fixture.sealer().into_stream(), slow);
        let written = block_on(writer.write_all(&plaintext));
        let closed = block_on(writer.shutdown());
        let result = written.and(closed);
        (result, writer.into_parts().is_ok_and(|(_, s)| s.finish(&Attributes::default()).is_ok()))
    };
    let read = |n| {
        let slow = Slow::failing(&plaintext[..], n);
        let mut reader = SealReader::new(fixture.sealer().into_stream(), slow);
        let result = block_on(reader.read_to_end(&mut Vec::new())).map(|_| ());
        assert_eq!(block_on(reader.read_to_end(&mut Vec::new())).is_ok(), result.is_ok());
        (result, reader.into_parts().1.finish(&Attributes::default()).is_ok())
    };
    for run in [&write as &dyn Fn(usize) -> (io::Result<()>, bool), &read] {
        let failures = (0..).map(run).take_while(|(result, committed)| {
            assert_eq!(result.is_ok(), *committed);
            result.is_err()
        });
        assert!(failures.count() >= 4);
    }
}

#[test]
fn x3_a_dropped_call_loses_nothing() {
    let fixture = Fixture::one_layer();
    let plaintext = content(2 * CHUNK + 10);

    let slow = Slow::new(Vec::new(), Cuts::Random(1));
    let mut writer = SealWriter::new(fixture.sealer().into_stream(), slow);
    let mut rest = &plaintext[..];
    while !rest.is_empty() {
        // Polled once, then dropped.
        if let Some(count) = block_on(poll_immediate(writer.write(rest))) {
            rest = &rest[count.unwrap()..];
        }
    }
    while block_on(poll_immediate(writer.shutdown())).is_none() {}
    let (Slow { inner: body, .. }, stream) = writer.into_parts().unwrap();
    let opener = fixture.opener(&stream.finish(&Attributes::default()).unwrap());
    let object = Object { plaintext, body, opener };

    let slow = Slow::new(&object.body[..], Cuts::Random(2));
    let mut reader = OpenReader::new(object.stream(), slow);
    let mut opened = Vec::new();
    let mut buf = [0; 5_000];
    loop {
        match block_on(poll_immediate(reader.read(&mut buf))) {
            Some(Ok(0)) => break,
            Some(count) => opened.extend_from_slice(&buf[..count.unwrap()]),
            None => {}
        }
    }
    assert!(opened == object.plaintext);
}

#[test]
fn the_same_reader_serves_both_worlds() {
    fn is_async<T: AsyncRead>(_: &T) {}
    fn is_blocking<T: io::Read>(_: &T) {}
    let object = Fixture::one_layer().object(1);
    // `&[u8]` is a reader of both kinds.
    let reader = OpenReader::new(object.stream(), &object.body[..]);
    is_async(&reader);
    is_blocking(&reader);
}

#[test]
fn a_closed_writer_takes_nothing_more() {
    let fixture = Fixture::one_layer();
    let mut writer = SealWriter::new(fixture.sealer().into_stream(), Vec::new());
    block_on(async {
        writer.write_all(b"meow!").await.unwrap();
        writer.shutdown().await.unwrap();
        let error = writer.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
    let (_, stream) = writer.into_parts().unwrap();
    stream.finish(&Attributes::default()).unwrap();
}
