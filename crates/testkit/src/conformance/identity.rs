//! An object opens as itself only (group B).

use crate::{StoredObject, drive, now, upload_cx};
use object_cipher_core::{
    Attributes, EncryptionContext, Envelope, Error, IdentityFault, IdentityItem, KeyErrorKind,
    ObjectCipher, ObjectContext, ReadRange, Step,
};

fn seal(cipher: &dyn ObjectCipher, cx: &ObjectContext<'_>) -> StoredObject {
    StoredObject::seal(cipher, cx, b"content", &Attributes::default()).unwrap()
}

fn opens(cipher: &dyn ObjectCipher, stored: &StoredObject, cx: &ObjectContext<'_>) -> bool {
    match stored.read(cipher, cx, &ReadRange::Whole) {
        Ok(content) => content == b"content",
        Err(Error::Rejected { step: Step::KeyWrap, .. } | Error::Identity { .. }) => false,
        // A KMS that is told the encryption context is the first to notice.
        Err(Error::Key(error)) if error.kind() == KeyErrorKind::Integrity => false,
        Err(other) => panic!("not the error of a wrong identity: {other}"),
    }
}

fn pairs(pairs: &[(&str, &str)]) -> EncryptionContext {
    let mut context = EncryptionContext::new();
    for (key, value) in pairs {
        context.insert(*key, *value).unwrap();
    }
    context
}

/// B1: an object moved to another place is refused.
pub fn b1_an_object_moved_to_another_place_is_refused(cipher: &dyn ObjectCipher) {
    let own = ObjectContext::new("realm", "bucket", "key").with_version_id("1");
    let stored = seal(cipher, &own);
    assert!(opens(cipher, &stored, &own));
    for other in [
        ObjectContext::new("realm2", "bucket", "key").with_version_id("1"),
        ObjectContext::new("realm", "bucket2", "key").with_version_id("1"),
        ObjectContext::new("realm", "bucket", "key2").with_version_id("1"),
        ObjectContext::new("realm", "bucket", "key").with_version_id("2"),
        ObjectContext::new("realm", "bucket", "key"),
    ] {
        assert!(!opens(cipher, &stored, &other));
    }
}

/// B2: names that look alike are different objects.
pub fn b2_names_that_look_alike_are_different_objects(cipher: &dyn ObjectCipher) {
    let names: [(&[u8], &[u8]); 14] = [
        (b"a", b"a//b"),
        (b"a", b"a/b"),
        (b"a", b"b/c"),
        (b"a/b", b"c"),
        (b"a", "\u{e9}".as_bytes()),
        (b"a", "e\u{301}".as_bytes()),
        (b"a", b"x/../y"),
        (b"a", b"y"),
        (b"a", b"y\0"),
        (b"a", b""),
        (b"", b"a"),
        (b"", b""),
        (b"a", b"\xff\xfe"),
        (b"A", b"y"),
    ];
    for (at, (bucket, key)) in names.iter().enumerate() {
        let stored = seal(cipher, &ObjectContext::new("", bucket, key));
        for (other, (bucket, key)) in names.iter().enumerate() {
            let cx = ObjectContext::new("", bucket, key);
            assert_eq!(opens(cipher, &stored, &cx), at == other, "{at} {other}");
        }
    }
}

/// B3, I4: Envelopes mixed of two objects, or of two versions of one, are refused, wherever one
/// ends and the other begins.
///
/// The wraps of two layers may come from two rewraps of one object under the same keys: both wrap
/// the data keys that the object always had, and it opens as itself.
pub fn b3_i4_mixed_envelopes_are_refused(cipher: &dyn ObjectCipher) {
    let cx = ObjectContext::new("realm", "bucket", "key");
    let (ours, theirs) = (seal(cipher, &cx), seal(cipher, &cx));
    let rewrapped = now(cipher.rewrap(&ours.open(cipher, &cx).unwrap(), &cx)).unwrap();
    let layers = cipher.mode().suite().layers();
    let opened = |other: &Envelope| {
        let (one, two) = (ours.envelope.as_bytes(), other.as_bytes());
        assert_eq!(one.len(), two.len());
        let mixtures = (1..one.len())
            .flat_map(|at| [[&one[..at], &two[at..]].concat(), [&two[..at], &one[at..]].concat()]);
        mixtures
            .filter(|mixed| mixed != one && mixed != two)
            .filter_map(|mixed| Envelope::parse(&mixed).ok())
            .filter(|mixed| now(cipher.open(&cx, mixed)).is_ok())
            .map(|envelope| StoredObject { envelope, ..ours.clone() })
            .collect::<Vec<_>>()
    };
    assert!(opened(&theirs.envelope).is_empty());
    let opened = opened(&rewrapped);
    assert_eq!(opened.is_empty(), layers == 1);
    assert!(opened.iter().all(|mixed| opens(cipher, mixed, &cx)));
}

