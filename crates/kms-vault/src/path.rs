//! Where keys lie: [`Mount`], [`TransitKey`].

use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_kms::{KeyId, KeyName, KeyNameKind, KmsResult};

use crate::{Error, Result};

const SCHEME: &str = "vault:";

/// The path of a Transit engine.
#[derive(Debug)]
pub(crate) struct Mount(String);

/// A key of an engine.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TransitKey {
    /// Its name in the engine.
    pub(crate) name: String,
    /// `vault:MOUNT/NAME`.
    pub(crate) id: KeyId,
}

impl Mount {
    pub(crate) fn new(path: &str) -> Result<Self> {
        checked(path).map(Self)
    }

    /// The key of a name, or of an id that was stored.
    pub(crate) fn key(&self, name: &KeyName) -> KmsResult<TransitKey> {
        let text = name.as_str();
        let own = match text.strip_prefix(SCHEME) {
            Some(stored) => stored.strip_prefix(&self.0).and_then(|rest| rest.strip_prefix('/')),
            None => Some(text),
        };
        let own = own.filter(|own| is_word(own)).ok_or_else(|| {
            let message = format!("the Transit engine at {} has no key {text}", self.0);
            KeyError::new(KeyErrorKind::NotFound, message)
        })?;
        let id = KeyId::new(format!("{SCHEME}{}/{own}", self.0))?;
        Ok(TransitKey { name: own.to_owned(), id })
    }

    /// The path of a call for a key, such as `transit/rewrap/photos`.
    pub(crate) fn path(&self, call: &str, key: &TransitKey) -> String {
        format!("{}/{call}/{}", self.0, key.name)
    }
}

/// A path that cannot lead elsewhere, without the slashes around it.
pub(crate) fn checked(path: &str) -> Result<String> {
    let inner = path.trim_matches('/');
    let is_path = inner.len() <= 255 && inner.split('/').all(is_word);
    if is_path { Ok(inner.to_owned()) } else { Err(Error::Path(path.to_owned())) }
}

fn is_word(text: &str) -> bool {
    let kind = KeyName::parse(text).map(|name| name.kind());
    matches!(kind, Ok(KeyNameKind::Own | KeyNameKind::Id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_stored_id_are_one_key() {
        let mount = Mount::new("/team/transit/").unwrap();
        let named = mount.key(&KeyName::parse("photos").unwrap()).unwrap();
        assert_eq!(named.id.as_str(), "vault:team/transit/photos");
        assert_eq!(mount.path("decrypt", &named), "team/transit/decrypt/photos");
        assert!(mount.key(&KeyName::from(&named.id)).unwrap() == named);
    }

    #[test]
    fn s6_ids_that_lead_elsewhere_are_not_found() {
        let mount = Mount::new("transit").unwrap();
        let rows = [
            "vault:transit/../sys/seal",
            "vault:transit/",
            "vault:transit",
            "vault:transit/a/b",
            "vault:transit/a?b",
            "vault:transit/a%2fb",
            "vault:transit/.",
            "vault:other/photos",
            "vault:transit2/photos",
            "vault:/photos",
            "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ];
        for text in rows {
            let found = mount.key(&KeyName::from(&KeyId::new(text).unwrap()));
            assert_eq!(
                found.err().map(|error| error.kind()),
                Some(KeyErrorKind::NotFound),
                "{text}"
            );
        }
    }

    #[test]
    fn s6_mounts_that_lead_elsewhere_are_refused() {
        for path in ["", "/", "a//b", "../a", "a/..", "a b", "a?b", "a%2e", "a\n", &"a".repeat(256)]
        {
            assert!(matches!(Mount::new(path), Err(Error::Path(_))), "{path:?}");
        }
    }
}
