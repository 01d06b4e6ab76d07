//! The mode itself: [`DsseKms`].

use std::{marker::PhantomData, sync::Arc};

use object_cipher_core::{CryptoBackend, LayeredCipher, Mode, forward_object_cipher};
use object_cipher_kms::{KeyName, Kms, KmsKeys};

use crate::IndependentOf;

/// DSSE-KMS: objects in two layers, one around the other. An
/// [`ObjectCipher`](object_cipher_core::ObjectCipher).
///
/// Each layer has a data key of its own from the KMS, wrapped, committed to and used by a library of
/// its own; both calls are made at the same time, and both have to succeed. What is sealed beside the
/// body (`ETag`, checksums, lengths) is sealed by both.
///
/// There are no Bucket Keys, as with Amazon S3, and an object that changes from or to another mode is
/// encrypted anew. Two libraries that are not independent do not compile:
///
/// ```compile_fail,E0277
/// # use object_cipher_kms::{KeyName, Kms};
/// # use object_cipher_rustcrypto::RustCrypto;
/// # fn test(kms: std::sync::Arc<dyn Kms>, key: KeyName) {
/// object_cipher_dsse_kms::DsseKms::new(kms, key, RustCrypto, RustCrypto);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DsseKms<Inner, Outer> {
    cipher: LayeredCipher<KmsKeys>,
    libraries: PhantomData<fn() -> (Inner, Outer)>,
}

impl<Inner: CryptoBackend, Outer: IndependentOf<Inner>> DsseKms<Inner, Outer> {
    /// New objects get two data keys each, under `key`: two calls of the KMS, and two when they are
    /// opened. Opens objects under any keys of the KMS.
    pub fn new(kms: Arc<dyn Kms>, key: KeyName, inner: Inner, outer: Outer) -> Self {
        let keys = KmsKeys::new(kms, key, Mode::DsseKms);
        Self { cipher: LayeredCipher::dsse_kms(keys, inner, outer), libraries: PhantomData }
    }
}

forward_object_cipher!(
    [Inner: CryptoBackend, Outer: IndependentOf<Inner>] DsseKms<Inner, Outer>,
    cipher => &cipher.cipher
);
