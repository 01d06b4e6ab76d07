//! Every order of threads that a tester comes to: built with `--cfg shuttle`.
#![cfg(shuttle)]

use std::sync::atomic::{AtomicU64, Ordering};

use shuttle::{check_random, future::block_on, thread};

use super::*;
use crate::timer::Still;

const LIMITS: Limits =
    Limits { age: Duration::from_secs(10), grace: Duration::ZERO, uses: 1_000, entries: 3 };

#[test]
fn p1_in_every_order_one_fetches_and_nobody_gets_what_was_flushed() {
    check_random(
        || {
            let table: Arc<Table<u8, u64>> = Arc::new(Table::new(LIMITS));
            let fetches = Arc::new(AtomicU64::new(0));
            let flushed = Arc::new(AtomicU64::new(0));
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let (table, fetches, flushed) =
                        (Arc::clone(&table), Arc::clone(&fetches), Arc::clone(&flushed));
                    thread::spawn(move || {
                        let before = flushed.load(Ordering::SeqCst);
                        let fetch = || {
                            let fetches = Arc::clone(&fetches);
                            async move {
                                shuttle::future::yield_now().await;
                                Ok(fetches.fetch_add(1, Ordering::SeqCst) + 1)
                            }
                        };
                        let clock = &Still(Duration::ZERO);
                        let served =
                            block_on(table.get(&1, clock, |_| Failure::Answer, fetch)).unwrap();
                        assert!(served.value > before, "what was flushed before was served");
                    })
                })
                .collect();
            let flusher = {
                let (table, fetches, flushed) =
                    (Arc::clone(&table), Arc::clone(&fetches), Arc::clone(&flushed));
                thread::spawn(move || {
                    // Whatever was kept by now is older than whoever asks from now on.
                    let kept = fetches.load(Ordering::SeqCst);
                    table.flush();
                    flushed.store(kept, Ordering::SeqCst);
                })
            };
            for thread in threads {
                thread.join().unwrap();
            }
            flusher.join().unwrap();
            assert!((1..=2).contains(&fetches.load(Ordering::SeqCst)), "one, or one more after it");
        },
        20_000,
    );
}
