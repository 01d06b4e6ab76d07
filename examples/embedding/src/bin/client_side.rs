//! Client-side encryption: the store sees ciphertext only, and keeps the Envelope in the metadata.

use embedding::Result;
use object_cipher::{
    Attributes, ClientKeys, ClientSide, CryptoBackend as _, ObjectCipher, ObjectContext,
    RustCrypto, SourceKey, client::StoredEnvelope, io, resolve_now,
};

fn main() -> Result<()> {
    let new = SourceKey::try_fill(|bytes| RustCrypto.random(bytes))?;
    let old = SourceKey::try_fill(|bytes| RustCrypto.random(bytes))?;
    // One key wraps; the older one opens what it wrapped.
    let keys = ClientKeys::new("2026", new)?.decrypt_only("2025", old)?;
    let cipher = ClientSide::with_keys(keys, RustCrypto);
    let cx = ObjectContext::new("prod", "photos", "cat.jpg");

    // PUT: S3 takes metadata before the body, so the length is announced.
    let content = b"a picture of a cat";
    let sealer = resolve_now(cipher.seal(&cx)).ok_or("it waits")??;
    let (envelope, sealer) = sealer.announce(content.len() as u64, &Attributes::default())?;
    let (name, value) = StoredEnvelope::in_metadata("cat.jpg", envelope)?.pair();
    let mut body = Vec::new();
    io::seal_all(sealer.into_stream(), &mut &content[..], &mut body)?.finish()?;
    println!("{name}: {} characters; body: {} bytes", value.len(), body.len());

    // GET: the Envelope out of the metadata, then the body.
    let head = [(format!("x-amz-meta-{name}"), value)];
    let Some(StoredEnvelope::Metadata(envelope)) = StoredEnvelope::parse("cat.jpg", head)? else {
        return Err("not an object in one piece".into());
    };
    let opener = resolve_now(cipher.open(&cx, &envelope)).ok_or("it waits")??;
    let mut out = Vec::new();
    io::open_all(&opener, &mut &body[..], &mut out)?;
    println!("opened: {}", String::from_utf8(out)?);

    // A store that puts one object in another's place is found out.
    let other = ObjectContext::new("prod", "photos", "dog.jpg");
    let refused = resolve_now(cipher.open(&other, &envelope)).ok_or("it waits")?.is_err();
    println!("refused under another name: {refused}");
    Ok(())
}
