//! What is written opens, by every keyring and length, and has exactly the keys that it should.

use std::sync::Arc;

use object_cipher_client::{
    Error,
    s3ec::{
        AesKeyring, CommitmentPolicy, FormatVersion, Header, Keyring, METADATA_PREFIX, RsaKeyring,
        S3ec,
    },
};
use object_cipher_core::EncryptionContext;

use crate::setup::{
    BOTH_FORMATS, LIBRARIES, Pairs, aes, context, fake_kms, header, kms_keyring, plaintext,
    public_pem, read, request, rsa, seal, value, with,
};

const LENGTHS: [usize; 13] =
    [0, 1, 15, 16, 17, 65_519, 65_520, 65_521, 65_535, 65_536, 65_537, 131_071, 131_073];

/// Every keyring there is, each with a description or context and without.
fn keyrings() -> Vec<(Arc<dyn Keyring>, Option<EncryptionContext>)> {
    let described = [("key", "blue")];
    let given = context(&[("tenant", "blue"), ("year", "2026")]);
    let kms = fake_kms();
    let mut keyrings: Vec<(Arc<dyn Keyring>, _)> = vec![
        (Arc::new(kms_keyring(&kms)), None),
        (Arc::new(kms_keyring(&kms)), Some(given)),
        (Arc::new(kms_keyring(&kms)), Some(EncryptionContext::new())),
    ];
    for length in [16, 24, 32] {
        keyrings.push((Arc::new(aes(7, length)), None));
        keyrings.push((Arc::new(aes(7, length).with_description(described)), None));
    }
    for name in ["rsa2048a", "rsa3072a"] {
        keyrings.push((Arc::new(rsa(name)), None));
        keyrings.push((Arc::new(rsa(name).with_description(described)), None));
    }
    keyrings
}

fn each(check: impl Fn(&S3ec, Option<&EncryptionContext>)) {
    for library in LIBRARIES {
        for policy in BOTH_FORMATS {
            for (keyring, context) in keyrings() {
                let cipher = library.builder(keyring).commitment_policy(policy).build();
                check(&cipher, context.as_ref());
            }
        }
    }
}

/// As S3 gives it back: in lower case, or as a header.
fn as_headers(metadata: &Pairs) -> Pairs {
    metadata.iter().map(|(key, value)| (format!("{METADATA_PREFIX}{key}"), value.clone())).collect()
}

fn from_file(header: &Header) -> Header {
    let file = header.to_instruction_file().unwrap();
    assert_eq!(file.metadata, [("x-amz-crypto-instr-file".to_owned(), String::new())]);
    crate::setup::header(&file.object_metadata, Some(&file.body)).unwrap()
}

#[test]
fn what_is_sealed_opens_at_every_length_by_every_keyring() {
    each(|cipher, context| {
        for length in LENGTHS {
            let (sealed, body) = seal(cipher, context, &plaintext(length));
            assert_eq!(body.len(), length + 16);
            let metadata = sealed.to_metadata().unwrap();
            for found in [
                header(&metadata, None).unwrap(),
                header(&as_headers(&metadata), None).unwrap(),
                from_file(&sealed),
            ] {
                assert_eq!(found, sealed);
            }
            assert_eq!(read(cipher, context, &sealed, &body), Ok(plaintext(length)));
        }
    });
}

#[test]
fn one_library_opens_what_the_other_sealed() {
    for policy in BOTH_FORMATS {
        let [one, two] =
            LIBRARIES.map(|library| library.builder(aes(7, 32)).commitment_policy(policy).build());
        for (writer, reader) in [(&one, &two), (&two, &one)] {
            for length in LENGTHS {
                let (header, body) = seal(writer, None, &plaintext(length));
                assert_eq!(read(reader, None, &header, &body), Ok(plaintext(length)));
            }
        }
    }
}

#[test]
fn v3_has_exactly_its_keys_and_v2_all_of_its_own() {
    each(|cipher, context| {
        let (header, _) = seal(cipher, context, &[]);
        let metadata = header.to_metadata().unwrap();
        let mut names: Vec<_> = metadata.iter().map(|(key, _)| key.as_str()).collect();
        names.sort_unstable();
        let key = header.encrypted_data_key();
        let of_kms = key.wrap.unwrap().is_kms();
        assert_eq!(of_kms, key.description.get("aws:x-amz-cek-alg").is_some());
        if header.version() == FormatVersion::V2 {
            let all = [
                "x-amz-cek-alg",
                "x-amz-iv",
                "x-amz-key-v2",
                "x-amz-matdesc",
                "x-amz-tag-len",
                "x-amz-wrap-alg",
            ];
            assert_eq!(names, all);
            assert_eq!(value(&metadata, "x-amz-tag-len"), "128");
            assert_eq!(value(&metadata, "x-amz-cek-alg"), "AES/GCM/NoPadding");
        } else {
            let place = if of_kms { "x-amz-t" } else { "x-amz-m" };
            let mut all = vec!["x-amz-3", "x-amz-c", "x-amz-d", "x-amz-i", "x-amz-w"];
            if !key.description.is_empty() {
                all.push(place);
                all.sort_unstable();
            }
            assert_eq!(names, all);
            assert_eq!(value(&metadata, "x-amz-c"), "115");
            let on_object = header.to_instruction_file().unwrap().object_metadata;
            let names: Vec<_> = on_object.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(names, ["x-amz-c", "x-amz-d", "x-amz-i"]);
        }
        // Nothing stored tells of the content, as old clients' MD5 did (CVE-2022-2582).
        assert!(metadata.iter().all(|(_, value)| value.is_ascii()));
    });
}

