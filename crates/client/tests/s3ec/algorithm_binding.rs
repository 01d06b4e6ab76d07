//! E4: the content's algorithm changed, in the metadata or in what the wrap binds.

use std::sync::Arc;

use object_cipher_client::{
    Error, MetadataFault,
    s3ec::{CommitmentPolicy, ContentAlgorithm, Keyring, S3ec},
};
use object_cipher_core::Error as CoreError;

use crate::{
    formats::{CBC_IV, DATA_KEY, Object, b64, v1, v2, v2_cbc, v3, wrapped_by_aes},
    setup::{
        BOTH_FORMATS, Given, LIBRARIES, Library, Pairs, aes, context, fake_kms, found, kms_keyring,
        plaintext, read_stored, rsa, seal, value, with, without,
    },
};

/// CVE-2020-8912: content of AES-GCM that is read by another mode gives its keystream away.
fn as_cbc(metadata: &Pairs) -> Pairs {
    let relabelled = with(metadata, "x-amz-cek-alg", "AES/CBC/PKCS5Padding");
    let relabelled = without(&relabelled, "x-amz-tag-len");
    with(&relabelled, "x-amz-iv", &b64(&CBC_IV))
}

fn v2_writer(library: Library, keyring: impl Keyring + 'static) -> S3ec {
    library
        .builder(keyring)
        .commitment_policy(CommitmentPolicy::ForbidEncryptAllowDecrypt)
        .enable_legacy_wrapping_algorithms()
        .enable_legacy_unauthenticated_modes()
        .build()
}

#[test]
fn e4_content_shown_as_ctr_is_refused_by_every_wrap() {
    let ctr = ["AES/CTR/NoPadding", "AES/CTR", "114", "113"];
    for wrap in ["AES/GCM", "RSA-OAEP-SHA1", "kms+context", "kms", "AESWrap"] {
        let metadata = v2(b"wrapped", wrap, "{}", &[]).metadata;
        for name in ctr {
            let fault = Err(Error::Metadata(MetadataFault::Value("x-amz-cek-alg")));
            assert_eq!(found(&with(&metadata, "x-amz-cek-alg", name)), fault);
        }
    }
    let metadata = v3(b"wrapped", "02", None, &[]).metadata;
    for name in ctr.iter().chain(&["116"]) {
        let fault = Err(Error::Metadata(MetadataFault::Value("x-amz-c")));
        assert_eq!(found(&with(&metadata, "x-amz-c", name)), fault);
    }
}

#[test]
fn e4_content_shown_as_cbc_is_refused_by_every_wrap_that_binds_it() {
    for library in LIBRARIES {
        let kms = fake_kms();
        let given = context(&[("tenant", "blue")]);
        let ciphers = [
            (v2_writer(library, aes(7, 32)), None, Error::Unwrap),
            (v2_writer(library, rsa("rsa2048a")), None, Error::Unwrap),
            (v2_writer(library, kms_keyring(&kms)), Some(&given), Error::OtherContentAlgorithm),
        ];
        for (cipher, context, expected) in ciphers {
            let (header, body) = seal(&cipher, context, &plaintext(40));
            let metadata = header.to_metadata().unwrap();
            let calls = kms.calls();
            let opened = read_stored(&cipher, context, &as_cbc(&metadata), &body);
            assert_eq!(opened, Err(expected));
            assert_eq!(kms.calls(), calls);
            // With the stored context changed to match, it is not what the KMS has bound.
            if context.is_some() {
                let stored = value(&metadata, "x-amz-matdesc");
                let stored = stored.replace("AES/GCM/NoPadding", "AES/CBC/PKCS5Padding");
                let metadata = with(&as_cbc(&metadata), "x-amz-matdesc", &stored);
                let opened = read_stored(&cipher, context, &metadata, &body);
                assert!(matches!(opened, Err(Error::Key(_))), "{opened:?}");
            }
        }
    }
}

