//! Both layers under other keys and names, and the body as it was.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{Attributes, Error, ObjectCipher, ObjectContext, ReadRange};
use object_cipher_dsse_kms::DsseKms;
use object_cipher_kms::{KeyName, Kms, LocalKms, Scope, rewrap_blobs};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_kms::SseKms;
use object_cipher_testkit::{StoredObject, now};

const ONE: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER: &str = "00000000-12ab-34cd-56ef-1234567890ab";

/// A KMS of two keys, of which the first has these versions, the newest one first.
fn kms(versions: &[u8]) -> Arc<LocalKms<RustCrypto>> {
    let bytes = |seed: u8| -> [u8; 32] {
        std::array::from_fn(|at| at.to_le_bytes()[0].wrapping_mul(7).wrapping_add(seed))
    };
    let entry = |id: &str, seed| format!("{id}:{}", STANDARD.encode(bytes(seed)));
    let of_one = versions.iter().map(|version| entry(&format!("{ONE}/{version}"), *version));
    let text: Vec<_> = of_one.chain([entry(OTHER, 200)]).collect();
    Arc::new(LocalKms::from_text(&text.join(","), Scope::default(), RustCrypto).unwrap())
}

fn cipher(kms: &Arc<LocalKms<RustCrypto>>, key: &str) -> DsseKms<RustCrypto, AwsLc> {
    DsseKms::new(Arc::clone(kms) as _, KeyName::parse(key).unwrap(), RustCrypto, AwsLc)
}

fn cx(key: &str) -> ObjectContext<'_> {
    ObjectContext::new("prod", "photos", key)
}

fn seal(cipher: &dyn ObjectCipher) -> StoredObject {
    StoredObject::seal(cipher, &cx("a"), &vec![7; 40_000], &Attributes::default()).unwrap()
}

fn read(cipher: &dyn ObjectCipher, stored: &StoredObject, key: &str) -> Result<Vec<u8>, Error> {
    stored.read(cipher, &cx(key), &ReadRange::Whole)
}

#[test]
fn the_kms_moves_both_layers_to_the_newest_version_of_their_key() {
    let stored = seal(&cipher(&kms(&[5]), ONE));
    let both = kms(&[6, 5]);
    let envelope = now(rewrap_blobs(&*both, &cx("a"), &stored.envelope)).unwrap().unwrap();
    let versions = envelope.layers().map(|layer| layer.blob().kms_parts().unwrap().0.to_owned());
    assert_eq!(versions.collect::<Vec<_>>(), ["v6", "v6"]);
    assert_eq!(now(rewrap_blobs(&*both, &cx("a"), &envelope)).unwrap(), None, "nothing to do");
    let newest = cipher(&kms(&[6]), ONE);
    assert!(read(&newest, &stored, "a").is_err());
    let rewrapped = StoredObject { envelope, ..stored };
    assert_eq!(read(&newest, &rewrapped, "a").unwrap(), vec![7; 40_000]);
}

#[test]
fn a_rename_and_another_key_leave_the_body() {
    let kms = kms(&[5]);
    let stored = seal(&cipher(&kms, ONE));
    let other = cipher(&kms, OTHER);
    let opener = stored.open(&other, &cx("a")).unwrap();
    let envelope = now(other.rewrap(&opener, &cx("b"))).unwrap();
    let arn = Scope::default().arn(OTHER);
    assert!(envelope.layers().all(|layer| format!("{:?}", layer.key_ref()).contains(&arn)));
    let moved = StoredObject { envelope, ..stored };
    assert_eq!(read(&other, &moved, "b").unwrap(), vec![7; 40_000]);
    assert!(matches!(read(&other, &moved, "a").unwrap_err(), Error::Rejected { .. }));
}

#[test]
fn to_and_from_one_layer_an_object_is_encrypted_anew() {
    let kms = kms(&[5]);
    let one_layer =
        SseKms::new(Arc::clone(&kms) as Arc<dyn Kms>, KeyName::parse(ONE).unwrap(), RustCrypto);
    let two_layers = cipher(&kms, ONE);
    let ciphers: [&dyn ObjectCipher; 2] = [&one_layer, &two_layers];
    for (from, to) in [(0, 1), (1, 0)] {
        let stored = seal(ciphers[from]);
        let opener = stored.open(ciphers[from], &cx("a")).unwrap();
        let told = now(ciphers[to].rewrap(&opener, &cx("a"))).unwrap_err();
        assert!(matches!(told, Error::Misuse(_)), "{told}");
    }
}
