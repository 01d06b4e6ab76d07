//! Change of key and mode without touching the body.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, Completion, EkSource, Error, LayeredCipher, ObjectCipher, ReadRange,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, TestKeys, cx, now, plaintext, upload_cx};

use crate::modes::all;

#[test]
fn one_layer_modes_change_among_each_other_and_two_layers_stay_two() {
    let content = plaintext(20_000);
    for from in all() {
        let single = StoredObject::seal(&*from, &cx(), &content, &Attributes::default()).unwrap();
        let parts = [(1, &content[..16_384]), (2, &content[16_384..])];
        let many =
            StoredObject::upload(&*from, &upload_cx(), &parts, &Attributes::default()).unwrap();
        for to in all() {
            for stored in [&single, &many] {
                let opener = stored.open(&*from, &cx()).unwrap();
                let rewrapped = now(to.rewrap(&opener, &cx()));
                if from.mode().suite() != to.mode().suite() {
                    assert!(matches!(rewrapped, Err(Error::Misuse(_))));
                    continue;
                }
                let moved = StoredObject { envelope: rewrapped.unwrap(), ..stored.clone() };
                assert_eq!(moved.envelope.mode(), to.mode());
                assert_eq!(moved.read(&*to, &cx(), &ReadRange::Whole).unwrap(), content);
            }
        }
    }
}

#[test]
fn after_a_key_change_the_old_key_opens_nothing() {
    let cipher = |root| {
        let keys = TestKeys::new(EkSource::Customer, [root; 32]);
        LayeredCipher::sse_c(keys, AwsLc)
    };
    let (old, new) = (cipher(1), cipher(2));
    let mut stored = StoredObject::seal(&old, &cx(), b"content", &Attributes::default()).unwrap();
    let opener = stored.open(&old, &cx()).unwrap();
    stored.envelope = now(new.rewrap(&opener, &cx())).unwrap();
    assert_eq!(stored.read(&new, &cx(), &ReadRange::Whole).unwrap(), b"content");
    assert!(stored.read(&old, &cx(), &ReadRange::Whole).is_err());
}

#[test]
fn an_upload_changes_its_key_and_keeps_its_parts() {
    let cipher = |root| {
        let keys = TestKeys::new(EkSource::Customer, [root; 32]);
        LayeredCipher::sse_c(keys, RustCrypto)
    };
    let (old, new) = (cipher(1), cipher(2));
    let uploader = now(old.create_upload(&upload_cx(), Completion::Keyless)).unwrap();
    let (body, receipt) = StoredObject::seal_part(&uploader, 1, b"content").unwrap();
    let envelope = now(new.rewrap_upload(&uploader, &upload_cx())).unwrap();
    assert!(envelope.allows_keyless_completion());
    let moved = now(new.resume_upload(&upload_cx(), &envelope)).unwrap();
    let stored = StoredObject::stored_part(&moved, 1, &receipt, &body);
    let receipt = moved.open_receipt(&stored).unwrap();
    let completed =
        now(new.complete_upload(&moved, &cx(), &[receipt], &Attributes::default())).unwrap();
    let object = StoredObject {
        envelope: completed.envelope,
        bodies: [(1, body)].into(),
        table: Some(completed.part_table),
    };
    assert_eq!(object.read(&new, &cx(), &ReadRange::Whole).unwrap(), b"content");
    let renamed = upload_cx().with_upload_id("upload-2");
    assert!(now(new.rewrap_upload(&moved, &renamed)).is_err(), "an upload keeps its id");
    // Another mode would need other rules for Complete.
    let master = TestKeys::new(EkSource::Master, [1; 32]);
    let other = LayeredCipher::sse_s3(master, RustCrypto);
    let uploader = now(old.create_upload(&upload_cx(), Completion::WithKey)).unwrap();
    assert!(now(other.rewrap_upload(&uploader, &upload_cx())).is_err());
}
