//! SSE-C and its source of keys through the testkit's suites.

use object_cipher_aws_lc::AwsLc;
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::CustomerKey;
use object_cipher_sse_c::{CustomerKeys, SseC};
use object_cipher_testkit::{key_source_tests, object_cipher_tests};

fn key() -> CustomerKey {
    CustomerKey::from_bytes(&[0x5a; 32])
}

object_cipher_tests! {
    sse_c_by_rustcrypto: SseC::new(&key(), RustCrypto),
    sse_c_by_aws_lc: SseC::new(&key(), AwsLc),
}

key_source_tests! {
    customer_keys: CustomerKeys::new(&key()),
}
