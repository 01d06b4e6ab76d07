//! Puts and gets objects in the formats of the Amazon S3 Encryption Client: the counterpart for
//! exchanging objects with the clients of other languages, and a model of how to use the crates.

mod args;
mod connect;
mod keys;

use std::{error::Error, path::Path, process::ExitCode};

use clap::Parser;
use object_cipher_aws_lc::AwsLc;
use object_cipher_client::s3ec::{Description, S3ec};
use object_cipher_client_aws::{
    HeaderStorage, S3EncryptionClient, aws_sdk_s3::primitives::ByteStream,
};
use object_cipher_core::EncryptionContext;
use tokio::io::AsyncWriteExt;

use crate::args::{Command, Common, GetArgs, PutArgs, S3ecArgs, Storage};

/// Whatever went wrong is told on standard error, and nothing is left in `--out`.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match S3ecArgs::parse().command {
        Command::Put(args) => put(args).await,
        Command::Get(args) => get(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("s3ec: {}", told(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn put(args: PutArgs) -> Result<()> {
    let client = client(&args.common)?;
    let mut request = client
        .put_object()
        .bucket(&args.common.bucket)
        .key(&args.common.key)
        .body(input(&args.input).await?);
    if let Some(context) = context(&args.common)? {
        request = request.encryption_context(context);
    }
    request.send().await?;
    Ok(())
}

async fn input(path: &Path) -> Result<ByteStream> {
    let body = ByteStream::from_path(path).await;
    Ok(body.map_err(|error| format!("{}: {}", path.display(), told(&error)))?)
}

async fn get(args: GetArgs) -> Result<()> {
    let client = client(&args.common)?;
    let mut request = client.get_object().bucket(&args.common.bucket).key(&args.common.key);
    if let Some(context) = context(&args.common)? {
        request = request.encryption_context(context);
    }
    let body = request.send_for_body().await?;
    save(body, &args.output).await
}

/// The content goes to a file beside the one that is asked for, which takes its place once all of it has
/// verified.
async fn save(mut body: ByteStream, path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let staged = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    let mut file = tokio::fs::File::from_std(staged.reopen()?);
    while let Some(piece) = body.try_next().await? {
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    staged.persist(path)?;
    Ok(())
}

fn client(args: &Common) -> Result<S3EncryptionClient> {
    let description = args.matdesc.as_deref().map(Description::from_json).transpose()?;
    let endpoint = args.endpoint.as_deref();
    let keyring = keys::keyring(&args.wrap, endpoint, &description.unwrap_or_default())?;
    let mut cipher = S3ec::builder(keyring, AwsLc).commitment_policy(args.policy);
    if args.legacy {
        cipher = cipher.enable_legacy_wrapping_algorithms().enable_legacy_unauthenticated_modes();
    }
    let storage = match args.storage {
        Storage::Metadata => HeaderStorage::Metadata,
        Storage::Instruction => HeaderStorage::InstructionFile,
    };
    let client = S3EncryptionClient::builder(connect::s3(endpoint)?, cipher.build())
        .header_storage(storage)
        .enable_delayed_authentication()
        .build()?;
    Ok(client)
}

fn context(args: &Common) -> Result<Option<EncryptionContext>> {
    let json = args.context.as_deref().map(Description::from_json).transpose()?;
    Ok(json.map(|pairs| pairs.to_context()).transpose()?)
}

/// The error and what is behind it: an SDK's own words name the layer only.
fn told(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        let text = error.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        behind = error.source();
    }
    words
}
