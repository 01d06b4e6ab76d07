//! What the formats promise, shown from outside: known answers, and attacks on stored objects.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

mod bodies;
mod cobblestone_vectors;
mod envelopes;
mod faults;
mod identity;
mod modes;
mod ranges;
mod rewraps;
mod uploads;
