//! Uploads that must be refused, with one fault each.

use object_cipher_core::{ChecksumAlgorithm, State};
use object_cipher_testkit::{
    plaintext,
    vectors::{
        Base64, Hex, PartChecksum, PartVector, UploadState, UploadVector,
        VerdictStep::{
            Body, Envelope, Identity, KeptReceipts, KeyWrap, Part, Receipt, State as StateStep,
        },
    },
};

use super::{
    kinds::{DSSE_KMS, Kind, SSE_C, SSE_S3},
    message::shorten,
    objects,
    samples::{parsed, text},
    uploads::{UploadSample, keyless, keyless_sample, refuse, two_parts},
};

pub(crate) fn all() -> Vec<UploadVector> {
    let receipts = [SSE_C, DSSE_KMS].into_iter().flat_map(|kind| {
        let sample = two_parts(kind);
        [altered_receipts(&sample), sealed_receipts(&sample), parts(&sample)].concat()
    });
    [heads(), states(), identities(), kept_receipts()]
        .concat()
        .into_iter()
        .chain(receipts)
        .collect()
}

/// Fields that no upload has, each under a wrap that covers them.
fn heads() -> Vec<UploadVector> {
    let with = |kind: Kind, at: usize, value: u8, reason: &str| {
        two_parts(kind).rewrapped(|raw| raw.head[at] = value).refuse(Envelope, reason)
    };
    let keyless = |at: usize, value: u8, reason: &str| {
        keyless_sample().edited(|raw| raw.head[at] = value).refuse(KeyWrap, reason)
    };
    let block = two_parts(SSE_C).rewrapped(|raw| raw.info = objects::single(SSE_C).raw.info);
    vec![
        with(SSE_C, 8, 0, "flag bit 0 not set on an upload"),
        with(SSE_C, 10, 3, "a version id bound on an upload"),
        with(SSE_C, 10, 10, "an extra item bound on an upload"),
        with(SSE_C, 10, 0, "no upload id bound on an upload"),
        with(SSE_S3, 8, 5, "flag bit 2 set on an upload of mode 1"),
        with(DSSE_KMS, 8, 5, "flag bit 2 set on an upload of mode 3"),
        with(SSE_C, 7, 3, "state 3 without flag bit 2"),
        with(SSE_S3, 7, 3, "state 3 in mode 1"),
        with(SSE_C, 7, 1, "state 1 with an upload id bound"),
        block.refuse(Envelope, "an upload with an info block"),
        keyless(8, 1, "flag bit 2 cleared by hand"),
        two_parts(SSE_C).edited(|raw| raw.head[8] = 5).refuse(KeyWrap, "flag bit 2 set by hand"),
    ]
}

fn states() -> Vec<UploadVector> {
    let sample = two_parts(SSE_C);
    let object = objects::multipart(SSE_C);
    let finished = UploadVector {
        envelope: object.accept("").envelope,
        identity: object.vector.identity.clone(),
        ..sample.refuse(StateStep, "the Envelope of a finished object")
    };
    let kept = keyless();
    let early = UploadVector {
        state: UploadState::CompletedWithoutKey,
        kept_receipts: kept.kept_receipts.clone(),
        ..keyless_sample().refuse(StateStep, "state 2 read as completed without its key")
    };
    let late = UploadVector {
        state: UploadState::InProgress,
        ..refuse(&kept, StateStep, "state 3 read as in progress")
    };
    // Flag and state both set by hand, in form, on an upload that was not created for it.
    let forged = sample.edited(|raw| raw.head[8] = 5);
    let envelope = parsed(&forged.raw).complete_without_key().unwrap();
    assert_eq!(envelope.state(), State::KeylessUpload);
    let forged = UploadVector {
        state: UploadState::CompletedWithoutKey,
        envelope: text(envelope.as_bytes()),
        kept_receipts: kept.kept_receipts,
        ..sample.refuse(KeyWrap, "flag bit 2 and state 3 set by hand")
    };
    vec![finished, early, late, forged]
}

fn identities() -> Vec<UploadVector> {
    let sample = two_parts(SSE_C);
    let given = |step, reason: &str, edit: fn(&mut UploadVector)| {
        let mut vector = sample.refuse(step, reason);
        edit(&mut vector);
        vector
    };
    vec![
        given(KeyWrap, "the upload id differs", |vector| {
            vector.identity.upload_id = b"other"[..].into();
        }),
        given(Identity, "the upload id is missing", |vector| {
            vector.identity.upload_id = Hex::default();
        }),
        given(KeyWrap, "the key differs", |vector| vector.identity.key = b"other"[..].into()),
        given(KeyWrap, "the bucket differs", |vector| vector.identity.bucket = b"other"[..].into()),
        given(KeyWrap, "the realm differs", |vector| vector.identity.realm = b"other"[..].into()),
        given(Identity, "an encryption context is given, and none was bound", |vector| {
            vector.identity.encryption_context.insert("a".into(), "1".into());
        }),
        given(KeyWrap, "bit 0 of the source key flipped", |vector| vector.source_keys[0].0[0] ^= 1),
        UploadVector {
            envelope: keyless_sample().vector.envelope,
            ..sample.refuse(Receipt, "the Envelope of another upload under the same upload id")
        },
    ]
}

