//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use object_cipher_client::s3ec::CommitmentPolicy;

use crate::keys::Wrap;

/// Puts and gets objects in the formats of the Amazon S3 Encryption Client.
///
/// Credentials and region come from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` and
/// `AWS_REGION` or `AWS_DEFAULT_REGION`. The KMS is asked at the same endpoint. Without one, the SDK's variables
/// tell where each is (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL`), and else the region.
#[derive(Parser)]
#[command(name = "s3ec", version)]
pub(crate) struct S3ecArgs {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Encrypts a file and stores it.
    Put(PutArgs),
    /// Reads an object and writes its content to a file, once all of it has verified.
    Get(GetArgs),
}

#[derive(Args)]
pub(crate) struct PutArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The file to store.
    #[arg(long = "in", value_name = "FILE")]
    pub(crate) input: PathBuf,
}

#[derive(Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The file to write.
    #[arg(long = "out", value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct Common {
    /// Where S3 and the KMS are, if not where the environment says.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// The bucket.
    #[arg(long, value_name = "B")]
    pub(crate) bucket: String,
    /// The object's key.
    #[arg(long, value_name = "K")]
    pub(crate) key: String,
    /// Which versions of the format are written and read: `FORBID_ENCRYPT_ALLOW_DECRYPT`,
    /// `REQUIRE_ENCRYPT_ALLOW_DECRYPT` or `REQUIRE_ENCRYPT_REQUIRE_DECRYPT`.
    #[arg(long)]
    pub(crate) policy: CommitmentPolicy,
    /// What wraps the data key: `kms:KEY-ARN`, `aes:HEXFILE` or `rsa:PEMFILE`.
    #[arg(long)]
    pub(crate) wrap: Wrap,
    /// Where the wrapped key of a new object is kept. Both are read.
    #[arg(long, value_enum, default_value = "metadata")]
    pub(crate) storage: Storage,
    /// The encryption context of a KMS: a JSON object of strings.
    #[arg(long, value_name = "JSON")]
    pub(crate) context: Option<String>,
    /// The material description of a raw key: a JSON object of strings.
    #[arg(long, value_name = "JSON")]
    pub(crate) matdesc: Option<String>,
    /// Also reads content that nothing authenticates, and legacy wraps.
    #[arg(long)]
    pub(crate) legacy: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Storage {
    /// In the object's metadata.
    Metadata,
    /// In an instruction file beside it.
    Instruction,
}
