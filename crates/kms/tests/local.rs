//! The local provider.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use object_cipher_core::{
    BoxFuture, EncryptionContext, KeyErrorKind, KeyringId, Mode, resolve_now,
};
use object_cipher_keyring::{KeyringFile, Unlock};
use object_cipher_kms::{
    DataKey, Error, Generate, KeyName, KeyState, Kms, KmsAdmin, KmsCall, KmsResult, LocalKms,
    Rewrap, Scope, Unwrap, WrappedKey,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::kms_suite::KmsSubject;
use tempfile::TempDir;

const ONE: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER: &str = "00000000-12ab-34cd-56ef-1234567890ab";
const MISSING: &str = "ffffffff-12ab-34cd-56ef-1234567890ab";

struct Place {
    directory: TempDir,
    master: Arc<KeyringFile<RustCrypto>>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let id = KeyringId::parse("main").unwrap();
        let unlock = Unlock::key(&std::array::from_fn(|i| i.to_le_bytes()[0])).unwrap();
        let path = directory.path().join("keyring");
        let master = KeyringFile::create(path, &id, &unlock, RustCrypto).unwrap();
        Self { directory, master: Arc::new(master) }
    }

    fn create(&self) -> LocalKms<RustCrypto> {
        let folder = self.directory.path().join("kms");
        let master = Arc::clone(&self.master);
        let kms = LocalKms::create(folder, master, Scope::default(), RustCrypto).unwrap();
        kms.create_key_of_id(ONE, &["alias/one", KeyName::AWS_S3]).unwrap();
        kms.create_key_of_id(OTHER, &["alias/other"]).unwrap();
        kms
    }

    fn open(&self) -> Result<LocalKms<RustCrypto>, Error> {
        let folder = self.directory.path().join("kms");
        LocalKms::open(folder, Arc::clone(&self.master) as _, Scope::default(), RustCrypto)
    }

    fn edit(&self, change: impl FnOnce(String) -> String) {
        let file = self.directory.path().join("kms/catalog");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, change(text)).unwrap();
    }
}

