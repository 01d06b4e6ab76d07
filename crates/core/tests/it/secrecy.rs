//! What stored bytes and debug output tell (I1, Z3).

use base64::{Engine, engine::general_purpose::STANDARD};
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc};
use md5::Md5;
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, BodyStream, Checksum, ChecksumAlgorithm, ChecksumKind, Completion, CryptoBackend,
    ETag, EkSource, FreshKey, KeyBlob, KeyRef, Mode, ObjectChecksum, ObjectCipher, OpenStream,
    Opener, PartSealer, PartTable, ReadRange, SealChunks, SealStream, Sealer, SourceKey, Uploader,
    cobblestone::{DecryptStream, Decryptor},
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{Seeded, StoredObject, cx, drive, now, upload_cx};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};
use static_assertions::assert_not_impl_any;

use crate::modes::{cipher, dsse_kms};

const CONTENT: &[u8] = b"a guess about this content must not be confirmed by what is stored";

/// Every digest that S3 knows, under its algorithm.
fn digests(content: &[u8]) -> Vec<(ChecksumAlgorithm, Vec<u8>)> {
    use ChecksumAlgorithm as Algorithm;
    vec![
        (Algorithm::Md5, Md5::digest(content).to_vec()),
        (Algorithm::Sha1, Sha1::digest(content).to_vec()),
        (Algorithm::Sha256, Sha256::digest(content).to_vec()),
        (Algorithm::Sha512, Sha512::digest(content).to_vec()),
        (Algorithm::Crc32, checksum(&Crc::<u32>::new(&CRC_32_ISO_HDLC), content)),
        (Algorithm::Crc32C, checksum(&Crc::<u32>::new(&CRC_32_ISCSI), content)),
        (
            Algorithm::Crc64Nvme,
            Crc::<u64>::new(&CRC_64_NVME).checksum(content).to_be_bytes().to_vec(),
        ),
    ]
}

fn checksum(crc: &Crc<u32>, content: &[u8]) -> Vec<u8> {
    crc.checksum(content).to_be_bytes().to_vec()
}

/// Ciphers whose randomness is fixed, so that no digest of four bytes turns up by chance.
fn ciphers() -> Vec<Box<dyn ObjectCipher>> {
    let inner = || Seeded::new(RustCrypto, "secrecy");
    vec![
        cipher(Mode::SseS3, EkSource::Master, inner()),
        cipher(Mode::SseKms, EkSource::Kms, inner()),
        cipher(Mode::SseC, EkSource::Customer, inner()),
        cipher(Mode::Client, EkSource::Client, inner()),
        dsse_kms(inner(), Seeded::new(AwsLc, "secrecy")),
    ]
}

#[test]
fn i1_no_digest_of_the_plaintext_is_stored_in_clear() {
    for cipher in ciphers() {
        for (algorithm, digest) in digests(CONTENT) {
            let checksum = Checksum::new(algorithm, &digest).unwrap();
            let attributes = Attributes {
                etag: Some(ETag(Md5::digest(CONTENT).into())),
                checksum: Some(ObjectChecksum { checksum, kind: ChecksumKind::FullObject }),
                metadata_digest: None,
            };
            let single = StoredObject::seal(&*cipher, &cx(), CONTENT, &attributes).unwrap();
            assert_eq!(*single.open(&*cipher, &cx()).unwrap().attributes(), attributes);
            let parts = [(1, CONTENT)];
            let multipart =
                StoredObject::upload(&*cipher, &upload_cx(), &parts, &attributes).unwrap();
            let receipt = receipt(&*cipher, checksum);
            for bytes in stored(&single).chain(stored(&multipart)).chain([receipt]) {
                assert_no_digest(&bytes);
            }
        }
    }
    // The search does find one.
    let planted = [b"x".as_slice(), &Sha1::digest(CONTENT)].concat();
    assert!(std::panic::catch_unwind(|| assert_no_digest(&planted)).is_err());
}

/// A receipt that has the content's checksum and ETag.
fn receipt(cipher: &dyn ObjectCipher, checksum: Checksum) -> Vec<u8> {
    let uploader = now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap();
    let mut stream = uploader.part(1).unwrap().into_stream();
    drive(&mut stream, CONTENT, usize::MAX).complete().unwrap();
    stream.finish(ETag(Md5::digest(CONTENT).into()), &[checksum]).unwrap()
}

/// Everything that a store has of an object.
fn stored(object: &StoredObject) -> impl Iterator<Item = Vec<u8>> {
    let envelope = &object.envelope;
    let table = object.table.as_ref().map(PartTable::to_bytes);
    let bodies = object.bodies.values().cloned().collect::<Vec<_>>();
    [envelope.as_bytes().to_vec(), envelope.to_text().into()].into_iter().chain(table).chain(bodies)
}

