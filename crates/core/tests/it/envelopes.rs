//! The Envelope's sizes and forms (F15).

use std::sync::Arc;

use object_cipher_core::{
    Attributes, BoxFuture, Checksum, ChecksumAlgorithm, ChecksumKind, ETag, EkSource, Envelope,
    Error, Fault, FreshKey, Item, KeyBlob, KeyRef, KeySource, KeyringId, LayeredCipher,
    MasterKeyRef, Mode, ObjectChecksum, ObjectContext, Result, SourceKey,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, TestKeys, cx, now};

use crate::modes::{cipher, layered};

fn attributes() -> Attributes {
    let checksum = Checksum::new(ChecksumAlgorithm::Sha256, &[5; 32]).unwrap();
    Attributes {
        etag: Some(ETag([0xEE; 16])),
        checksum: Some(ObjectChecksum { checksum, kind: ChecksumKind::FullObject }),
        metadata_digest: None,
    }
}

fn sealed(cipher: &dyn object_cipher_core::ObjectCipher) -> Envelope {
    StoredObject::seal(cipher, &cx(), b"content", &attributes()).unwrap().envelope
}

#[test]
fn sizes_are_those_of_the_specification() {
    let size = |mode, source, name: &str| {
        let keys = TestKeys::new(source, [3; 32]).with_name(name);
        let cipher = layered(mode, keys, RustCrypto);
        sealed(&*cipher).as_bytes().len()
    };
    assert_eq!(size(Mode::SseC, EkSource::Customer, ""), 340);
    assert_eq!(size(Mode::SseS3, EkSource::Master, "twelve-bytes"), 364);
    // A 75-byte ARN and a 184-byte blob give 601; ours here has 20 bytes of blob.
    assert_eq!(size(Mode::SseKms, EkSource::Kms, &"a".repeat(75)), 601 - 186 + 20);
}

#[test]
fn f15_lengths_at_their_maximum_are_refused() {
    let too_long = Error::Malformed { item: Item::Envelope, fault: Fault::TooLong };
    assert_eq!(Envelope::parse(&vec![0; 16_385]).unwrap_err(), too_long);
    assert_eq!(Envelope::from_text(&"A".repeat(30_000)).unwrap_err(), too_long);
    let envelope = sealed(&*cipher(Mode::SseKms, EkSource::Kms, RustCrypto));
    for at in 28..envelope.as_bytes().len() - 3 {
        let mut bytes = envelope.as_bytes().to_vec();
        bytes[at..at + 4].fill(0xFF);
        let _ = Envelope::parse(&bytes);
    }
}

#[test]
fn the_text_form_is_canonical_base64() {
    let cipher = cipher(Mode::SseC, EkSource::Customer, RustCrypto);
    let envelope = sealed(&*cipher);
    let text = envelope.to_text();
    assert_eq!(Envelope::from_text(&text).unwrap(), envelope);
    // 340 bytes end in one padded group with spare bits.
    assert!(text.ends_with("=="));
    let stripped = text.trim_end_matches('=');
    let (head, last) = stripped.split_at(stripped.len() - 1);
    let spare = char::from(last.as_bytes()[0] + 1);
    let url_safe = text.replace('+', "-").replace('/', "_");
    for wrong in [
        stripped.to_owned(),
        format!("{head}{spare}=="),
        format!("{text}\n"),
        format!(" {text}"),
        url_safe,
    ] {
        if wrong != text {
            assert!(Envelope::from_text(&wrong).is_err(), "{wrong}");
        }
    }
}

#[test]
fn a_composite_checksum_needs_parts() {
    let cipher = cipher(Mode::SseC, EkSource::Customer, RustCrypto);
    let checksum = Checksum::new(ChecksumAlgorithm::Crc32, &[5; 4]).unwrap();
    let composite = Attributes {
        checksum: Some(ObjectChecksum { checksum, kind: ChecksumKind::Composite }),
        ..Attributes::default()
    };
    let sealed = StoredObject::seal(&*cipher, &cx(), b"x", &composite);
    assert!(matches!(sealed, Err(Error::Misuse(_))));
    assert!(Checksum::new(ChecksumAlgorithm::Crc32, &[5; 5]).is_err());
}

#[test]
fn another_modes_envelope_is_refused_by_name() {
    let ours = cipher(Mode::SseS3, EkSource::Master, RustCrypto);
    let theirs = cipher(Mode::SseC, EkSource::Customer, RustCrypto);
    let cx = ObjectContext::new("realm", "bucket", "key");
    let stored = StoredObject::seal(&*theirs, &cx, b"x", &Attributes::default()).unwrap();
    let error = stored.open(&*ours, &cx).unwrap_err();
    assert!(matches!(error, Error::WrongMode { expected: Mode::SseS3, found: Mode::SseC, .. }));
    let keys = TestKeys::new(EkSource::Customer, [1; 32]);
    let mixed = LayeredCipher::sse_s3(keys, RustCrypto);
    assert!(StoredObject::seal(&mixed, &cx, b"x", &Attributes::default()).is_err());
}

/// A key source that gives whatever it is told to.
struct Faulty(KeyRef, KeyBlob);

impl KeySource for Faulty {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        let key = SourceKey::from_bytes(&[1; 32]);
        let fresh = FreshKey { key, key_ref: self.0.clone(), blob: self.1.clone() };
        Box::pin(std::future::ready(Ok(fresh)))
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        _: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(std::future::ready(Ok(SourceKey::from_bytes(&[1; 32]))))
    }
}

#[test]
fn what_no_reader_would_accept_is_refused_before_the_body() {
    let ring = KeyringId::parse("ring").unwrap();
    let blob = KeyBlob::kms("v1", b"wrapped").unwrap();
    for (mode, key_ref, blob) in [
        (Mode::SseKms, KeyRef::Kms("key".into()), KeyBlob::empty()),
        (Mode::SseKms, KeyRef::Kms(String::new()), blob.clone()),
        (Mode::SseKms, KeyRef::Kms("k".repeat(1_025)), blob.clone()),
        (Mode::SseKms, KeyRef::BucketKey("key".into()), KeyBlob::client(vec![9]).unwrap()),
        (Mode::SseC, KeyRef::Customer, blob.clone()),
        (Mode::SseS3, KeyRef::Master(MasterKeyRef::new(ring.clone(), 1, [0; 8])), blob.clone()),
        (Mode::SseS3, KeyRef::Master(MasterKeyRef::new(ring, 0, [0; 8])), KeyBlob::empty()),
        (Mode::SseS3, KeyRef::Customer, KeyBlob::empty()),
    ] {
        let cipher = layered(mode, Faulty(key_ref, blob), RustCrypto);
        let refused = now(cipher.seal(&cx())).unwrap_err();
        assert!(matches!(refused, Error::Misuse(_) | Error::Limit(_)), "{refused}");
    }
}
