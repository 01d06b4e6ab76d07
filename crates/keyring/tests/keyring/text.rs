//! Master keys as text, and names: S1, S6.

use base64::{Engine, engine::general_purpose::STANDARD};
use object_cipher_core::KeyringId;
use object_cipher_keyring::{
    Error, Keyring, Unlock,
    VersionState::{DecryptOnly, Enabled},
    WeakKey,
};
use object_cipher_rustcrypto::RustCrypto;

use crate::{assert_error, child, random};

fn parse(text: &str) -> Result<Keyring, Error> {
    Keyring::from_text(text, &RustCrypto)
}

fn base64() -> String {
    STANDARD.encode(random())
}

#[test]
fn the_first_entry_is_enabled_and_the_others_decrypt_only() {
    let keyring = parse(&format!("main/7:{},main/3:{},main:{}", base64(), base64(), base64()));
    let keyring = keyring.unwrap();
    assert_eq!((keyring.id().as_str(), keyring.generation()), ("main", 0));
    let states: Vec<_> = keyring.versions().map(|info| (info.version, info.state)).collect();
    assert_eq!(states, [(1, DecryptOnly), (3, DecryptOnly), (7, Enabled)]);
}

#[test]
fn s1_weak_keys_as_text_are_refused() {
    let twice = base64();
    let cases = [
        (String::new(), WeakKey::Absent),
        ("main/1:".into(), WeakKey::Absent),
        (format!("main/1:{}", STANDARD.encode([1; 31])), WeakKey::Short { least: 32 }),
        (format!("main/1:{}", STANDARD.encode([1; 33])), WeakKey::Long { most: 32 }),
        (format!("main/1:{}", STANDARD.encode([1; 3_000])), WeakKey::Long { most: 32 }),
        (format!("main/1:{}", STANDARD.encode([0; 32])), WeakKey::AllZero),
        (format!("main/1:{}", STANDARD.encode([9; 32])), WeakKey::Repeated),
        (format!("main/2:{twice},main/1:{twice}"), WeakKey::Duplicate),
        (format!("main/1:{}", &base64()[..43]), WeakKey::Encoding),
        (format!("main/1:{} ", base64()), WeakKey::Encoding),
        (format!("main/1:{}\n", base64()), WeakKey::Encoding),
        (format!("main/1:!{}", &base64()[1..]), WeakKey::Encoding),
        // Spare bits that are not zero: two texts for one key.
        (format!("main/1:{}B=", "A".repeat(42)), WeakKey::Encoding),
    ];
    for (text, expected) in cases {
        assert_error!(parse(&text), Error::WeakKey { fault, .. } if fault == expected);
    }
}

#[test]
fn entries_of_another_form_are_refused_and_not_shown() {
    let key = base64();
    let good = format!("main/1:{}", base64());
    let cases = [
        (key.clone(), 1),
        (format!("main/0x1:{key}"), 1),
        (format!("main/01:{key}"), 1),
        (format!("main/+1:{key}"), 1),
        (format!("main/:{key}"), 1),
        (format!("main/4294967296:{key}"), 1),
        (format!(" main/1:{key}"), 1),
        (format!("{good},"), 2),
        (format!("{good}, main/2:{key}"), 2),
        (format!("{good},other/2:{key}"), 2),
        (format!("{good},{key}"), 2),
    ];
    for (text, expected) in cases {
        let error = parse(&text).unwrap_err();
        assert!(matches!(error, Error::Text { entry } if entry == expected), "{error:?}");
        assert!(!format!("{error} {error:?}").contains(&key));
    }
    assert_error!(parse(&format!("main/0:{key}")), Error::Text { entry: 1 });
}

#[test]
fn s6_hostile_names_are_refused_before_any_file_is_touched() {
    let long = "a".repeat(1_025);
    let names =
        ["../x", "/etc/passwd", "a\0b", "-flag", long.as_str(), "", ".", "..", "a/b", "a b"];
    for name in names {
        assert_eq!(KeyringId::parse(name), None);
        assert_error!(Unlock::credential(name), Error::Name("credential name"));
        assert!(parse(&format!("{name}/1:{}", base64())).is_err());
    }
}

#[test]
fn child_reads_keyring() {
    if !child::is_here() {
        return;
    }
    let keyring = Keyring::from_env("TEST_MASTER_KEYS", &RustCrypto);
    child::say(keyring.map(|keyring| keyring.enabled().version()));
}

#[test]
fn an_environment_variable_gives_a_keyring_or_an_error() {
    let test = "text::child_reads_keyring";
    let keys = format!("main/2:{},main/1:{}", base64(), base64());
    assert_eq!(child::run(test, &[("TEST_MASTER_KEYS", keys.as_str())]), "Ok(2)");
    let absent = child::run::<&str>(test, &[]);
    assert!(absent.contains("WeakKey") && absent.contains("Absent"), "{absent}");
    assert!(child::run(test, &[("TEST_MASTER_KEYS", "")]).contains("Absent"));
}

#[test]
#[cfg(unix)]
fn an_environment_variable_that_is_not_unicode_is_refused() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let value = OsStr::from_bytes(b"main/1:\xff");
    let said = child::run("text::child_reads_keyring", &[("TEST_MASTER_KEYS", value)]);
    assert!(said.contains("Encoding"), "{said}");
}
