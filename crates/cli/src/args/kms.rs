//! The part of the command line that is about the local KMS.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::KeyringArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum KmsCommand {
    /// Makes the folder of a KMS without keys
    Init(KmsArgs),
    /// Makes a key
    Create(CreateArgs),
    /// Lists the keys, with their states and aliases
    List(KmsListArgs),
    /// Adds a version of a key that waits, and opens, until `rotate` makes it wrap
    ///
    /// Where several machines copy the folder: add, copy, and then rotate.
    Add(KeyArgs),
    /// Makes the newest version that waits, or else a new one, wrap; older ones still open
    Rotate(KeyArgs),
    /// Lets a key be used again
    Enable(KeyArgs),
    /// Forbids a key's use
    ///
    /// A running server goes on with the data keys that it has: for five minutes, unless it sets
    /// another time.
    Disable(KeyArgs),
    /// Forbids a key's use, and has it destroyed after a waiting time
    ///
    /// What was sealed under it can never be opened again then.
    ScheduleDeletion(DeletionArgs),
    /// Takes a deletion back; the key is disabled then
    CancelDeletion(KeyArgs),
    /// Leads an alias to a key, wherever it led before
    Alias(AliasArgs),
    /// Seals the KMS under the keyring's enabled version, before an older one is destroyed
    Reseal(KmsArgs),
    /// Verifies an audit log: that no line was edited, removed, put in or cut off
    Audit(AuditArgs),
}

/// Where the KMS is, and the keyring that it is sealed under.
#[derive(Debug, Args)]
pub(crate) struct KmsArgs {
    /// The folder of the KMS
    #[arg(long, value_name = "PATH")]
    pub(crate) folder: PathBuf,

    /// The region in the ARNs of its keys
    #[arg(long, default_value = "us-east-1")]
    pub(crate) region: String,

    /// The account in the ARNs of its keys
    #[arg(long, default_value = "000000000000")]
    pub(crate) account: String,

    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,
}

/// Where the KMS is that files are sealed under. It is sealed under the keyring.
#[derive(Debug, Args)]
pub(crate) struct KmsOfFiles {
    /// The folder of the local KMS, for files under its keys
    #[arg(long = "kms", value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,

    /// The region in the ARNs of the KMS's keys
    #[arg(long = "kms-region", value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,

    /// The account in the ARNs of the KMS's keys
    #[arg(long = "kms-account", value_name = "ACCOUNT", default_value = "000000000000")]
    pub(crate) account: String,
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    pub(crate) kms: KmsArgs,

    /// The key's id [default: a random one]
    #[arg(long, value_name = "UUID")]
    pub(crate) id: Option<String>,

    /// An alias that leads to it, such as alias/photos; may be given more than once
    #[arg(long = "alias", value_name = "ALIAS")]
    pub(crate) aliases: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct KmsListArgs {
    #[command(flatten)]
    pub(crate) kms: KmsArgs,

    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    pub(crate) kms: KmsArgs,

    /// The key: its id, its ARN or an alias
    pub(crate) key: String,
}

#[derive(Debug, Args)]
pub(crate) struct DeletionArgs {
    #[command(flatten)]
    pub(crate) kms: KmsArgs,

    /// The key: its id, its ARN or an alias
    pub(crate) key: String,

    /// How many days until it is destroyed: 7 to 30
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) days: u32,
}

#[derive(Debug, Args)]
pub(crate) struct AliasArgs {
    #[command(flatten)]
    pub(crate) kms: KmsArgs,

    /// The alias, such as alias/photos
    pub(crate) alias: String,

    /// The key: its id, its ARN or another alias
    pub(crate) key: String,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The log; its head is beside it
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,
}
