//! The clock and the comparison: two cases in turn, round by round, as a ratio.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Something to time.
pub(crate) trait Case {
    /// Seconds of one run, the mean of so many.
    fn time(&mut self, clock: Clock, runs: u32) -> f64;

    /// How many runs fill a round.
    fn runs(&mut self, clock: Clock) -> u32 {
        let mut runs = 1;
        while self.time(clock, runs) * f64::from(runs) < ROUND.as_secs_f64() {
            runs *= 2;
        }
        runs
    }
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Processor time of this thread.
    Processor,
    /// Time on the wall, for work on several threads.
    Wall,
}

/// Two cases, timed in turn.
pub(crate) struct Comparison {
    /// How often the baseline's time holds our time: above 1 we are faster. The median over the
    /// rounds, the lowest, the highest.
    pub(crate) ratio: [f64; 3],
    /// Median time of one run: ours, the baseline's.
    pub(crate) times: [Duration; 2],
}

/// Each case runs so long in each round, at the least.
const ROUND: Duration = Duration::from_millis(25);

/// Two closures as a case. The first is not timed and gives what the second, which is, takes. What
/// that gives back is dropped untimed.
pub(crate) struct Prepared<P, F> {
    prepare: P,
    run: F,
}

impl<P: FnMut() -> T, F: FnMut(T) -> U, T, U> Prepared<P, F> {
    pub(crate) fn new(prepare: P, run: F) -> Self {
        Self { prepare, run }
    }
}

impl<P: FnMut() -> T, F: FnMut(T) -> U, T, U> Case for Prepared<P, F> {
    fn time(&mut self, clock: Clock, runs: u32) -> f64 {
        let mut total = Duration::ZERO;
        for _ in 0..runs {
            let ready = (self.prepare)();
            let start = clock.now();
            let result = black_box((self.run)(ready));
            total += clock.now().saturating_sub(start);
            drop(result);
        }
        total.as_secs_f64() / f64::from(runs)
    }
}

impl Comparison {
    /// Times both in turn, for so many rounds.
    pub(crate) fn run(
        clock: Clock,
        rounds: usize,
        ours: &mut dyn Case,
        baseline: &mut dyn Case,
    ) -> Self {
        let runs = [ours.runs(clock), baseline.runs(clock)];
        let mut measured = Vec::with_capacity(rounds);
        for round in 0..rounds {
            // Neither is always the first.
            let times = if round % 2 == 0 {
                let ours = ours.time(clock, runs[0]);
                [ours, baseline.time(clock, runs[1])]
            } else {
                let baseline = baseline.time(clock, runs[1]);
                [ours.time(clock, runs[0]), baseline]
            };
            measured.push(times);
        }
        let ratios = sorted(measured.iter().map(|[ours, theirs]| theirs / ours));
        let middle = |case: usize| sorted(measured.iter().map(|times| times[case]))[rounds / 2];
        Self {
            ratio: [ratios[rounds / 2], ratios[0], ratios[rounds - 1]],
            times: [0, 1].map(|case| Duration::from_secs_f64(middle(case))),
        }
    }
}

impl Clock {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Processor => "processor",
            Self::Wall => "wall",
        }
    }

    fn now(self) -> Duration {
        thread_local!(static START: Instant = Instant::now());
        match self {
            #[cfg(target_os = "linux")]
            Self::Processor => {
                let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
                Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
            }
            _ => START.with(Instant::elapsed),
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}
