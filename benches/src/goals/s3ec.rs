//! Goal 17: objects of the S3 Encryption Client's formats, in memory, against Amazon's client for Python,
//! each on its own processor time; and how much memory they take.

#![expect(clippy::cast_precision_loss, reason = "far below 2^52")]

use std::{
    hint::black_box,
    io::{Read, Write},
    path::Path,
    process::Command,
};

use allocation_counter::measure;
use object_cipher_client::s3ec::{
    AesKeyring, CommitmentPolicy, ContentOpener, Found, Request as S3ecRequest, S3ec,
};
use object_cipher_core::{BodyStream, OpenVerified, SealMessage, resolve_now};
use object_cipher_io::pump;

use crate::{
    measure::{Case, Clock, Prepared},
    peer::{Peer, Request},
    raw::{Library, RawAwsLc, RawRustCrypto, TAG},
    report::{Amount, Bound, Report, Row},
    subject::{Again, BLOCK, Scratch, Sink},
};

/// Out of the caches, and out of memory.
const LENGTHS: [(&str, usize); 2] = [("1 MiB", 1 << 20), ("32 MiB, cold", LONG)];
const SHORT: usize = 2 << 20;
const LONG: usize = 32 << 20;

/// What streams hold, and their caller takes, at a time.
const PIECE: usize = 64 << 10;
/// A piece, and room for what is small.
const MOST: usize = PIECE + (8 << 10);

/// Formats, and the policies that write and read them.
const V2: (&str, CommitmentPolicy) = ("V2", CommitmentPolicy::ForbidEncryptAllowDecrypt);
const V3: (&str, CommitmentPolicy) = ("V3", CommitmentPolicy::RequireEncryptRequireDecrypt);

const PYTHON: &str = "Amazon's S3 Encryption Client for Python 4.0.0";

pub(crate) fn run(report: &mut Report, python: Option<&Path>) {
    if !report.wants(17) {
        return;
    }
    memory::<RawAwsLc>(report);
    let Some(python) = python else {
        report.skip(17, "its speed needs `--s3ec-python`: see `benches/peers/run`");
        return;
    };
    their_memory(report, python);
    for (format, policy) in [V2, V3] {
        for (words, length) in LENGTHS {
            let name = format!("S3EC {format}, {words}");
            let mut peer = start(python, format, length);
            let aims = [Bound::AtLeast(3.5), Bound::AtLeast(8.0)];
            Object::new::<RawAwsLc>(policy, length).speeds(report, &name, &mut peer, aims);
            if format == V3.0 {
                // To compare: its GCM alone is slower than OpenSSL's, which Python has.
                let object = Object::new::<RawRustCrypto>(policy, length);
                object.speeds(report, &name, &mut peer, [Bound::Nothing; 2]);
            }
        }
    }
}

fn start(python: &Path, format: &str, length: usize) -> Peer {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/s3ec-python/objects.py");
    Peer::start(Command::new(python).args([script, format, &length.to_string()]))
}

/// What is sealed and opened.
struct Object {
    s3ec: S3ec,
    library: &'static str,
    content: Vec<u8>,
    stored: Stored,
}

