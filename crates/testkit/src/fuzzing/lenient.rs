//! Ciphers for which every key is right and every tag is good.

use std::sync::Arc;

use object_cipher_core::{
    BoxFuture, FreshKey, KeyBlob, KeyRef, KeySource, KeyringId, LayeredCipher, MasterKeyRef, Mode,
    ObjectCipher, ObjectContext, Result, SourceKey,
};

use crate::NoSecurity;

/// A source that has a key for whatever it is asked for.
struct AnyKey(KeyRef);

impl KeySource for AnyKey {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(async {
            let blob = match self.0 {
                KeyRef::Kms(_) => KeyBlob::kms("1", b"blob")?,
                _ => KeyBlob::empty(),
            };
            Ok(FreshKey { key: SourceKey::from_bytes(&[1; 32]), key_ref: self.0.clone(), blob })
        })
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        _: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(async { Ok(SourceKey::from_bytes(&[1; 32])) })
    }
}

/// The cipher of a mode. What it seals and opens is not protected at all.
pub(super) fn cipher(mode: Mode) -> Box<dyn ObjectCipher> {
    const INNER: NoSecurity = NoSecurity;
    let keyring = KeyringId::parse("fuzz").unwrap();
    let master = KeyRef::Master(MasterKeyRef::new(keyring, 1, [0; 8]));
    let kms = KeyRef::Kms("key".into());
    Box::new(match mode {
        Mode::SseKms => LayeredCipher::sse_kms(AnyKey(kms), INNER),
        Mode::DsseKms => LayeredCipher::dsse_kms(AnyKey(kms), INNER, NoSecurity::<true>),
        Mode::SseC => LayeredCipher::sse_c(AnyKey(KeyRef::Customer), INNER),
        Mode::Client => LayeredCipher::client(AnyKey(kms), INNER),
        _ => LayeredCipher::sse_s3(AnyKey(master), INNER),
    })
}
