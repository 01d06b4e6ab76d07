//! SSE-KMS: keys of a KMS, here the local one, with layers around it and Bucket Keys over it.

use std::sync::Arc;

use embedding::{Object, Result, new_keyring};
use object_cipher::{
    AwsLc, Call, EncryptionContext, ObjectContext, SseKms,
    kms::{
        BucketKeyPolicy, BucketKeys, KeyName, KmsAdmin, LocalKms, Scope, Stack, TokioTimer,
        effective_context, object_arn,
    },
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // Once, by an operator.
    let folder = tempfile::tempdir()?;
    let (keyring, at) = (new_keyring(folder.path())?, folder.path().join("kms"));
    let local = Arc::new(LocalKms::create(at, keyring, Scope::default(), AwsLc)?);
    local.create_key(&["alias/photos"]).await?;

    // Once, at start: time-outs, retries, a cache; over them the Bucket Keys.
    let timer = Arc::new(TokioTimer::new());
    let stack = Stack::new(Arc::clone(&local), timer.clone()).build();
    let bucket_keys = Arc::new(BucketKeys::new(stack.kms(), timer, BucketKeyPolicy::default()));

    // For each request: the key, the whole encryption context, and who asks.
    let key = KeyName::parse("alias/photos")?;
    let cipher =
        SseKms::with_bucket_keys(stack.kms(), key.clone(), Arc::clone(&bucket_keys), AwsLc);
    let mut asked = EncryptionContext::new();
    asked.insert("department", "archive")?;
    let context = effective_context(&asked, &object_arn("photos", "cat.jpg"))?;
    let call = Call { principal: Some("alice"), request_id: Some("request-1"), deadline: None };
    let cx = ObjectContext::new("prod", "photos", "cat.jpg")
        .with_encryption_context(&context)
        .with_call(call);
    let object = Object::put(&cipher, &cx, b"a picture of a cat").await?;
    println!("opened: {}", String::from_utf8(object.get(&cipher, &cx).await?)?);

    // Another context is another object.
    let other = effective_context(&EncryptionContext::new(), &object_arn("photos", "cat.jpg"))?;
    let other = ObjectContext::new("prod", "photos", "cat.jpg").with_encryption_context(&other);
    println!("refused under another context: {}", object.get(&cipher, &other).await.is_err());

    // The key is disabled, and what is cached forgotten.
    local.enable_key(&key, false).await?;
    stack.flush();
    bucket_keys.flush();
    println!("refused while disabled: {}", object.get(&cipher, &cx).await.is_err());
    local.enable_key(&key, true).await?;
    println!("opened once enabled: {}", object.get(&cipher, &cx).await.is_ok());
    Ok(())
}