fn now<T>(future: BoxFuture<'_, T>) -> T {
    resolve_now(future).unwrap()
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

fn generate(kms: &dyn Kms, key: &str) -> KmsResult<DataKey> {
    let context = EncryptionContext::new();
    let call = KmsCall::new(Mode::SseKms);
    now(kms.generate(Generate { key: &name(key), context: &context, call }))
}

fn unwrap(kms: &dyn Kms, wrapped: &WrappedKey) -> KmsResult<()> {
    let context = EncryptionContext::new();
    let call = KmsCall::new(Mode::SseKms);
    now(kms.unwrap(Unwrap { wrapped, context: &context, call })).map(drop)
}

fn rewrap(kms: &dyn Kms, wrapped: &WrappedKey) -> Rewrap {
    let context = EncryptionContext::new();
    let call = KmsCall::new(Mode::SseKms);
    now(kms.rewrap(Unwrap { wrapped, context: &context, call })).unwrap()
}

#[test]
fn keys_of_a_folder_and_of_the_environment_keep_every_promise() {
    let place = Place::new();
    let folder = place.create();
    let text = [(ONE, "5"), (OTHER, "6")]
        .map(|(id, first)| format!("{id}:{first}hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A="))
        .join(",");
    let memory = LocalKms::from_text(&text, Scope::default(), RustCrypto).unwrap();
    for (kms, key) in [(&folder, ONE), (&folder, "alias/one"), (&memory, ONE)] {
        let subject = KmsSubject {
            kms,
            key: name(key),
            other: name(OTHER),
            missing: name(MISSING),
            gaps: &[],
        };
        resolve_now(subject.check()).unwrap();
    }
}

#[test]
fn names_are_resolved_as_aws_does() {
    let place = Place::new();
    let kms = place.create();
    let arn = format!("arn:aws:kms:us-east-1:000000000000:key/{ONE}");
    for good in
        [ONE, &arn, "alias/one", "alias/aws/s3", "arn:aws:kms:us-east-1:000000000000:alias/one"]
    {
        assert_eq!(generate(&kms, good).unwrap().wrapped.id().as_str(), arn);
    }
    let missing = format!("arn:aws:kms:us-east-1:000000000000:key/{MISSING}");
    let rows = [
        ("fake-key-id", "Invalid keyId 'fake-key-id'".to_owned()),
        (MISSING, format!("Key '{missing}' does not exist")),
        (&missing, format!("Key '{missing}' does not exist")),
        (&arn.replace("us-east-1", "eu-west-1"), "Invalid arn eu-west-1".to_owned()),
    ];
    for (key, message) in rows {
        let error = generate(&kms, key).unwrap_err();
        assert_eq!((error.kind(), error.message()), (KeyErrorKind::NotFound, message.as_str()));
    }
}

#[test]
fn k8_a_key_that_is_disabled_or_pending_deletion_serves_nobody_at_once() {
    let place = Place::new();
    let (kms, other) = (place.create(), place.open().unwrap());
    let wrapped = generate(&kms, ONE).unwrap().wrapped;
    unwrap(&other, &wrapped).unwrap();
    let key = name(ONE);
    let arn = Scope::default().arn(ONE);
    now(kms.enable_key(&key, false)).unwrap();
    for kms in [&kms, &other] {
        for error in [generate(kms, ONE).unwrap_err(), unwrap(kms, &wrapped).unwrap_err()] {
            assert_eq!(error.kind(), KeyErrorKind::Disabled);
            assert_eq!(error.message(), format!("{arn} is disabled."));
        }
        generate(kms, OTHER).unwrap();
    }
    now(other.enable_key(&key, true)).unwrap();
    unwrap(&kms, &wrapped).unwrap();
    now(kms.schedule_key_deletion(&key, 7)).unwrap();
    let error = unwrap(&other, &wrapped).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
    assert_eq!(error.message(), format!("{arn} is pending deletion."));
    assert!(kms.delete_due().unwrap().is_empty());
    assert_eq!(now(kms.cancel_key_deletion(&key)).unwrap().state, KeyState::Disabled);
    now(kms.enable_key(&key, true)).unwrap();
    unwrap(&other, &wrapped).unwrap();
    for days in [0, 6, 31] {
        let error = now(kms.schedule_key_deletion(&key, days)).unwrap_err();
        assert_eq!(error.code(), Some("ValidationException"));
    }
}

#[test]
fn a_rotated_key_opens_old_blobs_and_wraps_them_anew() {
    let place = Place::new();
    let (kms, other) = (place.create(), place.open().unwrap());
    let old = generate(&other, ONE).unwrap().wrapped;
    assert_eq!((old.version(), rewrap(&kms, &old)), (Some("v1"), Rewrap::Unchanged));
    now(kms.rotate_key(&name(ONE))).unwrap();
    let new = generate(&kms, ONE).unwrap().wrapped;
    // The other process learns of the version when it meets it.
    unwrap(&other, &new).unwrap();
    unwrap(&other, &old).unwrap();
    let Rewrap::Rewrapped(now) = rewrap(&kms, &old) else { panic!("not rewrapped") };
    assert_eq!(now.version(), Some("v2"));
    unwrap(&other, &now).unwrap();
}

#[test]
fn a_version_that_waits_opens_everywhere_before_it_wraps_anywhere() {
    let place = Place::new();
    let (kms, other) = (place.create(), place.open().unwrap());
    assert_eq!(kms.add_version(&name(ONE)).unwrap().version.as_deref(), Some("v1"));
    assert_eq!(generate(&kms, ONE).unwrap().wrapped.version(), Some("v1"));
    let info = now(kms.rotate_key(&name(ONE))).unwrap();
    assert_eq!(info.version.as_deref(), Some("v2"), "the one that waited");
    unwrap(&other, &generate(&kms, ONE).unwrap().wrapped).unwrap();
}

#[test]
fn an_altered_older_or_foreign_catalog_is_refused() {
    let place = Place::new();
    let kms = place.create();
    let file = place.directory.path().join("kms/catalog");
    let honest = std::fs::read_to_string(&file).unwrap();
    now(kms.enable_key(&name(ONE), false)).unwrap();
    // Disabled, and enabled again by hand.
    place.edit(|text| text.replace("\"disabled\"", "\"enabled\""));
    assert!(matches!(place.open(), Err(Error::Rejected { .. })));
    // Who knows the catalog goes on with what it knows.
    assert_eq!(generate(&kms, ONE).unwrap_err().kind(), KeyErrorKind::Disabled);
    // Whole, but older than what this process knows.
    std::fs::write(&file, &honest).unwrap();
    assert_eq!(generate(&kms, ONE).unwrap_err().kind(), KeyErrorKind::Integrity);
    for cut in [0, 1, 130, honest.len() - 1] {
        place.edit(|_| honest[..cut].to_owned());
        assert!(place.open().is_err(), "{cut} bytes");
    }
    place.edit(|_| honest.clone());
    place.open().unwrap();
    let elsewhere = Place::new();
    let (from, to) = (place.directory.path(), elsewhere.directory.path());
    std::fs::rename(from.join("kms"), to.join("kms")).unwrap();
    assert!(elsewhere.open().is_err());
}

#[test]
fn after_a_rotation_of_the_master_keyring_the_folder_is_sealed_anew() {
    let place = Place::new();
    let kms = place.create();
    let wrapped = generate(&kms, ONE).unwrap().wrapped;
    place.master.rotate().unwrap();
    unwrap(&place.open().unwrap(), &wrapped).unwrap();
    kms.reseal().unwrap();
    place.master.destroy(1).unwrap();
    unwrap(&place.open().unwrap(), &wrapped).unwrap();
}

#[test]
fn nothing_is_made_twice_and_no_key_is_lost_to_an_alias() {
    let place = Place::new();
    let kms = place.create();
    assert!(kms.create_key_of_id(ONE, &[]).is_err());
    assert!(kms.create_key_of_id(MISSING, &["alias/one"]).is_err());
    assert!(kms.create_key_of_id("../x", &[]).is_err());
    assert!(kms.create_key_of_id(MISSING, &["photos"]).is_err());
    assert_eq!(now(kms.list_keys()).unwrap().len(), 2);
    kms.set_alias("alias/one", &name(OTHER)).unwrap();
    assert_eq!(
        generate(&kms, "alias/one").unwrap().wrapped.id().as_str(),
        Scope::default().arn(OTHER)
    );
    let folder = place.directory.path().join("kms");
    let again =
        LocalKms::create(folder, Arc::clone(&place.master) as _, Scope::default(), RustCrypto);
    assert!(again.is_err());
}

#[test]
fn k6_another_spelling_or_an_alias_in_a_stored_id_opens_nothing() {
    let place = Place::new();
    let kms = place.create();
    let wrapped = generate(&kms, ONE).unwrap().wrapped;
    let arn = Scope::default().arn(ONE);
    let shouted = arn.replace(ONE, &ONE.to_uppercase());
    for id in [shouted.as_str(), ONE] {
        let stored = WrappedKey::stored(id, wrapped.blob()).unwrap();
        assert!(unwrap(&kms, &stored).is_err(), "{id}");
    }
    let error = WrappedKey::stored("alias/one", wrapped.blob()).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Integrity, "an alias is never stored");
    assert_eq!(generate(&kms, &shouted).unwrap_err().kind(), KeyErrorKind::NotFound);
    assert!(kms.create_key_of_id(&ONE.to_uppercase(), &[]).is_err());
    unwrap(&kms, &wrapped).unwrap();
}

