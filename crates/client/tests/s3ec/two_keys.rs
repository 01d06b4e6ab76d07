//! E2: another wrapped key in an instruction file, also under a ciphertext that opens by both.

use std::{array, sync::Arc};

use object_cipher_client::{
    Error,
    s3ec::{AesKeyring, CommitmentPolicy, Keyring},
};
use object_cipher_core::{Aes256Gcm, CryptoBackend, Error as CoreError};
use object_cipher_rustcrypto::RustCrypto;

use crate::{
    formats::{Committed, IV, MESSAGE_ID, SUITE, b64, committed, gcm, v2, v3, wrapped_by_aes},
    setup::{Given, LIBRARIES, Pairs, aes, header, pairs, plaintext, read, seal, with, without},
};

const RAW_KEY: [u8; 32] = [0x5c; 32];
const DATA_KEYS: [[u8; 32]; 2] = [[0xa1; 32], [0xb2; 32]];

/// What each of the two contents says where the other has garbage.
const SAID: [&[u8; 16]; 2] = [b"pay alice 100 $ ", b"pay mallory all "];

/// One ciphertext of three blocks, with a tag that is right under both keys: the first block says
/// something under the first key, the second under the second, and the third solves the linear equation
/// that GHASH makes of it (Dodis et al., "Fast Message Franking", CRYPTO 2018, section 4).
fn salamander(keys: &[[u8; 32]; 2], iv: &[u8; 12], aad: &[u8]) -> Vec<u8> {
    let streams = keys.each_ref().map(|key| gcm(key, iv, &[], &[0; 48]));
    let block = |index: usize| -> [u8; 16] {
        array::from_fn(|at| SAID[index][at] ^ streams[index][16 * index + at])
    };
    let blocks = [0, 1].map(|index| Field::from(block(index)));
    let mut padded = [0; 16];
    padded[..aad.len()].copy_from_slice(aad);
    let hashed_aad = Field::from(padded);
    let lengths = Field((u128::from(8 * aad.len() as u64) << 64) | (3 * 128));
    // T = A·H⁵ + C1·H⁴ + C2·H³ + C3·H² + L·H + mask
    let [(square_0, constant_0), (square_1, constant_1)] = keys.each_ref().map(|key| {
        let hash_key = hash_key(key);
        let sum = if aad.is_empty() { Field(0) } else { hashed_aad.times(hash_key) };
        let sum = blocks.iter().fold(sum, |sum, block| sum.plus(*block).times(hash_key));
        let constant = sum.times(hash_key).plus(lengths).times(hash_key).plus(mask(key, iv));
        (hash_key.times(hash_key), constant)
    });
    let third = constant_0.plus(constant_1).times(square_0.plus(square_1).inverse());
    let tag = third.times(square_0).plus(constant_0);
    [blocks[0], blocks[1], third, tag].iter().flat_map(|field| field.0.to_be_bytes()).collect()
}

/// The tag of an empty message is the mask: GHASH of nothing is 0.
fn mask(key: &[u8; 32], iv: &[u8; 12]) -> Field {
    let tag: [u8; 16] = gcm(key, iv, &[], &[]).try_into().unwrap();
    Field::from(tag)
}

/// GHASH's key, learnt from outside: the tags of two one-block messages under one nonce differ by H²
/// times the blocks' difference, and in GF(2^128) the square root is the power 2^127.
fn hash_key(key: &[u8; 32]) -> Field {
    let tag = |plaintext: [u8; 16]| {
        let body = gcm(key, &[0; 12], &[], &plaintext);
        let (ciphertext, tag) = body.split_first_chunk::<16>().unwrap();
        (Field::from(*ciphertext), Field::from(<[u8; 16]>::try_from(tag).unwrap()))
    };
    let [(one, tag_1), (two, tag_2)] = [tag([0; 16]), tag([1; 16])];
    let square = tag_1.plus(tag_2).times(one.plus(two).inverse());
    (0..127).fold(square, |root, _| root.times(root))
}

/// GF(2^128) as GHASH has it (SP 800-38D, section 6.3): the first bit is that of x^0.
#[derive(Clone, Copy)]
struct Field(u128);

