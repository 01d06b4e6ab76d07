//! A header is good for one key and one context only (F11, F12).

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Aes256Gcm, BackendError, CryptoBackend, Error,
    cobblestone::{Decryptor, HEADER_LEN, TAG_LEN},
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::drive;

const LABEL: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
const SALT: [u8; 24] = [0x5A; 24];
const REJECTED: Error = Error::Backend(BackendError::Rejected);

/// What Cobblestone-256 derives from a key, the salt and a context.
struct Derived {
    aead: [u8; 32],
    base: [u8; 12],
    commitment: [u8; 32],
}

impl Derived {
    fn new(backend: &impl CryptoBackend, key: &[u8; 32], context: &[u8]) -> Self {
        let mut okm = [0; 76];
        backend.hkdf_expand_sha512(key, &[LABEL, &SALT, context], &mut okm).unwrap();
        Self {
            aead: okm[..32].try_into().unwrap(),
            base: okm[32..44].try_into().unwrap(),
            commitment: okm[44..].try_into().unwrap(),
        }
    }
}

/// A context as bodies have it: label, object id, layer, part.
fn context(purpose: &str, object_id: [u8; 16], layer: u8, part: u32) -> Vec<u8> {
    let label = format!("object-cipher/v1/{purpose}\0");
    [label.as_bytes(), &object_id, &[layer], &part.to_be_bytes()].concat()
}

fn open<B: CryptoBackend>(
    backend: &B,
    key: &[u8; 32],
    context: &[u8],
    message: &[u8],
) -> Result<Vec<u8>, Error> {
    let (header, chunks) = message.split_at(HEADER_LEN);
    let decryptor = Decryptor::new(backend, key, &[context], header)?;
    drive(&mut decryptor.into_stream(), chunks, usize::MAX).complete()
}

#[test]
fn f11_each_field_of_a_context_is_committed_to() {
    f11(&RustCrypto);
    f11(&AwsLc);
}

fn f11<B: CryptoBackend>(backend: &B) {
    let key = [7; 32];
    let own = context("body", [1; 16], 0, 3);
    let derived = Derived::new(backend, &key, &own);
    let aead = backend.aead(&derived.aead).unwrap();
    let (mut chunk, mut tag) = (b"content".to_vec(), [0; TAG_LEN]);
    aead.seal(&derived.base, &[], &mut chunk, &mut tag).unwrap();
    let message = [&SALT[..], &derived.commitment, &chunk, &tag].concat();
    assert_eq!(open(backend, &key, &own, &message).unwrap(), b"content");
    let fields = [
        context("body", [2; 16], 0, 3),
        context("body", [1; 16], 1, 3),
        context("body", [1; 16], 0, 4),
        context("part", [1; 16], 0, 3),
    ];
    let bits = (0..own.len() * 8).map(|bit| {
        let mut wrong = own.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        wrong
    });
    let lengths = [own[..own.len() - 1].to_vec(), [&own[..], &[0]].concat()];
    for wrong in fields.into_iter().chain(bits).chain(lengths) {
        assert_eq!(open(backend, &key, &wrong, &message).unwrap_err(), REJECTED);
    }
}

/// F12: AES-GCM lets one ciphertext open under two keys; the commitment does not.
#[test]
fn f12_a_chunk_that_opens_under_two_aes_keys_opens_under_the_committed_one_only() {
    f12(&RustCrypto);
    f12(&AwsLc);
}

fn f12<B: CryptoBackend>(backend: &B) {
    let context = context("body", [1; 16], 0, 0);
    let keys = [[0xA1; 32], [0xB2; 32]];
    let derived = keys.map(|key| Derived::new(backend, &key, &context));
    let (chunk, tag) = salamander(backend, &derived);
    // It is one: the bare AEAD opens it under both keys.
    for one in &derived {
        let mut opened = chunk.clone();
        let aead = backend.aead(&one.aead).unwrap();
        aead.open(&one.base, &[], &mut opened, &tag).unwrap();
    }
    for committed in 0..2 {
        let commitment = derived[committed].commitment;
        let message = [&SALT[..], &commitment, &chunk, &tag].concat();
        assert!(open(backend, &keys[committed], &context, &message).is_ok());
        assert_eq!(open(backend, &keys[1 - committed], &context, &message), Err(REJECTED));
        let without = [&SALT[..], &[0; 32], &chunk, &tag].concat();
        assert_eq!(open(backend, &keys[committed], &context, &without), Err(REJECTED));
    }
}

/// Two blocks whose tag is the same under both keys: the second solves the linear equation that
/// GHASH makes of it (Dodis et al., "Fast Message Franking", CRYPTO 2018, section 4).
fn salamander<B: CryptoBackend>(backend: &B, keys: &[Derived; 2]) -> (Vec<u8>, [u8; TAG_LEN]) {
    let first = Field(0x1234_5678);
    let lengths = Field(2 * 128);
    let parts = keys.each_ref().map(|key| {
        let aead = backend.aead(&key.aead).unwrap();
        let hash_key = hash_key(&aead);
        let mut mask = [0; TAG_LEN];
        // The tag of an empty message is the mask: GHASH of nothing is 0.
        aead.seal(&key.base, &[], &mut [], &mut mask).unwrap();
        let square = hash_key.times(hash_key);
        let constant = first
            .times(square.times(hash_key))
            .plus(lengths.times(hash_key))
            .plus(Field::from(mask));
        (square, constant)
    });
    let [(square_0, constant_0), (square_1, constant_1)] = parts;
    let second = constant_0.plus(constant_1).times(square_0.plus(square_1).inverse());
    let tag = second.times(square_0).plus(constant_0);
    ([first.bytes(), second.bytes()].concat(), tag.bytes())
}

/// GHASH's key, learnt from outside: the tags of two one-block messages under one nonce differ by
/// H² times the blocks' difference, and in GF(2^128) the square root is the power 2^127.
fn hash_key(aead: &impl Aes256Gcm) -> Field {
    let tag = |plaintext: &mut [u8]| {
        let mut tag = [0; TAG_LEN];
        aead.seal(&[0; 12], &[], plaintext, &mut tag).unwrap();
        Field::from(tag)
    };
    let (mut one, mut two) = ([0; 16], [1; 16]);
    let (tag_1, tag_2) = (tag(&mut one), tag(&mut two));
    let difference = Field::from(one).plus(Field::from(two));
    let mut root = tag_1.plus(tag_2).times(difference.inverse());
    for _ in 0..127 {
        root = root.times(root);
    }
    root
}

/// GF(2^128) as GHASH has it (SP 800-38D, section 6.3): the first bit is that of x^0.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Field(u128);

impl Field {
    const ONE: Self = Self(1 << 127);

    fn plus(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    fn times(self, other: Self) -> Self {
        let (mut product, mut shifted) = (0, self.0);
        for bit in (0..128).rev() {
            if other.0 >> bit & 1 == 1 {
                product ^= shifted;
            }
            shifted = (shifted >> 1) ^ ((shifted & 1) * (0xE1 << 120));
        }
        Self(product)
    }

    /// The power 2^128 − 2.
    fn inverse(self) -> Self {
        let (mut power, mut product) = (self, Self::ONE);
        for _ in 1..128 {
            power = power.times(power);
            product = product.times(power);
        }
        product
    }

    fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl From<[u8; 16]> for Field {
    fn from(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}