#[test]
fn no_two_objects_have_a_message_id_iv_key_or_body_in_common() {
    each(|cipher, context| {
        let sealed = [(); 2].map(|()| seal(cipher, context, &plaintext(40)));
        let metadata = sealed.each_ref().map(|(header, _)| header.to_metadata().unwrap());
        for name in ["x-amz-i", "x-amz-d", "x-amz-3", "x-amz-iv", "x-amz-key-v2"] {
            if metadata[0].iter().any(|(key, _)| key == name) {
                assert_ne!(value(&metadata[0], name), value(&metadata[1], name), "{name}");
            }
        }
        assert_ne!(sealed[0].1, sealed[1].1);
    });
}

#[test]
fn a_context_is_bound_or_refused() {
    let given = context(&[("tenant", "blue"), ("year", "2026")]);
    let others = [
        None,
        Some(EncryptionContext::new()),
        Some(context(&[("tenant", "blue")])),
        Some(context(&[("tenant", "blue"), ("year", "2026"), ("more", "")])),
        Some(context(&[("tenant", "Blue"), ("year", "2026")])),
        Some(context(&[("tenant", "blue"), ("Year", "2026")])),
    ];
    for library in LIBRARIES {
        for policy in BOTH_FORMATS {
            let kms = fake_kms();
            let cipher = library.builder(kms_keyring(&kms)).commitment_policy(policy).build();
            let (header, body) = seal(&cipher, Some(&given), &plaintext(20));
            let calls = kms.calls();
            for other in &others {
                let opened = read(&cipher, other.as_ref(), &header, &body);
                assert_eq!(opened, Err(Error::Context), "{other:?}");
            }
            assert_eq!(kms.calls(), calls);
            assert_eq!(read(&cipher, Some(&given), &header, &body), Ok(plaintext(20)));
            // Raw keys bind none.
            let cipher = library.builder(aes(7, 32)).commitment_policy(policy).build();
            let sealed = object_cipher_testkit::now(cipher.seal(&request(Some(&given))));
            assert!(matches!(sealed, Err(Error::ContextNotBound(_))));
            let (header, body) = seal(&cipher, None, &plaintext(20));
            let opened = read(&cipher, Some(&given), &header, &body);
            assert!(matches!(opened, Err(Error::ContextNotBound(_))));
        }
    }
}

#[test]
fn pairs_that_the_client_sets_itself_are_refused_in_a_context() {
    for library in LIBRARIES {
        let kms = fake_kms();
        let cipher = library.builder(kms_keyring(&kms)).build();
        for name in ["aws:x-amz-cek-alg", "kms_cmk_id"] {
            let mut context = EncryptionContext::new();
            context.insert_reserved(name, "115").unwrap();
            let sealed = object_cipher_testkit::now(cipher.seal(&request(Some(&context))));
            assert!(matches!(sealed, Err(Error::Configuration(_))));
        }
        assert_eq!(kms.calls(), 0);
    }
}

#[test]
fn a_public_key_writes_what_only_the_private_one_reads() {
    for library in LIBRARIES {
        let public = RsaKeyring::from_public_pem(&public_pem("rsa2048a")).unwrap();
        let writer = library.builder(public).build();
        let (header, body) = seal(&writer, None, &plaintext(20));
        assert!(matches!(read(&writer, None, &header, &body), Err(Error::Unsupported(_))));
        let reader = library.builder(rsa("rsa2048a")).build();
        assert_eq!(read(&reader, None, &header, &body), Ok(plaintext(20)));
        for name in ["rsa2048b", "rsa3072a"] {
            let other = library.builder(rsa(name)).build();
            assert_eq!(read(&other, None, &header, &body), Err(Error::Unwrap));
        }
    }
}

#[test]
fn what_is_no_key_is_refused() {
    for length in (0..80).filter(|length| ![16, 24, 32].contains(length)) {
        assert!(matches!(AesKeyring::new(&vec![7; length]), Err(Error::MalformedKey(_))));
    }
    let (private, public) = (crate::setup::private_pem("rsa2048a"), public_pem("rsa2048a"));
    for pem in ["", &public, &private.replace("PRIVATE KEY", "RSA PRIVATE KEY"), &private[..900]] {
        assert!(matches!(RsaKeyring::from_private_pem(pem), Err(Error::MalformedKey(_))));
    }
    for pem in ["", &private, &public[..300]] {
        assert!(matches!(RsaKeyring::from_public_pem(pem), Err(Error::MalformedKey(_))));
    }
}

/// The length that other clients store is not authenticated, so nothing is taken from it.
#[test]
fn a_stored_content_length_or_digest_is_ignored() {
    for library in LIBRARIES {
        let cipher = library.builder(aes(7, 32)).commitment_policy(CommitmentPolicy::default());
        let cipher = cipher.build();
        let (header, body) = seal(&cipher, None, &plaintext(20));
        for name in ["x-amz-unencrypted-content-length", "x-amz-unencrypted-content-md5"] {
            let metadata = with(&header.to_metadata().unwrap(), name, "3");
            let opened = crate::setup::read_stored(&cipher, None, &metadata, &body);
            assert_eq!(opened, Ok(plaintext(20)));
        }
    }
}