/// An object as a bucket has it.
struct Stored {
    metadata: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Object {
    fn new<L: Library>(policy: CommitmentPolicy, length: usize) -> Self {
        let s3ec = cipher::<L>(policy);
        let content = vec![7; length];
        let stored = store(&s3ec, &content);
        let mut opened = Vec::new();
        pump(&mut open_verified(&s3ec, &stored), &mut &stored.body[..], &mut opened).unwrap();
        assert_eq!(opened, content);
        Self { s3ec, library: L::NAME, content, stored }
    }

    /// Sealing and opening, with the aim of each. An aim is set against what the peer does by default:
    /// all at once, in new memory.
    fn speeds(&self, report: &mut Report, name: &str, peer: &mut Peer, aims: [Bound; 2]) {
        let Self { s3ec, library, content, stored } = self;
        let mut sealing = Prepared::new(|| (), |()| seal(s3ec, &mut &content[..], &mut Sink));
        let mut storing = Prepared::new(|| (), |()| store(s3ec, content));
        let mut verified = opening(stored, || open_verified(s3ec, stored));
        let delayed = || opening(stored, || open(s3ec, stored).into_unverified());

        let [put, get] = [("put", "`put_object`"), ("get", "`get_object`")];
        let get_delayed = ("get-delayed", "the same, by 64 KiB");
        let [seals, opens] = aims;
        let rows: [(&str, _, _, &mut dyn Case); 5] = [
            ("seal", put, seals, &mut sealing),
            ("seal into new memory, to compare", put, Bound::Nothing, &mut storing),
            ("open, verified first", get, opens, &mut verified),
            ("open, delayed authentication", get, opens, &mut delayed()),
            ("open, delayed authentication", get_delayed, Bound::Nothing, &mut delayed()),
        ];
        for (does, (words, theirs), bound, case) in rows {
            let (ours, against) = (format!("{name}: {does}"), format!("{PYTHON}: {theirs}"));
            let row = Row { goal: 17, ours: &ours, against: &against, library, bound };
            let mut theirs = Request { peer, words, times: 1 };
            let amount = Amount::Bytes(content.len());
            report.speed(&row, Clock::Processor, amount, case, &mut theirs);
        }
    }
}

/// Reads a whole object.
fn opening<S: BodyStream>(stored: &Stored, begin: impl Fn() -> S) -> impl Case {
    Prepared::new(
        || Scratch(vec![0; PIECE]),
        move |mut sink| {
            let mut stream = begin();
            pump(&mut stream, &mut &stored.body[..], &mut sink).unwrap();
            (stream, sink)
        },
    )
}

fn cipher<L: Library>(policy: CommitmentPolicy) -> S3ec {
    let keyring = AesKeyring::new(&[7; 32]).unwrap();
    S3ec::builder(keyring, L::backend()).commitment_policy(policy).build()
}

/// The metadata, and the stream, which is done.
fn seal(
    s3ec: &S3ec,
    content: &mut impl Read,
    body: &mut impl Write,
) -> (Vec<(String, String)>, SealMessage) {
    let mut sealed = resolve_now(s3ec.seal(&S3ecRequest::default())).unwrap().unwrap();
    pump(&mut sealed.stream, content, body).unwrap();
    (sealed.header.to_metadata().unwrap(), sealed.stream)
}

fn store(s3ec: &S3ec, content: &[u8]) -> Stored {
    let mut body = Vec::with_capacity(content.len() + TAG);
    let (metadata, _) = seal(s3ec, &mut &content[..], &mut body);
    Stored { metadata, body }
}

fn open(s3ec: &S3ec, stored: &Stored) -> ContentOpener {
    let pairs = stored.metadata.iter().map(|(name, value)| (&name[..], &value[..]));
    let Found::Complete(header) = Found::read(pairs).unwrap() else { unreachable!() };
    resolve_now(s3ec.open(&header, &S3ecRequest::default())).unwrap().unwrap()
}

fn open_verified(s3ec: &S3ec, stored: &Stored) -> OpenVerified {
    let length = stored.body.len();
    open(s3ec, stored).into_verified(length as u64, length).unwrap()
}

/// What sealing and delayed authentication take, whatever the length. What a library written in C takes
/// for a key is not counted.
fn memory<L: Library>(report: &mut Report) {
    let s3ec = cipher::<L>(V3.1);
    let block = vec![7; BLOCK];
    let seal = |length| {
        measure(|| drop(black_box(seal(&s3ec, &mut Again::new(&block, length), &mut Sink))))
    };
    let open = |length| {
        let stored = store(&s3ec, &vec![7; length]);
        measure(|| {
            let mut stream = open(&s3ec, &stored).into_unverified();
            pump(&mut stream, &mut &stored.body[..], &mut Sink).unwrap();
        })
    };
    for (does, [short, long]) in [
        ("seal", [SHORT, LONG].map(seal)),
        ("open, delayed authentication", [SHORT, LONG].map(open)),
    ] {
        let [short, long] = [short, long].map(|taken| taken.bytes_max as f64);
        for (what, against, value, most) in [
            ("most bytes at a time, 32 MiB object", "64 KiB and 8 KiB", long, MOST as f64),
            ("bytes more for 32 MiB than for 2 MiB", "counted", long - short, 0.0),
        ] {
            let ours = format!("S3EC V3, {does}: {what}");
            let bound = Bound::AtMost(most);
            report.count(&Row { goal: 17, ours: &ours, against, library: L::NAME, bound }, value);
        }
    }
}

/// The same of the peer, to compare: by how much its process grows.
fn their_memory(report: &mut Report, python: &Path) {
    for (request, does) in [
        ("memory put", "`put_object`"),
        ("memory get", "`get_object`"),
        ("memory get-delayed", "`get_object`, delayed authentication, by 64 KiB"),
    ] {
        // A process of its own each time: it has kept nothing from what came before.
        let growth = start(python, V3.0, LONG).ask(request) / LONG as f64;
        let ours = format!("S3EC V3, Python's {does}: growth in objects of 32 MiB, to compare");
        let bound = Bound::Nothing;
        let row = Row { goal: 17, ours: &ours, against: PYTHON, library: "OpenSSL", bound };
        report.count(&row, growth);
    }
}
