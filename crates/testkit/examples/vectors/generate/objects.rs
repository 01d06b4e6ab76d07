//! Objects that open: every mode and key source, one body or parts, all attributes and identities.

use object_cipher_core::{Attributes, Checksum, ChecksumAlgorithm, ChecksumKind, ObjectChecksum};
use object_cipher_testkit::{
    plaintext,
    vectors::{IdentityRecord, ObjectVector, SealedAttributes},
};

use super::{
    kinds::{BUCKET_KEY, CLIENT, DSSE_KMS, KINDS, Kind, SSE_C, SSE_KMS, SSE_S3},
    samples::{Sample, etag, identity, unversioned},
    tlv::tlv,
};

pub(crate) fn all() -> Vec<ObjectVector> {
    let every_kind = KINDS.into_iter().flat_map(|kind| {
        [single(kind), multipart(kind)].map(|sample| sample.accept(&sample.vector.name))
    });
    every_kind
        .chain(sizes())
        .chain(checksums())
        .chain(identities())
        .chain(key_blobs())
        .chain(second_writer())
        .chain([SSE_C, DSSE_KMS].map(|kind| many_parts(kind).vector))
        .collect()
}

/// A small object of one body, with all attributes.
pub(crate) fn single(kind: Kind) -> Sample {
    let name = format!("{}, one body", kind.label);
    let attributes = attributes(ChecksumAlgorithm::Sha256, ChecksumKind::FullObject);
    Sample::single(kind, &name, &identity(), &plaintext(100), &attributes)
}

/// A small object of three parts, one of them empty.
pub(crate) fn multipart(kind: Kind) -> Sample {
    let name = format!("{}, three parts", kind.label);
    let content = plaintext(150);
    let parts = [(1, &content[..100]), (2, &[][..]), (5, &content[100..])];
    let attributes = attributes(ChecksumAlgorithm::Crc32C, ChecksumKind::Composite);
    Sample::multipart(kind, &name, &identity(), &parts, &attributes)
}

/// An object of 257 parts, so that its part table has two pages.
pub(crate) fn many_parts(kind: Kind) -> Sample {
    let content = plaintext(257 * 2);
    let parts: Vec<(u32, &[u8])> = (1..).map(|n| n * 3).zip(content.chunks(2)).collect();
    let name = format!("{}, 257 parts", kind.label);
    Sample::multipart(kind, &name, &identity(), &parts, &Attributes::default())
}

/// Attributes with all there is.
pub(crate) fn attributes(algorithm: ChecksumAlgorithm, kind: ChecksumKind) -> Attributes {
    let checksum = Checksum::new(algorithm, &vec![0xC5; algorithm.digest_len()]).unwrap();
    Attributes {
        etag: Some(etag(0xE7)),
        checksum: Some(ObjectChecksum { checksum, kind }),
        metadata_digest: Some([0x3D; 32]),
    }
}

fn sizes() -> Vec<ObjectVector> {
    let none = Attributes::default();
    let single = |kind: Kind, size: usize| {
        let name = format!("{}, one body of {size} bytes", kind.label);
        Sample::single(kind, &name, &identity(), &plaintext(size), &none).vector
    };
    let mut vectors: Vec<_> = [SSE_S3, DSSE_KMS]
        .iter()
        .flat_map(|kind| [0, 16_384, 40_000].map(|size| single(*kind, size)))
        .collect();
    let content = plaintext(50_000);
    let parts: [(u32, &[u8]); 4] = [
        (1, &content[..16_384]),
        (2, &content[16_384..33_000]),
        (9, &[]),
        (10_000, &content[33_000..]),
    ];
    for kind in [SSE_KMS, DSSE_KMS] {
        let name = format!("{}, parts over chunk edges", kind.label);
        vectors.push(Sample::multipart(kind, &name, &identity(), &parts, &none).vector);
    }
    let name = "sse-c, one empty part";
    vectors.push(Sample::multipart(SSE_C, name, &identity(), &[(1, &[])], &none).vector);
    vectors
}

