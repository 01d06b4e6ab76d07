//! The ways to unlock a file: S1.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use object_cipher_keyring::{Argon2Params, Error, Keyring, KeyringFile, Unlock, WeakKey};
use object_cipher_rustcrypto::RustCrypto;

use crate::{Fixture, assert_error, child, id, random, write_private};

fn cheap(passphrase: &str) -> Unlock {
    let params = Argon2Params::new(8, 1, 1).unwrap();
    Unlock::passphrase_with(passphrase, params).unwrap()
}

fn create(path: &Path, unlock: &Unlock) -> KeyringFile<RustCrypto> {
    KeyringFile::create(path, &id(), unlock, RustCrypto).unwrap()
}

fn open(path: &Path, unlock: &Unlock) -> Result<[u8; 32], Error> {
    KeyringFile::open(path, unlock, RustCrypto).map(|file| *file.keyring().digest())
}

#[test]
fn a_passphrase_opens_what_it_sealed_and_another_does_not() {
    let fixture = Fixture::empty();
    let file = create(&fixture.path(), &cheap("correct horse"));
    let digest = *file.keyring().digest();
    assert_eq!(open(&fixture.path(), &cheap("correct horse")).unwrap(), digest);
    assert_error!(open(&fixture.path(), &cheap("correct horsf")), Error::Rejected { .. });
}

#[test]
fn the_stored_costs_count_when_a_file_is_opened() {
    let fixture = Fixture::empty();
    create(&fixture.path(), &cheap("correct horse"));
    let params = Argon2Params::new(64, 2, 2).unwrap();
    let other = Unlock::passphrase_with("correct horse", params).unwrap();
    assert!(open(&fixture.path(), &other).is_ok());
}

#[test]
fn a_passphrase_and_a_key_are_not_taken_for_each_other() {
    let fixture = Fixture::empty();
    create(&fixture.path(), &cheap("correct horse"));
    assert_error!(
        open(&fixture.path(), &fixture.unlock()),
        Error::UnlockKind { needs: "a passphrase", .. }
    );
    let fixture = Fixture::new();
    assert_error!(
        open(&fixture.path(), &cheap("correct horse")),
        Error::UnlockKind { needs: "a key", .. }
    );
}

#[test]
fn argon2_costs_are_bounded() {
    let max = 1 << 20;
    for (kib, passes, lanes) in [(8, 1, 1), (max, 16, 16), (128, 1, 16)] {
        assert!(Argon2Params::new(kib, passes, lanes).is_ok());
    }
    let refused = [
        (7, 1, 1),
        (127, 1, 16),
        (max + 1, 1, 1),
        (u32::MAX, 1, 1),
        (64, 0, 1),
        (64, 17, 1),
        (64, u32::MAX, 1),
        (64, 1, 0),
        (1_024, 1, 17),
        (u32::MAX, 1, u32::MAX),
    ];
    for (kib, passes, lanes) in refused {
        assert_error!(Argon2Params::new(kib, passes, lanes), Error::Argon2Params);
    }
    let default = Argon2Params::default();
    assert_eq!((default.kib(), default.passes(), default.lanes()), (65_536, 3, 1));
}

/// Passphrases that seal nothing.
fn weak_passphrases() -> [(Vec<u8>, WeakKey); 4] {
    [
        (b"short12".to_vec(), WeakKey::Short { least: 8 }),
        (b"aaaaaaaaaaaa".to_vec(), WeakKey::Repeated),
        (vec![0; 20], WeakKey::AllZero),
        (b"ab".repeat(513), WeakKey::Long { most: 1_024 }),
    ]
}

#[test]
fn s1_nothing_is_sealed_under_a_weak_passphrase() {
    assert_error!(Unlock::passphrase(""), Error::WeakKey { fault: WeakKey::Absent, .. });
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    for (bytes, expected) in weak_passphrases() {
        let unlock = Unlock::passphrase(bytes).unwrap();
        let created = KeyringFile::create(fixture.beside("new"), &id(), &unlock, RustCrypto);
        let exported = file.export(fixture.beside("escrow"), &unlock);
        for result in [created.map(drop), exported, file.reseal(&unlock)] {
            assert_error!(result, Error::WeakKey { fault, .. } if fault == expected);
        }
    }
    assert!(!fixture.beside("new").exists() && !fixture.beside("escrow").exists());
    assert!(fixture.open().is_ok());
}

