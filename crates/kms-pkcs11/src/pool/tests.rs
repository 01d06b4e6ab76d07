use std::{
    future::Future,
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{self, Sender},
    },
    task::{Context, Poll, Waker},
};

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn pool(workers: usize, queue: usize, timeout: Duration) -> Pool<u32> {
    Pool::start(Limits { workers, queue, timeout }, || 0).unwrap()
}

/// A call that runs until the sender is dropped; it has begun.
fn stuck(pool: &Pool<u32>) -> (Sender<()>, Waiting<()>) {
    let (until, end) = mpsc::channel();
    let (begun, begin) = mpsc::channel();
    let waiting = pool.submit("key", move |_| {
        begun.send(()).unwrap();
        let _ = end.recv();
        Ok(())
    });
    begin.recv().unwrap();
    (until, waiting)
}

fn poll<T>(waiting: &mut Waiting<T>) -> Poll<KmsResult<T>> {
    std::pin::Pin::new(waiting).poll(&mut Context::from_waker(Waker::noop()))
}

fn kind<T>(result: KmsResult<T>) -> KeyErrorKind {
    result.err().unwrap().kind()
}

#[tokio::test]
async fn a_worker_keeps_what_it_has_from_call_to_call() {
    let pool = pool(1, 1, LONG);
    for expected in 1..=3 {
        let count = pool.submit("key", |count| {
            *count += 1;
            Ok(*count)
        });
        assert_eq!(count.await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let pool = pool(1, 2, LONG);
    let (until, running) = stuck(&pool);
    let first = pool.submit("key", |_| Ok(1));
    let second = pool.submit("key", |_| Ok(2));
    let mut third = pool.submit("key", |_| Ok(3));
    let Poll::Ready(Err(error)) = poll(&mut third) else { panic!("it waits") };
    assert_eq!(error.kind(), KeyErrorKind::Unavailable);
    assert!(error.is_retryable());
    drop(until);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 2));
    running.await.unwrap();
    assert_eq!(pool.submit("key", |_| Ok(4)).await.unwrap(), 4);
}

#[tokio::test]
async fn x3_a_call_that_nobody_waits_for_is_not_made_and_leaves_its_place() {
    // With one place the next call takes it; with two a thread comes upon it.
    for places in [1, 2] {
        let pool = pool(1, places, LONG);
        let (until, running) = stuck(&pool);
        let made = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&made);
        drop(pool.submit("key", move |_| Ok(counted.fetch_add(1, Ordering::Relaxed))));
        let next = pool.submit("key", |_| Ok(()));
        drop(until);
        next.await.unwrap();
        running.await.unwrap();
        assert_eq!(made.load(Ordering::Relaxed), 0, "{places}");
    }
}

#[tokio::test]
async fn k4_a_call_that_hangs_and_those_behind_it_time_out() {
    let pool = pool(1, 4, Duration::from_millis(50));
    let (until, running) = stuck(&pool);
    let start = Instant::now();
    let behind = pool.submit("key", |_| Ok(()));
    assert_eq!(kind(running.await), KeyErrorKind::Timeout);
    assert_eq!(kind(behind.await), KeyErrorKind::Timeout);
    assert!(start.elapsed() < Duration::from_secs(10));
    drop(until);
    // The thread is back, and the watch watches again.
    while pool.submit("key", |_| Ok(())).await.is_err() {}
    let (_until, running) = stuck(&pool);
    assert_eq!(kind(running.await), KeyErrorKind::Timeout);
}

#[tokio::test]
async fn k9_one_call_that_hangs_holds_up_one_thread_only() {
    let pool = pool(3, 4, LONG);
    let (until, running) = stuck(&pool);
    for _ in 0..100 {
        pool.submit("key", |_| Ok(())).await.unwrap();
    }
    drop(until);
    running.await.unwrap();
}

#[tokio::test]
async fn k9_a_key_whose_calls_all_hang_leaves_a_thread_to_others() {
    let pool = pool(3, 8, Duration::from_millis(50));
    let hanging: Vec<_> = (0..2).map(|_| stuck(&pool)).collect();
    let (made, count) = (Arc::new(AtomicU32::new(0)), |made: &Arc<AtomicU32>| {
        let made = Arc::clone(made);
        move |_: &mut u32| Ok(made.fetch_add(1, Ordering::Relaxed))
    });
    let behind: Vec<_> = (0..3).map(|_| pool.submit("key", count(&made))).collect();
    for _ in 0..100 {
        pool.submit("other", |_| Ok(())).await.unwrap();
    }
    // Nobody waits for them any more, and they hang still.
    let mut ends = Vec::new();
    for (until, running) in hanging {
        assert_eq!(kind(running.await), KeyErrorKind::Timeout);
        ends.push(until);
    }
    for waiting in behind {
        assert_eq!(kind(waiting.await), KeyErrorKind::Timeout);
    }
    pool.submit("other", |_| Ok(())).await.unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 0);
    drop(ends);
    while pool.submit("key", |_| Ok(())).await.is_err() {}
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_worker_is_another_one() {
    let pool = pool(1, 1, LONG);
    let panicked = pool.submit("key", |count| -> KmsResult<()> {
        *count = 7;
        panic!("planted");
    });
    assert_eq!(kind(panicked.await), KeyErrorKind::Internal);
    assert_eq!(pool.submit("key", |count| Ok(*count)).await.unwrap(), 0);
}

#[test]
fn a_dropped_pool_ends_its_threads_before_it_is_gone() {
    struct Ends(Sender<()>);
    impl Drop for Ends {
        fn drop(&mut self) {
            thread::sleep(Duration::from_millis(20));
            self.0.send(()).unwrap();
        }
    }
    let (ended, end) = mpsc::channel();
    let limits = Limits { workers: 3, queue: 1, timeout: LONG };
    let ended = Mutex::new(ended);
    let pool = Pool::start(limits, move || Ends(ended.lock().unwrap().clone())).unwrap();
    pool.submit("key", |_| Ok(()));
    drop(pool);
    assert_eq!(end.try_iter().count(), 3);
}

#[test]
fn a_dropped_pool_answers_what_waits_and_leaves_a_thread_that_hangs() {
    let pool = pool(1, 1, Duration::from_millis(50));
    let (_until, _running) = stuck(&pool);
    let mut waiting = pool.submit("key", |_| Ok(()));
    let begun = Instant::now();
    drop(pool);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(matches!(poll(&mut waiting), Poll::Ready(Err(_))));
}
