//! What the formats promise, shown from outside: known answers, and attacks on stored objects.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

mod backends;
mod cancellation;
mod cobblestone_vectors;
mod conformance;
mod envelopes;
mod faults;
mod key_commitment;
mod messages;
mod modes;
mod rewraps;
mod secrecy;
mod uploads;
mod work;
