//! The custom KMS and the custom library keep every promise of theirs.

use embedding::{DrawerKms, Drawn};
use object_cipher::{
    kms::{KeyName, KmsResult},
    resolve_now,
};
use object_cipher_testkit::{backend_tests, kms_suite::KmsSubject};

backend_tests!(Drawn::from("/dev/urandom"));

#[test]
fn the_custom_kms_is_a_kms() -> KmsResult<()> {
    let kms = DrawerKms::default().with_key("photos")?.with_key("films")?;
    let subject = KmsSubject {
        kms: &kms,
        key: KeyName::parse("photos")?,
        other: KeyName::parse("films")?,
        missing: KeyName::parse("none")?,
        gaps: &[],
    };
    resolve_now(subject.check()).expect("its keys are at hand");
    Ok(())
}
