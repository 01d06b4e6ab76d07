//! SSE-C: the key comes with each request, and is forgotten with the answer.

use embedding::{Object, Result, customer_headers};
use http::HeaderMap;
use object_cipher::{
    AwsLc, Envelope, Mode, ObjectCipher, ObjectContext, SseC, resolve_now,
    s3::{Arrival, BucketEncryption, Encryption, Error, Profile, ReadKey, SseRequest},
};

/// The host knows: over TLS, and signed by Signature Version 4.
const ARRIVAL: Arrival = Arrival { secure: true, signature_v4: true };

fn main() -> Result<()> {
    let cx = ObjectContext::new("prod", "photos", "cat.jpg");
    let (key, other) = ([7; 32], [8; 32]);

    // PUT: the headers say how to encrypt.
    let headers = customer_headers(&key)?;
    let request = SseRequest::parse(&headers, ARRIVAL, &BucketEncryption::unset(), Profile::Aws)?;
    let Encryption::SseC(sent) = request.encryption else { return Err("not SSE-C".into()) };
    let cipher = SseC::new(&sent, AwsLc);
    let put = Object::put(&cipher, &cx, b"a picture of a cat");
    let mut object = resolve_now(put).ok_or("it waits")??;

    // GET: the same key, or S3's answer.
    let cipher = reader(&headers)?;
    let content = resolve_now(object.get(&cipher, &cx)).ok_or("it waits")??;
    println!("opened: {}", String::from_utf8(content)?);

    let wrong = reader(&customer_headers(&other)?)?;
    let envelope = Envelope::from_text(&object.envelope)?;
    let refused = resolve_now(wrong.open(&cx, &envelope)).ok_or("it waits")?;
    let error = refused.err().ok_or("it opened")?;
    let error = Error::from_open(&error, Mode::SseC).ok_or("not the key's fault")?;
    println!("another key: {}", error.answer(Profile::Aws).status);
    let error = reader(&HeaderMap::new()).err().ok_or("it took no key")?;
    println!("no key: {error}");

    // The customer changes the key: one new Envelope.
    resolve_now(object.rewrap((&cipher, &cx), (&wrong, &cx))).ok_or("it waits")??;
    println!("under the new key: {}", resolve_now(object.get(&wrong, &cx)).ok_or("")?.is_ok());
    println!("under the old key: {}", resolve_now(object.get(&cipher, &cx)).ok_or("")?.is_ok());
    Ok(())
}

/// The cipher of a request that reads an SSE-C object.
fn reader(headers: &HeaderMap) -> Result<SseC> {
    let key = ReadKey::parse(headers, ARRIVAL)?.for_object(Mode::SseC)?;
    Ok(SseC::new(&key.ok_or("SSE-C has a key")?, AwsLc))
}
