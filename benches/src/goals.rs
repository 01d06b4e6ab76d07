//! The goals, by number.

mod chunks;
mod layers;
mod memory;
mod messages;
mod peers;
mod ranges;
mod s3ec;
mod sizes;
mod small;
mod store;
mod streams;
mod sums;
mod threads;

use std::path::PathBuf;

use clap::Args;

use crate::{
    machine,
    raw::{RawAwsLc, RawRustCrypto},
    report::Report,
};

/// What `benches/peers/run` gives the benches to compare with.
#[derive(Args)]
pub(crate) struct Peers {
    /// The program `dare-ranges`, which `benches/peers/run` builds.
    #[arg(long)]
    dare_ranges: Option<PathBuf>,
    /// A Python that has Amazon's S3 Encryption Client, which `benches/peers/run` installs.
    #[arg(long)]
    s3ec_python: Option<PathBuf>,
}

/// Measures every goal that is asked for.
pub(crate) fn run(report: &mut Report, others: &Peers) {
    machine::pin(0);
    chunks::run::<RawAwsLc>(report);
    chunks::run::<RawRustCrypto>(report);
    streams::run::<RawAwsLc>(report);
    streams::run::<RawRustCrypto>(report);
    ranges::run::<RawAwsLc>(report);
    ranges::run::<RawRustCrypto>(report);
    ranges::run_two_layers(report);
    sizes::run::<RawAwsLc>(report);
    sizes::run::<RawRustCrypto>(report);
    sums::run(report);
    peers::run(report, others.dare_ranges.as_deref());
    small::run::<RawAwsLc>(report);
    small::run::<RawRustCrypto>(report);
    small::count(report);
    messages::run(report);
    s3ec::run(report, others.s3ec_python.as_deref());
    memory::run(report);
    layers::run(report);
    machine::unpin();
    threads::run(report);
    store::run::<RawAwsLc>(report);
    store::run::<RawRustCrypto>(report);
}
