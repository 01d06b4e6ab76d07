//! From the command line to a server that listens.

use std::{
    error::Error as StdError,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::KeyringId;
use object_cipher_keyring::{KeyringFile, Unlock, VersionedKeys};
use object_cipher_s3::{BucketEncryption, UpdateScope};
use object_store::local::LocalFileSystem;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use crate::{
    args::Args,
    front::{Front, Shared, service::Service},
    key_service::KeyService,
    store::Store,
};

type Result<T, E = Box<dyn StdError + Send + Sync>> = std::result::Result<T, E>;

/// The name that every object is bound to.
const REALM: &str = "s3-server";
/// How long a client may take for its headers, and before them for TLS.
const HEADER_TIME: Duration = Duration::from_secs(30);

/// Serves until the process is told to end.
///
/// # Errors
/// When keyring, certificate, data or address cannot be used.
pub async fn serve(args: Args) -> Result<()> {
    if args.insecure_allow_http && !args.listen.ip().is_loopback() {
        return Err(
            "--insecure-allow-http needs a --listen address that only this machine reaches".into(),
        );
    }
    std::fs::create_dir_all(&args.data)?;
    let objects = Arc::new(LocalFileSystem::new_with_prefix(&args.data)?);
    let store = Store::new(objects, REALM);
    let tls = tls(&args)?;
    let keyring: Arc<dyn VersionedKeys> = Arc::new(keyring(&args)?);
    let front = Front::new(Shared {
        store: store.clone(),
        key_service: KeyService::of(&args.kms, beside(&args.data, "kms"), &keyring)?,
        keyring,
        profile: args.profile,
        tls: tls.is_some(),
        allow_http: args.insecure_allow_http,
        new_bucket: if args.block_sse_c_in_new_buckets {
            BucketEncryption::unset_blocking()
        } else {
            BucketEncryption::unset()
        },
        update_scope: if args.extended_update_encryption {
            UpdateScope::Extended
        } else {
            UpdateScope::Aws
        },
    });
    match store.sweep().await {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "bodies that a crash left are removed"),
        // One damaged record must not keep all the others from being served.
        Err(error) => tracing::error!(%error, "what a crash left is not removed"),
    }
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", args.listen))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    if tls.is_none() {
        tracing::warn!("plain HTTP: everybody on the way can read bodies and credentials");
    }
    if cfg!(no_encryption) {
        tracing::warn!("built for a bench: NOTHING IS ENCRYPTED");
    }
    println!("listening on {scheme}://{}", listener.local_addr()?);
    io::stdout().flush()?;
    let service = Service::new(front, &args.access_keys);
    tokio::select! {
        () = accept(listener, tls, service) => {}
        () = told_to_end() => {}
    }
    Ok(())
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, service: Service) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // A body behind its headers would wait for the client to acknowledge those: 40 ms.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection may be slow");
                }
                tokio::spawn(connection(stream, tls.clone(), service.clone()));
            }
            // Too many open files, say: they become fewer.
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, service: Service) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIME);
    let ended = match tls {
        None => builder.serve_connection(TokioIo::new(stream), service).await,
        Some(tls) => match tokio::time::timeout(HEADER_TIME, tls.accept(stream)).await {
            Ok(Ok(stream)) => builder.serve_connection(TokioIo::new(stream), service).await,
            Ok(Err(error)) => Err(error.into()),
            Err(late) => Err(late.into()),
        },
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended");
    }
}

async fn told_to_end() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = interrupted.await;
}

fn tls(args: &Args) -> Result<Option<TlsAcceptor>> {
    let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) else { return Ok(None) };
    let certs = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable("certificate", cert, &error))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unreadable("certificate's key", key, &error))?;
    // Named, since a build with other packages may have more than one.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certs, key)?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// The master keyring; at the first start a new one, and its key file.
fn keyring(args: &Args) -> Result<KeyringFile<AwsLc>> {
    let path = args.keyring.clone().unwrap_or_else(|| beside(&args.data, "keyring"));
    let key_path = args.keyring_key.clone().unwrap_or_else(|| beside(&path, "key"));
    let data = args.data.canonicalize()?;
    for file in [&path, &key_path] {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize()?;
        if folder.starts_with(&data) {
            return Err(format!("{} is inside the data it protects", file.display()).into());
        }
    }
    let first = !path.exists();
    let unlock = match &args.keyring_passphrase_file {
        Some(file) => {
            let mut passphrase = std::fs::read_to_string(file)
                .map_err(|error| unreadable("passphrase", file, &error))?;
            passphrase.truncate(passphrase.trim_end_matches(['\r', '\n']).len());
            // Moved, not copied: it is wiped with the secret.
            Unlock::passphrase(passphrase)?
        }
        None if first && !key_path.exists() => {
            let unlock = Unlock::new_key_file(&key_path, &AwsLc)?;
            println!("made the key file {}", key_path.display());
            unlock
        }
        None => Unlock::key_file(&key_path)?,
    };
    if !first {
        return Ok(KeyringFile::open(&path, &unlock, AwsLc)?);
    }
    let id = KeyringId::parse("s3-server").ok_or("not a keyring id")?;
    let keyring = KeyringFile::create(&path, &id, &unlock, AwsLc)?;
    println!("made the keyring {}", path.display());
    println!("keep the key file elsewhere than keyring and data: whoever has all three reads all");
    Ok(keyring)
}

fn unreadable(what: &str, file: &Path, error: &dyn StdError) -> String {
    format!("the {what} cannot be read from {}: {error}", file.display())
}

/// `data` with an ending, in the same folder.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    let trimmed = name.to_string_lossy().trim_end_matches('/').len();
    if trimmed < name.len() {
        name = name.to_string_lossy()[..trimmed].into();
    }
    name.push(".");
    name.push(ending);
    name.into()
}
