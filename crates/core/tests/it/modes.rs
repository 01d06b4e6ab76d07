//! All modes over all backends, with test keys.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{CryptoBackend, EkSource, KeySource, LayeredCipher, Mode, ObjectCipher};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::TestKeys;

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
    ciphers.extend([dsse_kms(RustCrypto, AwsLc), dsse_kms(AwsLc, RustCrypto)]);
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
    keys: impl KeySource + 'static,
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

fn one_layer<B: CryptoBackend>(backend: &B) -> Vec<Box<dyn ObjectCipher>> {
    KINDS.into_iter().map(|(mode, source)| cipher(mode, source, backend.clone())).collect()
}

pub(crate) fn dsse_kms<I: CryptoBackend, O: CryptoBackend>(
    inner: I,
    outer: O,
) -> Box<dyn ObjectCipher> {
    let keys = TestKeys::new(EkSource::Kms, [0xA5; 32]);
    Box::new(LayeredCipher::dsse_kms(keys, inner, outer))
}
