//! The Envelope's form (F13 to F15), sizes and what it shows.

use crate::{StoredObject, cx};
use object_cipher_core::{
    Attributes, Checksum, ChecksumAlgorithm, ChecksumKind, ETag, Envelope, Error, Fault, Item,
    Mode, ObjectChecksum, ObjectCipher, State,
};

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

/// The header is laid out as the specification says.
pub fn the_header_is_laid_out_as_the_specification_says(cipher: &dyn ObjectCipher) {
    let envelope = sealed(cipher);
    let bytes = envelope.as_bytes();
    assert_eq!(bytes[..5], [0x89, b'S', b'3', b'E', 1]);
    let suite = if cipher.mode() == Mode::DsseKms { 2 } else { 1 };
    assert_eq!((bytes[5], bytes[7], bytes[9], bytes[11]), (suite, 1, suite, 0));
    assert_eq!(bytes[10], 1, "the version id is bound");
    assert_eq!(&bytes[12..28], envelope.object_id().as_bytes());
    assert_eq!(envelope.mode(), cipher.mode());
    assert_eq!(envelope.state(), State::Finished);
}

/// F13: unknown magic version suite mode state and reserved bits are refused.
pub fn f13_unknown_magic_version_suite_mode_state_and_reserved_bits_are_refused(
    cipher: &dyn ObjectCipher,
) {
    let envelope = sealed(cipher);
    for (at, allowed) in [
        (0, vec![0x89]),
        (1, vec![b'S']),
        (2, vec![b'3']),
        (3, vec![b'E']),
        (4, vec![1]),
        (7, vec![1]),
        (9, vec![envelope.as_bytes()[9]]),
        (11, vec![0]),
    ] {
        for value in 0..=255_u8 {
            let mut bytes = envelope.as_bytes().to_vec();
            bytes[at] = value;
            assert_eq!(Envelope::parse(&bytes).is_ok(), allowed.contains(&value), "{at} {value}");
        }
    }
    for (at, most) in [(5, 2), (6, 5), (8, 7), (10, 15)] {
        for value in most + 1..=255_u8 {
            let mut bytes = envelope.as_bytes().to_vec();
            bytes[at] = value;
            assert!(Envelope::parse(&bytes).is_err(), "{at} {value}");
        }
    }
}

/// F14: an envelope has one form.
pub fn f14_an_envelope_has_one_form(cipher: &dyn ObjectCipher) {
    let envelope = sealed(cipher);
    let bytes = envelope.as_bytes();
    assert_eq!(Envelope::parse(bytes).unwrap().as_bytes(), bytes);
    for length in 0..bytes.len() {
        assert!(Envelope::parse(&bytes[..length]).is_err(), "{length}");
    }
    let longer = [bytes, &[0]].concat();
    let trailing = Error::Malformed { item: Item::Envelope, fault: Fault::TrailingBytes };
    assert_eq!(Envelope::parse(&longer).unwrap_err(), trailing);
}

/// Sealed attributes come back and are not in clear.
pub fn sealed_attributes_come_back_and_are_not_in_clear(cipher: &dyn ObjectCipher) {
    let stored = StoredObject::seal(cipher, &cx(), b"content", &attributes()).unwrap();
    let opener = stored.open(cipher, &cx()).unwrap();
    assert_eq!(*opener.attributes(), attributes());
    let bytes = stored.envelope.as_bytes();
    assert!(!bytes.windows(16).any(|window| window == [0xEE; 16] || window == [5; 16]));
}
