//! Faults in the fields of the Envelope's layers.

use object_cipher_testkit::vectors::{
    ObjectVector,
    VerdictStep::{self, Envelope, KeyWrap},
};

use crate::generate::{
    envelope::{RawEnvelope, RawLayer},
    kinds::{BUCKET_KEY, CLIENT, DSSE_KMS, Kind, SSE_C, SSE_KMS, SSE_S3},
    objects::single,
};

pub(super) fn all() -> Vec<ObjectVector> {
    [indices_and_sources(), key_refs(), key_blobs(), altered_names(), wraps(), two_layers()]
        .concat()
}

/// A fault in the first layer, under a wrap that covers it.
fn rewrapped(kind: Kind, reason: &str, edit: impl FnOnce(&mut RawLayer)) -> ObjectVector {
    single(kind).rewrapped(|raw| edit(&mut raw.layers[0])).refuse(Envelope, reason)
}

/// A fault in an Envelope, made without the key.
fn edited(
    kind: Kind,
    step: VerdictStep,
    reason: &str,
    edit: impl FnOnce(&mut RawEnvelope),
) -> ObjectVector {
    single(kind).edited(edit).refuse(step, reason)
}

fn indices_and_sources() -> Vec<ObjectVector> {
    let index = |value| {
        rewrapped(SSE_C, &format!("index {value} of the only layer"), |layer| layer.index = value)
    };
    let source = |kind: Kind, value: u8| {
        let reason = format!("ek_source {value}");
        rewrapped(kind, &reason, |layer| layer.source = value)
    };
    let mut vectors = vec![index(1), index(2), index(255)];
    vectors.extend([0, 6, 255].map(|value| source(SSE_C, value)));
    // Sources that exist, in a mode that they do not serve.
    vectors.extend([source(SSE_C, 5), source(CLIENT, 4), source(SSE_KMS, 5), source(CLIENT, 3)]);
    vectors.push(edited(
        SSE_KMS,
        KeyWrap,
        "ek_source and flag bit 1 changed to a bucket key",
        |raw| {
            raw.head[8] = 2;
            raw.layers[0].source = 3;
        },
    ));
    vectors.push(edited(
        BUCKET_KEY,
        KeyWrap,
        "ek_source and flag bit 1 changed to a KMS key",
        |raw| {
            raw.head[8] = 0;
            raw.layers[0].source = 2;
        },
    ));
    vectors
}

fn key_refs() -> Vec<ObjectVector> {
    let key_ref = |kind: Kind, reason: &str, key_ref: &[u8]| {
        rewrapped(kind, reason, |layer| layer.key_ref = key_ref.to_vec())
    };
    let keyring = |id: &[u8], words: &str| {
        let reason = format!("a keyring id {words}");
        rewrapped(SSE_S3, &reason, |layer| {
            layer.key_ref.truncate(12);
            layer.key_ref.extend(id);
        })
    };
    vec![
        key_ref(SSE_C, "a key_ref with a customer key", b"x"),
        key_ref(SSE_KMS, "an empty KMS key id", b""),
        key_ref(BUCKET_KEY, "an empty KMS key id", b""),
        key_ref(SSE_KMS, "a KMS key id that is not UTF-8", b"key\xFF"),
        key_ref(CLIENT, "a client key name that is not UTF-8", b"\xC3\x28"),
        key_ref(SSE_KMS, "a key_ref of 1,025 bytes", &[b'k'; 1_025]),
        key_ref(SSE_S3, "a master key_ref without a keyring id", &[1; 12]),
        key_ref(SSE_S3, "a master key_ref of 11 bytes", &[1; 11]),
        key_ref(SSE_S3, "a master key_ref of 7 bytes", &[1; 7]),
        key_ref(SSE_S3, "an empty master key_ref", b""),
        keyring(&[b'a'; 65], "of 65 characters"),
        keyring(b"../x", "that is a path"),
        keyring(b".hidden", "that begins with a dot"),
        keyring(b"-flag", "that begins with a hyphen"),
        keyring(b"a b", "with a space"),
        keyring(b"a\0", "with a NUL"),
        keyring("schlüssel".as_bytes(), "that is not ASCII"),
        rewrapped(SSE_S3, "version 0 of a master key", |layer| layer.key_ref[8..12].fill(0)),
    ]
}

