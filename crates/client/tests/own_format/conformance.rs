//! The cipher under each kind of key, and the kinds of keys, through the testkit's suites.

use std::sync::Arc;

use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{ClientKeys, ClientSide, KeyringKeys};
use object_cipher_core::{CryptoBackend, KeyringId, Mode};
use object_cipher_keyring::{Keyring, SharedKeyring};
use object_cipher_kms::{KeyName, Kms, KmsKeys, LocalKms, Scope};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{FakeKms, key_source_tests, object_cipher_tests};

use crate::bucket::raw_key;

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn keys() -> ClientKeys {
    ClientKeys::new("2026", raw_key()).unwrap().decrypt_only("2025", raw_key()).unwrap()
}

/// A keyring with a retired version below the enabled one.
fn keyring<B: CryptoBackend>(backend: &B) -> Arc<SharedKeyring> {
    let id = KeyringId::parse("main").unwrap();
    let builder = Keyring::builder(id).decrypt_only(1, raw_key()).enabled(2, raw_key());
    Arc::new(SharedKeyring::new(builder.build(backend).unwrap()))
}

fn kms_key() -> KeyName {
    KeyName::parse(KEY).unwrap()
}

fn local() -> Arc<dyn Kms> {
    let text = format!("{KEY}:5hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=");
    Arc::new(LocalKms::from_text(&text, Scope::default(), AwsLc).unwrap())
}

fn fake() -> Arc<dyn Kms> {
    Arc::new(FakeKms::new().with_key(KEY))
}

object_cipher_tests! {
    client_keys_by_rustcrypto: ClientSide::with_keys(keys(), RustCrypto),
    client_keys_by_aws_lc: ClientSide::with_keys(keys(), AwsLc),
    keyring_by_rustcrypto: ClientSide::with_keyring(keyring(&RustCrypto), RustCrypto),
    keyring_by_aws_lc: ClientSide::with_keyring(keyring(&AwsLc), AwsLc),
    kms_by_rustcrypto: ClientSide::with_kms(local(), kms_key(), RustCrypto),
    kms_by_aws_lc: ClientSide::with_kms(fake(), kms_key(), AwsLc),
}

key_source_tests! {
    client_keys: keys(),
    keyring_keys: KeyringKeys::new(keyring(&RustCrypto)),
    kms_keys: KmsKeys::new(local(), kms_key(), Mode::Client),
}
