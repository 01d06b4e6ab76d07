//! Modes with the keys that serve them, and core's ciphers over stand-ins for the key sources.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    BoxFuture, CryptoBackend, EkSource, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef,
    KeySource, KeyringId, LayeredCipher, MasterKeyRef, Mode, ObjectCipher, ObjectContext, Result,
    SourceKey,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::Seeded;

use super::message::array;

/// A mode with a kind of key that serves it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) mode: Mode,
    pub(crate) source: EkSource,
    pub(crate) label: &'static str,
}

pub(crate) const SSE_S3: Kind = Kind::new(Mode::SseS3, EkSource::Master, "sse-s3");
pub(crate) const SSE_KMS: Kind = Kind::new(Mode::SseKms, EkSource::Kms, "sse-kms");
pub(crate) const BUCKET_KEY: Kind =
    Kind::new(Mode::SseKms, EkSource::BucketKey, "sse-kms with a bucket key");
pub(crate) const DSSE_KMS: Kind = Kind::new(Mode::DsseKms, EkSource::Kms, "dsse-kms");
pub(crate) const SSE_C: Kind = Kind::new(Mode::SseC, EkSource::Customer, "sse-c");
pub(crate) const CLIENT: Kind = Kind::new(Mode::Client, EkSource::Client, "client");
pub(crate) const CLIENT_KMS: Kind = Kind::new(Mode::Client, EkSource::Kms, "client with a kms key");

/// Every mode with every kind of key that serves it.
pub(crate) const KINDS: [Kind; 7] =
    [SSE_S3, SSE_KMS, BUCKET_KEY, DSSE_KMS, SSE_C, CLIENT, CLIENT_KMS];

/// A cipher of core over seeded backends, and what they drew.
pub(crate) struct SeededCipher {
    pub(crate) cipher: Box<dyn ObjectCipher>,
    inner: Seeded<RustCrypto>,
    outer: Seeded<AwsLc>,
}

impl Kind {
    const fn new(mode: Mode, source: EkSource, label: &'static str) -> Self {
        Self { mode, source, label }
    }

    pub(crate) fn layers(self) -> usize {
        self.mode.suite().layers()
    }

    /// What the key source answers, one key a layer.
    pub(crate) fn source_keys(self) -> Vec<[u8; 32]> {
        (0..self.layers()).map(|layer| array(&self.derived("source key", layer)[..32])).collect()
    }

    /// Core's cipher, whose randomness follows from `name`.
    pub(crate) fn cipher(self, name: &str) -> SeededCipher {
        let seed = |layer: &str| format!("object-cipher vectors, {name}, {layer}");
        let inner = Seeded::new(RustCrypto, &seed("layer 0"));
        let outer = Seeded::new(AwsLc, &seed("layer 1"));
        let keys = StandIn { kind: self, issued: AtomicUsize::new(0) };
        let cipher: Box<dyn ObjectCipher> = Box::new(match self.mode {
            Mode::SseS3 => LayeredCipher::sse_s3(keys, inner.clone()),
            Mode::SseKms => LayeredCipher::sse_kms(keys, inner.clone()),
            Mode::SseC => LayeredCipher::sse_c(keys, inner.clone()),
            Mode::DsseKms => LayeredCipher::dsse_kms(keys, inner.clone(), outer.clone()),
            _ => LayeredCipher::client(keys, inner.clone()),
        });
        SeededCipher { cipher, inner, outer }
    }

    fn key_ref(self, layer: usize) -> KeyRef {
        let arn = |layer| {
            format!(
                "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-4e5f-4a6b-8c7d-00000000000{layer}"
            )
        };
        match self.source {
            EkSource::Master => {
                let key = SourceKey::from_bytes(&self.source_keys()[layer]);
                let check = key.check_value(&RustCrypto).unwrap();
                KeyRef::Master(MasterKeyRef::new(KeyringId::parse("vectors").unwrap(), 1, check))
            }
            EkSource::Kms => KeyRef::Kms(arn(layer)),
            EkSource::BucketKey => KeyRef::BucketKey(arn(layer)),
            EkSource::Customer => KeyRef::Customer,
            _ => KeyRef::Client("laptop".into()),
        }
    }

    fn blob(self, layer: usize) -> KeyBlob {
        match self.source {
            EkSource::Kms | EkSource::BucketKey => {
                KeyBlob::kms("v1", &self.derived("ek_blob", layer)[..40]).unwrap()
            }
            EkSource::Client => KeyBlob::client(b"client blob".to_vec()).unwrap(),
            _ => KeyBlob::empty(),
        }
    }

    fn derived(self, what: &str, layer: usize) -> [u8; 64] {
        let text = format!("object-cipher vectors, {what} of {}, layer {layer}", self.label);
        RustCrypto.sha512(&[text.as_bytes()])
    }
}

impl SeededCipher {
    /// The data keys of the one object that was begun, a layer each: the first bytes drawn.
    pub(crate) fn deks(&self) -> Vec<[u8; 32]> {
        let draws = [self.inner.draws(), self.outer.draws()];
        draws.iter().filter_map(|draws| draws.first()).map(|draw| array(&draw[..32])).collect()
    }
}

/// The key source of a kind: gives its keys in turn.
struct StandIn {
    kind: Kind,
    issued: AtomicUsize,
}

impl KeySource for StandIn {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        let layer = self.issued.fetch_add(1, Ordering::Relaxed) % self.kind.layers();
        let fresh = FreshKey {
            key: SourceKey::from_bytes(&self.kind.source_keys()[layer]),
            key_ref: self.kind.key_ref(layer),
            blob: self.kind.blob(layer),
        };
        Box::pin(std::future::ready(Ok(fresh)))
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        _: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        let unsupported = KeyError::new(KeyErrorKind::Unsupported, "the generator only writes");
        Box::pin(std::future::ready(Err(unsupported.into())))
    }
}
