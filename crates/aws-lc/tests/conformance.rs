//! `AwsLc` keeps every promise of a backend.

use object_cipher_aws_lc::AwsLc;

object_cipher_testkit::backend_tests!(AwsLc);
#[cfg(feature = "sys")]
object_cipher_testkit::message_backend_tests!(AwsLc);
