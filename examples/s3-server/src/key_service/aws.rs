//! AWS KMS.

use object_cipher_kms_aws::{AwsKms, aws_sdk_kms::config::Credentials};

use super::{Result, needed, secret};
use crate::args::KmsArgs;

pub(super) fn kms(args: &KmsArgs) -> Result<AwsKms> {
    let file = needed(args.kms_credentials_file.as_ref(), "--kms-credentials-file")?;
    let text = secret(file)?;
    let mut parts = text.splitn(3, ':');
    let (Some(id), Some(key)) = (parts.next(), parts.next()) else {
        return Err(format!("{} does not hold ID:SECRET", file.display()).into());
    };
    let token = parts.next().map(str::to_owned);
    let credentials = Credentials::new(id, key, token, None, "file");
    Ok(match &args.kms_endpoint {
        Some(endpoint) => AwsKms::at_endpoint(endpoint, &args.kms_region, credentials)?,
        None => AwsKms::of_region(&args.kms_region, credentials)?,
    })
}
