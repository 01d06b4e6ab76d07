//! What can only be shown from beneath the crates.
//!
//! [`FreedMemory`] is an allocator that looks for secrets in every block that is given back (attack
//! Z1), and [`Told`] a cryptographic backend that tells it every key it is given. Only Rust's own heap
//! is searched: what AWS-LC allocates in C is not, nor are stack and registers.

mod freed_memory;
mod told;

pub use freed_memory::FreedMemory;
pub use told::Told;
