//! What can only be shown from beneath the crates.
//!
//! [`MEMORY`] looks for secrets in every block that is given back to the heap (attack Z1), be it by Rust or by
//! C code such as AWS-LC: this crate puts its own `free` and `realloc` in the place of the C library's.
//! testkit's `Watched` backend tells it every key it works with. Stack and registers are not searched here.
//!
//! For Linux with glibc.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod freed_memory;
mod heap;

pub use freed_memory::FreedMemory;
pub use heap::leave_in_c_memory;

/// What this process gives back to its heap.
pub static MEMORY: FreedMemory = FreedMemory::new();
