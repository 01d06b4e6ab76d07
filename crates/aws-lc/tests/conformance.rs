//! `AwsLc` keeps every promise of a backend.

use object_cipher_aws_lc::AwsLc;

object_cipher_testkit::backend_tests!(AwsLc);
