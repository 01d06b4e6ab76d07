//! The part of the command line that is about the KMS: [`KmsArgs`].

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which KMS has the keys of SSE-KMS, and how it is reached.
#[derive(Debug, Args)]
pub struct KmsArgs {
    /// Which KMS has the keys of SSE-KMS; aws, vault and pkcs11 where the server was built with the
    /// features kms-aws, kms-vault and kms-pkcs11
    #[arg(long, value_enum, default_value_t = KmsKind::Local)]
    pub kms: KmsKind,
    /// The key for who names none [default: alias/aws/s3, or the first --kms-key]
    #[arg(long, value_name = "KEY")]
    pub kms_default_key: Option<String>,
    /// A key: one that the local KMS is to have, by its UUID, or one of the token, by its label; may be
    /// given more than once
    #[arg(long = "kms-key", value_name = "UUID|LABEL")]
    pub kms_keys: Vec<String>,
    /// The region in the ARNs of the KMS's keys
    #[arg(long, default_value = "us-east-1", value_name = "REGION")]
    pub kms_region: String,
    /// The account in the ARNs of the local KMS's keys
    #[arg(long, default_value = "000000000000", value_name = "ACCOUNT")]
    pub kms_account: String,
    /// The folder of the local KMS, made at the first start [default: DATA.kms]
    #[arg(long, value_name = "FOLDER")]
    pub kms_folder: Option<PathBuf>,
    /// Write who used which key to this file, whose lines show if one is changed
    #[arg(long, value_name = "FILE")]
    pub audit: Option<PathBuf>,

    /// Where AWS KMS is reached, other than by its region
    #[cfg(feature = "kms-aws")]
    #[arg(long, value_name = "URL", help_heading = "AWS KMS")]
    pub kms_endpoint: Option<String>,
    /// A file with ID:SECRET, or ID:SECRET:TOKEN, for AWS KMS
    #[cfg(feature = "kms-aws")]
    #[arg(long, value_name = "FILE", help_heading = "AWS KMS")]
    pub kms_credentials_file: Option<PathBuf>,

    /// Where Vault or OpenBao is reached
    #[cfg(feature = "kms-vault")]
    #[arg(long, value_name = "URL", help_heading = "Vault and OpenBao")]
    pub kms_address: Option<String>,
    /// Where the Transit engine is mounted
    #[cfg(feature = "kms-vault")]
    #[arg(
        long,
        default_value = "transit",
        value_name = "PATH",
        help_heading = "Vault and OpenBao"
    )]
    pub kms_mount: String,
    /// A namespace
    #[cfg(feature = "kms-vault")]
    #[arg(long, value_name = "PATH", help_heading = "Vault and OpenBao")]
    pub kms_namespace: Option<String>,
    /// Certificates to trust, PEM
    #[cfg(feature = "kms-vault")]
    #[arg(long, value_name = "FILE", help_heading = "Vault and OpenBao")]
    pub kms_roots: Option<PathBuf>,
    /// A file with a token, read again when it changes
    #[cfg(feature = "kms-vault")]
    #[arg(long, value_name = "FILE", help_heading = "Vault and OpenBao")]
    pub kms_token_file: Option<PathBuf>,
    /// The id of an `AppRole`, whose secret is in --kms-secret-id-file
    #[cfg(feature = "kms-vault")]
    #[arg(
        long,
        value_name = "ID",
        requires = "kms_secret_id_file",
        conflicts_with = "kms_token_file",
        help_heading = "Vault and OpenBao"
    )]
    pub kms_role_id: Option<String>,
    /// A file with the secret of an `AppRole`
    #[cfg(feature = "kms-vault")]
    #[arg(long, value_name = "FILE", help_heading = "Vault and OpenBao")]
    pub kms_secret_id_file: Option<PathBuf>,

    /// The library of the token
    #[cfg(feature = "kms-pkcs11")]
    #[arg(long, value_name = "FILE", help_heading = "PKCS#11")]
    pub kms_module: Option<PathBuf>,
    /// The token's label and serial number
    #[cfg(feature = "kms-pkcs11")]
    #[arg(long, value_name = "LABEL:SERIAL", help_heading = "PKCS#11")]
    pub kms_token: Option<String>,
    /// A file with the token's PIN
    #[cfg(feature = "kms-pkcs11")]
    #[arg(long, value_name = "FILE", help_heading = "PKCS#11")]
    pub kms_pin_file: Option<PathBuf>,
}

/// A kind of KMS. Those that are not built in are features of this package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KmsKind {
    /// None: SSE-KMS is not to be had
    None,
    /// Keys in a folder of this machine
    Local,
    /// AWS KMS
    #[cfg(feature = "kms-aws")]
    Aws,
    /// The Transit engine of Vault or OpenBao
    #[cfg(feature = "kms-vault")]
    Vault,
    /// A token, such as an HSM, by its PKCS#11 library
    #[cfg(feature = "kms-pkcs11")]
    Pkcs11,
}
