//! Goal 13: sealing and a checksum of the plaintext in one sweep, out of the caches.

use std::hint::black_box;

use object_cipher_core::ChecksumAlgorithm::{self, Crc32C, Crc64Nvme, Md5, Sha256};
use object_cipher_io::{InspectReader, seal_all};
use object_cipher_s3::Digester;

use crate::{
    measure::{Clock, Prepared},
    raw::{Library, RawAwsLc},
    report::{Amount, Bound, Report, Row},
    subject::{Sink, Subject},
};

const LENGTH: usize = 64 << 20;

const ALONE: &str = "sealing alone";
const MD5: &str = "MD5 alone";
const TWO_SWEEPS: &str = "both, one after the other";

/// A row: its names, what is asked for, the checksum, what it is measured against.
type Sum<'a> = (&'static str, &'static str, Bound, ChecksumAlgorithm, &'a dyn Fn());

pub(crate) fn run(report: &mut Report) {
    if !report.wants(13) {
        return;
    }
    let content = vec![7; LENGTH];
    let subject = Subject::new(RawAwsLc::backend());
    let seal = || {
        let stream = subject.sealer().into_stream();
        black_box(seal_all(stream, &mut &content[..], &mut Sink).unwrap());
    };
    let sum = |algorithm| {
        let mut digester = Digester::new([algorithm]).unwrap();
        digester.update(&content);
        black_box(digester.finish());
    };
    let both = |algorithm| {
        let mut digester = Digester::new([algorithm]).unwrap();
        let mut source = InspectReader::new(&content[..], |bytes: &[u8]| digester.update(bytes));
        let stream = subject.sealer().into_stream();
        black_box(seal_all(stream, &mut source, &mut Sink).unwrap());
        black_box(digester.finish());
    };
    let rows: [Sum<'_>; 5] = [
        ("seal with CRC64NVME, cold", ALONE, Bound::AtLeast(0.92), Crc64Nvme, &seal),
        ("seal with CRC32C, cold", ALONE, Bound::Nothing, Crc32C, &seal),
        ("seal with CRC64NVME, cold, to compare", TWO_SWEEPS, Bound::Nothing, Crc64Nvme, &|| {
            sum(Crc64Nvme);
            seal();
        }),
        ("seal with SHA-256, cold", TWO_SWEEPS, Bound::AtLeast(0.95), Sha256, &|| {
            sum(Sha256);
            seal();
        }),
        ("seal with MD5, cold", MD5, Bound::AtLeast(0.92), Md5, &|| sum(Md5)),
    ];
    for (ours, against, bound, algorithm, baseline) in rows {
        let row = Row { goal: 13, ours, against, library: RawAwsLc::NAME, bound };
        let mut ours = Prepared::new(|| (), |()| both(algorithm));
        let mut baseline = Prepared::new(|| (), |()| baseline());
        let amount = Amount::Bytes(LENGTH);
        report.speed(&row, Clock::Processor, amount, &mut ours, &mut baseline);
    }
}