fn checksums() -> Vec<ObjectVector> {
    use ChecksumAlgorithm::{
        Crc32, Crc32C, Crc64Nvme, Md5, Sha1, Sha256, Sha512, XxHash3, XxHash64, XxHash128,
    };
    let all = [Crc32, Crc32C, Crc64Nvme, Sha1, Sha256, Sha512, Md5, XxHash64, XxHash3, XxHash128];
    let vectors = all.into_iter().map(|algorithm| {
        let name = format!("client, checksum {algorithm:?}");
        let attributes = attributes(algorithm, ChecksumKind::FullObject);
        Sample::single(CLIENT, &name, &unversioned(), b"content", &attributes).vector
    });
    let etag_only = Attributes { etag: Some(etag(0x2D)), ..Attributes::default() };
    let name = "client, an ETag and nothing else";
    let etag_only = Sample::single(CLIENT, name, &unversioned(), b"content", &etag_only).vector;
    let name = "client, no attributes";
    let none = Attributes::default();
    let none = Sample::single(CLIENT, name, &unversioned(), b"content", &none).vector;
    vectors.chain([etag_only, none]).collect()
}

/// An identity with every item, and an encryption context of two pairs.
pub(crate) fn full_identity() -> IdentityRecord {
    let pairs = [("a", "1"), ("b", "2")].map(|(key, value)| (key.into(), value.into()));
    IdentityRecord {
        encryption_context: pairs.into(),
        extra: b"generation 7"[..].into(),
        ..identity()
    }
}

fn identities() -> Vec<ObjectVector> {
    let given = |words: &str, sealed: &IdentityRecord, given: IdentityRecord| {
        let name = format!("sse-kms, {words}");
        let none = Attributes::default();
        let mut vector = Sample::single(SSE_KMS, &name, sealed, b"content", &none).vector;
        vector.identity = given;
        vector
    };
    let same = |words: &str, identity: IdentityRecord| given(words, &identity, identity.clone());
    let bytes = |bytes: &[u8]| bytes.into();
    let arn = [("aws:s3:arn".into(), "arn:aws:s3:::bucket/dir/key".into())].into();
    let required = ["version_id".into(), "extra".into()].to_vec();
    let bound = same("version id and extra required and bound", full_identity());
    vec![
        same("every identity item bound", full_identity()),
        same("only realm, bucket and key bound", unversioned()),
        same("an empty realm, bucket and key", IdentityRecord::default()),
        same(
            "a key that is not UTF-8",
            IdentityRecord { key: bytes(&[0xFF, 0, 0x80]), ..identity() },
        ),
        same("a key with two slashes", IdentityRecord { key: bytes(b"a//b"), ..identity() }),
        same("a key of 1,024 bytes", IdentityRecord { key: bytes(&[b'k'; 1_024]), ..identity() }),
        same(
            "an encryption context set by the server",
            IdentityRecord { encryption_context: arn, ..unversioned() },
        ),
        same(
            "an extra item and no version id",
            IdentityRecord { extra: bytes(b"7"), ..unversioned() },
        ),
        given("a version id that was not bound is left out", &unversioned(), identity()),
        given(
            "an extra item that was not bound is left out",
            &identity(),
            IdentityRecord { extra: bytes(b"7"), ..identity() },
        ),
        given(
            "an upload id is no item of an object",
            &identity(),
            IdentityRecord { upload_id: bytes(b"upload"), ..identity() },
        ),
        given(
            "the version id `null` is none",
            &unversioned(),
            IdentityRecord { version_id: bytes(b"null"), ..unversioned() },
        ),
        ObjectVector { required, ..bound },
    ]
}

/// Info block, part table and wrap by the second writer.
fn second_writer() -> Vec<ObjectVector> {
    let attributes = SealedAttributes::default();
    let single = |kind: Kind| {
        let sample = single(kind);
        let length = (1, 100_u64.to_be_bytes().to_vec());
        let sealed = sample.with_info(&tlv(&[length, (4, sample.headers(0))]));
        ("one body", sealed)
    };
    let parts = |kind: Kind| {
        let sample = multipart(kind);
        let index = sample.vector.part_index.clone().unwrap();
        ("three parts", sample.with_index(&index, 150, 3))
    };
    let every_kind = KINDS.into_iter().flat_map(|kind| {
        [single(kind), parts(kind)].map(|(words, sample)| {
            let name = format!("{}, {words}, by a second writer", kind.label);
            ObjectVector { attributes: Some(attributes.clone()), ..sample.accept(&name) }
        })
    });
    every_kind.collect()
}

/// The key source may replace its blob: it is not under the wrap, the key it opens to is.
fn key_blobs() -> Vec<ObjectVector> {
    let replaced = |kind: Kind| {
        single(kind).edited(|raw| {
            for layer in &mut raw.layers {
                layer.blob = b"\0\x02v2re-encrypted".to_vec();
            }
        })
    };
    [SSE_KMS, BUCKET_KEY, DSSE_KMS]
        .map(|kind| replaced(kind).accept(&format!("{}, ek_blob encrypted anew", kind.label)))
        .into()
}
