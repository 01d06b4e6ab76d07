//! Several keys, and keys that change.

use std::sync::Arc;

use object_cipher_client::{
    Error,
    s3ec::{DescribedKeyrings, FormatVersion, Header, Keyring, RsaKeyring, WrapAlgorithm},
};
use object_cipher_core::{EncryptionContext, KeyErrorKind};
use object_cipher_testkit::{KmsFault, now};

use crate::{
    formats::{DATA_KEY, v2_cbc},
    setup::{
        BOTH_FORMATS, Given, KMS_KEY, LIBRARIES, aes, context, fake_kms, header, kms_keyring,
        plaintext, public_pem, read, request, rsa, seal,
    },
};

const OLD: [(&str, &str); 1] = [("key", "old")];
const NEW: [(&str, &str); 1] = [("key", "new")];

#[test]
fn a_described_keyring_is_chosen_by_exactly_its_description() {
    for library in LIBRARIES {
        for policy in BOTH_FORMATS {
            let seal_as = |pairs: &[(&str, &str)]| {
                let keyring = aes(1, 32).with_description(pairs.iter().copied());
                seal(&library.builder(keyring).commitment_policy(policy).build(), None, b"text").0
            };
            let (writes, old) = (Given::new(DATA_KEY), Given::new(DATA_KEY));
            let keyrings = DescribedKeyrings::new(Arc::clone(&writes)).with(OLD, Arc::clone(&old));
            let cipher = library.builder(keyrings).commitment_policy(policy).build();
            let asked = |header: &Header| {
                let before = [writes.calls(), old.calls()];
                let _ = now(cipher.may_unwrap(header, &request(None)));
                [writes.calls() - before[0], old.calls() - before[1]]
            };
            assert_eq!(asked(&seal_as(&OLD)), [0, 1]);
            let others: [&[(&str, &str)]; 6] = [
                &[],
                &[("key", "Old")],
                &[("Key", "old")],
                &[("key", "old "), ("a", "b")],
                &[("key", "old"), ("more", "")],
                &[("key", "")],
            ];
            for other in others {
                assert_eq!(asked(&seal_as(other)), [1, 0], "{other:?}");
            }
        }
    }
}

