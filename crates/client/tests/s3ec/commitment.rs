//! E1: bits flipped in V3.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_client::{Error, MetadataFault, s3ec::S3ec};
use object_cipher_core::{EncryptionContext, Error as CoreError, KeyErrorKind, Step};

use crate::{
    formats::b64,
    setup::{
        LIBRARIES, Pairs, aes, context, fake_kms, flips, header, kms_keyring, plaintext,
        read_stored, rsa, seal, value, with,
    },
};

/// A sealed object with one of its values changed, bit by bit.
struct Sealed {
    cipher: S3ec,
    context: Option<EncryptionContext>,
    metadata: Pairs,
    body: Vec<u8>,
}

impl Sealed {
    fn new(cipher: S3ec, context: Option<EncryptionContext>, length: usize) -> Self {
        let (header, body) = seal(&cipher, context.as_ref(), &plaintext(length));
        Self { cipher, context, metadata: header.to_metadata().unwrap(), body }
    }

    fn read(&self, metadata: &Pairs, body: &[u8]) -> Result<Vec<u8>, Error> {
        read_stored(&self.cipher, self.context.as_ref(), metadata, body)
    }

    /// The errors for each flipped bit of a value in base64.
    fn flipped(&self, name: &str) -> Vec<Error> {
        let bytes = STANDARD.decode(value(&self.metadata, name)).unwrap();
        let read = |flipped: Vec<u8>| {
            let metadata = with(&self.metadata, name, &b64(&flipped));
            self.read(&metadata, &self.body).unwrap_err()
        };
        flips(&bytes).map(read).collect()
    }
}

#[test]
fn e1_every_bit_of_the_commitment_and_the_message_id_is_refused_before_the_content_is_opened() {
    for library in LIBRARIES {
        let sealed = Sealed::new(library.builder(aes(7, 32)).build(), None, 33);
        for name in ["x-amz-d", "x-amz-i"] {
            let errors = sealed.flipped(name);
            assert_eq!(errors, vec![Error::Commitment; 28 * 8], "{name}");
        }
        // Also of an object of which nothing else is right.
        let metadata = with(&sealed.metadata, "x-amz-d", &b64(&[5; 28]));
        assert_eq!(sealed.read(&metadata, b""), Err(Error::Commitment));
    }
}

#[test]
fn e1_every_bit_of_a_wrapped_key_is_refused() {
    for library in LIBRARIES {
        let kms = fake_kms();
        let refused_by_kms = |error: &Error| matches!(error, Error::Key(error) if error.kind() == KeyErrorKind::Integrity);
        let sealed = Sealed::new(library.builder(kms_keyring(&kms)).build(), None, 33);
        assert!(sealed.flipped("x-amz-3").iter().all(refused_by_kms));
        for length in [16, 24, 32] {
            let sealed = Sealed::new(library.builder(aes(7, length)).build(), None, 33);
            assert_eq!(sealed.flipped("x-amz-3"), vec![Error::Unwrap; 60 * 8]);
        }
        let sealed = Sealed::new(library.builder(rsa("rsa2048a")).build(), None, 33);
        assert_eq!(sealed.flipped("x-amz-3"), vec![Error::Unwrap; 2_048]);
    }
}

#[test]
fn e1_every_bit_of_body_and_tag_is_refused_by_one_error() {
    for library in LIBRARIES {
        for length in [0, 1, 33] {
            let sealed = Sealed::new(library.builder(aes(7, 32)).build(), None, length);
            let object = header(&sealed.metadata, None).unwrap().object_id();
            let rejected = Error::Core(CoreError::Rejected { object, step: Step::Body });
            for flipped in flips(&sealed.body) {
                assert_eq!(sealed.read(&sealed.metadata, &flipped), Err(rejected.clone()));
            }
        }
    }
}

#[test]
fn e1_every_bit_of_a_stored_context_is_refused_before_the_kms_is_asked() {
    for library in LIBRARIES {
        let kms = fake_kms();
        let given = Some(context(&[("tenant", "blue"), ("year", "2026")]));
        let sealed = Sealed::new(library.builder(kms_keyring(&kms)).build(), given, 33);
        let stored = value(&sealed.metadata, "x-amz-t");
        let calls = kms.calls();
        for flipped in flips(stored.as_bytes()) {
            // What is no UTF-8 cannot be in a header.
            let Ok(flipped) = String::from_utf8(flipped) else { continue };
            let metadata = with(&sealed.metadata, "x-amz-t", &flipped);
            let error = sealed.read(&metadata, &sealed.body).unwrap_err();
            let expected = [
                Error::Metadata(MetadataFault::Json),
                Error::Context,
                Error::OtherContentAlgorithm,
            ];
            assert!(expected.contains(&error), "{flipped}: {error:?}");
        }
        assert_eq!(kms.calls(), calls);
        assert!(sealed.read(&sealed.metadata, &sealed.body).is_ok());
    }
}

#[test]
fn e1_another_objects_commitment_and_message_id_are_refused() {
    for library in LIBRARIES {
        let cipher = library.builder(aes(7, 32)).build();
        let sealed = [(); 2].map(|()| Sealed::new(cipher.clone(), None, 33));
        for name in ["x-amz-3", "x-amz-d", "x-amz-i"] {
            let metadata = with(&sealed[0].metadata, name, value(&sealed[1].metadata, name));
            assert_eq!(sealed[0].read(&metadata, &sealed[0].body), Err(Error::Commitment));
        }
        let swapped = sealed[0].read(&sealed[0].metadata, &sealed[1].body);
        assert!(matches!(swapped, Err(Error::Core(CoreError::Rejected { .. }))));
    }
}
