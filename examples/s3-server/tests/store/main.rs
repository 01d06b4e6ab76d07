//! The storage layer: what goes in comes out, whatever the mode, and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod copies;
mod crashes;
mod faults;
mod faulty;
mod host;
mod keyless;
mod matrix;
mod objects;
mod reading;
mod records;
mod scanner;
mod secrecy;
mod sweeps;
mod uploads;
mod writes;
