//! Uploads that go on, and uploads that were completed without their key.

use object_cipher_core::{
    Checksum, ChecksumAlgorithm, Completion, ETag, KeylessReceipts, State, Uploader,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{
    drive, now, plaintext,
    vectors::{
        Base64, Hex, IdentityRecord, PartChecksum, PartVector, Plaintext, UploadState,
        UploadVector, Verdict, VerdictStep,
    },
};

use super::{
    envelope::RawEnvelope,
    kinds::{BUCKET_KEY, DSSE_KMS, KINDS, Kind, SSE_C, SSE_KMS},
    objects::full_identity,
    samples::{Secrets, etag, parsed, text, unversioned},
};

/// An upload, its fields and its keys.
#[derive(Clone)]
pub(crate) struct UploadSample {
    pub(crate) vector: UploadVector,
    pub(crate) raw: RawEnvelope,
    pub(crate) secrets: Secrets,
}

/// A part to be sealed.
struct NewPart {
    part: u32,
    size: usize,
    checksums: Vec<Checksum>,
}

pub(crate) fn all() -> Vec<UploadVector> {
    let every_kind = KINDS.map(|kind| two_parts(kind).vector);
    let blobs = [SSE_KMS, BUCKET_KEY].map(|kind| {
        let sample =
            two_parts(kind).edited(|raw| raw.layers[0].blob = b"\0\x02v2re-encrypted".to_vec());
        UploadVector {
            name: format!("{}, ek_blob encrypted anew", kind.label),
            envelope: text(&sample.raw.to_bytes()),
            ..sample.vector
        }
    });
    let second_writer = [SSE_C, DSSE_KMS].map(by_a_second_writer);
    every_kind
        .into_iter()
        .chain(second_writer)
        .chain(receipts())
        .chain(identities())
        .chain(blobs)
        .chain(completed())
        .collect()
}

/// A small upload of two parts.
pub(crate) fn two_parts(kind: Kind) -> UploadSample {
    let name = format!("{}, two parts", kind.label);
    let parts = [NewPart::new(1, 100, 1), NewPart::new(3, 20, 0)];
    UploadSample::new(kind, &name, &identity(), Completion::WithKey, &parts)
}

/// A small SSE-C upload that may be completed without its key.
pub(crate) fn keyless_sample() -> UploadSample {
    let parts = [NewPart::new(2, 100, 1), NewPart::new(10_000, 20, 0)];
    let name = "sse-c, completion without the key allowed";
    UploadSample::new(SSE_C, name, &identity(), Completion::Keyless, &parts)
}

/// The same once it was completed: state 3, with its receipts kept.
pub(crate) fn keyless() -> UploadVector {
    keyless_sample().completed_without_key()
}

/// Receipt and wrap of a small upload by the second writer.
fn by_a_second_writer(kind: Kind) -> UploadVector {
    let sample = two_parts(kind).rewrapped(|_| ());
    let headers = &sample.vector.parts[0].body[..56 * kind.layers()];
    let checksums = [&[2, 1][..], &[0xC5; 4], &[5], &[0xC5; 32]].concat();
    let content = [&100_u64.to_be_bytes()[..], headers, &[1; 16], &checksums].concat();
    let receipt = sample.sealed_receipt(1, &content);
    let mut vector = UploadVector {
        name: format!("{}, two parts, by a second writer", kind.label),
        envelope: text(&sample.raw.to_bytes()),
        ..sample.vector
    };
    let checksums = [(ChecksumAlgorithm::Crc32, 4), (ChecksumAlgorithm::Sha256, 32)]
        .map(|(algorithm, length)| PartChecksum { algorithm, digest: Hex(vec![0xC5; length]) });
    vector.parts[0] = PartVector {
        receipt: Some(receipt),
        checksums: checksums.into(),
        ..vector.parts[0].clone()
    };
    vector
}

/// An upload's identity.
fn identity() -> IdentityRecord {
    IdentityRecord { upload_id: b"upload"[..].into(), ..unversioned() }
}

/// Receipts with no to four checksums, of every algorithm; parts over chunk edges.
fn receipts() -> Vec<UploadVector> {
    let parts = [
        NewPart::new(1, 0, 0),
        NewPart::new(2, 1, 1),
        NewPart::new(3, 2, 2),
        NewPart::new(4, 3, 3),
        NewPart::new(5, 4, 4),
        NewPart { checksums: checksums(4..8), ..NewPart::new(6, 5, 0) },
        NewPart { checksums: checksums(7..10), ..NewPart::new(10_000, 6, 0) },
    ];
    let edges = [NewPart::new(1, 16_384, 0), NewPart::new(2, 16_383, 0)];
    let new = |kind: Kind, words: &str, parts: &[NewPart]| {
        let name = format!("{}, {words}", kind.label);
        UploadSample::new(kind, &name, &identity(), Completion::WithKey, parts).vector
    };
    let mut vectors = Vec::new();
    for kind in [SSE_KMS, DSSE_KMS] {
        vectors.push(new(kind, "receipts of no to four checksums", &parts));
        vectors.push(new(kind, "parts over chunk edges", &edges));
    }
    let named = two_parts(SSE_C).vector;
    let mut parts = named.parts.clone();
    let PartVector { etag, checksums, .. } = parts[0].clone();
    (parts[0].named_etag, parts[0].named_checksum) = (etag, checksums.into_iter().next());
    let name = "sse-c, the client names ETag and checksum".into();
    vectors.push(UploadVector { name, parts, ..named.clone() });
    let parts = named.parts[1..].to_vec();
    vectors.push(UploadVector {
        name: "sse-c, the client leaves a part out".into(),
        parts,
        ..named
    });
    vectors
}

fn identities() -> Vec<UploadVector> {
    let new = |words: &str, identity: &IdentityRecord| {
        let name = format!("sse-kms, upload with {words}");
        let parts = [NewPart::new(1, 10, 0)];
        UploadSample::new(SSE_KMS, &name, identity, Completion::WithKey, &parts).vector
    };
    let bytes = |bytes: &[u8]| Hex::from(bytes);
    let full =
        IdentityRecord { encryption_context: full_identity().encryption_context, ..identity() };
    let versioned = new("a version id and an extra item, which are not bound", &identity());
    vec![
        new("every identity item", &full),
        new(
            "an upload id that is not text",
            &IdentityRecord { upload_id: bytes(&[0, 0xFF]), ..identity() },
        ),
        UploadVector {
            identity: IdentityRecord { version_id: bytes(b"v1"), extra: bytes(b"7"), ..identity() },
            ..versioned
        },
    ]
}

/// The keyless upload in state 2 and in state 3, all parts and one of them.
fn completed() -> Vec<UploadVector> {
    let sample = keyless_sample();
    let mut one_part = sample.clone();
    one_part.vector.parts.remove(0);
    let one_part = one_part.completed_without_key();
    let one_part = UploadVector { name: format!("{}, from one part", one_part.name), ..one_part };
    vec![sample.vector.clone(), sample.completed_without_key(), one_part]
}

/// Checksums of S3's algorithms in their order, by their numbers from 0.
pub(crate) fn checksums(numbers: std::ops::Range<usize>) -> Vec<Checksum> {
    use ChecksumAlgorithm::{
        Crc32, Crc32C, Crc64Nvme, Md5, Sha1, Sha256, Sha512, XxHash3, XxHash64, XxHash128,
    };
    let all = [Crc32, Crc32C, Crc64Nvme, Sha1, Sha256, Sha512, Md5, XxHash64, XxHash3, XxHash128];
    let checksum = |algorithm: &ChecksumAlgorithm| {
        Checksum::new(*algorithm, &vec![0xC5; algorithm.digest_len()]).unwrap()
    };
    all[numbers].iter().map(checksum).collect()
}

impl NewPart {
    fn new(part: u32, size: usize, checksum_count: usize) -> Self {
        Self { part, size, checksums: checksums(0..checksum_count) }
    }

    fn etag(&self) -> ETag {
        etag(u8::try_from(self.part % 256).unwrap())
    }

    fn seal(&self, uploader: &Uploader) -> PartVector {
        let content = plaintext(self.size);
        let mut stream = uploader.part(self.part).unwrap().into_stream();
        let body = drive(&mut stream, &content, usize::MAX).complete().unwrap();
        let receipt = stream.finish(self.etag(), &self.checksums).unwrap();
        PartVector {
            part: self.part,
            body: Base64(body),
            receipt: Some(Base64(receipt)),
            named_etag: None,
            named_checksum: None,
            plaintext: Some(Plaintext::of(&RustCrypto, &content)),
            etag: Some(self.etag().0.into()),
            checksums: self.checksums.iter().map(Into::into).collect(),
        }
    }
}

impl UploadSample {
    fn new(
        kind: Kind,
        name: &str,
        identity: &IdentityRecord,
        completion: Completion,
        parts: &[NewPart],
    ) -> Self {
        let seeded = kind.cipher(name);
        let context = identity.encryption_context().unwrap();
        let cx = identity.object_context(&context);
        let uploader = now(seeded.cipher.create_upload(&cx, completion)).unwrap();
        let source_keys: Vec<Hex> = kind.source_keys().into_iter().map(Hex::from).collect();
        let vector = UploadVector {
            name: name.into(),
            mode: kind.mode,
            ek_source: kind.source,
            source_keys: source_keys.clone(),
            identity: identity.clone(),
            state: UploadState::InProgress,
            envelope: uploader.envelope().to_text(),
            kept_receipts: None,
            parts: parts.iter().map(|part| part.seal(&uploader)).collect(),
            verdict: Verdict::accept(),
        };
        let raw = RawEnvelope::parse(uploader.envelope().as_bytes());
        Self {
            vector,
            raw,
            secrets: Secrets { deks: seeded.deks(), source_keys, identity: identity.clone() },
        }
    }

    /// The upload as a host completes it without the key.
    pub(crate) fn completed_without_key(&self) -> UploadVector {
        let envelope = parsed(&self.raw).complete_without_key().unwrap();
        assert_eq!(envelope.state(), State::KeylessUpload);
        let mut parts = self.vector.parts.clone();
        let kept = parts.iter_mut().map(|part| (part.part, part.receipt.take().unwrap().0));
        let kept = KeylessReceipts::new(kept.collect()).unwrap();
        UploadVector {
            name: "sse-c, completed without the key".into(),
            state: UploadState::CompletedWithoutKey,
            envelope: envelope.to_text(),
            kept_receipts: Some(Base64(kept.to_bytes().unwrap())),
            parts,
            ..self.vector.clone()
        }
    }

    /// The sample with its fields edited, and nothing else.
    pub(crate) fn edited(&self, edit: impl FnOnce(&mut RawEnvelope)) -> Self {
        let mut sample = self.clone();
        edit(&mut sample.raw);
        sample
    }

    /// The sample with its fields edited and then wrapped anew, as a key holder could.
    pub(crate) fn rewrapped(&self, edit: impl FnOnce(&mut RawEnvelope)) -> Self {
        let mut sample = self.edited(edit);
        sample.secrets.wrap(&mut sample.raw);
        sample
    }

    /// The vector to be refused, with the fields as they stand.
    pub(crate) fn refuse(&self, step: VerdictStep, reason: &str) -> UploadVector {
        let vector = UploadVector { envelope: text(&self.raw.to_bytes()), ..self.vector.clone() };
        refuse(&vector, step, reason)
    }

    /// A part's receipt of any content, as a key holder could seal it.
    pub(crate) fn sealed_receipt(&self, part: u32, content: &[u8]) -> Base64 {
        Base64(self.secrets.seal(self.raw.object_id(), "part", Some(part), content))
    }
}

/// The vector as one to be refused: nothing is told of what it holds.
pub(crate) fn refuse(vector: &UploadVector, step: VerdictStep, reason: &str) -> UploadVector {
    let parts = vector.parts.iter().map(|part| PartVector {
        plaintext: None,
        etag: None,
        checksums: Vec::new(),
        ..part.clone()
    });
    UploadVector {
        name: format!("{}: {reason}", vector.name),
        parts: parts.collect(),
        verdict: Verdict::reject(step, reason),
        ..vector.clone()
    }
}
