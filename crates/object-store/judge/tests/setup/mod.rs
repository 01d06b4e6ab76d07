//! Ciphers, as a user sets them up.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::sync::Arc;

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{EkSource, LayeredCipher, ObjectCipher};
use object_cipher_dsse_kms::DsseKms;
use object_cipher_kms::KeyName;
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{FakeKms, TestKeys};

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

pub fn sse_s3() -> Arc<dyn ObjectCipher> {
    Arc::new(LayeredCipher::sse_s3(TestKeys::new(EkSource::Master, [7; 32]), AwsLc))
}

pub fn sse_kms() -> Arc<dyn ObjectCipher> {
    Arc::new(LayeredCipher::sse_kms(TestKeys::new(EkSource::Kms, [7; 32]), AwsLc))
}

pub fn dsse_kms() -> Arc<dyn ObjectCipher> {
    let kms = FakeKms::new().with_key(KEY);
    Arc::new(DsseKms::new(Arc::new(kms), KeyName::parse(KEY).unwrap(), RustCrypto, AwsLc))
}
