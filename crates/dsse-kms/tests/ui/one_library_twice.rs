use std::sync::Arc;

use object_cipher_aws_lc::AwsLc;
use object_cipher_dsse_kms::DsseKms;
use object_cipher_kms::{KeyName, Kms};

fn cipher(kms: Arc<dyn Kms>, key: KeyName) -> DsseKms<AwsLc, AwsLc> {
    DsseKms::new(kms, key, AwsLc, AwsLc)
}

fn main() {}
