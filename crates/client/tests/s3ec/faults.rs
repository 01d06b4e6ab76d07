//! Keyrings and a KMS that fail or answer with what is not theirs.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use object_cipher_client::{
    Error,
    s3ec::{DataKey, KmsDiscoveryKeyring, S3ec},
};
use object_cipher_core::{
    BoxFuture, EncryptionContext, Error as CoreError, KeyError, KeyErrorKind, SourceKey,
};
use object_cipher_kms::{
    Discover, KeyId, KeyState, KmsDiscovery, KmsResult, Operation, Scope, Unwrapped,
};
use object_cipher_testkit::{KmsFault, now};

use crate::{
    formats::{DATA_KEY, Object, one_of_each, v3},
    setup::{
        BOTH_FORMATS, Given, KMS_KEY, LIBRARIES, aes, context, fake_kms, kms_keyring, plaintext,
        read, read_stored, request, seal,
    },
};

#[test]
fn e1_a_wrong_data_key_is_refused_by_the_commitment_and_in_v2_by_the_tag() {
    for library in LIBRARIES {
        for bit in 0..256 {
            let mut wrong = DATA_KEY;
            wrong[bit / 8] ^= 1 << (bit % 8);
            let cipher = library.lenient(Given::new(wrong));
            let [.., v2, v3] = one_of_each(&plaintext(20));
            let read = |object: Object| read_stored(&cipher, None, &object.metadata, &object.body);
            assert_eq!(read(v3), Err(Error::Commitment));
            assert!(matches!(read(v2), Err(Error::Core(CoreError::Rejected { .. }))));
        }
    }
}

#[test]
fn a_keyrings_failure_is_told_and_nothing_is_sealed_or_opened() {
    let faults = [
        Error::Unwrap,
        Error::Context,
        Error::Unsupported("a test"),
        Error::Key(KeyError::new(KeyErrorKind::Denied, "told to fail")),
        Error::Key(KeyError::new(KeyErrorKind::Unavailable, "told to fail")),
    ];
    for library in LIBRARIES {
        for fault in &faults {
            let keyring =
                Arc::new(Given { fault: Some(fault.clone()), ..Given::unshared(DATA_KEY) });
            let cipher = library.lenient(Arc::clone(&keyring));
            assert_eq!(now(cipher.seal(&request(None))).err().as_ref(), Some(fault));
            for Object { metadata, body } in one_of_each(&plaintext(20)) {
                assert_eq!(read_stored(&cipher, None, &metadata, &body).as_ref(), Err(fault));
                let header = crate::setup::header(&metadata, None).unwrap();
                let ranges = cipher.unauthenticated_ranges().unwrap();
                let opened = now(ranges.open(&header, &request(None)));
                assert_eq!(opened.err().as_ref(), Some(fault));
            }
        }
    }
}

#[test]
fn a_data_key_has_32_bytes() {
    for length in (0..100).filter(|length| *length != 32) {
        assert!(matches!(DataKey::from_slice(&vec![7; length]), Err(Error::Unwrap)));
    }
    let key = DataKey::from_slice(&[7; 32]).unwrap();
    assert_eq!(key.expose(), &[7; 32]);
    assert_eq!(format!("{key:?}"), "DataKey([redacted])");
}

#[test]
fn a_kms_that_fails_or_answers_for_another_key_is_not_believed() {
    for library in LIBRARIES {
        for policy in BOTH_FORMATS {
            let kms = fake_kms();
            let cipher = library.builder(kms_keyring(&kms)).commitment_policy(policy).build();
            let (header, body) = seal(&cipher, None, &plaintext(20));
            let faults = [
                (KmsFault::OtherKey, KeyErrorKind::Internal),
                (KmsFault::Fail(KeyErrorKind::Denied), KeyErrorKind::Denied),
                (KmsFault::Fail(KeyErrorKind::Throttled), KeyErrorKind::Throttled),
            ];
            for (fault, expected) in faults {
                kms.fail_key(KMS_KEY, Some(fault));
                let kind = |error| match error {
                    Error::Key(error) => error.kind(),
                    other => panic!("{other:?}"),
                };
                let opened = read(&cipher, None, &header, &body).unwrap_err();
                assert_eq!(kind(opened), expected);
                let sealed = now(cipher.seal(&request(None))).unwrap_err();
                assert_eq!(kind(sealed), expected);
            }
            kms.fail_key(KMS_KEY, None);
            assert_eq!(read(&cipher, None, &header, &body), Ok(plaintext(20)));
            kms.set_state(KMS_KEY, KeyState::Disabled);
            assert!(matches!(read(&cipher, None, &header, &body), Err(Error::Key(_))));
        }
    }
}