fn assert_no_digest(stored: &[u8]) {
    for (algorithm, digest) in digests(CONTENT) {
        let text = hex::encode(&digest);
        let forms = [
            digest.clone(),
            text.to_uppercase().into(),
            text.into(),
            STANDARD.encode(&digest).into(),
        ];
        for form in forms {
            let found = stored.windows(form.len()).any(|window| window == form);
            assert!(!found, "{algorithm:?} is stored in clear");
        }
    }
}

#[test]
fn z3_no_debug_output_shows_a_secret() {
    const KEY: [u8; 32] = *b"canary-canary-canary-canary-4321";
    let backend = Seeded::new(RustCrypto, "debug");
    let cipher = cipher_of(KEY, backend.clone());
    let mut shown = Vec::new();
    let mut show = |value: &dyn std::fmt::Debug| shown.push(format!("{value:?} {value:#?}"));

    let key = SourceKey::from_bytes(&KEY);
    show(&FreshKey { key: key.clone(), key_ref: KeyRef::Customer, blob: KeyBlob::empty() });
    show(&key);
    show(&cipher);
    show(&backend.aead(&KEY).is_ok());
    let sealer = now(cipher.seal(&cx())).unwrap();
    show(&sealer);
    let mut stream = sealer.into_stream();
    stream.input()[..KEY.len()].copy_from_slice(&KEY);
    stream.filled(KEY.len()).unwrap();
    show(&stream);
    show(&now(cipher.seal(&cx())).unwrap().into_chunks());
    show(&now(cipher.seal(&cx())).unwrap().announce(1, &Attributes::default()).unwrap().1);
    let uploader = now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap();
    show(&uploader);
    show(&uploader.part(1).unwrap());
    let stored = StoredObject::seal(&cipher, &cx(), &KEY, &Attributes::default()).unwrap();
    let opener = stored.open(&cipher, &cx()).unwrap();
    show(&opener);
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    show(&plan);
    let mut stream = opener.open_segment(plan.body().unwrap()).unwrap();
    show(&stream);
    for byte in &stored.bodies[&0] {
        stream.input()[0] = *byte;
        stream.filled(1).unwrap();
    }
    assert_eq!(stream.output(), KEY, "plaintext waits in the stream");
    show(&stream);

    let data_keys = backend.draws().into_iter().map(|draw| draw[..32].to_vec());
    for secret in data_keys.chain([KEY.to_vec()]) {
        let list = format!("{:?}", &secret[..4]);
        let forms = [
            String::from_utf8_lossy(&secret).into_owned(),
            hex::encode(&secret),
            hex::encode_upper(&secret),
            STANDARD.encode(&secret),
            list[1..list.len() - 1].into(),
            list[1..list.len() - 1].replace(", ", ",\n    "),
        ];
        for (text, form) in shown.iter().flat_map(|text| forms.iter().map(move |form| (text, form)))
        {
            assert!(!text.contains(form), "{text}");
        }
    }
}

fn cipher_of(key: [u8; 32], backend: impl CryptoBackend) -> impl ObjectCipher + std::fmt::Debug {
    let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, key);
    object_cipher_core::LayeredCipher::sse_c(keys, backend)
}

// Z3: what holds a key cannot be copied, compared or printed through another door.
assert_not_impl_any!(SourceKey: Clone, Copy, PartialEq, std::fmt::Display, serde::Serialize);
assert_not_impl_any!(Sealer: Clone, PartialEq, serde::Serialize);
assert_not_impl_any!(PartSealer: Clone, PartialEq, serde::Serialize);
assert_not_impl_any!(Uploader: Clone, PartialEq, serde::Serialize);
assert_not_impl_any!(Opener: PartialEq, serde::Serialize);
assert_not_impl_any!(SealStream<Sealer>: Clone, PartialEq, serde::Serialize);
assert_not_impl_any!(SealChunks<Sealer>: Clone, PartialEq, serde::Serialize);
assert_not_impl_any!(OpenStream: Clone, PartialEq, serde::Serialize);
assert_not_impl_any!(Decryptor: Clone, PartialEq, serde::Serialize);
assert_not_impl_any!(DecryptStream: Clone, PartialEq, serde::Serialize);
assert_not_impl_any!(<RustCrypto as CryptoBackend>::Aead: Clone, Copy, PartialEq, serde::Serialize);
assert_not_impl_any!(<AwsLc as CryptoBackend>::Aead: Clone, Copy, PartialEq, serde::Serialize);
