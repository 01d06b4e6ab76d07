//! The command line: [`Args`].

mod kms;

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use clap::{
    Parser,
    builder::{PossibleValuesParser, TypedValueParser},
};
use object_cipher_s3::Profile;

pub use kms::{KmsArgs, KmsKind};

/// An S3 endpoint that keeps everything sealed.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, default_value = "127.0.0.1:9000")]
    pub listen: SocketAddr,
    /// The folder that keeps the data
    #[arg(long)]
    pub data: PathBuf,
    /// A client's credentials; may be given more than once
    #[arg(long = "access-key", value_name = "ID:SECRET", required = true)]
    pub access_keys: Vec<AccessKey>,
    /// Whose behaviour to show where implementations of S3 disagree
    #[arg(long, default_value = "aws", value_parser = profile())]
    pub profile: Profile,
    /// The certificate, PEM
    #[arg(long, requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM
    #[arg(long, requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Take customers' keys and KMS modes over plain HTTP: only where nobody listens
    #[arg(long)]
    pub insecure_allow_http: bool,
    /// The sealed master keyring, made at the first start [default: DATA.keyring]
    #[arg(long)]
    pub keyring: Option<PathBuf>,
    /// The key file that unlocks the keyring, made at the first start [default: KEYRING.key]
    #[arg(long, conflicts_with = "keyring_passphrase_file")]
    pub keyring_key: Option<PathBuf>,
    /// A file that holds the passphrase that unlocks the keyring
    #[arg(long)]
    pub keyring_passphrase_file: Option<PathBuf>,
    /// Which KMS has the keys of SSE-KMS, and how it is reached.
    #[command(flatten)]
    pub kms: KmsArgs,
    /// Begin new buckets so that they take no customers' keys, as S3 does since April 2026
    #[arg(long)]
    pub block_sse_c_in_new_buckets: bool,
    /// Let `UpdateObjectEncryption` change objects between SSE-S3 and SSE-C too, which S3 does not
    #[arg(long)]
    pub extended_update_encryption: bool,
}

/// A client's id and secret.
#[derive(Clone)]
pub struct AccessKey {
    /// The id.
    pub id: String,
    /// The secret.
    pub secret: String,
}

impl FromStr for AccessKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((id, secret)) if !id.is_empty() && !secret.is_empty() => {
                Ok(Self { id: id.into(), secret: secret.into() })
            }
            _ => Err("an id, a colon, and a secret"),
        }
    }
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A profile by its name.
fn profile() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(["aws", "ceph"])
        .map(|name| if name == "ceph" { Profile::Ceph } else { Profile::Aws })
}
