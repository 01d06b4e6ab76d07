//! The part of the command line that is about the keys of all objects in a store.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, Subcommand, value_parser};
use object_cipher_object_store::rekey::Shard;
use object_store::path::Path;

use super::{KeyringArgs, KmsOfFiles, ModeName};
use crate::store_url::StoreUrl;

const RUN: &str = "\
STORE is the URL of what EncryptedStore keeps its objects in: file:///path, or s3://bucket and \
s3://bucket/prefix (where this program was built with its feature `s3`; the usual AWS_ variables say \
region, endpoint and credentials).

A dry run opens objects of those under the same keys until one opens, so that a missing key or another bucket's name \
shows; what the new key would refuse it does not find.

Run it again at any time: what is as wanted is left alone. With --journal it goes on where it ended, and \
makes no request for what it did.

To share the work give each of N processes a --shard I/N (I from 0), a --journal and a --report of its \
own, and merge the reports. A path is in the shard whose number is the first 8 bytes of its SHA-256, \
big-endian, modulo N.";

#[derive(Debug, Subcommand)]
pub(crate) enum RekeyCommand {
    /// Puts all objects of a store under a key or mode, or moves them, by their records alone
    #[command(after_help = RUN)]
    Run(Box<RekeyArgs>),
    /// Counts what objects are under: what a key's deletion would make unreadable. Needs no key
    Census(CensusArgs),
    /// Makes one report of the reports of shards
    Merge(MergeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RekeyArgs {
    #[command(flatten)]
    pub(crate) walk: WalkArgs,

    /// The bucket's name that objects are bound to [default: that of an s3:// URL]
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<String>,

    /// The realm that objects are bound to
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(crate) realm: String,

    /// How each object's key is to be kept
    #[arg(long, value_enum)]
    pub(crate) mode: ModeName,

    /// The key of the KMS: its id, its ARN or an alias; for sse-kms and dsse-kms
    #[arg(long, value_name = "KEY")]
    pub(crate) kms_key: Option<String>,

    /// Move what is under --prefix to this one
    #[arg(long, value_name = "PREFIX", value_parser = store_path)]
    pub(crate) move_to: Option<Path>,

    /// Note here what is done, and go on from it; a file for this process alone
    #[arg(long, value_name = "PATH")]
    pub(crate) journal: Option<PathBuf>,

    /// Nobody else writes to these objects meanwhile: files have no other protection against it. Other
    /// shards of one run do not count
    #[arg(long)]
    pub(crate) single_writer: bool,

    /// How often an object is tried that others write meanwhile
    #[arg(long, value_name = "N", default_value = "5", value_parser = value_parser!(u32).range(1..))]
    pub(crate) attempts: u32,

    /// Say what would be done, and write nothing but the report
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) report: ReportArgs,

    #[command(flatten)]
    pub(crate) kms: KmsOfFiles,

    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CensusArgs {
    #[command(flatten)]
    pub(crate) walk: WalkArgs,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Reports that `--report` wrote
    #[arg(required = true, value_name = "REPORT")]
    pub(crate) reports: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

/// Which objects of which store, and how fast.
#[derive(Debug, Args)]
pub(crate) struct WalkArgs {
    /// The store's URL: `file:///path` or `s3://bucket/prefix`
    #[arg(value_name = "STORE")]
    pub(crate) store: StoreUrl,

    /// The prefix that the store keeps bodies under
    #[arg(long, value_name = "PREFIX", default_value = ".object-cipher", value_parser = store_path)]
    pub(crate) reserved_prefix: Path,

    /// Only objects under this prefix, within the store
    #[arg(long, value_name = "PREFIX", value_parser = store_path)]
    pub(crate) prefix: Option<Path>,

    /// Walk the paths in this file instead of a list of the store: CSV, plain or gzip, keys URL-encoded
    /// as S3 Inventory writes them, in the columns bucket,key; or, built with the feature `parquet`, Parquet.
    /// May be given more than once
    #[arg(long, value_name = "FILE", conflicts_with = "prefix")]
    pub(crate) manifest: Vec<PathBuf>,

    /// The manifest.json of an S3 Inventory: it names the columns and, without --manifest, the files,
    /// which are looked for beside it, in `data` and in `../data`
    #[arg(long, value_name = "FILE", conflicts_with = "prefix")]
    pub(crate) manifest_json: Option<PathBuf>,

    /// One of N parts of all paths, from 0
    #[arg(long, value_name = "I/N", default_value_t = Shard::ALL, hide_default_value = true)]
    pub(crate) shard: Shard,

    /// Objects that are under way at once
    #[arg(long, value_name = "N", default_value = "16", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) concurrency: u16,

    /// At most so many objects a second
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<NonZeroU32>,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Write the report here, as JSON. An older report is replaced, or an empty file, and
    /// nothing else
    #[arg(long, value_name = "PATH")]
    pub(crate) report: Option<PathBuf>,

    /// Say the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn store_path(text: &str) -> Result<Path, object_store::path::Error> {
    Path::parse(text)
}
