//! What a browser or a small device needs to open an object: `core` and one library, without `std`,
//! without a runtime, and without randomness.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::future::ready;

use object_cipher_core::{
    BodyStream as _, BoxFuture, Envelope, Error, FreshKey, KeyBlob, KeyRef, KeySource,
    LayeredCipher, ObjectCipher as _, ObjectContext, ReadRange, Result, SourceKey, resolve_now,
};
use object_cipher_rustcrypto::RustCrypto;

/// One key that the program was given.
struct OneKey(Arc<SourceKey>);

impl KeySource for OneKey {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(ready(Err(Error::Misuse("this program only opens"))))
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        _: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(ready(Ok(Arc::clone(&self.0))))
    }
}

/// Opens a client-side object, or a range of it. `fetch` is asked for the bytes of the body that the
/// plan names.
///
/// # Errors
/// When key, name, Envelope or body are not those that were sealed together.
pub fn open(
    key: &[u8; 32],
    cx: &ObjectContext<'_>,
    envelope: &str,
    range: &ReadRange,
    fetch: impl FnOnce(core::ops::Range<u64>) -> Vec<u8>,
) -> Result<Vec<u8>> {
    let cipher = LayeredCipher::client(OneKey(SourceKey::from_bytes(key)), RustCrypto);
    let envelope = Envelope::from_text(envelope)?;
    let waits = Error::Misuse("the key is at hand");
    let opener = resolve_now(cipher.open(cx, &envelope)).ok_or(waits)??;
    let plan = opener.plan(range)?;
    let segment = plan.body().ok_or(Error::Misuse("an object in parts"))?;

    let fetched = fetch(segment.fetch());
    let (mut rest, mut content) = (&fetched[..], Vec::new());
    let mut stream = opener.open_segment(segment)?;
    loop {
        content.extend_from_slice(stream.output());
        stream.taken(stream.output().len());
        if stream.is_done() {
            return Ok(content);
        }
        let count = stream.input().len().min(rest.len());
        if count == 0 {
            stream.end()?;
            continue;
        }
        stream.input()[..count].copy_from_slice(&rest[..count]);
        stream.filled(count)?;
        rest = &rest[count..];
    }
}
