//! Time, as the layers over a KMS need it: [`Timer`].

use std::{future::poll_fn, task::Poll, time::Duration};

use object_cipher_core::BoxFuture;

/// Time from the embedder's runtime. No trait and no provider of this crate needs one; the layers
/// that wait do.
pub trait Timer: Send + Sync {
    /// Time since some moment in the past. Never goes back.
    fn now(&self) -> Duration;

    /// Ends after this time.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// Time from tokio. Whoever waits has to be in its runtime.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug)]
pub struct TokioTimer {
    start: tokio::time::Instant,
}

#[cfg(feature = "tokio")]
impl TokioTimer {
    /// Counts from now.
    pub fn new() -> Self {
        Self { start: tokio::time::Instant::now() }
    }
}

#[cfg(feature = "tokio")]
impl Default for TokioTimer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "tokio")]
impl Timer for TokioTimer {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// What the future gives, unless the time is over before.
pub(crate) async fn within<T>(
    timer: &dyn Timer,
    time: Duration,
    mut future: BoxFuture<'_, T>,
) -> Option<T> {
    let mut over = timer.sleep(time);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => over.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// A time that stands still, for tests: nothing that waits for it to pass ends.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Still(pub(crate) Duration);

#[cfg(test)]
impl Timer for Still {
    fn now(&self) -> Duration {
        self.0
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}