/// Receipts changed or moved without the key.
fn altered_receipts(sample: &UploadSample) -> Vec<UploadVector> {
    let with = |reason: &str, edit: &dyn Fn(&mut Vec<PartVector>)| {
        let mut vector = sample.refuse(Receipt, reason);
        edit(&mut vector.parts);
        vector
    };
    let bytes = |reason: &str, edit: &dyn Fn(&mut Vec<u8>)| {
        with(reason, &|parts| edit(&mut parts[0].receipt.as_mut().unwrap().0))
    };
    let length = sample.vector.parts[0].receipt.as_ref().unwrap().len();
    let kind = if sample.secrets.deks.len() == 1 { SSE_S3 } else { SSE_C };
    let foreign = two_parts(kind).vector.parts[0].receipt.clone();
    vec![
        bytes("bit 0 of the receipt's first salt flipped", &|receipt| receipt[0] ^= 1),
        bytes("bit 0 of the receipt's first commitment flipped", &|receipt| receipt[24] ^= 1),
        bytes("bit 0 of a byte of the receipt's chunk flipped", &|receipt| {
            receipt[length - 40] ^= 1;
        }),
        bytes("bit 7 of the receipt's last byte flipped", &|receipt| receipt[length - 1] ^= 0x80),
        bytes("the receipt's last byte dropped", &shorten),
        bytes("one zero byte behind the receipt", &|receipt| receipt.push(0)),
        bytes("an empty receipt", &|receipt| receipt.clear()),
        bytes("a receipt cut behind its headers", &|receipt| {
            receipt.truncate(56 * sample.secrets.deks.len());
        }),
        with("the receipt of part 3 given for part 1", &|parts| {
            parts[0].receipt = parts[1].receipt.clone();
        }),
        with("the receipt of another upload", &|parts| parts[0].receipt.clone_from(&foreign)),
        with("the part's body given as its receipt", &|parts| {
            parts[0].receipt = Some(parts[0].body.clone());
        }),
    ]
}

/// Receipts whose content a key holder got wrong.
fn sealed_receipts(sample: &UploadSample) -> Vec<UploadVector> {
    let headers = &sample.vector.parts[0].body[..56 * sample.secrets.deks.len()];
    let head = [&100_u64.to_be_bytes()[..], headers, &[1; 16]].concat();
    let with = |reason: &str, tail: &[u8]| {
        sample.with_receipt(&format!("sealed a receipt {reason}"), &[&head[..], tail].concat())
    };
    let crc = |algorithm: u8| [&[algorithm][..], &[0xC5; 4]].concat();
    let all = |count: u8, checksums: &[Vec<u8>]| [&[count][..], &checksums.concat()].concat();
    let md5 = [&[7][..], &[0xC5; 16]].concat();
    let sha1 = [&[4][..], &[0xC5; 20]].concat();
    let xxh = |algorithm: u8| [&[algorithm][..], &[0xC5; 8]].concat();
    let five = [crc(1), crc(2), xxh(3), xxh(8), xxh(9)];
    let foreign_head = [&100_u64.to_be_bytes()[..], &headers[..40], &[1; 16], &[0]].concat();
    vec![
        with("with one zero byte behind it", &[0, 0]),
        with("with checksums in falling order", &all(2, &[crc(2), crc(1)])),
        with("with one algorithm twice", &all(2, &[crc(1), crc(1)])),
        with("with MD5 before SHA-1", &all(2, &[md5, sha1])),
        with("with five checksums", &all(5, &five)),
        with("with count 255", &all(255, &five)),
        with("with algorithm 0", &all(1, &[crc(0)])),
        with("with algorithm 11", &all(1, &[crc(11)])),
        with("with a checksum cut short", &all(1, &[vec![1, 2, 3]])),
        with("with a checksum more than its count", &all(1, &[crc(1), crc(2)])),
        with("with a checksum less than its count", &all(2, &[crc(1)])),
        with("without a count", &[]),
        sample.with_receipt("sealed a receipt with headers cut short", &foreign_head),
        sample.with_receipt("sealed an empty receipt", &[]),
    ]
}

