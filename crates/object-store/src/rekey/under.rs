//! What objects are under, as reports say it: [`Under`], [`Key`].

use std::fmt::{self, Write as _};

use object_cipher_core::{Envelope, KeyRef};
use serde::{Deserialize, Serialize};

/// The mode that objects are sealed in and the keys that they are under, as their Envelopes say.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Under {
    /// The mode.
    pub mode: String,
    /// The keys, the only or inner layer's first. Without any one of them the object cannot be read.
    pub keys: Vec<Key>,
}

/// A key, as an Envelope names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// `master-key`, `kms`, `bucket-key`, `customer-key` or `client-key`.
    pub source: String,
    /// The keyring's name, the KMS key's id or ARN, the client's name for it; empty if it has none.
    pub name: String,
    /// The version of a master key, or of a KMS's key where the KMS tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The check value of a master key's bytes, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

impl Under {
    /// What an Envelope says.
    pub fn of(envelope: &Envelope) -> Self {
        let key = |layer: &object_cipher_core::LayerKey| {
            Key::new(layer.key_ref(), layer.blob().kms_parts().map(|(version, _)| version))
        };
        Self { mode: envelope.mode().to_string(), keys: envelope.layers().map(key).collect() }
    }
}

impl Key {
    pub(super) fn new(key: &KeyRef, kms_version: Option<&str>) -> Self {
        let kms_version = || kms_version.filter(|version| !version.is_empty()).map(String::from);
        let (source, name, version, check) = match key {
            KeyRef::Master(key) => {
                let check = key.check().iter().fold(String::new(), |mut digits, byte| {
                    let _ = write!(digits, "{byte:02x}");
                    digits
                });
                let version = Some(key.version().to_string());
                ("master-key", key.keyring().as_str(), version, Some(check))
            }
            KeyRef::Kms(id) => ("kms", id.as_str(), kms_version(), None),
            KeyRef::BucketKey(id) => ("bucket-key", id.as_str(), kms_version(), None),
            KeyRef::Customer => ("customer-key", "", None, None),
            KeyRef::Client(name) => ("client-key", name.as_str(), None, None),
            _ => ("unknown", "", None, None),
        };
        Self { source: source.into(), name: name.into(), version, check }
    }

    /// The keys whose destruction destroys it: itself, or the KMS's key, in whole or in its version, which
    /// a Bucket Key is under too.
    pub(super) fn stands_on(&self) -> impl Iterator<Item = Self> {
        let of_kms = matches!(self.source.as_str(), "kms" | "bucket-key");
        let mut versions = vec![self.version.clone()];
        if of_kms && self.version.is_some() {
            versions.push(None);
        }
        let source = if of_kms { "kms" } else { &self.source };
        versions.into_iter().map(move |version| Self {
            source: source.into(),
            version,
            name: self.name.clone(),
            check: self.check.clone(),
        })
    }
}

impl fmt::Display for Under {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mode)?;
        for (number, key) in self.keys.iter().enumerate() {
            write!(f, "{} {key}", if number == 0 { " under" } else { " and" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source.as_str() {
            "master-key" => write!(f, "keyring {}", self.name)?,
            "kms" => write!(f, "KMS key {}", self.name)?,
            "bucket-key" => write!(f, "a Bucket Key of KMS key {}", self.name)?,
            "customer-key" => f.write_str("a customer's key")?,
            "client-key" => write!(f, "client's key {:?}", self.name)?,
            _ => f.write_str("a key of unknown kind")?,
        }
        if let Some(version) = &self.version {
            write!(f, ", version {version}")?;
        }
        match &self.check {
            // Keyrings may have the same name.
            Some(check) => write!(f, " ({check})"),
            None => Ok(()),
        }
    }
}