fn key_blobs() -> Vec<ObjectVector> {
    let blob = |kind: Kind, reason: &str, blob: &[u8]| {
        rewrapped(kind, reason, |layer| layer.blob = blob.to_vec())
    };
    vec![
        blob(SSE_C, "an ek_blob with a customer key", b"x"),
        blob(SSE_S3, "an ek_blob with a master key", b"x"),
        blob(SSE_KMS, "an empty ek_blob of a KMS", b""),
        blob(SSE_KMS, "an ek_blob of one byte", b"\0"),
        blob(SSE_KMS, "an ek_blob whose version is longer than it", b"\0\x05abcd"),
        blob(SSE_KMS, "an ek_blob whose version is not UTF-8", b"\0\x01\xFFblob"),
        blob(BUCKET_KEY, "an empty ek_blob of a bucket key", b""),
        blob(CLIENT, "an ek_blob of 6,145 bytes", &[b'b'; 6_145]),
    ]
}

/// Key names changed without the key: the wrap covers them.
fn altered_names() -> Vec<ObjectVector> {
    let flip = |kind: Kind, at: usize, what: &str| {
        edited(kind, KeyWrap, &format!("{what} changed"), |raw| raw.layers[0].key_ref[at] ^= 1)
    };
    vec![
        flip(SSE_S3, 0, "the check value of the master key"),
        flip(SSE_S3, 10, "the version of the master key"),
        flip(SSE_S3, 12, "the keyring id"),
        flip(SSE_KMS, 20, "the KMS key id"),
        flip(BUCKET_KEY, 20, "the KMS key id"),
        flip(CLIENT, 0, "the name of the client key"),
        edited(CLIENT, KeyWrap, "the name of the client key dropped", |raw| {
            raw.layers[0].key_ref.clear();
        }),
    ]
}

fn wraps() -> Vec<ObjectVector> {
    let fields = [("salt", 0), ("commitment", 24), ("ciphertext", 56), ("tag", 88)];
    let flips = [SSE_S3, SSE_KMS].into_iter().flat_map(|kind| {
        fields.map(|(field, at)| {
            let reason = format!("bit 7 of byte 0 of the wrap's {field} flipped");
            edited(kind, KeyWrap, &reason, |raw| raw.layers[0].wrapped[at] ^= 0x80)
        })
    });
    let foreign = single(BUCKET_KEY).raw.layers[0].wrapped.clone();
    let zero = edited(SSE_C, KeyWrap, "the wrap all zero", |raw| raw.layers[0].wrapped.fill(0));
    let foreign = edited(SSE_KMS, KeyWrap, "the wrap of another object", |raw| {
        raw.layers[0].wrapped = foreign;
    });
    flips.chain([zero, foreign]).collect()
}

fn two_layers() -> Vec<ObjectVector> {
    let edited = |step, reason: &str, edit: fn(&mut Vec<RawLayer>)| {
        single(DSSE_KMS).edited(|raw| edit(&mut raw.layers)).refuse(step, reason)
    };
    let rewrapped = |reason: &str, edit: fn(&mut Vec<RawLayer>)| {
        single(DSSE_KMS).rewrapped(|raw| edit(&mut raw.layers)).refuse(Envelope, reason)
    };
    let swap = |of: fn(&mut RawLayer) -> &mut Vec<u8>| {
        move |layers: &mut Vec<RawLayer>| {
            let [inner, outer] = layers.as_mut_slice() else { return };
            std::mem::swap(of(inner), of(outer));
        }
    };
    let swapped = |reason: &str, of: fn(&mut RawLayer) -> &mut Vec<u8>| {
        single(DSSE_KMS).edited(|raw| swap(of)(&mut raw.layers)).refuse(KeyWrap, reason)
    };
    let mut blobs =
        swapped("the ek_blobs swapped, and with them the source keys", |layer| &mut layer.blob);
    blobs.source_keys.reverse();
    vec![
        swapped("the wraps swapped", |layer| &mut layer.wrapped),
        swapped("the key_refs swapped", |layer| &mut layer.key_ref),
        blobs,
        edited(KeyWrap, "the inner wrap put in place of the outer", |layers| {
            layers[1].wrapped = layers[0].wrapped.clone();
        }),
        edited(KeyWrap, "bit 0 of the outer wrap's tag flipped", |layers| {
            layers[1].wrapped[103] ^= 1;
        }),
        edited(KeyWrap, "bit 0 of the inner wrap's tag flipped", |layers| {
            layers[0].wrapped[103] ^= 1;
        }),
        edited(Envelope, "the outer layer before the inner", |layers| layers.reverse()),
        rewrapped("both layers have index 0", |layers| layers[1].index = 0),
        rewrapped("both layers have index 1", |layers| layers[0].index = 1),
        rewrapped("the outer layer under a bucket key", |layers| layers[1].source = 3),
    ]
}
