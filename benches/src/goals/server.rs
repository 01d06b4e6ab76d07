//! Goal 21: the s3-server under load, beside the same server built without encryption.

use std::{path::PathBuf, process::Command};

use clap::Args;

use crate::{
    machine,
    measure::{Case, Clock},
    peer::Peer,
    report::{Amount, Bound, Report, Row},
};

/// What `benches/s3-server/run` gives the benches to load.
#[derive(Args)]
pub(crate) struct Servers {
    /// The s3-server.
    #[arg(long)]
    s3_server: Option<PathBuf>,
    /// The same, built with `--cfg no_encryption`.
    #[arg(long)]
    s3_server_without: Option<PathBuf>,
    /// A Python that has boto3.
    #[arg(long)]
    boto3_python: Option<PathBuf>,
}

/// A mode as the table has it, the bucket that has it as default, and the one that the other server is asked
/// for instead: it makes the same ETag.
struct Mode {
    name: &'static str,
    bucket: &'static str,
    beside: &'static str,
}

const RANDOM_ETAG: &str = "sse-kms-bucket-key";
const MODES: [Mode; 5] = [
    Mode { name: "SSE-S3", bucket: "sse-s3", beside: "sse-s3" },
    Mode { name: "SSE-KMS, Bucket Key", bucket: RANDOM_ETAG, beside: RANDOM_ETAG },
    Mode { name: "SSE-KMS", bucket: "sse-kms", beside: RANDOM_ETAG },
    Mode { name: "DSSE-KMS", bucket: "dsse-kms", beside: RANDOM_ETAG },
    Mode { name: "SSE-C", bucket: "sse-c", beside: RANDOM_ETAG },
];

/// An object's length in words and bytes, at how many connections, and for how many seconds.
type Size = (&'static str, usize, &'static [u32], u32);
const SIZES: [Size; 4] = [
    ("1 KiB", 1 << 10, &[16], 2),
    ("64 KiB", 64 << 10, &[1, 16, 64], 2),
    ("8 MiB", 8 << 20, &[16], 2),
    ("256 MiB", 256 << 20, &[4], 12),
];

pub(crate) fn run(report: &mut Report, servers: &Servers) {
    if !report.wants(21) {
        return;
    }
    let Servers {
        s3_server: Some(with),
        s3_server_without: Some(without),
        boto3_python: Some(python),
    } = servers
    else {
        return report.skip(21, "it needs two servers: see `benches/s3-server/run`");
    };
    let start = |server| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/s3-server/load.py");
        // The server has a processor for itself.
        let load = if machine::threads() > 1 { "1" } else { "0" };
        Peer::start(Command::new(python).arg(script).arg(server).args(["0", load]))
    };
    let (mut with, mut without) = (start(with), start(without));
    for method in ["GET", "PUT"] {
        for (words, length, connections, seconds) in SIZES {
            for (mode, connections) in pairs(connections) {
                let ours = format!("{method} {words}, {}, {connections} connections", mode.name);
                let bound = mode.bound(length);
                let against = "the same server without encryption";
                let row = Row { goal: 21, ours: &ours, against, library: "aws-lc-rs", bound };
                let numbers = format!("{length} {connections} {seconds}");
                let mut loads = [(mode.bucket, &mut with), (mode.beside, &mut without)].map(
                    |(bucket, server)| Load {
                        server,
                        request: format!("{method} {bucket} {numbers}"),
                    },
                );
                let [ours, theirs] = &mut loads;
                report.speed(&row, Clock::Wall, Amount::Objects(1), ours, theirs);
            }
        }
    }
}

fn pairs(connections: &[u32]) -> impl Iterator<Item = (&Mode, u32)> {
    MODES.iter().flat_map(|mode| connections.iter().map(move |connections| (mode, *connections)))
}

impl Mode {
    /// What is asked of the modes that a server has by default.
    fn bound(&self, length: usize) -> Bound {
        let is_default = matches!(self.bucket, "sse-s3" | RANDOM_ETAG);
        if is_default && length >= 64 << 10 { Bound::AtLeast(0.9) } else { Bound::Nothing }
    }
}

/// A server and what it is asked for, again and again for some seconds.
struct Load<'a> {
    server: &'a mut Peer,
    request: String,
}

impl Case for Load<'_> {
    fn time(&mut self, _: Clock, _: u32) -> f64 {
        1.0 / self.server.ask(&self.request)
    }

    fn runs(&mut self, _: Clock) -> u32 {
        1
    }
}
