//! A small object sealed and opened by hand, straight over a library: the messages, the hash, the one
//! random draw and the checks that `SPEC.md` asks for, and nothing else. What small objects are
//! compared with.
//!
//! Whoever does this by hand also wipes the keys and the info block, and compares commitments in
//! constant time, so that is done here too, and in the fastest way. What is not done here is to keep
//! HKDF's key set up: the libraries' own HKDF sets it up for every expansion.

use std::hint::black_box;

use zeroize::zeroize_bytes;

use crate::raw::{Library, OKM, TAG};

const PREFIX: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
const SALT: usize = 24;
const HEADER: usize = 56;
const WRAPPED: usize = HEADER + 32 + TAG;
/// What an Envelope begins with: SSE-S3, finished, one layer, nothing bound but the names.
const HEAD: &[u8] = b"\x89S3E\x01\x01\x01\x01\x00\x01\x00\x00";
/// The layer, and a master key above it.
const LAYER: [u8; 2] = [0, 1];
/// Tag and length of the fields of the info block: the length, and the body's header.
const LENGTH_FIELD: [u8; 3] = [1, 0, 8];
const HEADER_FIELD: [u8; 3] = [4, 0, 56];

/// SSE-S3 under one wrapping key, for one object.
pub(crate) struct Bare<'a> {
    pub(crate) ek: &'a [u8; 32],
    /// As it stands in the Envelope.
    pub(crate) key_ref: &'a [u8],
    /// Realm, bucket and key.
    pub(crate) names: [&'a str; 3],
}

impl Bare<'_> {
    /// The body and the Envelope.
    pub(crate) fn seal<L: Library>(&self, content: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut drawn = L::random::<{ 32 + 3 * SALT + 16 }>();
        let (dek, rest) = drawn.split_first_chunk::<32>().unwrap();
        let (salts, object) = rest.split_at(3 * SALT);

        let mut body = Vec::with_capacity(HEADER + content.len() + TAG);
        seal_message::<L>(dek, &body_info(&salts[..SALT], object), content, &mut body);

        let mut info = Vec::with_capacity(11 + 3 + HEADER);
        info.extend_from_slice(&LENGTH_FIELD);
        info.extend_from_slice(&(content.len() as u64).to_be_bytes());
        info.extend_from_slice(&HEADER_FIELD);
        info.extend_from_slice(&body[..HEADER]);
        let mut sealed_info = Vec::with_capacity(HEADER + info.len() + TAG);
        seal_message::<L>(dek, &info_info(&salts[SALT..2 * SALT], object), &info, &mut sealed_info);
        zeroize_bytes(&mut info);

        let mut envelope = Vec::with_capacity(512);
        envelope.extend_from_slice(HEAD);
        envelope.extend_from_slice(object);
        envelope.extend_from_slice(&LAYER);
        envelope.extend_from_slice(&u16::try_from(self.key_ref.len()).unwrap().to_be_bytes());
        envelope.extend_from_slice(self.key_ref);
        let hash = self.hash::<L>(&envelope, &sealed_info);
        envelope.extend_from_slice(&[0, 0]);
        seal_message::<L>(self.ek, &wrap_info(&salts[2 * SALT..], &hash), dek, &mut envelope);
        envelope.extend_from_slice(&length(&sealed_info));
        envelope.extend_from_slice(&sealed_info);
        zeroize_bytes(&mut drawn);
        (body, envelope)
    }

    /// The content.
    pub(crate) fn open<L: Library>(&self, body: &[u8], envelope: &[u8]) -> Vec<u8> {
        let (clear, rest) = envelope.split_at(32 + self.key_ref.len());
        assert_eq!(clear[..12], *HEAD);
        assert_eq!(clear[28..30], LAYER);
        assert_eq!(clear[32..], *self.key_ref);
        let object = &clear[12..28];
        let (wrapped, rest) = rest[2..].split_at(WRAPPED);
        let (info_length, sealed_info) = rest.split_at(4);
        assert_eq!(info_length, length(sealed_info));

        let hash = self.hash::<L>(clear, sealed_info);
        let mut dek = open_message::<L>(self.ek, &wrap_info(&wrapped[..SALT], &hash), wrapped);
        let key = dek.first_chunk().unwrap();
        let mut info =
            open_message::<L>(key, &info_info(&sealed_info[..SALT], object), sealed_info);
        let content = open_message::<L>(key, &body_info(&body[..SALT], object), body);
        assert_eq!(info[..3], LENGTH_FIELD);
        assert_eq!(info[3..11], (content.len() as u64).to_be_bytes());
        assert_eq!(info[11..14], HEADER_FIELD);
        assert_eq!(info[14..], body[..HEADER]);
        zeroize_bytes(&mut dek);
        zeroize_bytes(&mut info);
        content
    }

    /// H, which binds the clear fields, the identity and the sealed info.
    fn hash<L: Library>(&self, clear: &[u8], sealed_info: &[u8]) -> [u8; 64] {
        let mut identity = Vec::with_capacity(256);
        for name in self.names {
            identity.extend_from_slice(&length(name.as_bytes()));
            identity.extend_from_slice(name.as_bytes());
        }
        identity.extend_from_slice(&[0; 4 * 4]);
        L::sha512(&[
            &length(clear),
            clear,
            &length(&identity),
            &identity,
            &length(sealed_info),
            sealed_info,
        ])
    }
}

fn body_info<'a>(salt: &'a [u8], object: &'a [u8]) -> [&'a [u8]; 6] {
    [PREFIX, salt, b"object-cipher/v1/body\0", object, &[0], &[0; 4]]
}

fn info_info<'a>(salt: &'a [u8], object: &'a [u8]) -> [&'a [u8]; 5] {
    [PREFIX, salt, b"object-cipher/v1/info\0", object, &[0]]
}

fn wrap_info<'a>(salt: &'a [u8], hash: &'a [u8]) -> [&'a [u8]; 5] {
    [PREFIX, salt, b"object-cipher/v1/wrap\0", &[0], hash]
}

/// Appends a message; its salt is the second piece of `info`.
fn seal_message<L: Library>(key: &[u8; 32], info: &[&[u8]], plaintext: &[u8], out: &mut Vec<u8>) {
    let mut okm = L::expand(key, info);
    out.extend_from_slice(info[1]);
    out.extend_from_slice(&okm[44..]);
    let start = out.len();
    out.extend_from_slice(plaintext);
    out.extend_from_slice(&[0; TAG]);
    let (chunk, tag) = out[start..].split_at_mut(plaintext.len());
    let (key, base) = key_and_base(&okm);
    L::new(key).seal(base, chunk, tag);
    zeroize_bytes(&mut okm);
}

fn open_message<L: Library>(key: &[u8; 32], info: &[&[u8]], message: &[u8]) -> Vec<u8> {
    let mut okm = L::expand(key, info);
    assert!(is_same(&okm[44..], &message[SALT..HEADER]));
    let (chunk, tag) = message[HEADER..].split_at(message.len() - HEADER - TAG);
    let mut plaintext = chunk.to_vec();
    let (key, base) = key_and_base(&okm);
    L::new(key).open(base, &mut plaintext, tag);
    zeroize_bytes(&mut okm);
    plaintext
}

fn key_and_base(okm: &[u8; OKM]) -> (&[u8; 32], [u8; 12]) {
    (okm.first_chunk().unwrap(), okm[32..44].try_into().unwrap())
}

/// Whether two commitments are the same, in constant time.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other));
    black_box(differing) == 0
}

/// A length as it stands before what it is of.
fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap().to_be_bytes()
}