#[test]
fn what_a_crash_or_an_older_catalog_leaves_is_told_and_no_key_takes_its_place() {
    let place = Place::new();
    let (folder, master) = (place.directory.path().join("kms"), || Arc::clone(&place.master) as _);
    std::fs::create_dir(&folder).unwrap();
    assert!(!LocalKms::<RustCrypto>::is_at(&folder), "the folder came before the catalog");
    let kms = LocalKms::create(&folder, master(), Scope::default(), RustCrypto).unwrap();
    assert!(LocalKms::<RustCrypto>::is_at(&folder));
    let catalog = folder.join("catalog");
    let before = std::fs::read(&catalog).unwrap();
    kms.create_key_of_id(ONE, &[]).unwrap();
    let wrapped = generate(&kms, ONE).unwrap().wrapped;
    let with_key = std::fs::read(&catalog).unwrap();
    // As if the process had ended after the key's keyring and before the catalog; or as if an older
    // catalog had been put back, and that is why no new key takes the place of the one that is there.
    std::fs::write(&catalog, &before).unwrap();
    let open = || LocalKms::open(&folder, master(), Scope::default(), RustCrypto).unwrap();
    let told = open().create_key_of_id(ONE, &[]).unwrap_err();
    assert_eq!(told.kind(), KeyErrorKind::Invalid);
    assert!(told.message().contains("Put the newer catalog back, or move the file away"), "{told}");
    std::fs::write(&catalog, &with_key).unwrap();
    unwrap(&open(), &wrapped).unwrap();
    std::fs::write(&catalog, &before).unwrap();
    std::fs::remove_file(folder.join(format!("{ONE}.keyring"))).unwrap();
    open().create_key_of_id(ONE, &[]).unwrap();
    // Nor is a KMS begun anew whose catalog is gone.
    std::fs::remove_file(&catalog).unwrap();
    assert!(LocalKms::<RustCrypto>::is_at(&folder));
    assert!(LocalKms::open(&folder, master(), Scope::default(), RustCrypto).is_err());
}

