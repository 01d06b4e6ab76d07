//! The library that seals in one layer, [`Library`]; with `--cfg no_encryption`, for benches, none.

#[cfg(not(no_encryption))]
pub(crate) use object_cipher_aws_lc::AwsLc as Library;
#[cfg(no_encryption)]
pub(crate) use object_cipher_testkit::Unencrypted as Library;
