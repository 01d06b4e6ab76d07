//! Rename, key rotation and change of mode without touching the body (B5).

use crate::{StoredObject, cx, now, plaintext};
use object_cipher_core::{Attributes, ObjectCipher, ObjectContext, ReadRange};

/// B5: a rename rewrites the envelope and not the body.
pub fn b5_a_rename_rewrites_the_envelope_and_not_the_body(cipher: &dyn ObjectCipher) {
    let (old, new) = (cx(), ObjectContext::new("realm", "bucket", "new name"));
    let content = plaintext(20_000);
    let stored = StoredObject::seal(cipher, &old, &content, &Attributes::default()).unwrap();
    let opener = stored.open(cipher, &old).unwrap();
    let envelope = now(cipher.rewrap(&opener, &new)).unwrap();
    assert_eq!(envelope.object_id(), stored.envelope.object_id());
    let renamed = StoredObject { envelope, ..stored.clone() };
    assert_eq!(renamed.read(cipher, &new, &ReadRange::Whole).unwrap(), content);
    assert!(renamed.read(cipher, &old, &ReadRange::Whole).is_err());
    assert!(stored.read(cipher, &new, &ReadRange::Whole).is_err());
}
