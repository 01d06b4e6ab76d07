//! What can only be shown from beneath the crates.
//!
//! [`FreedMemory`] is an allocator that looks for secrets in every block that is given back (attack
//! Z1); testkit's `Watched` backend tells it every key it works with. Only Rust's own heap is searched:
//! what AWS-LC allocates in C is not, nor are stack and registers.

mod freed_memory;

pub use freed_memory::FreedMemory;