#[test]
fn described_keyrings_read_what_each_wrote_and_a_changed_description_opens_nothing() {
    for library in LIBRARIES {
        let old = library.builder(rsa("rsa2048a").with_description(OLD)).build();
        let (sealed, body) = seal(&old, None, &plaintext(20));
        let both = DescribedKeyrings::new(aes(2, 32).with_description(NEW))
            .with(OLD, rsa("rsa2048a"))
            .with([("key", "wrong")], rsa("rsa2048b"));
        let both = library.builder(both).build();
        assert_eq!(read(&both, None, &sealed, &body), Ok(plaintext(20)));
        let (new, new_body) = seal(&both, None, &plaintext(20));
        assert_eq!(new.encrypted_data_key().wrap, Some(WrapAlgorithm::AesGcm));
        assert_eq!(read(&both, None, &new, &new_body), Ok(plaintext(20)));
        for (json, expected) in [
            (r#"{"key":"wrong"}"#, Error::Unwrap),
            (r#"{"key":"new"}"#, Error::OtherKeyring(WrapAlgorithm::RsaOaepSha1)),
            ("{}", Error::OtherKeyring(WrapAlgorithm::RsaOaepSha1)),
        ] {
            let metadata = crate::setup::with(&sealed.to_metadata().unwrap(), "x-amz-m", json);
            let changed = header(&metadata, None).unwrap();
            assert_eq!(read(&both, None, &changed, &body), Err(expected));
        }
    }
}

#[test]
fn a_description_that_could_not_be_read_again_is_not_written() {
    for (value, fits) in
        [("a".repeat(32_760), true), ("a".repeat(32_761), false), ("é".repeat(11_000), false)]
    {
        for library in LIBRARIES {
            let keyring = aes(1, 32).with_description([("k", value.as_str())]);
            let cipher = library.builder(keyring).build();
            let Ok(sealed) = now(cipher.seal(&request(None))) else {
                assert!(!fits);
                continue;
            };
            assert!(fits);
            let file = sealed.header.to_instruction_file().unwrap();
            let read = header(&file.object_metadata, Some(&file.body)).unwrap();
            assert_eq!(read, sealed.header);
        }
    }
}

#[test]
fn a_kms_is_chosen_by_the_encryption_context_whatever_the_client_adds_to_it() {
    let (given, kms) = (context(&[("tenant", "blue")]), fake_kms());
    for library in LIBRARIES {
        for policy in BOTH_FORMATS {
            let writer = library.builder(kms_keyring(&kms)).commitment_policy(policy).build();
            let (sealed, body) = seal(&writer, Some(&given), &plaintext(20));
            let reader = DescribedKeyrings::new(aes(1, 32))
                .with([("tenant", "blue")], kms_keyring(&kms))
                .with([("tenant", "red")], aes(2, 32));
            let reader = library.builder(reader).commitment_policy(policy).build();
            assert_eq!(read(&reader, Some(&given), &sealed, &body), Ok(plaintext(20)));
        }
    }
}

#[test]
fn a_rewrapped_key_opens_the_same_body_and_the_old_keyring_no_longer_does() {
    let given = context(&[("tenant", "blue")]);
    let kms = fake_kms();
    let old: [(Arc<dyn Keyring>, Option<&EncryptionContext>); 3] = [
        (Arc::new(aes(1, 32).with_description(OLD)), None),
        (Arc::new(rsa("rsa2048a").with_description(OLD)), None),
        (Arc::new(kms_keyring(&kms)), Some(&given)),
    ];
    for library in LIBRARIES {
        for policy in BOTH_FORMATS {
            for (old, context) in &old {
                let new: [(Arc<dyn Keyring>, Arc<dyn Keyring>); 2] = [
                    (Arc::new(aes(2, 32).with_description(NEW)), Arc::new(aes(2, 32))),
                    (
                        Arc::new(
                            RsaKeyring::from_public_pem(&public_pem("rsa3072a"))
                                .unwrap()
                                .with_description(NEW),
                        ),
                        Arc::new(rsa("rsa3072a")),
                    ),
                ];
                let cipher = library.builder(Arc::clone(old)).commitment_policy(policy).build();
                let (sealed, body) = seal(&cipher, *context, &plaintext(50));
                for (writes, reads) in new {
                    let rq = request(*context);
                    let rewrapped = now(cipher.rewrap(&sealed, &rq, &*writes)).unwrap();
                    assert_eq!(rewrapped.version(), sealed.version());
                    assert_eq!(rewrapped.object_id(), sealed.object_id());
                    // Of V3, the object's own metadata stays.
                    let [before, after] = [&sealed, &rewrapped]
                        .map(|header| header.to_instruction_file().unwrap().object_metadata);
                    assert_eq!(before, after);
                    assert_eq!(before.is_empty(), sealed.version() == FormatVersion::V2);
                    let reader = library.builder(reads).commitment_policy(policy).build();
                    assert_eq!(read(&reader, None, &rewrapped, &body), Ok(plaintext(50)));
                    assert!(!now(cipher.may_unwrap(&rewrapped, &request(None))));
                    assert!(now(reader.may_unwrap(&rewrapped, &request(None))));
                    assert!(now(cipher.may_unwrap(&sealed, &rq)));
                }
            }
        }
    }
}

#[test]
fn a_rewrap_to_the_same_description_or_to_a_keyring_that_wraps_none_is_refused() {
    let kms = fake_kms();
    for library in LIBRARIES {
        let cipher = library.builder(aes(1, 32).with_description(OLD)).build();
        let (sealed, _) = seal(&cipher, None, &plaintext(50));
        let rewrap = |to: &dyn Keyring| now(cipher.rewrap(&sealed, &request(None), to)).err();
        let same = rewrap(&aes(2, 32).with_description(OLD));
        assert!(matches!(same, Some(Error::Configuration(_))));
        assert!(matches!(rewrap(&kms_keyring(&kms)), Some(Error::Unsupported(_))));
        let legacy = Given { wraps: Some(WrapAlgorithm::AesKeyWrap), ..Given::unshared(DATA_KEY) };
        assert!(matches!(rewrap(&legacy), Some(Error::Unsupported(_))));
        assert_eq!(kms.calls(), 0);
        // Legacy content is not moved to another key, whatever is enabled.
        let keyring = Given::new(DATA_KEY);
        let cipher = library.lenient(Arc::clone(&keyring));
        let cbc = header(&v2_cbc(b"wrapped", "AES/GCM", "{}", &[]).metadata, None).unwrap();
        let refused = now(cipher.rewrap(&cbc, &request(None), &aes(2, 32).with_description(NEW)));
        assert!(matches!(refused, Err(Error::Unsupported(_))));
        assert_eq!(keyring.calls(), 0);
    }
}

#[test]
fn a_rewrap_of_a_wrong_key_is_refused_by_the_commitment() {
    for library in LIBRARIES {
        let (sealed, _) = seal(&library.builder(aes(1, 32)).build(), None, &plaintext(50));
        let cipher = library.builder(Given::new(DATA_KEY)).build();
        let to = Given::new(DATA_KEY);
        let refused = now(cipher.rewrap(&sealed, &request(None), &to)).map(drop);
        assert_eq!(refused, Err(Error::Commitment));
        assert_eq!(to.calls(), 0);
    }
}

/// Else a rotation would be taken for done while a KMS is away.
#[test]
fn a_keyring_that_cannot_tell_may_still_unwrap() {
    for library in LIBRARIES {
        let kms = fake_kms();
        let cipher = library.builder(kms_keyring(&kms)).build();
        let (sealed, _) = seal(&cipher, None, &plaintext(50));
        let can = |rq: &_| now(cipher.may_unwrap(&sealed, rq));
        assert!(can(&request(None)));
        for kind in [
            KeyErrorKind::Unavailable,
            KeyErrorKind::Timeout,
            KeyErrorKind::Throttled,
            KeyErrorKind::Denied,
            KeyErrorKind::Disabled,
            KeyErrorKind::Internal,
        ] {
            kms.fail_key(KMS_KEY, Some(KmsFault::Fail(kind)));
            assert!(can(&request(None)), "{kind:?}");
        }
        kms.fail_key(KMS_KEY, None);
        let another = context(&[("another", "context")]);
        assert!(can(&request(Some(&another))));
        kms.forget();
        assert!(!can(&request(None)));
    }
}