/// B4: an old pair put back opens unless a version is bound.
pub fn b4_an_old_pair_put_back_opens_unless_a_version_is_bound(cipher: &dyn ObjectCipher) {
    let unbound = ObjectContext::new("realm", "bucket", "key");
    assert!(opens(cipher, &seal(cipher, &unbound), &unbound), "documented in SECURITY");
    let (first, second) =
        (unbound.clone().with_version_id("1"), unbound.clone().with_version_id("2"));
    assert!(!opens(cipher, &seal(cipher, &first), &second));
    // A host that binds versions requires them, so an unbound Envelope does not slip in.
    let required = second.with_required(&[IdentityItem::VersionId]);
    let error = seal(cipher, &unbound).read(cipher, &required, &ReadRange::Whole);
    let item = IdentityItem::VersionId;
    assert!(matches!(error, Err(Error::Identity { item: lacks, .. }) if lacks == item));
}

/// F1, B12, I4: every bit of an envelope is bound, but the label of a KMS key's version, which is
/// a hint.
pub fn f1_b12_i4_every_bit_of_an_envelope_is_bound(cipher: &dyn ObjectCipher) {
    let context = pairs(&[("a", "1")]);
    let cx = ObjectContext::new("realm", "bucket", "key").with_encryption_context(&context);
    let stored = seal(cipher, &cx);
    for at in 0..stored.envelope.as_bytes().len() {
        for bit in 0..8 {
            let mut bytes = stored.envelope.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let Ok(envelope) = Envelope::parse(&bytes) else { continue };
            if !differ_in_a_label(&envelope, &stored.envelope) {
                assert!(now(cipher.open(&cx, &envelope)).is_err(), "byte {at} bit {bit}");
            }
        }
    }
}

/// Whether the same blobs of a KMS name another version of its key.
fn differ_in_a_label(one: &Envelope, two: &Envelope) -> bool {
    one.layers().zip(two.layers()).any(|(one, two)| {
        let parts = (one.blob().kms_parts(), two.blob().kms_parts());
        matches!(parts, (Some(one), Some(two)) if one.1 == two.1 && one.0 != two.0)
    })
}

/// B13: an older info block does not fit a newer envelope.
pub fn b13_an_older_info_block_does_not_fit_a_newer_envelope(cipher: &dyn ObjectCipher) {
    let cx = ObjectContext::new("realm", "bucket", "key");
    let stored = seal(cipher, &cx);
    let mut opener = stored.open(cipher, &cx).unwrap();
    opener
        .replace_attributes(Attributes { metadata_digest: Some([7; 32]), ..Attributes::default() });
    let newer = now(cipher.rewrap(&opener, &cx)).unwrap();
    let opened = now(cipher.open(&cx, &newer)).unwrap();
    assert_eq!(opened.attributes().metadata_digest, Some([7; 32]));
    let (old, new) = (stored.envelope.as_bytes(), newer.as_bytes());
    // The metadata digest is the newer info's last 35 bytes of plaintext.
    let (old_info, new_info) = (old.len() - old_info_len(old), new.len() - old_info_len(old) - 35);
    let mut mixed = new[..new_info - 4].to_vec();
    mixed.extend_from_slice(&old[old_info - 4..]);
    let mixed = Envelope::parse(&mixed).unwrap();
    assert!(matches!(now(cipher.open(&cx, &mixed)), Err(Error::Rejected { .. })));
}

/// The length of the info message: what the last length field before the end says.
fn old_info_len(envelope: &[u8]) -> usize {
    (1..envelope.len())
        .find(|length| {
            let at = envelope.len() - length;
            at >= 4 && envelope[at - 4..at] == u32::try_from(*length).unwrap().to_be_bytes()
        })
        .unwrap()
}

