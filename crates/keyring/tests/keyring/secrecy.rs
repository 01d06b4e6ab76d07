//! Z3: nothing that is shown holds a secret.

use object_cipher_keyring::{Keyring, SecretBytes, SharedKeyring, Unlock};
use object_cipher_rustcrypto::RustCrypto;

use crate::{Fixture, id, key};

#[test]
fn z3_debug_output_holds_no_secret() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let master = key();
    let builder = Keyring::builder(id()).enabled(1, master.clone());
    let built_debug = format!("{builder:?}");
    let keyring = builder.build(&RustCrypto).unwrap();
    let shown = [
        built_debug,
        format!("{keyring:?} {:?} {:#?}", keyring.enabled(), keyring),
        format!("{:?}", SharedKeyring::new(keyring)),
        format!("{file:?} {:?}", file.keyring()),
        format!("{:?}", fixture.unlock()),
        format!("{:?}", Unlock::passphrase("correct horse").unwrap()),
        format!("{:?}", SecretBytes::from(String::from("correct horse"))),
    ];
    let secrets =
        [*master.expose_bytes(), *file.keyring().enabled().key().expose_bytes(), fixture.secret];
    for text in shown {
        assert!(!text.contains("correct horse"));
        for secret in &secrets {
            let bytes = format!("{secret:?}");
            assert!(!text.contains(bytes.trim_matches(['[', ']'])), "{text}");
            let hex = secret.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            assert!(!text.contains(&hex), "{text}");
        }
    }
}
