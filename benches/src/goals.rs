//! The goals, by number.

mod chunks;
mod memory;
mod ranges;
mod small;
mod streams;
mod threads;

use crate::{
    machine,
    raw::{RawAwsLc, RawRustCrypto},
    report::Report,
};

/// Measures every goal that is asked for.
pub(crate) fn run(report: &mut Report) {
    machine::pin(0);
    chunks::run::<RawAwsLc>(report);
    chunks::run::<RawRustCrypto>(report);
    streams::run::<RawAwsLc>(report);
    streams::run::<RawRustCrypto>(report);
    ranges::run::<RawAwsLc>(report);
    ranges::run::<RawRustCrypto>(report);
    small::run::<RawAwsLc>(report);
    small::run::<RawRustCrypto>(report);
    memory::run(report);
    machine::unpin();
    threads::run(report);
}
