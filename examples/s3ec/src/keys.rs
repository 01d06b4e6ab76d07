//! What wraps data keys, as the command line names it.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use object_cipher_client::s3ec::{AesKeyring, Description, Keyring, KmsKeyring, RsaKeyring};
use object_cipher_kms::KeyName;
use object_cipher_kms_aws::AwsKms;
use zeroize::Zeroizing;

use crate::{
    Result,
    connect::{credentials, endpoint_of, region},
};

/// `kms:KEY-ARN`, `aes:HEXFILE` or `rsa:PEMFILE`.
#[derive(Clone, Debug)]
pub(crate) enum Wrap {
    Kms(KeyName),
    Aes(PathBuf),
    Rsa(PathBuf),
}

impl FromStr for Wrap {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split_once(':') {
            Some(("kms", key)) => {
                KeyName::parse(key).map(Self::Kms).map_err(|error| error.to_string())
            }
            Some(("aes", file)) => Ok(Self::Aes(file.into())),
            Some(("rsa", file)) => Ok(Self::Rsa(file.into())),
            _ => Err("expected kms:KEY-ARN, aes:HEXFILE or rsa:PEMFILE".to_owned()),
        }
    }
}

/// The keyring. A private RSA key reads and writes, a public one only writes.
pub(crate) fn keyring(
    wrap: &Wrap,
    endpoint: Option<&str>,
    description: &Description,
) -> Result<Arc<dyn Keyring>> {
    let pairs = || description.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
    Ok(match wrap {
        Wrap::Kms(key) => {
            if !description.is_empty() {
                return Err("a KMS has an encryption context (--context), no --matdesc".into());
            }
            let kms = match endpoint_of(endpoint, "AWS_ENDPOINT_URL_KMS") {
                Some(endpoint) => AwsKms::at_endpoint(&endpoint, &region()?, credentials()?)?,
                None => AwsKms::of_region(&region()?, credentials()?)?,
            };
            Arc::new(KmsKeyring::new(Arc::new(kms), key.clone()))
        }
        Wrap::Aes(file) => {
            let text = Zeroizing::new(read(file)?);
            let key = hex::decode(text.trim()).map(Zeroizing::new);
            let key = key.map_err(|_| format!("{} is not hexadecimal", file.display()))?;
            Arc::new(AesKeyring::new(&key)?.with_description(pairs()))
        }
        Wrap::Rsa(file) => {
            let pem = Zeroizing::new(read(file)?);
            let keyring = RsaKeyring::from_private_pem(&pem);
            let keyring =
                keyring.or_else(|error| RsaKeyring::from_public_pem(&pem).map_err(|_| error))?;
            Arc::new(keyring.with_description(pairs()))
        }
    })
}

fn read(file: &Path) -> Result<String> {
    Ok(fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?)
}
