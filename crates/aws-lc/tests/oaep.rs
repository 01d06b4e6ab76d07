//! RSA-OAEP by SHA-256 with MGF1 by SHA-1, against what Java and OpenSSL wrote.
//!
//! In `oaep/`, `java1.der` is the RSA key that the Java 1.x client encrypted to, and the `*.ct` are
//! OpenSSL 3.0's encryptions to it (`openssl pkeyutl -encrypt -pkeyopt rsa_padding_mode:oaep -pkeyopt
//! rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha1`), four of them with one option changed. The other keys
//! are of `openssl genpkey` and in PKCS#8, those with a number in their name of so many bits.

#![cfg(feature = "sys")]
#![allow(clippy::unwrap_used)]

use object_cipher_aws_lc::OaepSha256Mgf1Sha1Key;
use object_cipher_core::BackendError;

const KEY: &[u8] = include_bytes!("oaep/java1.der");
const OTHER_KEY: &[u8] = include_bytes!("oaep/other.der");

/// The metadata `x-amz-key-v2` of an object that the Java 1.x client (aws-java-sdk-s3 1.11.901, with
/// Bouncy Castle 1.72) wrote in its mode `AuthenticatedEncryption`.
const WRAPPED: &str = "\
    a650e751dac4d813218cc373afbeab4fdbe4e03b185dcb885776a7e1b019181152ffb83ef08ccd14\
    45f0637fb7ac12f99f8c135d8a253b9ce6e9b167d7a7c2aba893a2b87bfa541dc549477c16215ae1\
    8d4449f287d7ea0f5c4496c2d1969ca25d2d3581f4ffe43606232127c33fdacead24e342df13e3b5\
    80b6ddbe475b1a7ed0b2c8d2e9e8ccc5fe5178c5de9010eedcdcbaf2ca84b03b84c7bf3623d59cae\
    bc16bfd2ea0ec28a56856c2f6aab5990fe83085d00a5ca552ac17a8a584688b24a0731651f655b42\
    9371e2838aa244823b817f3d2692e543dfc5ca0d1a38919da30703d66fedb5e4485bcdacda6c8750\
    87287fb8349d323fb197d0af20b7c3d1";

/// The data key in it.
const DATA_KEY: &str = "b2250d52f01d5d0131f80efeef6b975b84760d1db8d3083df9576297659b0f2a";

fn key(der: &[u8]) -> Result<OaepSha256Mgf1Sha1Key, BackendError> {
    OaepSha256Mgf1Sha1Key::from_pkcs8(der)
}

fn wrapped() -> Vec<u8> {
    hex::decode(WRAPPED).unwrap()
}

#[test]
fn a_data_key_that_the_java_client_wrapped_is_unwrapped() {
    let data_key = key(KEY).unwrap().decrypt(&wrapped()).unwrap();
    assert_eq!(hex::encode(&*data_key), DATA_KEY);
}

#[test]
fn the_shortest_and_the_longest_that_openssl_encrypted_are_decrypted() {
    let key = key(KEY).unwrap();
    assert!(key.decrypt(include_bytes!("oaep/empty.ct")).unwrap().is_empty());
    let longest: Vec<u8> = (0..190).collect();
    assert_eq!(*key.decrypt(include_bytes!("oaep/longest.ct")).unwrap(), longest);
}

#[test]
fn other_paddings_hashes_and_labels_are_rejected() {
    let key = key(KEY).unwrap();
    for (ciphertext, name) in [
        (include_bytes!("oaep/mgf256.ct"), "MGF1 by SHA-256"),
        (include_bytes!("oaep/sha1.ct"), "OAEP by SHA-1"),
        (include_bytes!("oaep/label.ct"), "a label"),
        (include_bytes!("oaep/pkcs1.ct"), "PKCS#1 v1.5"),
    ] {
        assert_eq!(key.decrypt(ciphertext).err(), Some(BackendError::Rejected), "{name}");
    }
}

#[test]
fn a_ciphertext_with_any_byte_changed_is_rejected() {
    let (key, mut wrapped) = (key(KEY).unwrap(), wrapped());
    for at in 0..wrapped.len() {
        let bit = 1 << (at % 8);
        wrapped[at] ^= bit;
        assert_eq!(key.decrypt(&wrapped).err(), Some(BackendError::Rejected), "byte {at}");
        wrapped[at] ^= bit;
    }
    assert!(key.decrypt(&wrapped).is_ok());
}

#[test]
fn a_ciphertext_of_another_length_is_rejected() {
    let (key, wrapped) = (key(KEY).unwrap(), wrapped());
    for length in 0..wrapped.len() {
        assert_eq!(key.decrypt(&wrapped[..length]).err(), Some(BackendError::Rejected), "{length}");
    }
    for padded in [[&wrapped[..], &[0]].concat(), [&[0], &wrapped[..]].concat()] {
        assert_eq!(key.decrypt(&padded).err(), Some(BackendError::Rejected));
    }
}

#[test]
fn a_ciphertext_not_below_the_modulus_is_rejected() {
    assert_eq!(key(KEY).unwrap().decrypt(&[0xff; 256]).err(), Some(BackendError::Rejected));
}

#[test]
fn another_key_is_rejected() {
    assert_eq!(key(OTHER_KEY).unwrap().decrypt(&wrapped()).err(), Some(BackendError::Rejected));
    let longer = key(include_bytes!("oaep/8192.der")).unwrap();
    assert_eq!(longer.decrypt(&wrapped()).err(), Some(BackendError::Rejected));
}

#[test]
fn a_modulus_below_2048_bits_or_above_8192_is_refused() {
    for (der, bits) in [
        (&include_bytes!("oaep/1024.der")[..], 1_024),
        (include_bytes!("oaep/2047.der"), 2_047),
        (include_bytes!("oaep/8200.der"), 8_200),
    ] {
        assert_eq!(key(der).err(), Some(BackendError::Refused), "{bits} bits");
    }
}

#[test]
fn what_is_not_one_rsa_private_key_is_refused() {
    for length in 0..KEY.len() {
        assert_eq!(key(&KEY[..length]).err(), Some(BackendError::Refused), "{length} bytes");
    }
    let longer = [KEY, &[0]].concat();
    assert_eq!(key(&longer).err(), Some(BackendError::Refused), "a byte behind it");
    // What PKCS#8 has around it is 26 bytes.
    assert_eq!(key(&KEY[26..]).err(), Some(BackendError::Refused), "PKCS#1");
    let elliptic = include_bytes!("oaep/ec.der");
    assert_eq!(key(elliptic).err(), Some(BackendError::Refused), "another algorithm");
    let signing = include_bytes!("oaep/pss.der");
    assert_eq!(key(signing).err(), Some(BackendError::Refused), "a key for signatures only");
}

#[test]
fn one_key_decrypts_on_many_threads() {
    let (key, wrapped) = (key(KEY).unwrap(), wrapped());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(hex::encode(&*key.decrypt(&wrapped).unwrap()), DATA_KEY);
                }
            });
        }
    });
}

#[test]
fn a_key_shows_nothing_of_itself() {
    assert_eq!(format!("{:?}", key(KEY).unwrap()), "OaepSha256Mgf1Sha1Key { .. }");
}