#[test]
fn a_kms_is_asked_once_to_write_and_once_to_read() {
    for library in LIBRARIES {
        let kms = fake_kms();
        let cipher = library.builder(kms_keyring(&kms)).build();
        let (header, _) = seal(&cipher, None, &plaintext(20));
        assert_eq!((kms.calls(), kms.calls_of(Operation::Generate)), (1, 1));
        assert!(now(cipher.open(&header, &request(None))).is_ok());
        assert_eq!((kms.calls(), kms.calls_of(Operation::Unwrap)), (2, 1));
    }
}

/// Answers with one data key, as wrapped by one key.
struct Discovering(KeyId, AtomicU64);

impl KmsDiscovery for Discovering {
    fn discover<'a>(&'a self, _: Discover<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let unwrapped = Unwrapped { key: SourceKey::from_bytes(&DATA_KEY), id: self.0.clone() };
        Box::pin(async { Ok(unwrapped) })
    }
}

#[test]
fn a_discovered_key_is_used_where_it_is_allowed_and_bound_to_context_and_algorithm() {
    let id = KeyId::new(Scope::default().arn(KMS_KEY)).unwrap();
    let json = r#"{"aws:x-amz-cek-alg":"115","tenant":"blue"}"#;
    let object = v3(b"wrapped", "12", Some(("x-amz-t", json)), &plaintext(20));
    let given = context(&[("tenant", "blue")]);
    for library in LIBRARIES {
        let kms = Arc::new(Discovering(id.clone(), AtomicU64::new(0)));
        let reader = |allowed: &'static str| {
            let allows = move |id: &KeyId| id.as_str().ends_with(allowed);
            library.builder(KmsDiscoveryKeyring::new(Arc::clone(&kms) as _, allows)).build()
        };
        let read = |cipher: S3ec, context: Option<&EncryptionContext>, object: &Object| {
            read_stored(&cipher, context, &object.metadata, &object.body)
        };
        assert_eq!(read(reader(KMS_KEY), Some(&given), &object), Ok(plaintext(20)));
        let denied = read(reader("another"), Some(&given), &object);
        let of_kind = |error: &KeyError| error.kind() == KeyErrorKind::Denied;
        assert!(matches!(denied, Err(Error::Key(error)) if of_kind(&error)));
        let calls = kms.1.load(Ordering::Relaxed);
        assert_eq!(read(reader(KMS_KEY), None, &object), Err(Error::Context));
        let bound = v3(b"wrapped", "12", Some(("x-amz-t", r#"{"tenant":"blue"}"#)), &[]);
        let unbound = read(reader(KMS_KEY), Some(&given), &bound);
        assert_eq!(unbound, Err(Error::OtherContentAlgorithm));
        assert_eq!(kms.1.load(Ordering::Relaxed), calls);
        let sealed = now(reader(KMS_KEY).seal(&request(None)));
        assert!(matches!(sealed, Err(Error::Unsupported(_))));
    }
}

/// One data key for two objects gives two keys in V3, and two IVs in V2.
#[test]
fn a_kms_that_draws_one_key_again_makes_no_two_bodies_alike() {
    for library in LIBRARIES {
        for policy in BOTH_FORMATS {
            let kms = fake_kms();
            kms.fail_key(KMS_KEY, Some(KmsFault::SameDataKey));
            let cipher = library.builder(kms_keyring(&kms)).commitment_policy(policy).build();
            let bodies = [(); 2].map(|()| seal(&cipher, None, &[0; 64]).1);
            let blocks = bodies.each_ref().map(|body| body.chunks(16).collect::<Vec<_>>());
            assert!(blocks[0].iter().all(|block| !blocks[1].contains(block)));
        }
    }
}

#[test]
fn debug_output_shows_no_key() {
    let shown = |secret: &[u8], text: &str| {
        text.contains(&hex::encode(secret)) || text.contains(&format!("{secret:?}"))
    };
    for library in LIBRARIES {
        let builder = library.builder(aes(0x5b, 32).with_description([("key", "blue")]));
        let builder_text = format!("{builder:?}");
        let cipher = builder.build();
        let (header, _) = seal(&cipher, None, &[]);
        let opener = now(cipher.open(&header, &request(None))).unwrap();
        let texts = [
            builder_text,
            format!("{cipher:?}"),
            format!("{opener:?}"),
            format!("{:?}", opener.into_unverified()),
            format!("{:?}", aes(0x5b, 32)),
            format!("{:?}", crate::setup::rsa("rsa2048a")),
        ];
        for text in texts {
            assert!(!shown(&[0x5b; 32], &text) && !text.contains("91, 91"), "{text}");
        }
    }
}
