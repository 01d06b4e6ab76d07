//! SSE-S3: a master keyring of the server's own, which rotates.

use embedding::{Object, Result, new_keyring};
use object_cipher::{AwsLc, ObjectContext, SseS3, resolve_now};

fn main() -> Result<()> {
    // Once, by an operator; a server then opens both files at start.
    let folder = tempfile::tempdir()?;
    let keyring = new_keyring(folder.path())?;

    // For each request: a cheap handle. The keys are at hand, so nothing is ever awaited.
    let cipher = SseS3::new(keyring.clone(), AwsLc);
    let cx = ObjectContext::new("prod", "photos", "cat.jpg");
    let put = Object::put(&cipher, &cx, b"a picture of a cat");
    let mut object = resolve_now(put).ok_or("it waits")??;
    println!("sealed {} bytes", object.body.len());

    // A new master key wraps from now on, and what the older one wrapped opens.
    println!("version {} wraps", keyring.rotate()?);
    resolve_now(object.get(&cipher, &cx)).ok_or("it waits")??;

    // A rename and the new master key: one new Envelope, the same body.
    let to = ObjectContext::new("prod", "archive", "cat.jpg");
    resolve_now(object.rewrap((&cipher, &cx), (&cipher, &to))).ok_or("it waits")??;
    keyring.destroy(1)?;
    let content = resolve_now(object.get(&cipher, &to)).ok_or("it waits")??;
    println!("opened: {}", String::from_utf8(content)?);

    let refused = resolve_now(object.get(&cipher, &cx)).ok_or("it waits")?.is_err();
    println!("refused under the old name: {refused}");
    Ok(())
}
