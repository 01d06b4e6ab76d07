//! At most so many objects a second: [`Pace`].

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

/// What may be made up for when timers are late or an object took long: more would be a burst.
const CREDIT: Duration = Duration::from_millis(50);

/// Says when each object has its turn.
#[derive(Debug)]
pub(super) struct Pace {
    period: Duration,
    next: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate: NonZeroU32) -> Self {
        Self { period: Duration::from_secs(1) / rate.get(), next: None }
    }

    /// How long the next object has to wait from now.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        let turn = self.next.unwrap_or(now).max(earliest);
        self.next = Some(turn + self.period);
        turn.saturating_duration_since(now)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test stops")]
mod tests {
    use std::{
        num::NonZeroU32,
        time::{Duration, Instant},
    };

    use super::{CREDIT, Pace};

    /// Objects that had their turn in ten seconds, when each sleep takes so much longer than asked.
    fn turns(rate: u32, late: Duration) -> u32 {
        let mut pace = Pace::new(NonZeroU32::new(rate).unwrap());
        let start = Instant::now();
        let (mut now, mut count) = (start, 0);
        while now < start + Duration::from_secs(10) {
            let wait = pace.wait(now);
            if wait > Duration::ZERO {
                now += wait + late;
            }
            count += 1;
        }
        count
    }

    #[test]
    fn the_rate_is_kept_with_timers_that_are_late_too() {
        for rate in [1, 7, 100, 5_000] {
            for late in [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(20)] {
                let count = turns(rate, late);
                assert!(count.abs_diff(rate * 10) <= 2 + rate / 10, "{rate}, {late:?}: {count}");
            }
        }
    }

    #[test]
    fn a_pause_is_not_made_up_for_by_a_burst() {
        let mut pace = Pace::new(NonZeroU32::new(100).unwrap());
        let later = Instant::now() + Duration::from_secs(60);
        pace.wait(Instant::now());
        let at_once = (0..100).take_while(|_| pace.wait(later) == Duration::ZERO).count();
        let most = CREDIT.as_millis() / 10 + 1;
        assert!(at_once as u128 <= most, "{at_once}");
    }
}
