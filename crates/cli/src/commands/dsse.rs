//! `dsse`: a file of two layers, taken apart.

use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read as _, Write as _},
    path::Path,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    CryptoBackend, EncryptionContext, Error as CoreError, Headers, KeyRef, LayerPosition, Layout,
    Mode, ObjectContext, Peeler, SourceKey, Step, Suite,
    cobblestone::{CHUNK_LEN, TAG_LEN},
    verify_layer_key,
};
use object_cipher_keyring::{Error as KeyringError, PrivateFile};
use object_cipher_kms::{KmsCall, Unwrap, WrappedKey};
use object_cipher_rustcrypto::RustCrypto;
use zeroize::Zeroizing;

use crate::{
    args::{BackendName, DsseCommand, DsseKeyArgs, GlobalArgs, LayerName, PeelArgs},
    ciphers::{Ciphers, Purpose},
    console::note,
    error::{Error, Result},
    files::{expect_other_file, is_there},
    output::{Folder, Output, folder_of},
    pair::Pair,
    record::Record,
    sealed::{Found, context, now},
    unlock,
};

/// A full chunk of two layers, and the same without the outer tag.
const SEALED_LEN: usize = CHUNK_LEN + 2 * TAG_LEN;
/// Bytes of a key in base64, with a line end.
const MAX_KEY_LEN: usize = 64;

pub(crate) fn run(command: &DsseCommand, global: GlobalArgs) -> Result<()> {
    match (command, global.backend) {
        (DsseCommand::Key(args), _) => key(args, global),
        (DsseCommand::Peel(args), BackendName::AwsLc) => peel(args, global, AwsLc),
        (DsseCommand::Peel(args), BackendName::RustCrypto) => peel(args, global, RustCrypto),
    }
}

/// Asks the KMS for one layer's key, and for no other.
fn key(args: &DsseKeyArgs, global: GlobalArgs) -> Result<()> {
    let Found { record, .. } = Found::look(&args.file)?;
    let (mut layers, number) =
        (record.envelope.layers(), usize::from(args.layer == LayerName::Outer));
    let two_layers = record.envelope.mode() == Mode::DsseKms;
    let layer = layers.nth(number).filter(|_| two_layers).ok_or(NOT_TWO_LAYERS)?;
    let KeyRef::Kms(id) = layer.key_ref() else { return Err(NOT_TWO_LAYERS) };
    let access = &args.access;
    expect_free(&args.output)?;
    let keys = unlock::key_files(&access.keyring)?.with_kms(access.kms.folder.as_deref());
    keys.expect_none_is(&args.output)?;
    let ciphers = Ciphers::unlock(&access.keyring, &access.kms, global.backend, Purpose::Opening)?;
    let wrapped = WrappedKey::stored(id, layer.blob())?;
    let (context, call) = (EncryptionContext::new(), KmsCall::new(Mode::DsseKms));
    let kms = ciphers.kms()?;
    let opened = now(async {
        let rq = Unwrap { wrapped: &wrapped, context: &context, call };
        Ok(kms.unwrap(rq).await?)
    });
    let opened = opened.map_err(Error::object(&args.file))?;
    // A blob may have been put in from the other layer, or from another file.
    let (name, position) = match args.layer {
        LayerName::Inner => ("inner", LayerPosition::Inner),
        LayerName::Outer => ("outer", LayerPosition::Outer),
    };
    let cx = identity(&record, access.name.as_deref());
    verify_layer_key(AwsLc, &cx, &record.envelope, position, &opened.key).map_err(|error| {
        match error {
            CoreError::Rejected { .. } => {
                Error::OtherLayerKey { path: args.file.clone(), layer: name }
            }
            error => Error::object(&args.file)(error),
        }
    })?;
    // At its full length from the start: a text that grew would leave the key behind.
    let mut text = Zeroizing::new(String::with_capacity(MAX_KEY_LEN));
    STANDARD.encode_string(opened.key.expose_bytes(), &mut text);
    text.push('\n');
    PrivateFile::new(&args.output).create(text.as_bytes())?;
    if !global.quiet {
        note(format_args!("wrote {}", args.output.display()));
    }
    Ok(())
}

