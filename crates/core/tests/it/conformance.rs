//! Every attack of the testkit, on every mode over every backend.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    EkSource::{BucketKey, Client, Customer, Kms, Master},
    Mode,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{TestKeys, key_source_tests, object_cipher_tests};

use crate::modes::{cipher, dsse_kms};

object_cipher_tests! {
    sse_s3_by_rustcrypto: cipher(Mode::SseS3, Master, RustCrypto),
    sse_s3_by_aws_lc: cipher(Mode::SseS3, Master, AwsLc),
    sse_kms_by_rustcrypto: cipher(Mode::SseKms, Kms, RustCrypto),
    sse_kms_by_aws_lc: cipher(Mode::SseKms, Kms, AwsLc),
    bucket_key_by_rustcrypto: cipher(Mode::SseKms, BucketKey, RustCrypto),
    bucket_key_by_aws_lc: cipher(Mode::SseKms, BucketKey, AwsLc),
    dsse_kms_rustcrypto_inside: dsse_kms(RustCrypto, AwsLc),
    dsse_kms_aws_lc_inside: dsse_kms(AwsLc, RustCrypto),
    sse_c_by_rustcrypto: cipher(Mode::SseC, Customer, RustCrypto),
    sse_c_by_aws_lc: cipher(Mode::SseC, Customer, AwsLc),
    client_by_rustcrypto: cipher(Mode::Client, Client, RustCrypto),
    client_by_aws_lc: cipher(Mode::Client, Client, AwsLc),
    client_with_kms_by_rustcrypto: cipher(Mode::Client, Kms, RustCrypto),
    client_with_kms_by_aws_lc: cipher(Mode::Client, Kms, AwsLc),
}

key_source_tests! {
    master_keys: TestKeys::new(Master, [0xA5; 32]),
    kms_keys: TestKeys::new(Kms, [0xA5; 32]),
    bucket_keys: TestKeys::new(BucketKey, [0xA5; 32]),
    customer_keys: TestKeys::new(Customer, [0xA5; 32]),
    client_keys: TestKeys::new(Client, [0xA5; 32]),
}