#[test]
fn a_weak_passphrase_is_as_wrong_as_any_other() {
    let fixture = Fixture::empty();
    create(&fixture.path(), &cheap("correct horse"));
    let wrong = open(&fixture.path(), &cheap("wrong horse")).unwrap_err();
    for (bytes, _) in weak_passphrases() {
        let weak = open(&fixture.path(), &Unlock::passphrase(bytes).unwrap()).unwrap_err();
        assert_eq!(format!("{weak:?}"), format!("{wrong:?}"));
    }
}

#[test]
fn a_refused_secret_says_how_long_it_must_be() {
    let fixture = Fixture::empty();
    let unlock = Unlock::passphrase("short12").unwrap();
    let error = KeyringFile::create(fixture.path(), &id(), &unlock, RustCrypto).unwrap_err();
    let expected = "the passphrase is refused: it is too short: it must have 8 bytes at least";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_passphrase_is_any_text_or_bytes() {
    let fixture = Fixture::empty();
    create(&fixture.path(), &cheap("correct horse"));
    let text = String::from("correct horse");
    let unlocks = [
        Unlock::passphrase(text.as_str()),
        Unlock::passphrase(&text),
        Unlock::passphrase(text.as_bytes()),
        Unlock::passphrase(text.clone().into_bytes()),
        Unlock::passphrase(text),
    ];
    for unlock in unlocks {
        assert!(open(&fixture.path(), &unlock.unwrap()).is_ok());
    }
}

#[test]
fn s1_weak_keys_are_refused() {
    assert_error!(Unlock::key(&[0; 32]), Error::WeakKey { fault: WeakKey::AllZero, .. });
    assert_error!(Unlock::key(&[3; 32]), Error::WeakKey { fault: WeakKey::Repeated, .. });
}

#[test]
fn a_key_file_holds_raw_bytes_or_base64_with_a_line_end() {
    let fixture = Fixture::new();
    let text = STANDARD.encode(fixture.secret);
    let contents = [
        fixture.secret.to_vec(),
        text.clone().into_bytes(),
        format!("{text}\n").into_bytes(),
        format!("{text}\r\n").into_bytes(),
    ];
    for bytes in contents {
        let path = fixture.beside("key");
        write_private(&path, &bytes);
        assert!(open(&fixture.path(), &Unlock::key_file(&path).unwrap()).is_ok());
    }
}

#[test]
fn s1_weak_key_files_are_refused() {
    let fixture = Fixture::empty();
    let text = STANDARD.encode(random());
    let cases = [
        (Vec::new(), WeakKey::Absent),
        (b"\n".to_vec(), WeakKey::Absent),
        (random()[..31].to_vec(), WeakKey::Encoding),
        (STANDARD.encode(&random()[..31]).into_bytes(), WeakKey::Short { least: 32 }),
        (STANDARD.encode([5; 33]).into_bytes(), WeakKey::Long { most: 32 }),
        (vec![b'A'; 4_096], WeakKey::Long { most: 32 }),
        (vec![0; 32], WeakKey::AllZero),
        (vec![0xee; 32], WeakKey::Repeated),
        (b"0123456789abcdef0123456789abcdef".to_vec(), WeakKey::Encoding),
        (format!("{text}\n\n").into_bytes(), WeakKey::Encoding),
        (format!(" {text}").into_bytes(), WeakKey::Encoding),
    ];
    for (bytes, expected) in cases {
        let path = fixture.beside("key");
        write_private(&path, &bytes);
        let unlock = Unlock::key_file(&path);
        assert_error!(unlock, Error::WeakKey { fault, .. } if fault == expected);
    }
    write_private(&fixture.beside("key"), &[1; 4_097]);
    assert_error!(Unlock::key_file(fixture.beside("key")), Error::TooLarge { limit: 4_096, .. });
    assert_error!(Unlock::key_file(fixture.beside("none")), Error::Io { .. });
}

#[test]
fn a_new_key_file_unlocks_and_replaces_nothing() {
    let fixture = Fixture::empty();
    let path = fixture.beside("unlock");
    let unlock = Unlock::new_key_file(&path, &RustCrypto).unwrap();
    create(&fixture.path(), &unlock);
    assert!(open(&fixture.path(), &Unlock::key_file(&path).unwrap()).is_ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    }

    let before = std::fs::read(&path).unwrap();
    assert_error!(Unlock::new_key_file(&path, &RustCrypto), Error::Exists { .. });
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let other = Unlock::new_key_file(fixture.beside("other"), &RustCrypto).unwrap();
    assert_error!(open(&fixture.path(), &other), Error::Rejected { .. });
}

#[test]
fn child_unlocks_by_env() {
    if !child::is_here() {
        return;
    }
    let path = std::env::var_os("TEST_PATH").unwrap();
    let unlock = Unlock::env("TEST_UNLOCK");
    child::say(unlock.and_then(|unlock| open(Path::new(&path), &unlock)).is_ok());
}

#[test]
fn an_environment_variable_unlocks_with_base64_only() {
    let fixture = Fixture::new();
    let path = fixture.path();
    let run = |secret: &str| {
        let environment = [("TEST_PATH", path.as_os_str()), ("TEST_UNLOCK", secret.as_ref())];
        child::run("unlock::child_unlocks_by_env", &environment)
    };
    assert_eq!(run(&STANDARD.encode(fixture.secret)), "true");
    assert_eq!(run(&STANDARD.encode(random())), "false");
    assert_eq!(run(""), "false");
    let absent = child::run("unlock::child_unlocks_by_env", &[("TEST_PATH", path.as_os_str())]);
    assert_eq!(absent, "false");
}

#[test]
fn child_unlocks_by_credential() {
    if !child::is_here() {
        return;
    }
    let path = std::env::var_os("TEST_PATH").unwrap();
    let unlock = Unlock::credential("sse-master");
    child::say(unlock.and_then(|unlock| open(Path::new(&path), &unlock)).map(|_| ()));
}

#[test]
fn a_systemd_credential_unlocks() {
    let fixture = Fixture::new();
    let (path, directory) = (fixture.path(), fixture.directory.path());
    let test = "unlock::child_unlocks_by_credential";
    let run = || {
        let environment =
            [("TEST_PATH", path.as_os_str()), ("CREDENTIALS_DIRECTORY", directory.as_os_str())];
        child::run(test, &environment)
    };
    let credential = fixture.beside("sse-master");
    assert!(run().contains("NotFound"));
    write_private(&credential, STANDARD.encode(fixture.secret).as_bytes());
    assert_eq!(run(), "Ok(())");
    let none = child::run(test, &[("TEST_PATH", path.as_os_str())]);
    assert_eq!(none, "Err(NoCredentials)");

    #[cfg(unix)]
    {
        use std::{fs::*, os::unix::fs::PermissionsExt};
        // systemd lets a service read root's file by an access list, shown as group permission.
        set_permissions(&credential, Permissions::from_mode(0o440)).unwrap();
        assert_eq!(run(), "Ok(())");
        for mode in [0o444, 0o460, 0o402] {
            set_permissions(&credential, Permissions::from_mode(mode)).unwrap();
            assert!(run().contains("Permissions"));
        }
    }
}

#[test]
fn resealing_changes_the_secret_and_forgets_the_old_generation() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    file.rotate().unwrap();
    let other = fixture.open().unwrap();
    let digest = *file.keyring().digest();
    assert!(fixture.beside("keyring.previous").exists());

    file.reseal(&cheap("correct horse")).unwrap();
    assert!(!fixture.beside("keyring.previous").exists());
    assert_error!(fixture.open(), Error::UnlockKind { .. });
    assert_eq!(open(&fixture.path(), &cheap("correct horse")).unwrap(), digest);
    assert_error!(other.reload(), Error::Resealed { .. });
    file.rotate().unwrap();
    assert!(open(&fixture.path(), &cheap("correct horse")).is_ok());
}

#[test]
fn an_export_opens_under_its_own_secret_and_overwrites_nothing() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    file.rotate().unwrap();
    let escrow = fixture.beside("escrow");
    file.export(&escrow, &cheap("for the safe")).unwrap();
    let copy = Keyring::read(&escrow, &cheap("for the safe"), &RustCrypto).unwrap();
    assert_eq!(copy.digest(), file.keyring().digest());
    assert_eq!(copy.generation(), file.keyring().generation());
    assert_error!(file.export(&escrow, &cheap("for the safe")), Error::Exists { .. });
    assert_error!(file.export(fixture.path(), &cheap("for the safe")), Error::Exists { .. });
}
