//! Writes what another reader judges: a local KMS under a known key, what it wrapped, and its audit
//! log. Run by `vectors/judge-kms`.

use std::{env, error::Error, fs, path::PathBuf, sync::Arc};

use object_cipher_core::{EncryptionContext, KeyringId, Mode, resolve_now};
use object_cipher_keyring::{KeyringFile, Unlock};
use object_cipher_kms::{
    Audit, AuditLog, AuditPolicy, Generate, KeyName, Kms as _, KmsAdmin as _, KmsCall, LocalKms,
    Scope, TokioTimer, Unwrap,
};
use object_cipher_rustcrypto::RustCrypto;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or("which folder?")?);
    tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(written(folder))
}

async fn written(folder: PathBuf) -> Result<(), Box<dyn Error>> {
    let id = KeyringId::parse("main").ok_or("no keyring id")?;
    let unlock = Unlock::key(&std::array::from_fn(|at| at.to_le_bytes()[0]))?;
    let master = Arc::new(KeyringFile::create(folder.join("master"), &id, &unlock, RustCrypto)?);
    let admin = LocalKms::create(folder.join("kms"), master.clone(), Scope::default(), RustCrypto)?;
    let key = KeyName::from(&admin.create_key(&["alias/photos"]).await?.id);
    let gone = KeyName::from(&admin.create_key(&[]).await?.id);
    admin.schedule_key_deletion(&gone, 7).await?;

    let provider =
        LocalKms::open(folder.join("kms"), master.clone(), Scope::default(), RustCrypto)?;
    let log = Arc::new(AuditLog::at(folder.join("audit"), &*master, RustCrypto).open()?);
    let kms = Audit::new(provider, log, AuditPolicy::Required, Arc::new(TokioTimer::new()));
    let mut wrapped = Vec::new();
    for pairs in [vec![], vec![("b", "1"), ("a", "\u{e4}\t2")]] {
        let mut context = EncryptionContext::new();
        for (key, value) in &pairs {
            context.insert(*key, *value)?;
        }
        let call = KmsCall::new(Mode::SseKms);
        let made =
            kms.generate(Generate { key: &key, context: &context, call: call.clone() }).await?;
        let rq = Unwrap { wrapped: &made.wrapped, context: &context, call };
        kms.unwrap(rq).await?;
        wrapped.push(json!({
            "key": made.wrapped.id().as_str(),
            "context": pairs,
            "version": made.wrapped.version(),
            "blob": hex::encode(made.wrapped.ciphertext()),
            "data_key": hex::encode(made.key.expose_bytes()),
        }));
        // What comes next is under other versions, and the catalog too.
        resolve_now(admin.rotate_key(&key)).ok_or("it waits")??;
        master.rotate()?;
        admin.set_alias("alias/photos", &key)?;
    }
    Ok(fs::write(folder.join("wrapped.json"), serde_json::to_vec(&wrapped)?)?)
}