fn peel<B: CryptoBackend>(args: &PeelArgs, global: GlobalArgs, library: B) -> Result<()> {
    let Found { pair, record, body } = Found::look(&args.file)?;
    for output in [Some(&args.output), args.info.as_ref()].into_iter().flatten() {
        expect_other_file(pair.body_path(), output)?;
        expect_other_file(pair.record_path(), output)?;
        expect_other_file(&args.key, output)?;
        expect_free(output)?;
    }
    if args.info.as_ref() == Some(&args.output) {
        return Err(Error::Usage("--output and --info are two files"));
    }
    if record.envelope.mode() != Mode::DsseKms {
        return Err(NOT_TWO_LAYERS);
    }
    let metadata = body.metadata().map_err(Error::io("read", pair.body_path()))?;
    let (key, cx) = (read_key(&args.key)?, identity(&record, args.name.as_deref()));
    let peeler =
        Peeler::new(library, &cx, &record.envelope, &key).map_err(|error| match error {
            CoreError::Rejected { step: Step::KeyWrap, .. } => {
                Error::WrongLayerKey { key: args.key.clone(), path: args.file.clone() }
            }
            error => Error::object(pair.body_path())(error),
        })?;
    let mut output = Output::new(&folder_of(&args.output))?;
    let written = peel_body(&peeler, body, pair.body_path(), &mut output, &args.output)?;
    let info = peeler.info().map_err(Error::object(pair.body_path()))?;
    output.copy_mode(&metadata);
    publish(output, &args.output)?;
    if let Some(path) = &args.info {
        let mut output = Output::new(&folder_of(path))?;
        output.write_all(&info).map_err(Error::write(path))?;
        output.copy_mode(&metadata);
        publish(output, path)?;
    }
    if !global.quiet {
        note(format_args!("wrote {}, {written} bytes of one layer", args.output.display()));
    }
    Ok(())
}

fn peel_body(
    peeler: &Peeler,
    body: File,
    path: &Path,
    output: &mut Output,
    target: &Path,
) -> Result<u64> {
    let (read, refused) = (Error::io("read", path), Error::object(path));
    let mut body = BufReader::with_capacity(SEALED_LEN, body);
    let mut buf = Vec::with_capacity(SEALED_LEN);
    let header_len = Layout::new(Suite::TwoLayers).header_len();
    (&mut body).take(header_len as u64).read_to_end(&mut buf).map_err(read)?;
    let headers = Headers::parse(Suite::TwoLayers, &buf);
    let body_peeler = headers.and_then(|headers| peeler.body(&headers, 0)).map_err(refused)?;
    let headers = body_peeler.headers().as_bytes();
    output.write_all(headers).map_err(Error::write(target))?;
    let mut written = headers.len() as u64;
    for index in 0.. {
        buf.clear();
        (&mut body)
            .take(SEALED_LEN as u64)
            .read_to_end(&mut buf)
            .map_err(Error::io("read", path))?;
        let last = buf.len() < SEALED_LEN;
        if buf.len() < 2 * TAG_LEN {
            return Err(Error::object(path)(CoreError::Truncated { object: peeler.object_id() }));
        }
        body_peeler.peel(index, last, &mut buf).map_err(Error::object(path))?;
        let peeled = &buf[..buf.len() - TAG_LEN];
        output.write_all(peeled).map_err(Error::write(target))?;
        written += peeled.len() as u64;
        if last {
            break;
        }
    }
    Ok(written)
}

fn publish(output: Output, path: &Path) -> Result<()> {
    let folder = Folder::open_locked(&folder_of(path))?;
    output.publish(path)?;
    folder.sync()
}

/// Refuses to write where something is, before anything is asked or read.
fn expect_free(output: &Path) -> Result<()> {
    Pair::expect_no_part(output)?;
    if is_there(output)? { Err(Error::Exists(output.to_path_buf())) } else { Ok(()) }
}

fn identity<'a>(record: &'a Record, name: Option<&'a str>) -> ObjectContext<'a> {
    context(name.unwrap_or(&record.name))
}

fn read_key(path: &Path) -> Result<Arc<SourceKey>> {
    let malformed = |why: &str| Error::LayerKey { path: path.to_path_buf(), why: why.to_owned() };
    let text = PrivateFile::new(path).read(MAX_KEY_LEN).map_err(|error| match error {
        KeyringError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
            Error::NotThere(path.to_path_buf())
        }
        KeyringError::TooLarge { .. } => malformed("it is too long"),
        error => malformed(&error.to_string()),
    })?;
    let not_base64 = || malformed("it holds no 32 bytes in base64");
    let key =
        STANDARD.decode(text.trim_ascii_end()).map(Zeroizing::new).map_err(|_| not_base64())?;
    let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| not_base64())?;
    Ok(SourceKey::from_bytes(key))
}

const NOT_TWO_LAYERS: Error =
    Error::Usage("the file has one layer: `inspect` tells the mode, which is to be DSSE-KMS");
