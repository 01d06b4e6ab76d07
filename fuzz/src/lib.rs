//! The fuzz targets, as functions by their names: see [`object_cipher_testkit::fuzzing`]. Those
//! of crates that the testkit does not know are here.

mod companion;
mod keyring;
mod s3ec;
mod seeds;
mod text;

pub use seeds::seeds;

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{EkSource, LayeredCipher, ObjectCipher};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{
    TestKeys,
    fuzzing::{bodies, objects, plans, records},
};

/// A target, with what it does with its bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 19] = [
    ("envelope", records::envelope),
    ("envelope_text", records::envelope_text),
    ("info", records::info),
    ("part_table", records::part_table),
    ("receipt", records::receipt),
    ("keyless_receipts", records::keyless_receipts),
    ("encryption_context", records::encryption_context),
    ("keyring", keyring::keyring),
    ("range_plan", plans::range_plan),
    ("unprotected_body", bodies::unprotected_body),
    ("body_stream", |data| by_both(data, bodies::body_stream)),
    ("body_positions", |data| by_both(data, bodies::body_positions)),
    ("differential", |data| bodies::differential(RustCrypto, AwsLc, data)),
    ("object", |data| by_both(data, objects::single)),
    ("upload", |data| by_both(data, objects::multipart)),
    ("companion", companion::companion),
    ("s3ec_metadata", s3ec::metadata),
    ("s3ec_open", s3ec::open),
    ("s3ec_range", s3ec::range),
];

/// Runs the target of that name.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(target, _)| *target == name);
    let (_, target) = target.unwrap_or_else(|| panic!("there is no target {name}"));
    target(data);
}

/// A cipher of one layer, or of two, as the first byte says.
fn by_both(data: &[u8], target: fn(&dyn ObjectCipher, &[u8])) {
    let Some((choice, data)) = data.split_first() else { return };
    let keys = |source| TestKeys::new(source, [0xA5; 32]);
    if choice % 2 == 0 {
        target(&LayeredCipher::sse_c(keys(EkSource::Customer), AwsLc), data);
    } else {
        target(&LayeredCipher::dsse_kms(keys(EkSource::Kms), RustCrypto, AwsLc), data);
    }
}
