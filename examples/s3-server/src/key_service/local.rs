//! Keys in a folder of this machine.

use std::{path::Path, sync::Arc};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{KeyErrorKind, Mode, resolve_now};
use object_cipher_keyring::VersionedKeys;
use object_cipher_kms::{Describe, KeyName, Kms as _, KmsAdmin as _, KmsCall, LocalKms, Scope};

use super::Result;
use crate::args::KmsArgs;

/// The KMS of a folder; at the first start a new one. The key that S3 calls `aws/s3` is made with it.
pub(super) fn kms(
    args: &KmsArgs,
    folder: &Path,
    keyring: Arc<dyn VersionedKeys>,
) -> Result<LocalKms<AwsLc>> {
    let scope = Scope::new(&args.kms_region, &args.kms_account)?;
    let kms = if LocalKms::<AwsLc>::is_at(folder) {
        LocalKms::open(folder, keyring, scope, AwsLc)?
    } else {
        let kms = LocalKms::create(folder, keyring, scope, AwsLc)?;
        println!("made the keys of the local KMS {}", folder.display());
        kms
    };
    kms.delete_due()?;
    for id in &args.kms_keys {
        if is_missing(&kms, id)? {
            kms.create_key_of_id(id, &[])?;
        }
    }
    if is_missing(&kms, KeyName::AWS_S3)? {
        resolve_now(kms.create_key(&[KeyName::AWS_S3])).ok_or("the local KMS waits")??;
    }
    Ok(kms)
}

fn is_missing(kms: &LocalKms<AwsLc>, name: &str) -> Result<bool> {
    let (key, call) = (KeyName::parse(name)?, KmsCall::new(Mode::SseKms));
    match resolve_now(kms.describe(Describe { key: &key, call })).ok_or("the local KMS waits")? {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == KeyErrorKind::NotFound => Ok(true),
        Err(error) => Err(error.into()),
    }
}
