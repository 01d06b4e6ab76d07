//! E7: what is written and read under each policy and flag, and in which order it is checked.

use std::sync::Arc;

use object_cipher_client::{
    Error,
    s3ec::{CommitmentPolicy, ContentAlgorithm, FormatVersion, WrapAlgorithm},
};

use crate::{
    formats::{DATA_KEY, Object, one_of_each, v1, v2, v2_cbc, v3},
    setup::{Given, LIBRARIES, header, plaintext, read_stored, seal, with},
};

const POLICIES: [CommitmentPolicy; 3] = [
    CommitmentPolicy::ForbidEncryptAllowDecrypt,
    CommitmentPolicy::RequireEncryptAllowDecrypt,
    CommitmentPolicy::RequireEncryptRequireDecrypt,
];
const FLAGS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

#[test]
fn e7_each_policy_writes_and_reads_what_the_specification_says() {
    use FormatVersion::{V2, V3};
    let table = [
        (POLICIES[0], V2, [true, true, true, true]),
        (POLICIES[1], V3, [true, true, true, true]),
        (POLICIES[2], V3, [false, false, false, true]),
    ];
    for library in LIBRARIES {
        for (policy, writes, reads) in table {
            let keyring = Given::new(DATA_KEY);
            let cipher = library
                .builder(Arc::clone(&keyring))
                .commitment_policy(policy)
                .enable_legacy_wrapping_algorithms()
                .enable_legacy_unauthenticated_modes()
                .build();
            assert_eq!(cipher.commitment_policy(), policy);
            let (header, body) = seal(&cipher, None, &plaintext(20));
            assert_eq!(header.version(), writes);
            let metadata = header.to_metadata().unwrap();
            assert_eq!(read_stored(&cipher, None, &metadata, &body), Ok(plaintext(20)));
            let calls = keyring.calls();
            for (object, read) in one_of_each(&plaintext(20)).into_iter().zip(reads) {
                let opened = read_stored(&cipher, None, &object.metadata, &object.body);
                if read {
                    assert_eq!(opened, Ok(plaintext(20)));
                } else {
                    assert!(matches!(opened, Err(Error::Policy { .. })), "{policy}: {opened:?}");
                }
            }
            let read = reads.iter().filter(|read| **read).count();
            assert_eq!(keyring.calls(), calls + 2 * read);
        }
    }
}

#[test]
fn e7_without_a_configuration_v3_is_written_and_nothing_else_is_read() {
    for library in LIBRARIES {
        let cipher = library.builder(Given::new(DATA_KEY)).build();
        assert_eq!(cipher.commitment_policy(), CommitmentPolicy::RequireEncryptRequireDecrypt);
        assert_eq!(seal(&cipher, None, &[]).0.version(), FormatVersion::V3);
        let [v1, cbc, v2, v3] = one_of_each(&plaintext(20));
        let read = |object: Object| read_stored(&cipher, None, &object.metadata, &object.body);
        assert_eq!(read(v1), Err(Error::LegacyContent(ContentAlgorithm::AesCbc)));
        assert_eq!(read(cbc), Err(Error::LegacyContent(ContentAlgorithm::AesCbc)));
        assert!(matches!(read(v2), Err(Error::Policy { .. })));
        assert_eq!(read(v3), Ok(plaintext(20)));
    }
}

