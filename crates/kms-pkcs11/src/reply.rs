//! One answer from a thread to a future: [`reply`].

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_kms::KmsResult;

/// Where a thread puts its answer. The first answer counts; one that is dropped without an answer
/// answers that the thread broke off.
pub(crate) struct Answer<T>(Arc<Slot<T>>);

/// The answer, once it is there.
pub(crate) struct Waiting<T>(Arc<Slot<T>>);

/// A call that somebody may still wait for.
pub(crate) trait Pending: Send + Sync {
    /// Answers it with an error, unless it was answered.
    fn refuse(&self, error: KeyError);

    /// Whether it was answered, or nobody waits any more.
    fn is_over(&self) -> bool;
}

struct Slot<T>(Mutex<State<T>>);

enum State<T> {
    Open(Option<Waker>),
    Answered(KmsResult<T>),
    Over,
}

/// The two ends of one answer.
pub(crate) fn reply<T>() -> (Answer<T>, Waiting<T>) {
    let slot = Arc::new(Slot(Mutex::new(State::Open(None))));
    (Answer(Arc::clone(&slot)), Waiting(slot))
}

impl<T: Send + 'static> Answer<T> {
    pub(crate) fn answer(self, result: KmsResult<T>) {
        self.0.answer(result);
    }

    pub(crate) fn pending(&self) -> Arc<dyn Pending> {
        Arc::<Slot<T>>::clone(&self.0)
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let message = "a thread that calls the token broke off";
        self.0.answer(Err(KeyError::new(KeyErrorKind::Internal, message)));
    }
}

impl<T> Future for Waiting<T> {
    type Output = KmsResult<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        match mem::replace(&mut *state, State::Over) {
            State::Answered(result) => Poll::Ready(result),
            State::Open(_) => {
                *state = State::Open(Some(cx.waker().clone()));
                Poll::Pending
            }
            // Polled after it was ready.
            State::Over => Poll::Pending,
        }
    }
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        *self.0.lock() = State::Over;
    }
}

impl<T: Send> Pending for Slot<T> {
    fn refuse(&self, error: KeyError) {
        self.answer(Err(error));
    }

    fn is_over(&self) -> bool {
        !matches!(*self.lock(), State::Open(_))
    }
}

impl<T> Slot<T> {
    fn answer(&self, result: KmsResult<T>) {
        let mut state = self.lock();
        if let State::Open(waker) = &mut *state {
            let waker = waker.take();
            *state = State::Answered(result);
            // A waker may poll at once.
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
