//! A second writer of Envelopes, from the specification: fields in clear, key ladder, identity, wrap.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::CryptoBackend;
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::vectors::IdentityRecord;

use super::message::{self, LayerKey, array};

/// An Envelope's fields, whatever they hold.
#[derive(Clone)]
pub(crate) struct RawEnvelope {
    /// The fixed header.
    pub(crate) head: [u8; 28],
    pub(crate) layers: Vec<RawLayer>,
    /// The info message as stored.
    pub(crate) info: Vec<u8>,
    /// What follows the end.
    pub(crate) tail: Vec<u8>,
}

/// One layer's fields.
#[derive(Clone)]
pub(crate) struct RawLayer {
    pub(crate) index: u8,
    pub(crate) source: u8,
    pub(crate) key_ref: Vec<u8>,
    pub(crate) blob: Vec<u8>,
    pub(crate) wrapped: Vec<u8>,
}

/// What a wrapping key is derived for.
#[derive(Clone, Copy)]
pub(crate) struct EkUse {
    pub(crate) mode: u8,
    pub(crate) layer: u8,
    pub(crate) source: u8,
}

impl RawEnvelope {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut at = 28;
        let mut take = |count: usize| {
            at += count;
            &bytes[at - count..at]
        };
        let mut layers = Vec::new();
        for _ in 0..bytes[9] {
            let [index, source]: [u8; 2] = array(take(2));
            let length = u16::from_be_bytes(array(take(2)));
            let key_ref = take(length.into()).to_vec();
            let length = u16::from_be_bytes(array(take(2)));
            let blob = take(length.into()).to_vec();
            layers.push(RawLayer { index, source, key_ref, blob, wrapped: take(104).to_vec() });
        }
        let length = u32::from_be_bytes(array(take(4)));
        let info = take(length.try_into().unwrap()).to_vec();
        Self { head: array(&bytes[..28]), layers, info, tail: Vec::new() }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.to_vec();
        for layer in &self.layers {
            bytes.extend(layer.clear_fields());
            bytes.extend(u16::try_from(layer.blob.len()).unwrap().to_be_bytes());
            bytes.extend(&layer.blob);
            bytes.extend(&layer.wrapped);
        }
        bytes.extend(enc(&self.info));
        bytes.extend(&self.tail);
        bytes
    }

    /// What the wrap binds in clear: state 3 is written as 2.
    pub(crate) fn clear_fields(&self) -> Vec<u8> {
        let mut fields = self.head.to_vec();
        if fields[7] == 3 {
            fields[7] = 2;
        }
        fields.extend(self.layers.iter().flat_map(RawLayer::clear_fields));
        fields
    }

    pub(crate) fn object_id(&self) -> &[u8] {
        &self.head[12..]
    }

    /// What a layer's wrapping key is derived for.
    pub(crate) fn ek_use(&self, layer: usize) -> EkUse {
        let RawLayer { index, source, .. } = self.layers[layer];
        EkUse { mode: self.head[6], layer: index, source }
    }

    /// Where the length of the info message stands.
    pub(crate) fn info_len_at(&self) -> usize {
        self.to_bytes().len() - self.tail.len() - self.info.len() - 4
    }
}

impl RawLayer {
    fn clear_fields(&self) -> Vec<u8> {
        let length = u16::try_from(self.key_ref.len()).unwrap().to_be_bytes();
        [&[self.index, self.source], &length[..], &self.key_ref].concat()
    }
}

/// EK: the wrapping key that follows from a source key.
pub(crate) fn ek(source_key: &[u8], EkUse { mode, layer, source }: EkUse) -> [u8; 32] {
    let mut ek = [0; 32];
    let info = [mode, layer, source];
    RustCrypto.hkdf_sha512(b"object-cipher/v1/ek", source_key, &[&info], &mut ek).unwrap();
    ek
}

/// H: what a wrap binds.
pub(crate) fn bound_digest(clear_fields: &[u8], identity: &[u8], info: &[u8]) -> [u8; 64] {
    AwsLc.sha512(&[&enc(clear_fields), &enc(identity), &enc(info)])
}

/// The wrapped data key of a layer.
pub(crate) fn wrap(ek: [u8; 32], layer: u8, bound_digest: &[u8; 64], dek: &[u8; 32]) -> Vec<u8> {
    let context = [b"object-cipher/v1/wrap\0", &[layer][..], bound_digest].concat();
    let salt = message::salt(&[b"wrap", &ek, &context]);
    message::seal(&[LayerKey { dek: ek, context, salt }], dek)
}

/// The identity that an Envelope of a finished object, or of an upload, is bound to.
pub(crate) fn identity(record: &IdentityRecord, finished: bool) -> Vec<u8> {
    let version_id: &[u8] = if finished { &record.version_id } else { &[] };
    let extra: &[u8] = if finished { &record.extra } else { &[] };
    let upload_id: &[u8] = if finished { &[] } else { &record.upload_id };
    let context = canonical(record.encryption_context.iter());
    [&record.realm, &record.bucket, &record.key, version_id, upload_id, &context, extra]
        .map(enc)
        .concat()
}

/// The canonical form of an encryption context whose pairs are sorted.
pub(crate) fn canonical<'a>(
    pairs: impl ExactSizeIterator<Item = (&'a String, &'a String)>,
) -> Vec<u8> {
    if pairs.len() == 0 {
        return Vec::new();
    }
    let length = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
    let mut bytes = length(pairs.len()).to_vec();
    for text in pairs.flat_map(|(key, value)| [key, value]) {
        bytes.extend(length(text.len()));
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// enc(x): the length as u32, then the bytes.
pub(crate) fn enc(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}
