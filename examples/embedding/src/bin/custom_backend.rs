//! A mode over a cryptographic library of one's own: [`Drawn`], in `src/custom_backend.rs`.

use embedding::{Drawn, Object, Result, new_keyring};
use object_cipher::{AwsLc, ObjectContext, RustCrypto, SseS3, resolve_now};

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let keyring = new_keyring(folder.path())?;
    let cx = ObjectContext::new("prod", "photos", "cat.jpg");

    let cipher = SseS3::new(keyring.clone(), Drawn::from("/dev/urandom"));
    let put = Object::put(&cipher, &cx, b"a picture of a cat");
    let object = resolve_now(put).ok_or("it waits")??;

    // All libraries give the same bytes: what one seals, another opens.
    for (name, content) in [
        ("aws-lc", resolve_now(object.get(&SseS3::new(keyring.clone(), AwsLc), &cx))),
        ("rustcrypto", resolve_now(object.get(&SseS3::new(keyring.clone(), RustCrypto), &cx))),
    ] {
        println!("opened by {name}: {}", String::from_utf8(content.ok_or("it waits")??)?);
    }

    // Without randomness nothing is sealed.
    let cipher = SseS3::new(keyring, Drawn::from(folder.path().join("no-device")));
    let refused = resolve_now(Object::put(&cipher, &cx, b"a cat")).ok_or("it waits")?.is_err();
    println!("refused without randomness: {refused}");
    Ok(())
}
