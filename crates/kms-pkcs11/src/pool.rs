//! Threads that call the module, so that no executor's thread does: [`Pool`].

use std::{
    collections::VecDeque,
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_kms::KmsResult;

use crate::reply::{Pending, Waiting, reply};

/// Threads with a worker each and one queue before them. What waits or runs for too long is answered
/// for by a watch, as nobody can call a module back. Where there are several threads, the calls for one
/// key leave one of them to other keys.
pub(crate) struct Pool<W>(Arc<Shared<W>>);

/// How many threads, how many calls that wait for one, and how long a call may take in all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) workers: usize,
    pub(crate) queue: usize,
    pub(crate) timeout: Duration,
}

struct Shared<W> {
    limits: Limits,
    state: Mutex<State<W>>,
    /// A job is in the queue.
    work: Condvar,
    /// The watch had nothing to watch, and now it has.
    watch: Condvar,
    /// A thread has ended.
    end: Condvar,
}

struct State<W> {
    queue: VecDeque<Job<W>>,
    /// What each thread is at, as far as somebody waits for it.
    running: Vec<Option<Watched>>,
    /// The key that each thread is at, whether somebody waits for it or not.
    keys: Vec<Option<Arc<str>>>,
    /// Whether the watch waits for something to watch.
    idle: bool,
    /// How many workers there are.
    alive: usize,
    closed: bool,
}

struct Job<W> {
    key: Arc<str>,
    run: Box<dyn FnOnce(&mut W) + Send>,
    watched: Watched,
}

#[derive(Clone)]
struct Watched {
    call: Arc<dyn Pending>,
    deadline: Instant,
}

impl<W: 'static> Pool<W> {
    /// Starts the threads. Each makes its worker itself, and a new one should it panic.
    pub(crate) fn start(
        limits: Limits,
        make: impl Fn() -> W + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let state = State {
            queue: VecDeque::new(),
            running: (0..limits.workers).map(|_| None).collect(),
            keys: (0..limits.workers).map(|_| None).collect(),
            idle: false,
            alive: 0,
            closed: false,
        };
        let shared = Arc::new(Shared {
            limits,
            state: Mutex::new(state),
            work: Condvar::new(),
            watch: Condvar::new(),
            end: Condvar::new(),
        });
        // Dropped when a thread cannot be started, it ends the ones before.
        let pool = Self(Arc::clone(&shared));
        let make = Arc::new(make);
        let spawn = |name: &str| thread::Builder::new().name(name.to_owned());
        for index in 0..limits.workers {
            let (shared, make) = (Arc::clone(&shared), Arc::clone(&make));
            pool.0.lock().alive += 1;
            let thread = spawn("pkcs11").spawn(move || {
                shared.work(index, &*make);
                drop(make);
                shared.ended();
            });
            thread.inspect_err(|_| pool.0.ended())?;
        }
        spawn("pkcs11-watch").spawn(move || shared.watch())?;
        Ok(pool)
    }

    /// Has a worker do it, for a key. Where the queue is full, the answer is there at once: `Unavailable`.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        key: &str,
        job: impl FnOnce(&mut W) -> KmsResult<T> + Send + 'static,
    ) -> Waiting<T> {
        let (answer, waiting) = reply();
        let mut state = self.0.lock();
        if state.queue.len() >= self.0.limits.queue {
            state.queue.retain(|job| !job.watched.call.is_over());
        }
        if state.queue.len() >= self.0.limits.queue {
            drop(state);
            let message = "too many calls wait for the token";
            answer.answer(Err(KeyError::new(KeyErrorKind::Unavailable, message)));
            return waiting;
        }
        let deadline = Instant::now() + self.0.limits.timeout;
        let watched = Watched { call: answer.pending(), deadline };
        let run = Box::new(move |worker: &mut W| answer.answer(job(worker)));
        state.queue.push_back(Job { key: key.into(), run, watched });
        if mem::take(&mut state.idle) {
            self.0.watch.notify_one();
        }
        drop(state);
        self.0.work.notify_one();
        waiting
    }
}

/// Ends the threads. It waits for them, as a module may crash when a process ends amid a call; but not
/// for one that hangs.
impl<W> Drop for Pool<W> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let left = mem::take(&mut state.queue);
        drop(state);
        drop(left);
        self.0.work.notify_all();
        self.0.watch.notify_all();
        let timeout = self.0.limits.timeout;
        drop(self.0.end.wait_timeout_while(self.0.lock(), timeout, |state| state.alive > 0));
    }
}

impl<W> Shared<W> {
    fn work(&self, index: usize, make: &dyn Fn() -> W) {
        let mut worker = make();
        while let Some(job) = self.next(index) {
            // The worker that panicked is replaced, and with it its session.
            if catch_unwind(AssertUnwindSafe(|| (job.run)(&mut worker))).is_err() {
                worker = make();
            }
            let mut state = self.lock();
            state.running[index] = None;
            state.keys[index] = None;
        }
    }

    /// The next job that somebody waits for; none when there will be no more.
    fn next(&self, index: usize) -> Option<Job<W>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            match state.take() {
                Some(job) if job.watched.call.is_over() => {}
                Some(job) => {
                    state.running[index] = Some(job.watched.clone());
                    state.keys[index] = Some(Arc::clone(&job.key));
                    return Some(job);
                }
                None => {
                    state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Answers for what took too long.
    fn watch(&self) {
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            let (ran, waited) = state.expired(now);
            if !(ran.is_empty() && waited.is_empty()) {
                // A waker may submit the next call.
                drop(state);
                for watched in ran.iter().chain(waited.iter().map(|job| &job.watched)) {
                    let message = "the token did not answer in time";
                    watched.call.refuse(KeyError::new(KeyErrorKind::Timeout, message));
                }
                // The jobs had an answer before they are dropped.
                drop(waited);
                state = self.lock();
                continue;
            }
            // Later calls have later deadlines.
            state = if let Some(deadline) = state.next_deadline() {
                let wait = self.watch.wait_timeout(state, deadline - now);
                wait.unwrap_or_else(PoisonError::into_inner).0
            } else {
                state.idle = true;
                self.watch.wait(state).unwrap_or_else(PoisonError::into_inner)
            };
        }
    }

    fn ended(&self) {
        self.lock().alive -= 1;
        self.end.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> State<W> {
    /// The first job whose key leaves a thread to others, or that nobody waits for.
    fn take(&mut self) -> Option<Job<W>> {
        let most = self.keys.len().saturating_sub(1).max(1);
        let at = |key: &Arc<str>| self.keys.iter().flatten().filter(|at| *at == key).count();
        let fits = |job: &Job<W>| job.watched.call.is_over() || at(&job.key) < most;
        let first = self.queue.iter().position(fits)?;
        self.queue.remove(first)
    }

    /// Takes out what runs and what waits for too long. The jobs that run do so still, for nobody.
    fn expired(&mut self, now: Instant) -> (Vec<Watched>, Vec<Job<W>>) {
        let over = |watched: &Watched| watched.deadline <= now;
        let ran = self.running.iter_mut().filter_map(|slot| slot.take_if(|slot| over(slot)));
        let waited = self.queue.iter().take_while(|job| over(&job.watched)).count();
        (ran.collect(), self.queue.drain(..waited).collect())
    }

    fn next_deadline(&self) -> Option<Instant> {
        let running = self.running.iter().flatten().map(|watched| watched.deadline);
        let waiting = self.queue.front().map(|job| job.watched.deadline);
        running.chain(waiting).min()
    }
}

#[cfg(test)]
mod tests;