/// Every wrap that a header can have, with the content it can be beside.
fn every_wrap() -> Vec<(WrapAlgorithm, Object)> {
    use WrapAlgorithm as Wrap;
    let text = plaintext(20);
    let mut objects = Vec::new();
    for wrap in [
        Wrap::AesGcm,
        Wrap::RsaOaepSha1,
        Wrap::KmsContext,
        Wrap::Kms,
        Wrap::AesKeyWrap,
        Wrap::RsaOaepSha256,
    ] {
        let json = |content: ContentAlgorithm| match wrap {
            Wrap::KmsContext => format!(r#"{{"aws:x-amz-cek-alg":"{}"}}"#, content.name()),
            _ => "{}".to_owned(),
        };
        let gcm = v2(b"wrapped", wrap.name(), &json(ContentAlgorithm::AesGcm), &text);
        let cbc = v2_cbc(b"wrapped", wrap.name(), &json(ContentAlgorithm::AesCbc), &text);
        objects.extend([(wrap, gcm), (wrap, cbc)]);
    }
    for (wrap, name) in [(Wrap::AesGcm, "02"), (Wrap::RsaOaepSha1, "22"), (Wrap::KmsContext, "12")]
    {
        let json = match wrap {
            Wrap::KmsContext => r#"{"aws:x-amz-cek-alg":"115"}"#,
            _ => "{}",
        };
        objects.push((wrap, v3(b"wrapped", name, Some(("x-amz-t", json)), &text)));
    }
    objects.extend([Wrap::AesEcb, Wrap::RsaPkcs1].map(|wrap| (wrap, v1(b"wrapped", &text))));
    objects
}

#[test]
fn e7_each_wrap_and_content_needs_its_flags_and_is_checked_in_order_before_any_key() {
    let mut opened_with_keys = 0;
    for library in LIBRARIES {
        for policy in POLICIES {
            for (wraps, modes) in FLAGS {
                for (wrap, object) in every_wrap() {
                    let keyring =
                        Arc::new(Given { of_v1: Some(wrap), ..Given::unshared(DATA_KEY) });
                    let mut builder =
                        library.builder(Arc::clone(&keyring)).commitment_policy(policy);
                    if wraps {
                        builder = builder.enable_legacy_wrapping_algorithms();
                    }
                    if modes {
                        builder = builder.enable_legacy_unauthenticated_modes();
                    }
                    let content = header(&object.metadata, None).unwrap().content_algorithm();
                    let opened =
                        read_stored(&builder.build(), None, &object.metadata, &object.body);
                    let expected = if content.is_legacy() && !modes {
                        Err(Error::LegacyContent(content))
                    } else if !policy.reads(content) {
                        Err(Error::Policy { policy, content })
                    } else if wrap.is_legacy() && !wraps {
                        Err(Error::LegacyWrap(wrap))
                    } else {
                        opened_with_keys += 1;
                        Ok(plaintext(20))
                    };
                    assert_eq!(opened, expected, "{policy}, {wraps}, {modes}, {wrap}, {content}");
                    assert_eq!(keyring.calls(), if expected.is_ok() { 2 } else { 0 });
                }
            }
        }
    }
    assert!(opened_with_keys > 0);
}

#[test]
fn e7_whatever_the_keyring_says_a_legacy_wrap_needs_its_flag() {
    for library in LIBRARIES {
        let keyring = Arc::new(Given { of_v1: None, ..Given::unshared(DATA_KEY) });
        let v1 = v1(b"wrapped", &plaintext(20));
        let cipher = library.lenient(Arc::clone(&keyring));
        let opened = read_stored(&cipher, None, &v1.metadata, &v1.body);
        assert!(matches!(opened, Err(Error::UnnamedWrap)));
        assert_eq!(keyring.calls(), 0);
    }
}

#[test]
fn e7_legacy_content_and_wraps_are_never_written() {
    for library in LIBRARIES {
        for object in [v1(b"wrapped", &[]), v2_cbc(b"wrapped", "AES/GCM", "{}", &[])] {
            let header = header(&object.metadata, None).unwrap();
            assert!(matches!(header.to_metadata(), Err(Error::Unsupported(_))));
            assert!(matches!(header.to_instruction_file(), Err(Error::Unsupported(_))));
        }
        for wrap in [None, Some(WrapAlgorithm::Kms), Some(WrapAlgorithm::AesKeyWrap)] {
            let keyring = Given { wraps: wrap, ..Given::unshared(DATA_KEY) };
            let cipher = library.builder(keyring).build();
            let sealed = object_cipher_testkit::now(cipher.seal(&crate::setup::request(None)));
            assert!(matches!(sealed, Err(Error::Unsupported(_))), "{wrap:?}");
        }
        // Nor what could not be read again, for naming another algorithm or, by a KMS, none.
        for (wrap, named) in [
            (WrapAlgorithm::AesGcm, Some("AES/GCM/NoPadding")),
            (WrapAlgorithm::KmsContext, Some("AES/GCM/NoPadding")),
            (WrapAlgorithm::KmsContext, None),
        ] {
            let description = named.map(|named| ("aws:x-amz-cek-alg", named)).into_iter().collect();
            let keyring = Given { wraps: Some(wrap), description, ..Given::unshared(DATA_KEY) };
            let cipher = library.builder(keyring).build();
            let sealed = object_cipher_testkit::now(cipher.seal(&crate::setup::request(None)));
            assert!(matches!(sealed, Err(Error::OtherContentAlgorithm)), "{wrap:?}");
        }
    }
}

/// E8.
#[test]
fn e8_message_ids_commitments_and_ivs_of_zeroes_are_refused() {
    use object_cipher_client::MetadataFault;

    use crate::{formats::b64, setup::found};
    for object in one_of_each(&[]) {
        let ivs: [(&str, &[usize]); 3] =
            [("x-amz-i", &[28]), ("x-amz-d", &[28]), ("x-amz-iv", &[12, 16])];
        for (name, lengths) in ivs {
            if !object.metadata.iter().any(|(key, _)| key == name) {
                continue;
            }
            for length in lengths {
                let metadata = with(&object.metadata, name, &b64(&vec![0; *length]));
                let refused = found(&metadata);
                let value = |fault| matches!(fault, MetadataFault::Value(key) if key == name);
                assert!(matches!(refused, Err(Error::Metadata(fault)) if value(fault)));
            }
        }
    }
}

/// E8: whatever the metadata says, the IV of V3 is 12 bytes of 1: content under another does not open.
#[test]
fn e8_v3_content_under_another_iv_or_associated_data_is_refused() {
    use object_cipher_core::Error as CoreError;

    use crate::formats::{SUITE, committed, gcm};
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        let object = v3(b"wrapped", "02", None, &plaintext(20));
        let key = committed(&DATA_KEY).key;
        assert_eq!(object.body, gcm(&key, &[1; 12], SUITE, &plaintext(20)));
        let others: [(&[u8; 12], &[u8], &[u8; 32]); 5] = [
            (&[0; 12], SUITE, &key),
            (&[2; 12], SUITE, &key),
            (&[1; 12], &[], &key),
            (&[1; 12], &[0, 0x72], &key),
            (&[1; 12], SUITE, &DATA_KEY),
        ];
        for (iv, aad, key) in others {
            let body = gcm(key, iv, aad, &plaintext(20));
            let opened = read_stored(&cipher, None, &object.metadata, &body);
            assert!(matches!(opened, Err(Error::Core(CoreError::Rejected { .. }))));
        }
    }
}
