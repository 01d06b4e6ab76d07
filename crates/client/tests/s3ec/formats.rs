//! Objects put together by hand, also those that nothing here writes.

use aes::{
    Aes256,
    cipher::{Array, BlockCipherEncrypt, KeyInit},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use object_cipher_core::{Aes256Gcm, CryptoBackend};
use object_cipher_rustcrypto::RustCrypto;

use crate::setup::{Pairs, pairs};

pub(crate) const DATA_KEY: [u8; 32] = [0x4b; 32];
pub(crate) const IV: [u8; 12] = [0x17; 12];
pub(crate) const CBC_IV: [u8; 16] = [0x1f; 16];
pub(crate) const MESSAGE_ID: [u8; 28] = [0x2a; 28];

/// What V3 derives from a data key and the message id.
pub(crate) struct Committed {
    pub(crate) key: [u8; 32],
    pub(crate) commitment: [u8; 28],
}

/// An object: its metadata and its body.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) metadata: Pairs,
    pub(crate) body: Vec<u8>,
}

pub(crate) const SUITE: &[u8] = &[0, 0x73];

pub(crate) fn committed(data_key: &[u8; 32]) -> Committed {
    let (mut key, mut commitment) = ([0; 32], [0; 28]);
    let derive = |label: &[u8], okm: &mut [u8]| {
        RustCrypto.hkdf_sha512(&MESSAGE_ID, data_key, &[SUITE, label], okm).unwrap();
    };
    derive(b"DERIVEKEY", &mut key);
    derive(b"COMMITKEY", &mut commitment);
    Committed { key, commitment }
}

/// Ciphertext and tag.
pub(crate) fn gcm(key: &[u8; 32], iv: &[u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let (mut body, mut tag) = (plaintext.to_vec(), [0; 16]);
    RustCrypto.aead(key).unwrap().seal(iv, aad, &mut body, &mut tag).unwrap();
    body.extend_from_slice(&tag);
    body
}

pub(crate) fn cbc(key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plaintext)
}

/// As wrapped by AES/GCM under a raw key.
pub(crate) fn wrapped_by_aes(raw_key: &[u8; 32], data_key: &[u8; 32], content: &str) -> Vec<u8> {
    [&[9; 12][..], &gcm(raw_key, &[9; 12], content.as_bytes(), data_key)].concat()
}

/// As wrapped by AES-ECB in V1.
pub(crate) fn wrapped_by_ecb(raw_key: &[u8; 32], data_key: &[u8; 32]) -> Vec<u8> {
    let cipher = Aes256::new(raw_key.into());
    let mut blocks = [&data_key[..], &[16; 16]].concat();
    for block in blocks.as_chunks_mut::<16>().0 {
        let mut encrypted = Array::from(*block);
        cipher.encrypt_block(&mut encrypted);
        *block = encrypted.into();
    }
    blocks
}

pub(crate) fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn v1(wrapped: &[u8], plaintext: &[u8]) -> Object {
    let metadata =
        pairs([("x-amz-key", &b64(wrapped)), ("x-amz-iv", &b64(&CBC_IV)), ("x-amz-matdesc", "{}")]);
    Object { metadata, body: cbc(&DATA_KEY, &CBC_IV, plaintext) }
}

pub(crate) fn v2(wrapped: &[u8], wrap: &str, description: &str, plaintext: &[u8]) -> Object {
    let metadata = pairs([
        ("x-amz-key-v2", &b64(wrapped)),
        ("x-amz-iv", &b64(&IV)),
        ("x-amz-matdesc", description),
        ("x-amz-wrap-alg", wrap),
        ("x-amz-cek-alg", "AES/GCM/NoPadding"),
        ("x-amz-tag-len", "128"),
    ]);
    Object { metadata, body: gcm(&DATA_KEY, &IV, &[], plaintext) }
}

pub(crate) fn v2_cbc(wrapped: &[u8], wrap: &str, description: &str, plaintext: &[u8]) -> Object {
    let metadata = pairs([
        ("x-amz-key-v2", &b64(wrapped)),
        ("x-amz-iv", &b64(&CBC_IV)),
        ("x-amz-matdesc", description),
        ("x-amz-wrap-alg", wrap),
        ("x-amz-cek-alg", "AES/CBC/PKCS5Padding"),
    ]);
    Object { metadata, body: cbc(&DATA_KEY, &CBC_IV, plaintext) }
}

/// `description` is a name and a value.
pub(crate) fn v3(
    wrapped: &[u8],
    wrap: &str,
    description: Option<(&str, &str)>,
    plaintext: &[u8],
) -> Object {
    let Committed { key, commitment } = committed(&DATA_KEY);
    let mut metadata = pairs([
        ("x-amz-c", "115"),
        ("x-amz-3", &b64(wrapped)),
        ("x-amz-w", wrap),
        ("x-amz-d", &b64(&commitment)),
        ("x-amz-i", &b64(&MESSAGE_ID)),
    ]);
    metadata.extend(description.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Object { metadata, body: gcm(&key, &[1; 12], SUITE, plaintext) }
}

/// An object of every kind that is read, with a wrapped key that [`Given`](crate::setup::Given) takes.
pub(crate) fn one_of_each(plaintext: &[u8]) -> [Object; 4] {
    [
        v1(b"wrapped", plaintext),
        v2_cbc(b"wrapped", "AES/GCM", "{}", plaintext),
        v2(b"wrapped", "AES/GCM", "{}", plaintext),
        v3(b"wrapped", "02", Some(("x-amz-m", "{}")), plaintext),
    ]
}

#[test]
fn what_is_put_together_by_hand_opens() {
    use crate::setup::{Given, LIBRARIES, plaintext, read_stored};
    for length in [0, 1, 16, 50] {
        for Object { metadata, body } in one_of_each(&plaintext(length)) {
            for library in LIBRARIES {
                let cipher = library.lenient(Given::new(DATA_KEY));
                assert_eq!(read_stored(&cipher, None, &metadata, &body), Ok(plaintext(length)));
            }
        }
    }
}
