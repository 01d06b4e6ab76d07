//! How often a PIN is tried, counted by the spy of `OpenSC` between the tests and SoftHSM2. A process of its
//! own, as a login is a process's.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a failed check is a panic")]

mod softhsm;

use std::{fs, os::unix::fs::OpenOptionsExt};

use object_cipher_core::KeyErrorKind;
use object_cipher_kms_pkcs11::{Error, Pin, Pkcs11Kms, Settings};
use softhsm::{folder, generate, token, unwrap, variable};

fn logins() -> usize {
    let log = fs::read_to_string(folder().join("spy.log")).unwrap();
    log.lines().filter(|line| line.ends_with(": C_Login")).count()
}

fn spied(pin: Pin) -> Settings {
    Settings::new(variable("PKCS11_SPY"), token("login"), pin).key("photos")
}

#[tokio::test]
#[ignore = "needs SoftHSM2: run crates/kms-pkcs11/server/run"]
async fn a_wrong_pin_is_tried_once_and_a_right_one_is_never_asked_for_again() {
    for _ in 0..3 {
        let refused = Pkcs11Kms::start(spied(Pin::given("00000000")));
        let Err(Error::Key(error)) = refused else { panic!("{refused:?}") };
        assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::Denied, false));
        assert!(!error.to_string().contains("0000"));
    }
    assert_eq!(logins(), 1, "a refused PIN was tried again");

    let pin = folder().join("late-pin");
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&pin);
    std::io::Write::write_all(&mut file.unwrap(), variable("PKCS11_PIN").as_bytes()).unwrap();
    let kms = Pkcs11Kms::start(spied(Pin::file(&pin))).unwrap();
    assert_eq!(logins(), 2);
    fs::remove_file(&pin).unwrap();

    let made = generate(&kms, "a").await.unwrap();
    for _ in 0..20 {
        // Each costs a session.
        let error = unwrap(&kms, &made.wrapped, "b").await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Integrity);
    }
    assert!(unwrap(&kms, &made.wrapped, "a").await.unwrap().key.is_same(&made.key));
    // A second one shares the login of the process.
    let second = Pkcs11Kms::start(spied(Pin::file("none"))).unwrap();
    assert!(unwrap(&second, &made.wrapped, "a").await.is_ok());
    assert_eq!(logins(), 2);
    let log = fs::read_to_string(folder().join("spy.log")).unwrap();
    assert!(!log.contains(": C_Logout") && !log.contains(": C_Finalize"));
}