#[test]
fn a_key_made_anew_under_an_id_is_not_taken_for_the_one_before() {
    let place = Place::new();
    let kms = place.create();
    let other = place.open().unwrap();
    generate(&other, ONE).unwrap();
    // The key goes, and comes again, while the other process looks elsewhere.
    let folder = place.directory.path().join("kms");
    let again = tempfile::tempdir().unwrap();
    let (new, master) = (again.path().join("kms"), Arc::clone(&place.master));
    let new_kms = LocalKms::create(&new, master, Scope::default(), RustCrypto).unwrap();
    for id in [ONE, OTHER] {
        new_kms.create_key_of_id(id, &[]).unwrap();
    }
    for (key, on) in [(OTHER, false), (OTHER, true), (OTHER, false)] {
        now(new_kms.enable_key(&name(key), on)).unwrap();
    }
    for file in std::fs::read_dir(&new).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    let wrapped = generate(&other, ONE).unwrap().wrapped;
    unwrap(&new_kms, &wrapped).unwrap();
    drop(kms);
}

#[test]
fn a_catalog_never_grows_beyond_what_can_be_read() {
    let place = Place::new();
    let kms = place.create();
    let aliases: Vec<_> = (0..20_000).map(|n| format!("alias/{n:0>240}")).collect();
    let aliases: Vec<_> = aliases.iter().map(String::as_str).collect();
    assert_eq!(kms.create_key_of_id(MISSING, &aliases).unwrap_err().kind(), KeyErrorKind::Invalid);
    generate(&place.open().unwrap(), ONE).unwrap();
}

#[test]
fn p2_reading_while_others_change_the_catalog_never_looks_like_a_rollback() {
    let place = Place::new();
    let kms = place.create();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                threads.spawn(|| {
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        now(kms.list_keys()).unwrap();
                    }
                })
            })
            .collect();
        for key in [ONE, OTHER].into_iter().cycle().take(200) {
            kms.set_alias("alias/one", &name(key)).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}
