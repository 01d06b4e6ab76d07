//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use object_cipher_core::{KeyringId, ReadRange};

use crate::record::MAX_NAME_LEN;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the system failed: a file, the disk, the cryptographic library
  2  the command cannot be carried out as given, such as an output that exists already
  3  refused: what is stored is not what was sealed (altered, cut short, mixed up, another name)
  4  the key is missing, or its use was refused

FILE or OUTPUT may be `-` for standard input or output where a command says so.";

/// Seals files the way S3 encrypts objects (SSE-S3), and opens them again.
///
/// A sealed file is a pair: `notes.sealed`, the body, and `notes.sealed.envelope`, what is needed
/// beside the key to open it. Keep the two together; the keyring file holds the master keys.
#[derive(Debug, Parser)]
#[command(name = "object-cipher", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// The cryptographic library; both give the same bytes
    #[arg(long, global = true, value_enum, default_value_t = BackendName::AwsLc)]
    pub(crate) backend: BackendName,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows on a real file how sealing, reading and refusing work; leaves nothing behind
    Demo,
    /// Creates and changes the file of master keys
    #[command(subcommand)]
    Keyring(KeyringCommand),
    /// Seals a file: writes FILE.sealed and, last, FILE.sealed.envelope
    Seal(SealArgs),
    /// Opens a sealed file: writes its content once all of it is verified
    Open(OpenArgs),
    /// Writes the content of a sealed file, or a range of it, to standard output
    Cat(CatArgs),
    /// Tells what the Envelope of a sealed file says; needs no key
    Inspect(InspectArgs),
    /// Reads and verifies all of a sealed file; writes nothing
    Verify(VerifyArgs),
    /// Wraps the key of a sealed file anew, for a new master key or name; never reads the body
    Rewrap(RewrapArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyringCommand {
    /// Creates a keyring with one master key
    Init(InitArgs),
    /// Adds a master key that opens only, until `rotate`
    Add(KeyringArgs),
    /// Seals with the key that `add` made, or else a new one, from now on
    Rotate(RotateArgs),
    /// Lists the master keys and their states
    List(ListArgs),
    /// Makes a master key one that only opens, or destroys it
    Retire(RetireArgs),
}

/// Where the keyring is and what unlocks it.
#[derive(Debug, Args)]
pub(crate) struct KeyringArgs {
    /// The keyring file
    #[arg(long, value_name = "PATH", env = "OBJECT_CIPHER_KEYRING")]
    pub(crate) keyring: PathBuf,

    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
}

/// What unlocks the keyring; a passphrase is asked for when none is given.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct UnlockArgs {
    /// Unlock by the key in this file: 32 bytes, raw or base64, readable by its owner only
    #[arg(long, value_name = "PATH")]
    pub(crate) key_file: Option<PathBuf>,

    /// Unlock by the key in this environment variable: 32 bytes in base64
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) key_env: Option<String>,

    /// Unlock by the key in this systemd credential
    #[arg(long, value_name = "NAME")]
    pub(crate) credential: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    /// The keyring's name, which every Envelope carries
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = keyring_id)]
    pub(crate) id: KeyringId,

    /// Create this key file first, with a random key, and unlock by it
    #[arg(long, value_name = "PATH", conflicts_with_all = ["key_file", "key_env", "credential"])]
    pub(crate) new_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    /// The version to seal with, added before by `add`
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RetireArgs {
    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,

    /// The master key's version
    pub(crate) version: u32,

    /// Destroy its bytes: what it wrapped can never be opened again. Asks first
    #[arg(long)]
    pub(crate) destroy: bool,

    /// Do not ask
    #[arg(long, requires = "destroy")]
    pub(crate) yes: bool,
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

    /// Replace a sealed file of that name; it stays whole until the new one is complete
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,

    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    pub(crate) sealed: SealedArgs,

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
    #[command(flatten)]
    pub(crate) sealed: SealedArgs,

    /// The bytes to write, as in HTTP: `0-99` the first hundred, `100-` from there on, `-100` the
    /// last hundred [default: all]
    #[arg(long, value_name = "A-B", value_parser = byte_range, allow_hyphen_values = true)]
    pub(crate) range: Option<ReadRange>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The sealed body; its Envelope is beside it
    pub(crate) file: PathBuf,

    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) sealed: SealedArgs,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RewrapArgs {
    #[command(flatten)]
    pub(crate) sealed: SealedArgs,

    /// Bind this name from now on; empty for none [default: the name that is bound]
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub(crate) new_name: Option<String>,
}

/// A sealed file and the key to it.
#[derive(Debug, Args)]
pub(crate) struct SealedArgs {
    /// The sealed body; its Envelope is beside it
    pub(crate) file: PathBuf,

    /// Insist on this name [default: whichever name the pair says, which the seal confirms]
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub(crate) name: Option<String>,

    #[command(flatten)]
    pub(crate) keyring: KeyringArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ThreadArgs {
    /// How many threads encrypt or decrypt
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
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

fn keyring_id(text: &str) -> Result<KeyringId, &'static str> {
    KeyringId::parse(text)
        .ok_or("a keyring's name has 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit")
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
