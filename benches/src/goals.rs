//! The goals, by number.

mod chunks;
mod layers;
mod memory;
mod messages;
mod peers;
mod ranges;
mod s3ec;
mod server;
mod sizes;
mod small;
mod store;
mod streams;
mod sums;
mod threads;

pub(crate) use peers::Peers;
pub(crate) use server::Servers;

use crate::{
    machine,
    raw::{RawAwsLc, RawRustCrypto},
    report::Report,
};

/// Measures every goal that is asked for.
pub(crate) fn run(report: &mut Report, others: &Peers, servers: &Servers) {
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
    peers::run(report, others);
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
    server::run(report, servers);
}