/// Parts that are not those of their receipts, or not those that the client named.
fn parts(sample: &UploadSample) -> Vec<UploadVector> {
    let with = |step, reason: &str, edit: &dyn Fn(&mut Vec<PartVector>)| {
        let mut vector = sample.refuse(step, reason);
        edit(&mut vector.parts);
        vector
    };
    let attempt = sample.secrets.seal(sample.raw.object_id(), "body", Some(1), &plaintext(100));
    let checksum = |algorithm, byte| PartChecksum { algorithm, digest: [byte; 4].into() };
    vec![
        with(Part, "the body of another attempt", &|parts| parts[0].body = Base64(attempt.clone())),
        with(Part, "the body of another part", &|parts| parts[0].body = parts[1].body.clone()),
        with(Part, "the body's last byte dropped", &|parts| shorten(&mut parts[0].body.0)),
        with(Part, "one zero byte behind the body", &|parts| parts[0].body.0.push(0)),
        with(Part, "an empty body", &|parts| parts[0].body.0.clear()),
        with(Part, "bit 0 of the body's salt flipped", &|parts| parts[0].body.0[0] ^= 1),
        with(Part, "the client names another ETag", &|parts| {
            parts[0].named_etag = Some([2; 16].into());
        }),
        with(Part, "the client names another checksum", &|parts| {
            parts[0].named_checksum = Some(checksum(ChecksumAlgorithm::Crc32, 0));
        }),
        with(Part, "the client names a checksum that the part has not", &|parts| {
            parts[0].named_checksum = Some(checksum(ChecksumAlgorithm::Crc32C, 0xC5));
        }),
        with(Part, "the parts in falling order", &|parts| parts.reverse()),
        with(Part, "a part twice", &|parts| parts[1] = parts[0].clone()),
        with(Part, "part number 0", &|parts| parts[0].part = 0),
        with(Part, "part number 10,001", &|parts| parts[1].part = 10_001),
        with(Body, "bit 0 of the body's last byte flipped", &|parts| {
            *parts[0].body.0.last_mut().unwrap() ^= 1;
        }),
        sample.with_length("a length of one byte more than the body", 101),
        sample.with_length("a length of one byte less than the body", 99),
        sample.with_length("a length of 2^64 - 1", u64::MAX),
    ]
}

fn kept_receipts() -> Vec<UploadVector> {
    let vector = keyless();
    let kept = vector.kept_receipts.clone().unwrap().0;
    let with = |reason: &str, edit: &dyn Fn(&mut Vec<u8>)| {
        let mut kept = kept.clone();
        edit(&mut kept);
        let kept_receipts = Some(Base64(kept));
        UploadVector { kept_receipts, ..refuse(&vector, KeptReceipts, reason) }
    };
    let first = 8 + u32::from_be_bytes(kept[8..12].try_into().unwrap()) as usize;
    let mut flipped = with("", &|kept| kept[12] ^= 1);
    let reason = "bit 0 of the first kept receipt's salt flipped";
    flipped =
        UploadVector { kept_receipts: flipped.kept_receipts, ..refuse(&vector, Receipt, reason) };
    let mut other_part = with("", &|kept| kept[7] = 1);
    let reason = "the part number of the first kept receipt changed";
    other_part = UploadVector {
        kept_receipts: other_part.kept_receipts,
        ..refuse(&vector, Receipt, reason)
    };
    vec![
        with("no kept receipts", &|kept| kept.clear()),
        with("count 0", &|kept| kept[3] = 0),
        with("count 10,001", &|kept| kept[2..4].copy_from_slice(&[0x27, 0x11])),
        with("count one less than there are", &|kept| kept[3] = 1),
        with("count one more than there are", &|kept| kept[3] = 3),
        with("one zero byte behind the end", &|kept| kept.push(0)),
        with("the last byte dropped", &shorten),
        with("part number 0", &|kept| kept[4..8].fill(0)),
        with("part number 10,001", &|kept| {
            let at = 4 + first;
            kept[at + 2..at + 4].copy_from_slice(&[0x27, 0x11]);
        }),
        with("a part twice", &|kept| {
            kept[3] = 3;
            kept.extend_from_within(4 + first..);
        }),
        with("the parts in falling order", &|kept| kept[4..].rotate_left(first)),
        with("the length of a receipt is 2^32 - 1", &|kept| kept[8..12].fill(0xFF)),
        flipped,
        other_part,
    ]
}

impl UploadSample {
    /// The upload with a receipt of any content for its first part.
    fn with_receipt(&self, reason: &str, content: &[u8]) -> UploadVector {
        let mut vector = self.refuse(Receipt, reason);
        vector.parts[0].receipt = Some(self.sealed_receipt(1, content));
        vector
    }

    /// The upload with a receipt of another length for its first part.
    fn with_length(&self, reason: &str, length: u64) -> UploadVector {
        let headers = &self.vector.parts[0].body[..56 * self.secrets.deks.len()];
        let content = [&length.to_be_bytes()[..], headers, &[1; 16], &[0]].concat();
        let mut vector = self.refuse(Part, &format!("sealed a receipt with {reason}"));
        vector.parts[0].receipt = Some(self.sealed_receipt(1, &content));
        vector
    }
}
