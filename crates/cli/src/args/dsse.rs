//! The part of the command line that is about files of two layers.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, builder::TypedValueParser};

use super::{AccessArgs, not_a_dash, object_name, sealed_path};

#[derive(Debug, Subcommand)]
pub(crate) enum DsseCommand {
    /// Has the KMS unwrap the key of one layer alone, and writes it to a file
    ///
    /// Whoever has the file opens that layer, and not the other: that it is this layer's key, of this
    /// file, is verified before it is written. A rewrapped file has other keys.
    Key(DsseKeyArgs),
    /// Takes off the outer layer, with its key alone: what is left is a body of one layer
    ///
    /// It is encrypted still: a message of C2SP chunked-encryption under the inner data key, which the
    /// key of the inner layer unwraps from the Envelope. `vectors/judge_dsse.py` opens it so. Only the
    /// outer layer is verified.
    Peel(PeelArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DsseKeyArgs {
    /// The sealed body; its Envelope is beside it
    #[arg(value_parser = sealed_path())]
    pub(crate) file: PathBuf,

    /// Which layer's key
    #[arg(long, value_enum)]
    pub(crate) layer: LayerName,

    /// The file to write the key to, in base64, readable by its owner only. It must not be there
    #[arg(long, short, value_name = "PATH", value_parser = file_path())]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PeelArgs {
    /// The sealed body; its Envelope is beside it
    #[arg(value_parser = sealed_path())]
    pub(crate) file: PathBuf,

    /// The key of the outer layer, as `dsse key --layer outer` wrote it
    #[arg(long, value_name = "PATH")]
    pub(crate) key: PathBuf,

    /// The file to write the body of one layer to. It must not be there
    #[arg(long, short, value_name = "PATH", value_parser = file_path())]
    pub(crate) output: PathBuf,

    /// A file for the info block without its outer layer: the message of lengths and attributes that is
    /// in the Envelope (SPEC.md, section 10). It must not be there
    #[arg(long, value_name = "PATH", value_parser = file_path())]
    pub(crate) info: Option<PathBuf>,

    /// Insist on this name [default: whichever name the pair says, which the seal confirms]
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub(crate) name: Option<String>,
}

/// The path of a file to write.
fn file_path() -> impl TypedValueParser<Value = PathBuf> {
    not_a_dash("it is written to a file, not to standard output (a file `-` is `./-`)")
}

/// One of two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayerName {
    /// The one that encrypted the content
    Inner,
    /// The one around it
    Outer,
}