#[test]
fn e4_v3_shown_as_v2_and_the_reverse_are_refused_by_every_wrap() {
    for library in LIBRARIES {
        let kms = fake_kms();
        let keyrings: [(Arc<dyn Keyring>, Error); 3] = [
            (Arc::new(aes(7, 32)), Error::Unwrap),
            (Arc::new(rsa("rsa2048a")), Error::Unwrap),
            (Arc::new(kms_keyring(&kms)), Error::OtherContentAlgorithm),
        ];
        for (keyring, expected) in keyrings {
            for policy in BOTH_FORMATS {
                let cipher =
                    library.builder(Arc::clone(&keyring)).commitment_policy(policy).build();
                let (header, body) = seal(&cipher, None, &plaintext(40));
                let metadata = relabelled(&header.to_metadata().unwrap());
                let opened = read_stored(&cipher, None, &metadata, &body);
                assert_eq!(opened, Err(expected.clone()), "{policy}");
            }
        }
    }
}

/// As V2 what is V3, with the IV that V3 has; as V3 what is V2, with any commitment.
fn relabelled(metadata: &Pairs) -> Pairs {
    let found = |name: &str| metadata.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    if let Some(wrapped) = found("x-amz-3") {
        let wrap = match found("x-amz-w").unwrap().as_str() {
            "02" => "AES/GCM",
            "12" => "kms+context",
            _ => "RSA-OAEP-SHA1",
        };
        let description = found("x-amz-t").or(found("x-amz-m")).map_or("{}", String::as_str);
        let metadata = v2(b"wrapped", wrap, description, &[]).metadata;
        return with(&with(&metadata, "x-amz-iv", &b64(&[1; 12])), "x-amz-key-v2", wrapped);
    }
    let (wrap, place) = match found("x-amz-wrap-alg").unwrap().as_str() {
        "AES/GCM" => ("02", "x-amz-m"),
        "kms+context" => ("12", "x-amz-t"),
        _ => ("22", "x-amz-m"),
    };
    let description = Some((place, found("x-amz-matdesc").unwrap().as_str()));
    let metadata = v3(b"wrapped", wrap, description, &[]).metadata;
    with(&metadata, "x-amz-3", found("x-amz-key-v2").unwrap())
}

