//! Wrapped data keys, with each step of their derivation.

use object_cipher_testkit::vectors::{Hex, Verdict, VerdictStep, WrapVector};

use super::{
    envelope::{self, EkUse, RawEnvelope},
    kinds::{KINDS, Kind, SSE_C, SSE_KMS},
    message::{self, LayerKey, array},
    objects,
    samples::Secrets,
    uploads,
};

pub(crate) fn all() -> Vec<WrapVector> {
    let accepted = KINDS.into_iter().flat_map(|kind| {
        let object = objects::single(kind);
        let upload = uploads::two_parts(kind);
        let states =
            [("object", &object.raw, &object.secrets), ("upload", &upload.raw, &upload.secrets)];
        let wraps = states.map(|(state, raw, keys)| {
            (0..kind.layers()).map(|layer| wrap(kind, state, raw, keys, layer)).collect::<Vec<_>>()
        });
        wraps.concat()
    });
    accepted.chain(altered()).chain(wrongly_derived()).collect()
}

/// A wrap as core made it; the steps in between are the second writer's.
fn wrap(kind: Kind, state: &str, raw: &RawEnvelope, keys: &Secrets, layer: usize) -> WrapVector {
    let identity = envelope::identity(&keys.identity, raw.head[7] == 1);
    let clear_fields = raw.clear_fields();
    let use_ = raw.ek_use(layer);
    WrapVector {
        name: format!("{}, {state}, layer {layer}", kind.label),
        mode: kind.mode,
        ek_source: kind.source,
        layer: use_.layer,
        source_key: keys.source_keys[layer].clone(),
        ek: envelope::ek(&keys.source_keys[layer], use_).into(),
        bound_digest: envelope::bound_digest(&clear_fields, &identity, &raw.info).into(),
        clear_fields: Hex(clear_fields),
        identity: Hex(identity),
        info: raw.info.as_slice().into(),
        wrapped: raw.layers[layer].wrapped.as_slice().into(),
        data_key: Some(keys.deks[layer].into()),
        verdict: Verdict::accept(),
    }
}

fn refuse(vector: &WrapVector, reason: &str) -> WrapVector {
    WrapVector {
        name: format!("{}: {reason}", vector.name),
        data_key: None,
        verdict: Verdict::reject(VerdictStep::KeyWrap, reason),
        ..vector.clone()
    }
}

fn object_wrap(kind: Kind) -> (WrapVector, [u8; 32]) {
    let object = objects::single(kind);
    (wrap(kind, "object", &object.raw, &object.secrets, 0), object.secrets.deks[0])
}

fn altered() -> Vec<WrapVector> {
    let (vector, _) = object_wrap(SSE_C);
    let fields = [("salt", 0), ("commitment", 24), ("ciphertext", 56), ("tag", 88)];
    let flips = fields.into_iter().map(|(field, at)| {
        let mut wrapped = vector.wrapped.0.clone();
        wrapped[at] ^= 1;
        let reason = format!("bit 0 of byte 0 of the {field} flipped");
        WrapVector { wrapped: Hex(wrapped), ..refuse(&vector, &reason) }
    });
    let cut = WrapVector {
        wrapped: vector.wrapped[..103].into(),
        ..refuse(&vector, "the last byte of the tag dropped")
    };
    let longer = WrapVector {
        wrapped: Hex([&vector.wrapped[..], &[0]].concat()),
        ..refuse(&vector, "one zero byte appended")
    };
    flips.chain([cut, longer]).collect()
}

/// Wraps that a writer derived otherwise: another EK, H or context.
fn wrongly_derived() -> Vec<WrapVector> {
    let (vector, dek) = object_wrap(SSE_KMS);
    let object = objects::single(SSE_KMS);
    let identity = envelope::identity(&object.secrets.identity, true);
    let (clear, info) = (object.raw.clear_fields(), &object.raw.info);
    let right = EkUse { mode: 2, layer: 0, source: 2 };
    let digest: [u8; 64] = array(&vector.bound_digest);
    let sealed = |reason: &str, ek: [u8; 32], layer: u8, digest: &[u8; 64]| WrapVector {
        wrapped: Hex(envelope::wrap(ek, layer, digest, &dek)),
        ..refuse(&vector, reason)
    };
    let by_ek = |reason: &str, use_: EkUse| {
        sealed(reason, envelope::ek(&vector.source_key, use_), 0, &digest)
    };
    let ek = || envelope::ek(&vector.source_key, right);
    let by_digest = |reason: &str, clear: &[u8], identity: &[u8], info: &[u8]| {
        sealed(reason, ek(), 0, &envelope::bound_digest(clear, identity, info))
    };
    let joined = [clear.clone(), identity.clone()].concat();
    let blob_too = [&clear[..], &envelope::enc(&object.raw.layers[0].blob)].concat();
    let bare = {
        let context = b"object-cipher/v1/wrap\0".to_vec();
        let salt = message::salt(&[b"bare wrap"]);
        let wrapped = message::seal(&[LayerKey { dek: ek(), context, salt }], &dek);
        let reason = "the wrap's context has neither layer nor H";
        WrapVector { wrapped: Hex(wrapped), ..refuse(&vector, reason) }
    };
    vec![
        by_ek("EK of mode 5", EkUse { mode: 5, ..right }),
        by_ek("EK of layer 1", EkUse { layer: 1, ..right }),
        by_ek("EK of a bucket key", EkUse { source: 3, ..right }),
        by_ek("EK of a local KMS", EkUse { mode: 0, source: 1, ..right }),
        sealed("the source key used as EK", array(&vector.source_key), 0, &digest),
        sealed("the wrap's context has layer 1", ek(), 1, &digest),
        by_digest("H without the info message", &clear, &identity, &[]),
        by_digest("H without the identity", &clear, &[], info),
        by_digest("H without the clear fields", &[], &identity, info),
        by_digest("H with identity and clear fields swapped", &identity, &clear, info),
        by_digest("H with clear fields and identity as one field", &joined, &[], info),
        by_digest("H over the ek_blob too", &blob_too, &identity, info),
        by_digest("H over the fixed header alone", &clear[..28], &identity, info),
        bare,
    ]
}
