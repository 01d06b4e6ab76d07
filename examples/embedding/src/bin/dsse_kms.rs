//! DSSE-KMS: two layers, with a data key and a library each.

use std::sync::Arc;

use embedding::{Object, Result, new_keyring};
use object_cipher::{
    AwsLc, DsseKms, EncryptionContext, Envelope, ObjectContext, RustCrypto,
    kms::{KeyName, KmsAdmin, LocalKms, Scope, Stack, TokioTimer, effective_context, object_arn},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (keyring, at) = (new_keyring(folder.path())?, folder.path().join("kms"));
    let local = LocalKms::create(at, keyring, Scope::default(), AwsLc)?;
    local.create_key(&["alias/plans"]).await?;
    let kms = Stack::new(local, Arc::new(TokioTimer::new())).build().kms();

    // RustCrypto inside, AWS-LC outside. Two of one lineage do not compile.
    let key = KeyName::parse("alias/plans")?;
    let cipher = DsseKms::new(Arc::clone(&kms), key.clone(), RustCrypto, AwsLc);
    let context = effective_context(&EncryptionContext::new(), &object_arn("plans", "bridge"))?;
    let cx = ObjectContext::new("prod", "plans", "bridge").with_encryption_context(&context);
    let object = Object::put(&cipher, &cx, b"a plan of a bridge").await?;

    let layers = Envelope::from_text(&object.envelope)?.layers().count();
    // Two headers of 56 bytes, and two tags of 16 for the one chunk.
    println!("{layers} layers, {} bytes more than the content", object.body.len() - 18);

    // Either way round opens, as both libraries give the same bytes.
    let turned = DsseKms::new(kms, key, AwsLc, RustCrypto);
    println!("opened: {}", String::from_utf8(object.get(&turned, &cx).await?)?);

    // One bit, wherever it is, and nothing opens.
    let mut damaged = object.clone();
    if let Some(bit) = damaged.body.last_mut() {
        *bit ^= 1;
    }
    println!("refused when damaged: {}", damaged.get(&cipher, &cx).await.is_err());
    Ok(())
}
