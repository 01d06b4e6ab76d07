//! The server's KMS: [`KeyService`].

#[cfg(feature = "kms-aws")]
mod aws;
mod local;
#[cfg(feature = "kms-pkcs11")]
mod pkcs11;
#[cfg(feature = "kms-vault")]
mod vault;

use std::{error::Error as StdError, path::PathBuf, sync::Arc, time::Duration};

use object_cipher_aws_lc::AwsLc;
use object_cipher_keyring::VersionedKeys;
use object_cipher_kms::{
    AuditLog, AuditPolicy, BucketKeyPolicy, BucketKeys, KeyName, Kms, Stack, Stacked, Timer,
    TokioTimer,
};

use crate::args::{KmsArgs, KmsKind};

type Result<T, E = Box<dyn StdError + Send + Sync>> = std::result::Result<T, E>;

/// A KMS with all its layers, and Bucket Keys of it.
pub struct KeyService {
    /// The KMS.
    pub kms: Arc<dyn Kms>,
    /// Its Bucket Keys.
    pub bucket_keys: Arc<BucketKeys>,
    /// The key for who names none.
    pub default_key: KeyName,
}

impl KeyService {
    /// The KMS that the command line asks for, if any. `folder` is the local one's, unless another is
    /// named.
    ///
    /// Has to be called in a runtime: what it keeps is tended there.
    ///
    /// # Errors
    /// When it cannot be set up, or its audit log was altered or cannot be written.
    pub fn of(
        args: &KmsArgs,
        folder: PathBuf,
        keyring: &Arc<dyn VersionedKeys>,
    ) -> Result<Option<Self>> {
        let provider: Arc<dyn Kms> = match args.kms {
            KmsKind::None => return Ok(None),
            KmsKind::Local => {
                let folder = args.kms_folder.clone().unwrap_or(folder);
                Arc::new(local::kms(args, &folder, Arc::clone(keyring))?)
            }
            #[cfg(feature = "kms-aws")]
            KmsKind::Aws => Arc::new(aws::kms(args)?),
            #[cfg(feature = "kms-vault")]
            KmsKind::Vault => Arc::new(vault::kms(args)?),
            #[cfg(feature = "kms-pkcs11")]
            KmsKind::Pkcs11 => Arc::new(pkcs11::kms(args)?),
        };
        let managed = args.kms == KmsKind::Local;
        let default_key = match (&args.kms_default_key, args.kms_keys.first()) {
            (Some(key), _) => key,
            (None, Some(key)) if !managed => key,
            (None, None) if !managed => {
                return Err("this KMS has no key aws/s3: name one by --kms-default-key".into());
            }
            _ => KeyName::AWS_S3,
        };
        Self::new(provider, KeyName::parse(default_key)?, args.audit.as_ref(), keyring).map(Some)
    }

    fn new(
        provider: Arc<dyn Kms>,
        default_key: KeyName,
        audit: Option<&PathBuf>,
        keyring: &Arc<dyn VersionedKeys>,
    ) -> Result<Self> {
        let timer: Arc<dyn Timer> = Arc::new(TokioTimer::new());
        let mut stack = Stack::new(provider, Arc::clone(&timer));
        let log = audit.map(|file| AuditLog::at(file, &**keyring, AwsLc).open()).transpose()?;
        let log = log.map(Arc::new);
        if let Some(log) = &log {
            stack = stack.audit(Arc::clone(log) as _, AuditPolicy::Required);
        }
        let stacked = stack.build();
        let (kms, policy) = (stacked.kms(), BucketKeyPolicy::default());
        let bucket_keys = Arc::new(BucketKeys::new(Arc::clone(&kms), timer, policy));
        tokio::spawn(tend(stacked, Arc::clone(&bucket_keys), log));
        Ok(Self { kms, bucket_keys, default_key })
    }
}

/// Wipes data keys that are over their age, and syncs the audit log to disk, again and again.
async fn tend(
    stacked: Stacked<Arc<dyn Kms>>,
    bucket_keys: Arc<BucketKeys>,
    log: Option<Arc<AuditLog<AwsLc>>>,
) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stacked.expire();
        bucket_keys.expire();
        if let Some(log) = log.clone() {
            let synced = tokio::task::spawn_blocking(move || log.sync()).await;
            if let Ok(Err(error)) = synced {
                tracing::error!(%error, "the audit log is not on disk");
            }
        }
    }
}

/// The contents of a file that holds a secret, without the white space around it.
#[cfg(any(feature = "kms-aws", feature = "kms-vault"))]
fn secret(file: &std::path::Path) -> Result<zeroize::Zeroizing<String>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let text = zeroize::Zeroizing::new(text);
    Ok(zeroize::Zeroizing::new(text.trim().to_owned()))
}

/// A setting without which the KMS cannot be reached.
#[cfg(any(feature = "kms-aws", feature = "kms-vault", feature = "kms-pkcs11"))]
fn needed<'a, T>(setting: Option<&'a T>, flag: &str) -> Result<&'a T> {
    setting.ok_or_else(|| format!("this KMS needs {flag}").into())
}