#[test]
fn e4_a_description_that_names_another_algorithm_is_refused_before_any_key_by_every_wrap() {
    let names = ["AES/CBC/PKCS5Padding", "AES/GCM/NoPadding", "115", "", "aes/gcm/nopadding"];
    let v2_wraps = [
        "AES/GCM",
        "RSA-OAEP-SHA1",
        "kms+context",
        "kms",
        "AESWrap",
        "RSA/ECB/OAEPWithSHA-256AndMGF1Padding",
    ];
    for library in LIBRARIES {
        for named in names {
            let json = format!(r#"{{"aws:x-amz-cek-alg":"{named}"}}"#);
            let mut objects = vec![(with_matdesc(v1(b"wrapped", &[]), &json), "V1")];
            for wrap in v2_wraps {
                objects.push((v2(b"wrapped", wrap, &json, &[]), wrap));
                objects.push((v2_cbc(b"wrapped", wrap, &json, &[]), wrap));
            }
            for wrap in ["02", "12", "22"] {
                objects.push((v3(b"wrapped", wrap, Some(("x-amz-t", &json)), &[]), wrap));
            }
            for (object, wrap) in objects {
                let keyring = Given::new(DATA_KEY);
                let cipher = library.lenient(Arc::clone(&keyring));
                let opened = read_stored(&cipher, None, &object.metadata, &object.body);
                let content = crate::setup::header(&object.metadata, None).unwrap();
                if wrap == "kms" {
                    // Legacy clients never write it: this was `kms+context`.
                    assert_eq!(opened, Err(Error::Context));
                } else if content.content_algorithm().name() == named {
                    assert_eq!(opened, Ok(vec![]), "{wrap}");
                    continue;
                } else {
                    assert_eq!(opened, Err(Error::OtherContentAlgorithm), "{wrap}, {named}");
                }
                assert_eq!(keyring.calls(), 0);
            }
        }
    }
}

fn with_matdesc(object: Object, json: &str) -> Object {
    Object { metadata: with(&object.metadata, "x-amz-matdesc", json), ..object }
}

#[test]
fn e4_without_the_algorithm_in_its_context_a_key_of_kms_with_context_is_refused() {
    for library in LIBRARIES {
        let objects = [
            v2(b"wrapped", "kms+context", "{}", &[]),
            v2_cbc(b"wrapped", "kms+context", r#"{"tenant":"blue"}"#, &[]),
            v3(b"wrapped", "12", None, &[]),
            v3(b"wrapped", "12", Some(("x-amz-t", r#"{"AWS:x-amz-cek-alg":"115"}"#)), &[]),
        ];
        for object in objects {
            let keyring = Given::new(DATA_KEY);
            let cipher = library.lenient(Arc::clone(&keyring));
            let opened = read_stored(&cipher, None, &object.metadata, &object.body);
            assert_eq!(opened, Err(Error::OtherContentAlgorithm));
            assert_eq!(keyring.calls(), 0);
        }
    }
}

#[test]
fn e4_kms_with_context_relabelled_kms_is_refused_with_and_without_a_context() {
    for library in LIBRARIES {
        let kms = fake_kms();
        let cipher = v2_writer(library, kms_keyring(&kms));
        let given = context(&[("tenant", "blue")]);
        let (header, body) = seal(&cipher, Some(&given), &plaintext(40));
        let metadata = with(&header.to_metadata().unwrap(), "x-amz-wrap-alg", "kms");
        let calls = kms.calls();
        for context in [None, Some(&given)] {
            assert_eq!(read_stored(&cipher, context, &metadata, &body), Err(Error::Context));
        }
        assert_eq!(kms.calls(), calls);
        // Without what tells it, the KMS refuses the context.
        let cut = with(&metadata, "x-amz-matdesc", r#"{"tenant":"blue"}"#);
        assert!(matches!(read_stored(&cipher, None, &cut, &body), Err(Error::Key(_))));
        let with_context = read_stored(&cipher, Some(&given), &cut, &body);
        assert!(matches!(with_context, Err(Error::ContextNotBound(_))));
    }
}

#[test]
fn e4_a_wrap_of_another_kind_of_key_is_refused_before_a_key_is_used() {
    for library in LIBRARIES {
        let kms = fake_kms();
        let keyrings: [(Arc<dyn Keyring>, &[&str]); 3] = [
            (Arc::new(aes(7, 32)), &["12", "22"]),
            (Arc::new(rsa("rsa2048a")), &["02", "12"]),
            (Arc::new(kms_keyring(&kms)), &["02", "22"]),
        ];
        for (keyring, wraps) in keyrings {
            let cipher = library.builder(keyring).build();
            for wrap in wraps {
                let json = r#"{"aws:x-amz-cek-alg":"115"}"#;
                let object = v3(b"wrapped", wrap, Some(("x-amz-t", json)), &[]);
                let opened = read_stored(&cipher, None, &object.metadata, &object.body);
                assert!(matches!(opened, Err(Error::OtherKeyring(_))));
            }
        }
        assert_eq!(kms.calls(), 0);
    }
}

/// The C++ client wraps keys of AES-CBC content so; the name binds it too.
#[test]
fn e4_a_key_that_was_wrapped_for_cbc_opens_cbc_and_nothing_else() {
    let raw_key = [7; 32];
    for library in LIBRARIES {
        let cipher = library.lenient(aes(7, 32));
        for bound in [ContentAlgorithm::AesCbc, ContentAlgorithm::AesGcm] {
            let wrapped = wrapped_by_aes(&raw_key, &DATA_KEY, bound.name());
            let objects = [
                v2_cbc(&wrapped, "AES/GCM", "{}", b"text"),
                v2(&wrapped, "AES/GCM", "{}", b"text"),
            ];
            for (object, content) in
                objects.into_iter().zip([ContentAlgorithm::AesCbc, ContentAlgorithm::AesGcm])
            {
                let opened = read_stored(&cipher, None, &object.metadata, &object.body);
                let expected =
                    if bound == content { Ok(b"text".to_vec()) } else { Err(Error::Unwrap) };
                assert_eq!(opened, expected);
            }
        }
    }
}

#[test]
fn e4_gcm_content_under_a_legacy_wrap_that_binds_nothing_does_not_open_as_cbc() {
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        for wrap in ["kms", "AESWrap"] {
            let object = v2(b"wrapped", wrap, "{}", &plaintext(40));
            let opened = read_stored(&cipher, None, &as_cbc(&object.metadata), &object.body);
            // 56 stored bytes are no whole blocks; whole ones fail by their padding as a rule.
            assert!(matches!(opened, Err(Error::Core(CoreError::Rejected { .. }))));
        }
    }
}
