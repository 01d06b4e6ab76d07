//! Client-side encryption in our own format: the cipher and its keys through the testkit's suites,
//! and its objects in a bucket that knows nothing of it, with all that can be done to them there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bucket;
mod companions;
mod conformance;
mod keys;
mod objects;
mod races;
mod vectors;
