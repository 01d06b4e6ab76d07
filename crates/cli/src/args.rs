//! The command line, as clap reads it.

mod dsse;
mod keyring;
mod kms;
mod rekey;

use std::{path::PathBuf, process::ExitCode};

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PathBufValueParser, TypedValueParser},
    error::{ContextKind, ErrorKind},
    value_parser,
};
use object_cipher_core::ReadRange;

pub(crate) use self::dsse::{DsseCommand, DsseKeyArgs, LayerName, PeelArgs};
pub(crate) use self::keyring::{
    ExportArgs, InitArgs, KEY_FILE_VARIABLE, KEYRING_VARIABLE, KeyringArgs, KeyringCommand,
    ListArgs, ResealArgs, RetireArgs, RotateArgs, variable,
};
pub(crate) use self::kms::{
    AuditArgs, CreateArgs, KeyArgs, KmsArgs, KmsCommand, KmsListArgs, KmsOfFiles,
};
pub(crate) use self::rekey::{
    CensusArgs, MergeArgs, RekeyArgs, RekeyCommand, ReportArgs, WalkArgs,
};
use crate::{console::note, files::is_dash, record::MAX_NAME_LEN};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the system failed: a file, the disk, the cryptographic library
  2  the command cannot be carried out as given, such as an output that exists already
  3  refused: what is stored is not what was sealed (altered, cut short, mixed up, another name)
  4  the key is missing, or its use was refused
With several files it is the gravest: 3, then 4, then 1, then 2.

Environment:
  OBJECT_CIPHER_KEYRING   the keyring file, where --keyring does not name it
  OBJECT_CIPHER_KEY_FILE  the key file, where no option says what unlocks the keyring
If nothing says what unlocks, the passphrase is asked for on the terminal.

FILE or OUTPUT may be `-` for standard input or output where a command says so.";

const SEALING: &str = "\
Sealing counts its wraps in the keyring file, which is replaced for it: the folder of the keyring
must be writable by this user. Opening reads only.";

/// Seals files the way S3 encrypts objects (SSE-S3, SSE-KMS, DSSE-KMS), and opens them again.
///
/// A sealed file is a pair: `notes.sealed`, the body, and `notes.sealed.envelope`, what is needed
/// beside the key to open it. Keep the two together; the keyring file holds the master keys.
#[derive(Debug, Parser)]
#[command(name = "object-cipher", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct GlobalArgs {
    /// The cryptographic library; both give the same bytes. Two layers are by both: RustCrypto inside,
    /// AWS-LC outside
    #[arg(long, global = true, value_enum, default_value_t = BackendName::AwsLc)]
    pub(crate) backend: BackendName,

    /// Say nothing of success, and show no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows on a real file how sealing, reading and refusing work; leaves nothing behind
    Demo,
    /// Creates and changes the file of master keys
    #[command(subcommand)]
    Keyring(KeyringCommand),
    /// Makes and changes the keys of a local KMS, and verifies its audit log
    #[command(subcommand)]
    Kms(KmsCommand),
    /// Takes a file of two layers apart, for auditors
    #[command(subcommand)]
    Dsse(DsseCommand),
    /// Seals a file: writes FILE.sealed and, last, FILE.sealed.envelope
    #[command(after_help = SEALING)]
    Seal(SealArgs),
    /// Opens a sealed file: writes its content once all of it is verified
    Open(OpenArgs),
    /// Writes the content of a sealed file, or a range of it, to standard output
    Cat(CatArgs),
    /// Tells what the Envelope of a sealed file says; needs no key
    Inspect(InspectArgs),
    /// Reads and verifies all of each sealed file; writes nothing
    Verify(VerifyArgs),
    /// Wraps the key of each sealed file anew, for a new master key or name; never reads the body
    #[command(after_help = SEALING)]
    Rewrap(RewrapArgs),
    /// Puts all objects of a store (`EncryptedStore`) under another key; never reads a body
    #[command(subcommand)]
    Rekey(RekeyCommand),
}

#[derive(Debug, Args)]
pub(crate) struct SealArgs {
    /// The file to seal, or `-`
    pub(crate) file: PathBuf,

    /// The sealed body [default: FILE.sealed]
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,

