//! What was measured, beside what it should be.

use serde_json::{Value, json};

use crate::{
    machine,
    measure::{Case, Clock, Comparison},
};

/// All results of one run.
pub(crate) struct Report {
    rounds: usize,
    goals: Vec<u64>,
    rows: Vec<Value>,
    skipped: Vec<Value>,
}

/// What is compared with what.
pub(crate) struct Row<'a> {
    /// The goal's number.
    pub(crate) goal: u64,
    /// What is ours.
    pub(crate) ours: &'a str,
    /// What it is measured against.
    pub(crate) against: &'a str,
    /// The library under both.
    pub(crate) library: &'a str,
    /// What is asked for.
    pub(crate) bound: Bound,
}

/// What goes through in one run.
#[derive(Clone, Copy)]
pub(crate) enum Amount {
    Bytes(usize),
    Objects(u32),
}

/// What is asked of a ratio or a count.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Nothing: a ratio to compare with.
    Nothing,
}

impl Report {
    pub(crate) fn new(rounds: usize, goals: Vec<u64>) -> Self {
        Self { rounds, goals, rows: Vec::new(), skipped: Vec::new() }
    }

    /// Keeps the results of goals that are not asked for, if this machine made them with as many
    /// rounds.
    pub(crate) fn keep(&mut self, earlier: &Value) {
        let same = earlier["machine"]["processor"] == machine::processor()
            && earlier["rounds"] == self.rounds;
        if !same {
            eprintln!("the results in the file are of another machine or run: they are not kept");
            return;
        }
        let not_asked_for = |goal: &Value| goal.as_u64().is_some_and(|goal| !self.wants(goal));
        let kept = |list: &Value| -> Vec<Value> {
            let entries = list.as_array().into_iter().flatten();
            entries.filter(|entry| not_asked_for(&entry["goal"])).cloned().collect()
        };
        (self.rows, self.skipped) = (kept(&earlier["rows"]), kept(&earlier["skipped"]));
    }

    /// Whether a goal is asked for.
    pub(crate) fn wants(&self, goal: u64) -> bool {
        self.goals.is_empty() || self.goals.contains(&goal)
    }

    /// Measures a ratio of speeds: above 1 we are faster.
    pub(crate) fn speed(
        &mut self,
        row: &Row<'_>,
        clock: Clock,
        amount: Amount,
        ours: &mut dyn Case,
        baseline: &mut dyn Case,
    ) {
        let comparison = Comparison::run(clock, self.rounds, ours, baseline);
        let (unit, count) = amount.in_its_unit();
        let speeds = comparison.times.map(|time| count / time.as_secs_f64());
        let [median, low, high] = comparison.ratio.map(|ratio| match row.bound {
            Bound::AtLeast(_) | Bound::Nothing => ratio,
            // A bound from above is one of time.
            Bound::AtMost(_) => 1.0 / ratio,
        });
        let spread = [low.min(high), low.max(high)];
        let details = json!({ "clock": clock.name(), "spread": spread, unit: speeds });
        self.push(row, median, &details);
    }

    /// Notes a count.
    pub(crate) fn count(&mut self, row: &Row<'_>, value: f64) {
        self.push(row, value, &json!({ "clock": "count" }));
    }

    /// Says loudly that a goal was not measured, and why.
    pub(crate) fn skip(&mut self, goal: u64, why: &str) {
        eprintln!("\nSKIPPED: goal {goal}: {why}\n");
        self.skipped.push(json!({ "goal": goal, "why": why }));
    }

    fn push(&mut self, row: &Row<'_>, value: f64, details: &Value) {
        let (bound, holds) = match row.bound {
            Bound::AtLeast(least) => (json!({ "at_least": least }), value >= least),
            Bound::AtMost(most) => (json!({ "at_most": most }), value <= most),
            Bound::Nothing => (json!({}), true),
        };
        println!(
            "goal {:>2}  {:<9}  {:<44} {value:>8.3}  {bound}  {details}{}",
            row.goal,
            row.library,
            row.ours,
            if holds { "" } else { "  MISSED" },
        );
        self.rows.push(json!({
            "goal": row.goal,
            "ours": row.ours,
            "against": row.against,
            "library": row.library,
            "bound": bound,
            "value": value,
            "holds": holds,
            "details": details,
        }));
    }

    pub(crate) fn into_json(mut self) -> Value {
        self.rows.sort_by_key(|row| row["goal"].as_u64());
        json!({
            "machine": {
                "processor": machine::processor(),
                "features": machine::features(),
                "threads": machine::threads(),
            },
            "rounds": self.rounds,
            "rows": self.rows,
            "skipped": self.skipped,
        })
    }
}

impl Amount {
    /// The unit of its speed, and how much of that it is.
    fn in_its_unit(self) -> (&'static str, f64) {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            Self::Bytes(bytes) => ("gib_per_s", bytes as f64 / f64::from(1 << 30)),
            Self::Objects(objects) => ("objects_per_s", f64::from(objects)),
        }
    }
}