impl Field {
    fn plus(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    fn times(self, other: Self) -> Self {
        let (mut product, mut shifted) = (0, self.0);
        for bit in (0..128).rev() {
            product ^= shifted * (other.0 >> bit & 1);
            shifted = (shifted >> 1) ^ ((shifted & 1) * (0xE1 << 120));
        }
        Self(product)
    }

    /// The power 2^128 − 2.
    fn inverse(self) -> Self {
        let (mut power, mut product) = (self, Self(1 << 127));
        for _ in 1..128 {
            power = power.times(power);
            product = product.times(power);
        }
        product
    }
}

impl From<[u8; 16]> for Field {
    fn from(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

/// The instruction file of V2 with each of the two keys.
fn v2_files() -> [String; 2] {
    DATA_KEYS.map(|data_key| {
        let wrapped = wrapped_by_aes(&RAW_KEY, &data_key, "AES/GCM/NoPadding");
        as_json(&v2(&wrapped, "AES/GCM", "{}", &[]).metadata)
    })
}

fn as_json(metadata: &Pairs) -> String {
    let pairs: serde_json::Map<_, _> =
        metadata.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    serde_json::Value::from(pairs).to_string()
}

#[test]
fn e2_a_v2_ciphertext_of_two_keys_opens_by_both_where_the_policy_allows_it() {
    let body = salamander(&DATA_KEYS, &IV, &[]);
    for library in LIBRARIES {
        for policy in [
            CommitmentPolicy::ForbidEncryptAllowDecrypt,
            CommitmentPolicy::RequireEncryptAllowDecrypt,
        ] {
            let keyring = AesKeyring::new(&RAW_KEY).unwrap();
            let cipher = library.builder(keyring).commitment_policy(policy).build();
            let contents = v2_files().map(|file| {
                read(&cipher, None, &header(&[], Some(&file)).unwrap(), &body).unwrap()
            });
            assert_eq!(contents[0][..16], *SAID[0]);
            assert_eq!(contents[1][16..32], *SAID[1]);
            assert_ne!(contents[0], contents[1]);
        }
    }
}

#[test]
fn e2_by_default_a_v2_ciphertext_of_two_keys_is_refused_before_any_key_is_used() {
    let body = salamander(&DATA_KEYS, &IV, &[]);
    for library in LIBRARIES {
        for file in v2_files() {
            let keyring = Given::new(DATA_KEYS[0]);
            let cipher = library.builder(Arc::clone(&keyring) as Arc<dyn Keyring>).build();
            let opened = read(&cipher, None, &header(&[], Some(&file)).unwrap(), &body);
            assert!(matches!(opened, Err(Error::Policy { .. })), "{opened:?}");
            assert_eq!(keyring.calls(), 0);
        }
    }
}

#[test]
fn e2_a_v3_ciphertext_of_two_keys_opens_by_the_committed_one_only() {
    let derived = DATA_KEYS.each_ref().map(committed);
    let keys = derived.each_ref().map(|derived| derived.key);
    let body = salamander(&keys, &[1; 12], SUITE);
    let (content, tag) = body.split_last_chunk::<16>().unwrap();
    for key in &keys {
        let mut opened = content.to_vec();
        RustCrypto.aead(key).unwrap().open(&[1; 12], SUITE, &mut opened, tag).unwrap();
    }
    for library in LIBRARIES {
        let keyring = AesKeyring::new(&RAW_KEY).unwrap();
        let cipher = library.lenient(keyring);
        for (committed_to, Committed { commitment, .. }) in derived.iter().enumerate() {
            let object = pairs([
                ("x-amz-c", "115"),
                ("x-amz-d", &b64(commitment)),
                ("x-amz-i", &b64(&MESSAGE_ID)),
            ]);
            for (index, data_key) in DATA_KEYS.iter().enumerate() {
                let wrapped = wrapped_by_aes(&RAW_KEY, data_key, "115");
                let file = as_json(&pairs([("x-amz-3", &b64(&wrapped)), ("x-amz-w", "02")]));
                let opened = read(&cipher, None, &header(&object, Some(&file)).unwrap(), &body);
                if index == committed_to {
                    assert_eq!(opened.unwrap()[16 * index..][..16], *SAID[index]);
                } else {
                    assert_eq!(opened, Err(Error::Commitment));
                }
            }
        }
    }
}

#[test]
fn e2_the_instruction_file_of_another_object_is_refused() {
    for library in LIBRARIES {
        for (policy, v3) in [
            (CommitmentPolicy::RequireEncryptAllowDecrypt, true),
            (CommitmentPolicy::ForbidEncryptAllowDecrypt, false),
        ] {
            let cipher = library.builder(aes(7, 32)).commitment_policy(policy).build();
            let [one, two] = [(); 2].map(|()| seal(&cipher, None, &plaintext(40)));
            let files = [&one.0, &two.0].map(|header| header.to_instruction_file().unwrap());
            let mixed = header(&files[0].object_metadata, Some(&files[1].body)).unwrap();
            let opened = read(&cipher, None, &mixed, &one.1);
            match opened {
                Err(Error::Commitment) => assert!(v3),
                Err(Error::Core(CoreError::Rejected { .. })) => assert!(!v3),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn e2_a_commitment_in_the_instruction_file_never_counts() {
    let object = v3(&wrapped_by_aes(&RAW_KEY, &DATA_KEYS[0], "115"), "02", None, &[]);
    let content = ["x-amz-c", "x-amz-d", "x-amz-i"];
    let on_object: Pairs =
        object.metadata.iter().filter(|(key, _)| content.contains(&&**key)).cloned().collect();
    let in_file: Pairs =
        object.metadata.iter().filter(|(key, _)| !content.contains(&&**key)).cloned().collect();
    header(&on_object, Some(&as_json(&in_file))).unwrap();
    for name in content {
        let value = object.metadata.iter().find(|(key, _)| key == name).unwrap().1.as_str();
        let tampered = as_json(&with(&in_file, name, value));
        // Beside the object's own, and in its place.
        assert!(matches!(header(&on_object, Some(&tampered)), Err(Error::Metadata(_))));
        let moved = without(&on_object, name);
        assert!(matches!(header(&moved, Some(&tampered)), Err(Error::Metadata(_))));
    }
    assert!(matches!(header(&[], Some(&as_json(&object.metadata))), Err(Error::Metadata(_))));
}
