//! Which versions are written and read: [`CommitmentPolicy`].

use std::{fmt, str::FromStr};

use super::ContentAlgorithm;
use crate::{Error, Result};

/// Whether content must commit to its key. Without commitment, whoever writes the wrapped key can
/// choose among two contents that one ciphertext opens to (CVE-2025-14763 and its like).
///
/// ```
/// use object_cipher_client::s3ec::CommitmentPolicy;
///
/// let policy: CommitmentPolicy = "REQUIRE_ENCRYPT_ALLOW_DECRYPT".parse()?;
/// assert_eq!(policy, CommitmentPolicy::RequireEncryptAllowDecrypt);
/// assert_eq!(CommitmentPolicy::default(), CommitmentPolicy::RequireEncryptRequireDecrypt);
/// # Ok::<(), object_cipher_client::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CommitmentPolicy {
    /// Writes V2 and reads all: for a fleet whose readers do not all know V3 yet.
    ForbidEncryptAllowDecrypt,
    /// Writes V3 and reads all: for buckets that still hold older objects.
    RequireEncryptAllowDecrypt,
    /// Writes and reads V3 only.
    #[default]
    RequireEncryptRequireDecrypt,
}

impl CommitmentPolicy {
    const ALL: [Self; 3] = [
        Self::ForbidEncryptAllowDecrypt,
        Self::RequireEncryptAllowDecrypt,
        Self::RequireEncryptRequireDecrypt,
    ];

    /// How content is encrypted under it.
    pub const fn writes(self) -> ContentAlgorithm {
        match self {
            Self::ForbidEncryptAllowDecrypt => ContentAlgorithm::AesGcm,
            _ => ContentAlgorithm::CommittingAesGcm,
        }
    }

    /// Whether content of that kind may be read under it.
    pub const fn reads(self, content: ContentAlgorithm) -> bool {
        content.is_committing() || !matches!(self, Self::RequireEncryptRequireDecrypt)
    }

    /// Its name, as the other clients spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForbidEncryptAllowDecrypt => "FORBID_ENCRYPT_ALLOW_DECRYPT",
            Self::RequireEncryptAllowDecrypt => "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
            Self::RequireEncryptRequireDecrypt => "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
        }
    }
}

impl FromStr for CommitmentPolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|policy| policy.name() == text);
        found.ok_or(Error::Configuration(
            "expected FORBID_ENCRYPT_ALLOW_DECRYPT, REQUIRE_ENCRYPT_ALLOW_DECRYPT or \
             REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
        ))
    }
}

impl fmt::Display for CommitmentPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