/// B14: each identity item must be given as it was sealed.
pub fn b14_each_identity_item_must_be_given_as_it_was_sealed(cipher: &dyn ObjectCipher) {
    let (context, other, more) =
        (pairs(&[("a", "1")]), pairs(&[("a", "2")]), pairs(&[("a", "1"), ("b", "2")]));
    let bare = ObjectContext::new("realm", "bucket", "key");
    let full = bare
        .clone()
        .with_version_id("v")
        .with_encryption_context(&context)
        .with_extra("generation 7");
    let stored = seal(cipher, &full);
    assert!(opens(cipher, &stored, &full));
    for wrong in [
        full.clone().with_version_id("w"),
        full.clone().with_version_id("null"),
        full.clone().with_encryption_context(&other),
        full.clone().with_encryption_context(&more),
        full.clone().with_extra("generation 8"),
        full.clone().with_extra(""),
        bare.clone(),
    ] {
        assert!(!opens(cipher, &stored, &wrong));
    }
    // A context that was not sealed is refused; a version id that the writer did not know is not
    // bound, unless the host requires it.
    let stored = seal(cipher, &bare);
    assert!(!opens(cipher, &stored, &bare.clone().with_encryption_context(&context)));
    let later = bare.clone().with_version_id("v");
    assert!(opens(cipher, &stored, &later));
    assert!(!opens(cipher, &stored, &later.with_required(&[IdentityItem::VersionId])));
}

/// B14: an upload needs its own upload id.
pub fn b14_an_upload_needs_its_own_upload_id(cipher: &dyn ObjectCipher) {
    let uploader =
        now(cipher.create_upload(&upload_cx(), object_cipher_core::Completion::WithKey)).unwrap();
    for wrong in [
        upload_cx().with_upload_id("upload-2"),
        upload_cx().with_upload_id(""),
        ObjectContext::new("realm", "bucket", "other").with_upload_id("upload-1"),
    ] {
        assert!(now(cipher.resume_upload(&wrong, uploader.envelope())).is_err());
    }
    assert!(now(cipher.resume_upload(&upload_cx(), uploader.envelope())).is_ok());
}

/// A version id learnt at commit is bound.
pub fn a_version_id_learnt_at_commit_is_bound(cipher: &dyn ObjectCipher) {
    let cx = ObjectContext::new("realm", "bucket", "key");
    let mut sealer = now(cipher.seal(&cx)).unwrap();
    sealer.set_version_id("late");
    let mut stream = sealer.into_stream();
    let body = drive(&mut stream, b"content", 3).complete().unwrap();
    let envelope = stream.finish(&Attributes::default()).unwrap();
    let stored = StoredObject { envelope, bodies: [(0, body)].into(), table: None };
    assert!(opens(cipher, &stored, &cx.clone().with_version_id("late")));
    assert!(!opens(cipher, &stored, &cx));
}

/// What a host requires must be given when it seals, and be bound when it opens; an upload, which
/// binds neither version id nor extra item, is not held to it.
pub fn required_items_are_asked_for_when_sealing_and_opening(cipher: &dyn ObjectCipher) {
    let required = [IdentityItem::VersionId, IdentityItem::Extra];
    let strict = ObjectContext::new("realm", "bucket", "key").with_required(&required);
    for lacking in [
        strict.clone(),
        strict.clone().with_version_id("1"),
        strict.clone().with_version_id("null").with_extra("g"),
    ] {
        assert!(matches!(now(cipher.seal(&lacking)), Err(Error::Misuse(_))));
    }
    let full = strict.with_version_id("1").with_extra("g");
    assert!(opens(cipher, &seal(cipher, &full), &full));
    let unbound = seal(cipher, &ObjectContext::new("realm", "bucket", "key"));
    let error = unbound.open(cipher, &full).unwrap_err();
    let fault = IdentityFault::NotBound;
    assert!(matches!(error, Error::Identity { fault: found, .. } if found == fault), "{error}");
    let upload = full.with_upload_id("upload-1");
    let uploader =
        now(cipher.create_upload(&upload, object_cipher_core::Completion::WithKey)).unwrap();
    assert!(now(cipher.resume_upload(&upload, uploader.envelope())).is_ok());
}
