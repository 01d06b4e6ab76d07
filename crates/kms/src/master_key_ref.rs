//! A master key version as a JSON text names it: `keyring`, `version`, `check`. For `#[serde(with)]`.

use object_cipher_core::{KeyringId, MasterKeyRef};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    keyring: String,
    version: u32,
    #[serde(with = "hex")]
    check: [u8; 8],
}

pub(crate) fn serialize<S: Serializer>(key_ref: &MasterKeyRef, to: S) -> Result<S::Ok, S::Error> {
    let keyring = key_ref.keyring().as_str().to_owned();
    Text { keyring, version: key_ref.version(), check: *key_ref.check() }.serialize(to)
}

pub(crate) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<MasterKeyRef, D::Error> {
    let Text { keyring, version, check } = Text::deserialize(from)?;
    let keyring = KeyringId::parse(&keyring).ok_or_else(|| D::Error::custom("no keyring id"))?;
    Ok(MasterKeyRef::new(keyring, version, check))
}