    /// A name to bind: whoever opens can insist on it. Without one the pair may be renamed freely
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true,
          value_parser = object_name)]
    pub(crate) name: String,

    /// How its key is kept
    #[arg(long, value_enum, default_value_t = ModeName::SseS3)]
    pub(crate) mode: ModeName,

    /// The key of the KMS: its id, its ARN or an alias; for sse-kms and dsse-kms [default: alias/aws/s3]
    #[arg(long, value_name = "KEY")]
    pub(crate) kms_key: Option<String>,

    /// Replace a sealed file of that name; it stays whole until the new one is complete
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,

    #[command(flatten)]
    pub(crate) kms: KmsOfFiles,

    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// The sealed body; its Envelope is beside it
    #[arg(value_parser = sealed_path())]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) access: AccessArgs,

    /// The file to write, or `-` [default: FILE without `.sealed`]
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,

    /// Replace a file of that name; it stays whole until the new one is complete
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CatArgs {
    /// The sealed body; its Envelope is beside it
    #[arg(value_parser = sealed_path())]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) access: AccessArgs,

    /// The bytes to write, as in HTTP: `0-99` the first hundred, `100-` from there on, `-100` the
    /// last hundred [default: all]
    #[arg(long, value_name = "A-B", value_parser = byte_range, allow_hyphen_values = true)]
    pub(crate) range: Option<ReadRange>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The sealed body; its Envelope is beside it
    #[arg(value_parser = sealed_path())]
    pub(crate) file: PathBuf,

    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The sealed bodies; their Envelopes are beside them. One that fails does not keep the others
    /// from their turn
    #[arg(required = true, value_name = "FILE", value_parser = sealed_path())]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) access: AccessArgs,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RewrapArgs {
    /// The sealed bodies; their Envelopes are beside them. One that fails does not keep the others
    /// from their turn
    #[arg(required = true, value_name = "FILE", value_parser = sealed_path())]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) access: AccessArgs,

    /// Bind this name from now on; empty for none [default: the name that is bound]
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub(crate) new_name: Option<String>,
}

/// What opens a sealed file.
#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    /// Insist on this name [default: whichever name the pair says, which the seal confirms]
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub(crate) name: Option<String>,

    #[command(flatten)]
    pub(crate) kms: KmsOfFiles,

    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ThreadArgs {
    /// How many threads encrypt or decrypt
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
}

/// How a file's key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeName {
    /// Under a master key of the keyring
    #[value(name = "sse-s3")]
    SseS3,
    /// Under a key of the local KMS
    #[value(name = "sse-kms")]
    SseKms,
    /// In two layers by two libraries, each with a data key of its own under a key of the local KMS
    #[value(name = "dsse-kms")]
    DsseKms,
}

/// The library that does the cryptography. One is named always, and none stands in for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendName {
    /// AWS-LC, the fastest
    AwsLc,
    /// The RustCrypto crates, all Rust
    #[value(name = "rustcrypto")]
    RustCrypto,
}

/// Says what is wrong with a command line, or helps as it was asked to.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    let missing = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    if missing.is_some_and(|missing| missing.contains("<FILE>"))
        && error.kind() == ErrorKind::MissingRequiredArgument
    {
        note(format_args!(
            "help: an option takes the word behind it, and FILE is a word of its own, as in \
             `object-cipher verify notes.sealed --keyring keyring`"
        ));
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The path of a body, which cannot come from a pipe without its record.
fn sealed_path() -> impl TypedValueParser<Value = PathBuf> {
    not_a_dash(
        "a sealed file is a pair of files and does not come from standard input: give the path of \
         the body (a file `-` is `./-`)",
    )
}

fn not_a_dash(refusal: &'static str) -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new()
        .try_map(move |path| if is_dash(&path) { Err(refusal) } else { Ok(path) })
}

fn object_name(text: &str) -> Result<String, String> {
    if text.len() > MAX_NAME_LEN {
        return Err(format!("a name has at most {MAX_NAME_LEN} bytes"));
    }
    Ok(text.into())
}

/// A byte range as in HTTP's `Range: bytes=`, without the `bytes=`.
fn byte_range(text: &str) -> Result<ReadRange, &'static str> {
    const FORM: &str = "a range is `A-B`, `A-` or `-N`, in bytes";
    let number = |digits: &str| digits.parse::<u64>().map_err(|_| FORM);
    match text.split_once('-').ok_or(FORM)? {
        ("", count) => Ok(ReadRange::Last(number(count)?)),
        (first, "") => Ok(ReadRange::From(number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            let end = last.checked_add(1).filter(|end| *end > first);
            Ok(ReadRange::Bytes(first..end.ok_or("the range ends before it starts")?))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use object_cipher_core::ReadRange;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn ranges_are_those_of_http() {
        assert_eq!(super::byte_range("0-99"), Ok(ReadRange::Bytes(0..100)));
        assert_eq!(super::byte_range("7-7"), Ok(ReadRange::Bytes(7..8)));
        assert_eq!(super::byte_range("100-"), Ok(ReadRange::From(100)));
        assert_eq!(super::byte_range("-100"), Ok(ReadRange::Last(100)));
        for wrong in ["", "-", "5", "9-8", "a-b", "1-2-3", "0-18446744073709551615", "0x1-2"] {
            assert!(super::byte_range(wrong).is_err(), "{wrong}");
        }
    }
}
