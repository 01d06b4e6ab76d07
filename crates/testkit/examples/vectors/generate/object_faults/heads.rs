//! Faults in the Envelope's fixed header.

use object_cipher_core::{Mode, Suite};
use object_cipher_testkit::vectors::{
    ObjectVector, UploadVector,
    VerdictStep::{Envelope, Identity, KeyWrap, Mode as ModeStep, State},
};

use crate::generate::{
    kinds::{BUCKET_KEY, CLIENT_KMS, DSSE_KMS, KINDS, Kind, SSE_C, SSE_KMS, SSE_S3},
    objects::{full_identity, multipart, single},
    samples::Sample,
    uploads,
};

pub(super) fn all() -> Vec<ObjectVector> {
    [one_byte(), between_fields(), allowed_alone(), other_modes(), other_states()].concat()
}

/// Values that no Envelope has, each under a wrap that covers it: only the form tells.
fn one_byte() -> Vec<ObjectVector> {
    let faults: [(usize, u8, &str); 35] = [
        (0, 0x88, "magic byte 0 is 0x88"),
        (1, b's', "magic byte 1 is 0x73"),
        (2, b'4', "magic byte 2 is 0x34"),
        (3, b'e', "magic byte 3 is 0x65"),
        (4, 0, "version 0"),
        (4, 2, "version 2"),
        (5, 0, "suite 0"),
        (5, 2, "suite 2 in mode 4"),
        (5, 3, "suite 3"),
        (5, 0x10, "suite 0x10, which is reserved"),
        (5, 0x11, "suite 0x11, which is reserved"),
        (6, 0, "mode 0"),
        (6, 6, "mode 6"),
        (6, 0xFF, "mode 255"),
        (7, 0, "state 0"),
        (7, 4, "state 4"),
        (8, 2, "flag bit 1 set without a bucket key"),
        (8, 4, "flag bit 2 set on a finished object"),
        (8, 8, "flag bit 3 set"),
        (8, 0x10, "flag bit 4 set"),
        (8, 0x20, "flag bit 5 set"),
        (8, 0x40, "flag bit 6 set"),
        (8, 0x80, "flag bit 7 set"),
        (9, 0, "layer count 0"),
        (9, 2, "layer count 2 in suite 1"),
        (9, 0xFF, "layer count 255"),
        (10, 3, "an upload id bound on a finished object"),
        (10, 0x11, "bound bit 4 set"),
        (10, 0x21, "bound bit 5 set"),
        (10, 0x41, "bound bit 6 set"),
        (10, 0x81, "bound bit 7 set"),
        (11, 1, "byte 11 is 1"),
        (11, 0x80, "byte 11 is 128"),
        (6, 3, "mode 3 in suite 1"),
        (6, 1, "mode 1 with a customer key"),
    ];
    let sample = single(SSE_C);
    let refuse = |(at, value, reason): (usize, u8, &str)| {
        sample.rewrapped(|raw| raw.head[at] = value).refuse(Envelope, reason)
    };
    faults.map(refuse).into()
}

/// Fields that do not go together, each under a wrap that covers them.
fn between_fields() -> Vec<ObjectVector> {
    let refuse = |kind: Kind, at: usize, value: u8, reason: &str| {
        single(kind).rewrapped(|raw| raw.head[at] = value).refuse(Envelope, reason)
    };
    vec![
        refuse(DSSE_KMS, 5, 1, "suite 1 in mode 3"),
        refuse(DSSE_KMS, 9, 1, "layer count 1 in suite 2"),
        refuse(DSSE_KMS, 8, 2, "flag bit 1 set in mode 3"),
        refuse(DSSE_KMS, 6, 2, "mode 2 in suite 2"),
        refuse(BUCKET_KEY, 8, 0, "flag bit 1 not set with a bucket key"),
        refuse(SSE_KMS, 8, 2, "flag bit 1 set without a bucket key"),
        refuse(SSE_S3, 8, 4, "flag bit 2 set in mode 1"),
    ]
}

