//! SSE-KMS under a KMS of one's own: [`DrawerKms`], in `src/custom_kms.rs`.

use std::sync::Arc;

use embedding::{DrawerKms, Object, Result};
use object_cipher::{
    AwsLc, EncryptionContext, Envelope, KeyRef, ObjectContext, SseKms,
    kms::{KeyName, Stack, TokioTimer, effective_context, object_arn},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let drawer = DrawerKms::default().with_key("photos")?;
    let kms = Stack::new(drawer, Arc::new(TokioTimer::new())).build().kms();

    let cipher = SseKms::new(kms, KeyName::parse("photos")?, AwsLc);
    let context = effective_context(&EncryptionContext::new(), &object_arn("photos", "cat.jpg"))?;
    let cx = ObjectContext::new("prod", "photos", "cat.jpg").with_encryption_context(&context);
    let object = Object::put(&cipher, &cx, b"a picture of a cat").await?;
    for layer in Envelope::from_text(&object.envelope)?.layers() {
        if let KeyRef::Kms(id) = layer.key_ref() {
            println!("the object keeps the key's id: {id}");
        }
    }
    println!("opened: {}", String::from_utf8(object.get(&cipher, &cx).await?)?);
    Ok(())
}
