//! Goals 4 to 8 and 20: other programs and libraries, each on its own processor time.

mod libraries;
mod processes;
mod ranges;
mod streams;

use std::path::PathBuf;

use clap::Args;

use crate::report::Report;

/// What `benches/peers/run` gives the benches to compare with.
#[derive(Args)]
pub(crate) struct Peers {
    /// The program `dare`, which `benches/peers/run` builds.
    #[arg(long)]
    dare: Option<PathBuf>,
    /// The program `object-cipher-peers`, which `benches/peers/run` builds.
    #[arg(long)]
    rust: Option<PathBuf>,
    /// A Python that has Tink, which `benches/peers/run` installs.
    #[arg(long)]
    tink_python: Option<PathBuf>,
    /// A Python that has Amazon's S3 Encryption Client, which `benches/peers/run` installs.
    #[arg(long)]
    pub(super) s3ec_python: Option<PathBuf>,
    /// `openssl`, for its `speed`.
    #[arg(long)]
    openssl: Option<PathBuf>,
    /// The command `object-cipher`, which `benches/peers/run` builds: whole processes are compared with it.
    #[arg(long)]
    cli: Option<PathBuf>,
    /// `rclone`.
    #[arg(long)]
    rclone: Option<PathBuf>,
}

pub(crate) fn run(report: &mut Report, peers: &Peers) {
    ranges::run(report, peers.dare.as_deref());
    streams::run(report, peers);
    libraries::run(report, peers);
    processes::run(report, peers);
}

/// Says that a goal needs a program that there is not.
fn skip(report: &mut Report, goal: u64, flag: &str) {
    report.skip(goal, &format!("it needs `{flag}`: see `benches/peers/run`"));
}
