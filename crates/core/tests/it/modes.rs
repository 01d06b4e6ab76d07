//! All modes over all backends, with test keys.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    CryptoBackend, EkSource, LayeredCipher, Mode, ObjectCipher, ObjectContext,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::TestKeys;

/// The object that most tests are about.
pub(crate) fn cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "dir/key").with_version_id("v1")
}

/// The same object while it is uploaded.
pub(crate) fn upload_cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "dir/key").with_upload_id("upload-1")
}

/// Modes with the kinds of keys that serve them.
const KINDS: [(Mode, EkSource); 6] = [
    (Mode::SseS3, EkSource::Master),
    (Mode::SseKms, EkSource::Kms),
    (Mode::SseKms, EkSource::BucketKey),
    (Mode::SseC, EkSource::Customer),
    (Mode::Client, EkSource::Client),
    (Mode::Client, EkSource::Kms),
];

/// Every mode over every backend.
pub(crate) fn all() -> Vec<Box<dyn ObjectCipher>> {
    let mut ciphers = one_layer(&RustCrypto);
    ciphers.extend(one_layer(&AwsLc));
    ciphers.extend(two_layers());
    ciphers
}

/// One cipher a suite and backend, for what takes long.
pub(crate) fn one_a_suite() -> Vec<Box<dyn ObjectCipher>> {
    let mut ciphers = vec![
        cipher(Mode::SseC, EkSource::Customer, RustCrypto),
        cipher(Mode::SseS3, EkSource::Master, AwsLc),
    ];
    ciphers.extend(two_layers());
    ciphers
}

pub(crate) fn cipher<B: CryptoBackend>(
    mode: Mode,
    source: EkSource,
    backend: B,
) -> Box<dyn ObjectCipher> {
    let keys = TestKeys::new(source, [0xA5; 32]);
    layered(mode, keys, backend)
}

/// The one-layer cipher of a mode.
pub(crate) fn layered<B: CryptoBackend>(
    mode: Mode,
    keys: TestKeys,
    backend: B,
) -> Box<dyn ObjectCipher> {
    Box::new(match mode {
        Mode::SseS3 => LayeredCipher::sse_s3(keys, backend),
        Mode::SseKms => LayeredCipher::sse_kms(keys, backend),
        Mode::SseC => LayeredCipher::sse_c(keys, backend),
        Mode::Client => LayeredCipher::client(keys, backend),
        _ => panic!("{mode} has two layers"),
    })
}

/// A plaintext of a length, without repetition in a chunk.
pub(crate) fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

fn one_layer<B: CryptoBackend>(backend: &B) -> Vec<Box<dyn ObjectCipher>> {
    KINDS.into_iter().map(|(mode, source)| cipher(mode, source, backend.clone())).collect()
}

fn two_layers() -> Vec<Box<dyn ObjectCipher>> {
    let keys = || TestKeys::new(EkSource::Kms, [0xA5; 32]);
    vec![
        Box::new(LayeredCipher::dsse_kms(keys(), RustCrypto, AwsLc)),
        Box::new(LayeredCipher::dsse_kms(keys(), AwsLc, RustCrypto)),
    ]
}
