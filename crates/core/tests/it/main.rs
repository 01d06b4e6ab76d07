//! What the formats promise, shown from outside: known answers, and attacks on stored objects.

mod bodies;
mod cobblestone_vectors;
mod envelopes;
mod faults;
mod identity;
mod modes;
mod ranges;
mod rewraps;
mod uploads;
