//! Other identities and other source keys than an object was sealed with.

use object_cipher_core::Attributes;
use object_cipher_testkit::vectors::{
    Hex, IdentityRecord, ObjectVector,
    VerdictStep::{self, Identity, KeyWrap},
};

use crate::generate::{
    kinds::{DSSE_KMS, KINDS, Kind, SSE_C, SSE_KMS, SSE_S3},
    objects::{full_identity, single},
    samples::{Sample, identity, unversioned},
};

pub(super) fn all() -> Vec<ObjectVector> {
    [every_item(), look_alikes(), added_or_required(), source_keys()].concat()
}

fn sealed(kind: Kind, name: &str, identity: &IdentityRecord) -> Sample {
    Sample::single(kind, name, identity, b"content", &Attributes::default())
}

fn given(sample: &Sample, step: VerdictStep, reason: &str, given: IdentityRecord) -> ObjectVector {
    ObjectVector { identity: given, ..sample.refuse(step, reason) }
}

fn bytes(text: &str) -> Hex {
    text.as_bytes().into()
}

fn pairs(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

/// Each item wrong, and each missing.
fn every_item() -> Vec<ObjectVector> {
    let full = full_identity();
    let sample = sealed(SSE_KMS, "sse-kms, every item bound", &full);
    let with = |step, reason: &str, edit: fn(&mut IdentityRecord)| {
        let mut record = full.clone();
        edit(&mut record);
        given(&sample, step, reason, record)
    };
    vec![
        with(KeyWrap, "the realm differs", |id| id.realm = bytes("realm2")),
        with(KeyWrap, "the realm is missing", |id| id.realm = bytes("")),
        with(KeyWrap, "the bucket differs", |id| id.bucket = bytes("bucket2")),
        with(KeyWrap, "the bucket is missing", |id| id.bucket = bytes("")),
        with(KeyWrap, "the key differs", |id| id.key = bytes("dir/key2")),
        with(KeyWrap, "the key is missing", |id| id.key = bytes("")),
        with(KeyWrap, "the version id differs", |id| id.version_id = bytes("v2")),
        with(Identity, "the version id is missing", |id| id.version_id = bytes("")),
        with(Identity, "the version id is `null`", |id| id.version_id = bytes("null")),
        with(KeyWrap, "the extra item differs", |id| id.extra = bytes("generation 8")),
        with(Identity, "the extra item is missing", |id| id.extra = bytes("")),
        with(KeyWrap, "a value of the encryption context differs", |id| {
            id.encryption_context = pairs(&[("a", "1"), ("b", "3")]);
        }),
        with(KeyWrap, "a key of the encryption context differs in case", |id| {
            id.encryption_context = pairs(&[("A", "1"), ("b", "2")]);
        }),
        with(KeyWrap, "the encryption context has a pair more", |id| {
            id.encryption_context = pairs(&[("a", "1"), ("b", "2"), ("c", "3")]);
        }),
        with(KeyWrap, "the encryption context has a pair less", |id| {
            id.encryption_context = pairs(&[("a", "1")]);
        }),
        with(
            KeyWrap,
            "the encryption context {\"a\": \"1b2\"} for {\"a\": \"1\", \"b\": \"2\"}",
            |id| {
                id.encryption_context = pairs(&[("a", "1b2")]);
            },
        ),
        with(Identity, "the encryption context is missing", |id| id.encryption_context.clear()),
        with(KeyWrap, "version id and extra item swapped", |id| {
            std::mem::swap(&mut id.version_id, &mut id.extra);
        }),
        with(KeyWrap, "realm and bucket swapped", |id| {
            std::mem::swap(&mut id.realm, &mut id.bucket);
        }),
    ]
}

/// Names that joining paths or normalising text would take for one another.
fn look_alikes() -> Vec<ObjectVector> {
    let place = |bucket: &str, key: &str| IdentityRecord {
        bucket: bytes(bucket),
        key: bytes(key),
        ..identity()
    };
    let pair = |words: &str, first: IdentityRecord, second: IdentityRecord| {
        let sample = sealed(SSE_C, &format!("sse-c, {words}"), &first);
        given(&sample, KeyWrap, "read as the other", second)
    };
    let case = |key: &str, other: &str| {
        pair(&format!("keys {key:?} and {other:?}"), place("bucket", key), place("bucket", other))
    };
    vec![
        case("a//b", "a/b"),
        case("a/b/", "a/b"),
        case("a/../b", "b"),
        case("./a", "a"),
        case("\u{e9}", "e\u{301}"),
        case("a\0", "a"),
        case("Key", "key"),
        case("a+b", "a b"),
        case("a%2Fb", "a/b"),
        pair("bucket a, key b/c and bucket a/b, key c", place("a", "b/c"), place("a/b", "c")),
        pair("bucket a, key bc and bucket ab, key c", place("a", "bc"), place("ab", "c")),
        pair("an empty bucket and an empty key", place("", "name"), place("name", "")),
    ]
}

fn added_or_required() -> Vec<ObjectVector> {
    let bare = sealed(SSE_KMS, "sse-kms, only realm, bucket and key bound", &unversioned());
    let context = pairs(&[("a", "1")]);
    let required = |item: &str| ObjectVector {
        required: vec![item.into()],
        identity: full_identity_without_context(),
        ..bare.refuse(Identity, &format!("the reader requires that the {item} is bound"))
    };
    vec![
        given(
            &bare,
            Identity,
            "an encryption context is given, and none was bound",
            IdentityRecord { encryption_context: context, ..unversioned() },
        ),
        required("version_id"),
        required("extra"),
    ]
}

fn full_identity_without_context() -> IdentityRecord {
    IdentityRecord { encryption_context: pairs(&[]), ..full_identity() }
}

fn source_keys() -> Vec<ObjectVector> {
    let keyed = |kind: Kind, reason: &str, edit: fn(&mut Vec<Hex>)| {
        let mut vector = single(kind).refuse(KeyWrap, reason);
        edit(&mut vector.source_keys);
        vector
    };
    let flipped =
        KINDS.map(|kind| keyed(kind, "bit 0 of the source key flipped", |keys| keys[0].0[0] ^= 1));
    let others = [
        keyed(DSSE_KMS, "bit 0 of the outer source key flipped", |keys| keys[1].0[0] ^= 1),
        keyed(DSSE_KMS, "the source keys swapped", |keys| keys.reverse()),
        keyed(DSSE_KMS, "the inner source key for both", |keys| keys[1] = keys[0].clone()),
        keyed(SSE_C, "a source key of all zero", |keys| keys[0] = [0; 32].into()),
        ObjectVector {
            source_keys: single(SSE_KMS).vector.source_keys,
            ..single(SSE_S3).refuse(KeyWrap, "the source key of another object")
        },
    ];
    flipped.into_iter().chain(others).collect()
}
