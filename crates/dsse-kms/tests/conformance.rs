//! DSSE-KMS through the testkit's suite.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use object_cipher_aws_lc::AwsLc;
use object_cipher_dsse_kms::DsseKms;
use object_cipher_kms::{KeyName, Kms, LocalKms, Scope};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::object_cipher_tests;

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn key() -> KeyName {
    KeyName::parse(KEY).unwrap()
}

fn local() -> Arc<dyn Kms> {
    let text = format!("{KEY}:5hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=");
    Arc::new(LocalKms::from_text(&text, Scope::default(), AwsLc).unwrap())
}

object_cipher_tests! {
    rustcrypto_in_aws_lc: DsseKms::new(local(), key(), RustCrypto, AwsLc),
    aws_lc_in_rustcrypto: DsseKms::new(local(), key(), AwsLc, RustCrypto),
}
