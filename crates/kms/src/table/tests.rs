#![cfg(not(shuttle))]

use std::{
    cell::Cell,
    future::{pending, poll_fn, ready},
    task::{Context, Poll, Waker},
};

use object_cipher_core::KeyErrorKind;

use super::*;
use crate::timer::Still;

const LIMITS: Limits =
    Limits { age: Duration::from_secs(10), grace: Duration::ZERO, uses: 1_000, entries: 3 };

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

/// What a key gives at a time, each fetch another number.
fn at(table: &Table<u8, u64>, key: u8, seconds: u64, fetched: &Cell<u64>) -> u64 {
    let fetch = || {
        fetched.set(fetched.get() + 1);
        ready(Ok(fetched.get()))
    };
    now(table.get(&key, &Still(Duration::from_secs(seconds)), |_| Failure::Answer, fetch))
        .unwrap()
        .value
}

#[test]
fn x7_a_clock_that_jumps_makes_values_end_early_and_never_late() {
    const YEAR: u64 = 365 * 24 * 3_600;
    for jump in [YEAR, 2 * YEAR] {
        let (table, fetched) = (Table::new(LIMITS), Cell::new(0));
        assert_eq!(at(&table, 1, YEAR, &fetched), 1);
        assert_eq!(at(&table, 1, YEAR + 9, &fetched), 1);
        assert_eq!(at(&table, 1, jump + 11, &fetched), 2, "ten seconds, or a year");
        assert_eq!(at(&table, 1, 0, &fetched), 3, "back by years");
        assert_eq!(at(&table, 1, 5, &fetched), 3);
    }
}

#[test]
fn there_is_room_for_so_many_and_the_oldest_goes() {
    let (table, fetched) = (Table::new(LIMITS), Cell::new(0));
    for key in 0..10 {
        at(&table, key, u64::from(key), &fetched);
        assert!(table.len() <= 3);
    }
    assert_eq!(at(&table, 9, 9, &fetched), 10);
    assert_eq!(at(&table, 0, 9, &fetched), 11);
    table.expire(Duration::from_secs(100));
    assert_eq!(table.len(), 0);
}

#[test]
fn what_was_fetched_before_a_flush_is_not_kept_after_it() {
    let table: Table<u8, u64> = Table::new(LIMITS);
    let flushing = || async {
        table.flush();
        Ok(1)
    };
    let clock = &Still(Duration::ZERO);
    assert_eq!(now(table.get(&1, clock, |_| Failure::Answer, flushing)).unwrap().value, 1);
    assert_eq!(table.len(), 0);
}

#[test]
fn failures_are_told_again_for_as_long_as_they_are_remembered() {
    let (table, fetched) = (Table::<u8, u64>::new(LIMITS), Cell::new(0));
    let get = |seconds, remembered: Option<u64>| {
        let fetch = || {
            fetched.set(fetched.get() + 1);
            ready(Err(KeyError::new(KeyErrorKind::Unavailable, "down")))
        };
        let remember = |_: &KeyError| match remembered {
            Some(age) => Failure::Known(Duration::from_secs(age)),
            None => Failure::Answer,
        };
        assert!(now(table.get(&1, &Still(Duration::from_secs(seconds)), remember, fetch)).is_err());
        fetched.get()
    };
    assert_eq!((get(0, Some(5)), get(4, Some(5)), get(5, None), get(5, None)), (1, 1, 2, 3));
}

#[test]
fn those_who_wait_count_as_served_and_no_more_are_than_a_value_serves() {
    let (table, fetched) = (Table::new(Limits { uses: 3, ..LIMITS }), Cell::new(0));
    let (clock, mut cx) = (&Still(Duration::ZERO), Context::from_waker(Waker::noop()));
    let open = Cell::new(false);
    let fetch = || async {
        poll_fn(|_| if open.get() { Poll::Ready(()) } else { Poll::Pending }).await;
        fetched.set(fetched.get() + 1);
        Ok(fetched.get())
    };
    let get = || {
        let got = table.get(&1_u8, clock, |_| Failure::Answer, fetch);
        Box::pin(async move { got.await.unwrap().value })
    };
    let mut all: Vec<_> = (0..7).map(|_| get()).collect();
    assert!(all.iter_mut().all(|one| one.as_mut().poll(&mut cx).is_pending()));
    open.set(true);
    // Three are served by one fetch; the others, who are more, each make their own at once.
    assert_eq!(all.into_iter().map(now).collect::<Vec<_>>(), [1, 1, 1, 2, 3, 4, 5]);
    assert_eq!([now(get()), now(get()), now(get()), now(get())], [6, 6, 6, 7]);
}

#[test]
fn x3_a_fetch_that_is_given_up_leaves_nothing() {
    let table: Table<u8, u64> = Table::new(LIMITS);
    let clock = &Still(Duration::ZERO);
    let mut given_up = Box::pin(table.get(&1, clock, |_| Failure::Answer, pending));
    assert!(given_up.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(given_up);
    assert_eq!(at(&table, 1, 0, &Cell::new(6)), 7);
}

#[test]
fn within_its_grace_a_value_outlasts_a_failed_fetch_and_no_flush() {
    let seconds = Duration::from_secs;
    let limits = Limits { grace: seconds(20), ..LIMITS };
    let outage = |_: &KeyError| Failure::Outage(seconds(1));
    let down = || ready(Err(KeyError::new(KeyErrorKind::Unavailable, "down")));
    let table: Table<u8, u64> = Table::new(limits);
    at(&table, 1, 0, &Cell::new(6));
    for time in [11, 15, 20, 29] {
        table.expire(seconds(time));
        assert!(now(table.get(&1, &Still(seconds(time)), outage, down)).is_err());
        assert_eq!(table.stale(&1, seconds(time)), Some(7), "{time}");
    }
    assert_eq!(table.stale(&1, seconds(30)), None);
    table.flush();
    assert!(now(table.get(&1, &Still(seconds(29)), outage, down)).is_err());
    assert_eq!(table.stale(&1, seconds(29)), None);
}
