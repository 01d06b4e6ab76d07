//! Objects that open, by every kind of key.

use object_cipher_core::{Attributes, ChecksumAlgorithm, ChecksumKind, CryptoBackend};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{
    plaintext,
    vectors::{BucketObjectVector, HeldKeys},
};

use super::{
    CLIENT, CLIENT_KMS, InBucket, OTHER_KEY, identity_of, one_piece, parts_of, small_parts,
    small_piece,
};
use crate::generate::{
    objects::{attributes, full_identity, many_parts},
    samples::{Sample, unversioned},
};

pub(super) fn all() -> Vec<BucketObjectVector> {
    [pieces(), parts(), keys(), names(), rewraps()].concat()
}

fn as_is(object: &InBucket) -> BucketObjectVector {
    object.accept(&object.name)
}

fn pieces() -> Vec<BucketObjectVector> {
    let sized = |size: usize| {
        let name = format!("bucket, one piece of {size} bytes");
        as_is(&InBucket::held(&one_piece(CLIENT, &name, &plaintext(size))))
    };
    let all = attributes(ChecksumAlgorithm::Sha256, ChecksumKind::FullObject);
    let name = "bucket, one piece with all attributes and identity items";
    let all = Sample::single(CLIENT, name, &full_identity(), b"content", &all);
    let kms = InBucket::kms(one_piece(CLIENT_KMS, "bucket, one piece under a KMS", b"content"));
    let mut vectors = vec![as_is(&small_piece()), as_is(&InBucket::held(&all)), as_is(&kms)];
    vectors.extend([0, 16_383, 16_384, 40_000].map(sized));
    vectors
}

fn parts() -> Vec<BucketObjectVector> {
    let content = plaintext(40_000);
    let of = |name: &str, parts: &[(u32, &[u8])]| {
        let sample = Sample::multipart(CLIENT, name, &unversioned(), parts, &Attributes::default());
        as_is(&InBucket::held(&sample))
    };
    let edges: [(u32, &[u8]); 4] = [
        (1, &content[..16_384]),
        (2, &[]),
        (9, &content[16_384..33_000]),
        (10_000, &content[33_000..]),
    ];
    let all = attributes(ChecksumAlgorithm::Crc32C, ChecksumKind::Composite);
    let name = "bucket, parts with all attributes and identity items";
    let all = Sample::multipart(CLIENT, name, &full_identity(), &[(3, b"content")], &all);
    let name = "bucket, parts under a KMS";
    let kms = Sample::multipart(
        CLIENT_KMS,
        name,
        &unversioned(),
        &[(1, b"a"), (2, b"b")],
        &Attributes::default(),
    );
    let many = InBucket { name: "bucket, 257 parts".into(), ..InBucket::held(&many_parts(CLIENT)) };
    vec![
        as_is(&small_parts()),
        of("bucket, one empty part", &[(1, &[])]),
        of("bucket, parts over chunk edges", &edges),
        as_is(&InBucket::held(&all)),
        as_is(&InBucket::kms(kms)),
        as_is(&many),
    ]
}

/// Keys by their names.
fn keys() -> Vec<BucketObjectVector> {
    let named = |name: &str| {
        let mut object = small_piece();
        object.sample = object.sample.rewrapped(|raw| raw.layers[0].key_ref = name.into());
        let source_key = object.sample.secrets.source_keys[0].clone();
        let other = OTHER_KEY.into();
        object.keys =
            HeldKeys::Program([(name.into(), source_key), ("another".into(), other)].into());
        object
    };
    vec![
        named("").accept("bucket, a key without a name"),
        named("Schlüssel/1").accept("bucket, a key with a name like a keyring's version"),
        in_keyring(1, small_piece()).accept("bucket, version 1 of a keyring"),
        in_keyring(u32::MAX, small_piece()).accept("bucket, version 4,294,967,295 of a keyring"),
        in_keyring(3, small_parts()).accept("bucket, parts under a version of a keyring"),
    ]
}

/// The object under a version of a keyring.
pub(super) fn in_keyring(version: u32, mut object: InBucket) -> InBucket {
    let source_key = object.sample.secrets.source_keys[0].clone();
    object.sample = object.sample.rewrapped(|raw| {
        raw.layers[0].key_ref = format!("main.2/{version}").into_bytes();
        raw.layers[0].blob = check_value(&source_key);
    });
    let versions = [(version, source_key), (2, OTHER_KEY.into())].into();
    object.keys = HeldKeys::Keyring { id: "main.2".into(), versions };
    object
}

/// The check value of a source key (7.5).
pub(super) fn check_value(source_key: &[u8]) -> Vec<u8> {
    let mut check = [0; 8];
    let name = b"object-cipher/v1/check";
    RustCrypto.hkdf_sha512(name, source_key, &[b""], &mut check).unwrap();
    check.into()
}

/// Names of metadata, and keys.
fn names() -> Vec<BucketObjectVector> {
    let renamed = |object: &InBucket, words: &str, name: &str| {
        let mut vector = object.accept(&format!("{}, {words}", object.name));
        vector.metadata[0].0 = name.into();
        vector.metadata.insert(0, ("team".into(), "red".into()));
        vector
    };
    let long = "k".repeat(977);
    let name = "bucket, parts under a key of 977 bytes";
    vec![
        renamed(
            &small_piece(),
            "a header's name among others",
            "x-amz-meta-object-cipher-envelope",
        ),
        renamed(&small_parts(), "a name in another case", "Object-Cipher-Companion"),
        as_is(&InBucket::held(&parts_of(name, &identity_of(&long)))),
    ]
}

/// Envelopes made anew for another key of the object or of the client.
fn rewraps() -> Vec<BucketObjectVector> {
    let copied = |mut object: InBucket, words: &str| {
        let identity = identity_of("copy");
        object.sample.secrets.identity = identity.clone();
        object.sample.vector.identity = identity;
        object.sample = object.sample.rewrapped(|_| ());
        object.key = "copy".into();
        object.accept(&format!("{}, {words}", object.name))
    };
    let other_identity = |mut object: InBucket| {
        object.key = "stored under another".into();
        object.accept("bucket, one piece, identity of another key than the S3 object's")
    };
    let mut left = small_parts().accept("bucket, three parts, beside another upload's companion");
    let other = InBucket::held(&parts_of("bucket, another upload", &unversioned()));
    left.companions.extend(other.accept("").companions);
    vec![
        copied(small_piece(), "wrapped anew for a copy"),
        copied(small_parts(), "wrapped anew for a copy"),
        other_identity(small_piece()),
        left,
    ]
}
