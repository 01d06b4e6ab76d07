//! The goals, by number.

mod chunks;
mod layers;
mod memory;
mod messages;
mod peers;
mod ranges;
mod small;
mod streams;
mod threads;

use std::path::Path;

use crate::{
    machine,
    raw::{RawAwsLc, RawRustCrypto},
    report::Report,
};

/// Measures every goal that is asked for, one of them against the program `dare_ranges`.
pub(crate) fn run(report: &mut Report, dare_ranges: Option<&Path>) {
    machine::pin(0);
    chunks::run::<RawAwsLc>(report);
    chunks::run::<RawRustCrypto>(report);
    streams::run::<RawAwsLc>(report);
    streams::run::<RawRustCrypto>(report);
    ranges::run::<RawAwsLc>(report);
    ranges::run::<RawRustCrypto>(report);
    ranges::run_two_layers(report);
    peers::run(report, dare_ranges);
    small::run::<RawAwsLc>(report);
    small::run::<RawRustCrypto>(report);
    small::count(report);
    messages::run(report);
    memory::run(report);
    layers::run(report);
    machine::unpin();
    threads::run(report);
}