/// Values that other Envelopes have, changed without the key.
fn allowed_alone() -> Vec<ObjectVector> {
    let edited = |kind: Kind, step, reason: &str, at: usize, value: u8| {
        single(kind).edited(|raw| raw.head[at] = value).refuse(step, reason)
    };
    let mut vectors: Vec<_> = KINDS
        .into_iter()
        .map(|kind| {
            let reason = "bit 0 of the last byte of the object id flipped";
            single(kind).edited(|raw| raw.head[27] ^= 1).refuse(KeyWrap, reason)
        })
        .collect();
    let unbound = |bit: u8, what: &str| {
        let mut sample = bound();
        sample.raw.head[10] &= !bit;
        let step = if bit == 4 { Identity } else { KeyWrap };
        sample.refuse(step, &format!("bound bit of the {what} cleared"))
    };
    vectors.extend([
        unbound(1, "version id"),
        unbound(4, "encryption context"),
        unbound(8, "extra item"),
        edited(SSE_C, Identity, "bound bit of the encryption context set", 10, 5),
        edited(SSE_C, Identity, "bound bit of the extra item set", 10, 9),
        edited(SSE_C, KeyWrap, "flag bit 0 set on an object of one body", 8, 1),
        multipart(SSE_C)
            .edited(|raw| raw.head[8] = 0)
            .refuse(KeyWrap, "flag bit 0 cleared on an object of parts"),
    ]);
    vectors
}

/// An object whose identity has every item.
fn bound() -> Sample {
    let attributes = object_cipher_core::Attributes::default();
    let name = "sse-kms, every item bound";
    Sample::single(SSE_KMS, name, &full_identity(), b"content", &attributes)
}

/// Envelopes given to the reader of another mode, as they are and with the mode byte changed.
fn other_modes() -> Vec<ObjectVector> {
    let read_as = |kind: Kind, mode: Mode| {
        let reason = format!("given to a reader of {mode}");
        let vector = single(kind).refuse(ModeStep, &reason);
        ObjectVector { mode, ..vector }
    };
    let changed = |kind: Kind, other: Kind, byte: u8| {
        let reason = format!("the mode byte changed to that of {}", other.mode);
        let vector = single(kind).edited(|raw| raw.head[6] = byte).refuse(KeyWrap, &reason);
        ObjectVector { mode: other.mode, ..vector }
    };
    let stripped = |kind: Kind| {
        let sample = single(DSSE_KMS).edited(|raw| {
            raw.head[5..7].copy_from_slice(&[1, 2]);
            raw.head[9] = 1;
            raw.layers.truncate(1);
        });
        let vector = sample.refuse(KeyWrap, "made a SSE-KMS Envelope of the inner layer alone");
        assert_eq!(kind.mode.suite(), Suite::OneLayer);
        ObjectVector { mode: kind.mode, source_keys: vector.source_keys[..1].to_vec(), ..vector }
    };
    vec![
        read_as(SSE_S3, Mode::SseC),
        read_as(SSE_C, Mode::SseS3),
        read_as(SSE_KMS, Mode::Client),
        read_as(SSE_KMS, Mode::DsseKms),
        read_as(DSSE_KMS, Mode::SseKms),
        changed(SSE_KMS, CLIENT_KMS, 5),
        changed(CLIENT_KMS, SSE_KMS, 2),
        stripped(SSE_KMS),
    ]
}

/// An upload's Envelope given as an object's.
fn other_states() -> Vec<ObjectVector> {
    let read_as_object = |upload: UploadVector, reason: &str| {
        let kind = if upload.mode == Mode::SseC { SSE_C } else { DSSE_KMS };
        ObjectVector {
            identity: upload.identity,
            envelope: upload.envelope,
            ..single(kind).refuse(State, reason)
        }
    };
    vec![
        read_as_object(uploads::two_parts(SSE_C).vector, "the Envelope of an upload in progress"),
        read_as_object(
            uploads::two_parts(DSSE_KMS).vector,
            "the Envelope of an upload in progress",
        ),
        read_as_object(uploads::keyless(), "the Envelope of an upload completed without its key"),
    ]
}
