//! The Transit engine of Vault or OpenBao.

use object_cipher_kms_vault::{Login, VaultKms};

use super::{Result, needed, secret};
use crate::args::KmsArgs;

pub(super) fn kms(args: &KmsArgs) -> Result<VaultKms> {
    let address = needed(args.kms_address.as_ref(), "--kms-address")?;
    let login = match (&args.kms_role_id, &args.kms_secret_id_file, &args.kms_token_file) {
        (Some(role), Some(file), _) => Login::app_role(role, secret(file)?.as_str()),
        (_, _, Some(file)) => Login::TokenFile(file.clone()),
        _ => return Err("this KMS needs --kms-token-file, or --kms-role-id".into()),
    };
    let mut builder = VaultKms::builder(address, login).mount(&args.kms_mount);
    if let Some(namespace) = &args.kms_namespace {
        builder = builder.namespace(namespace);
    }
    if let Some(file) = &args.kms_roots {
        builder = builder.roots_pem(std::fs::read(file)?);
    }
    Ok(builder.build()?)
}
