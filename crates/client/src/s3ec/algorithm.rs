//! The algorithms by which the formats differ: [`FormatVersion`], [`ContentAlgorithm`],
//! [`WrapAlgorithm`].

use std::fmt;

/// The version of the message format, which is not the release number of a client: those of 2025
/// write V3 by default, those before them V2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FormatVersion {
    /// AES-CBC without authentication, of the first clients. Read only.
    V1,
    /// AES-GCM that does not commit to its key, and legacy content and wraps. Read and written.
    V2,
    /// AES-GCM with key commitment. Read and written.
    V3,
}

/// How the content is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentAlgorithm {
    /// AES-256-CBC with PKCS #7 padding. Legacy: nothing authenticates the content.
    AesCbc,
    /// AES-256-GCM under the data key.
    AesGcm,
    /// AES-256-GCM under a key derived by HKDF-SHA-512, with a commitment to the data key.
    CommittingAesGcm,
}

/// How the data key is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WrapAlgorithm {
    /// AES-GCM under a raw key, the content algorithm as its associated data.
    AesGcm,
    /// RSA-OAEP with SHA-1, over the data key and the name of the content algorithm.
    RsaOaepSha1,
    /// A KMS, with the content algorithm in the encryption context.
    KmsContext,
    /// A KMS, with nothing but the key's id in the encryption context. Legacy.
    Kms,
    /// AES key wrap (RFC 3394). Legacy.
    AesKeyWrap,
    /// RSA-OAEP with SHA-256 and MGF1 with SHA-1, over the bare data key. Legacy.
    RsaOaepSha256,
    /// AES-ECB of the bare data key. Legacy, of V1.
    AesEcb,
    /// RSA with PKCS #1 v1.5 padding of the bare data key. Legacy, of V1.
    RsaPkcs1,
}

impl ContentAlgorithm {
    /// Its name: in V2 the value of `x-amz-cek-alg`, in V3 that of `x-amz-c`. Wraps bind it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCbc => "AES/CBC/PKCS5Padding",
            Self::AesGcm => "AES/GCM/NoPadding",
            Self::CommittingAesGcm => "115",
        }
    }

    /// Whether the object can open under one data key only.
    pub const fn is_committing(self) -> bool {
        matches!(self, Self::CommittingAesGcm)
    }

    /// Whether it is read only where legacy is allowed.
    pub const fn is_legacy(self) -> bool {
        matches!(self, Self::AesCbc)
    }

    /// The version that has it; legacy content is in V1 and V2.
    pub(crate) fn of_v2(name: &str) -> Option<Self> {
        // The second name for the same padding is the Ruby client's.
        if name == "AES/CBC/PKCS7Padding" {
            return Some(Self::AesCbc);
        }
        [Self::AesCbc, Self::AesGcm].into_iter().find(|known| known.name() == name)
    }
}

impl WrapAlgorithm {
    const ALL: [Self; 8] = [
        Self::AesGcm,
        Self::RsaOaepSha1,
        Self::KmsContext,
        Self::Kms,
        Self::AesKeyWrap,
        Self::RsaOaepSha256,
        Self::AesEcb,
        Self::RsaPkcs1,
    ];

    /// Its name: in V2 the value of `x-amz-wrap-alg`. V1 has no field for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesGcm => "AES/GCM",
            Self::RsaOaepSha1 => "RSA-OAEP-SHA1",
            Self::KmsContext => "kms+context",
            Self::Kms => "kms",
            Self::AesKeyWrap => "AESWrap",
            Self::RsaOaepSha256 => "RSA/ECB/OAEPWithSHA-256AndMGF1Padding",
            Self::AesEcb => "AES",
            Self::RsaPkcs1 => "RSA",
        }
    }

    /// Whether it is used only where legacy is allowed: it binds no content algorithm.
    pub const fn is_legacy(self) -> bool {
        self.v3_name().is_none()
    }

    /// Whether a KMS wraps, so that the description is an encryption context.
    pub const fn is_kms(self) -> bool {
        matches!(self, Self::KmsContext | Self::Kms)
    }

    /// The value of `x-amz-w`.
    pub(crate) const fn v3_name(self) -> Option<&'static str> {
        match self {
            Self::AesGcm => Some("02"),
            Self::KmsContext => Some("12"),
            Self::RsaOaepSha1 => Some("22"),
            _ => None,
        }
    }

    pub(crate) fn of_v2(name: &str) -> Option<Self> {
        let in_v2 = |known: &Self| !matches!(known, Self::AesEcb | Self::RsaPkcs1);
        Self::ALL.into_iter().filter(in_v2).find(|known| known.name() == name)
    }

    pub(crate) fn of_v3(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.v3_name() == Some(name))
    }
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "V1",
            Self::V2 => "V2",
            Self::V3 => "V3",
        })
    }
}

impl fmt::Display for ContentAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CommittingAesGcm => "AES/GCM with key commitment (115)",
            other => other.name(),
        })
    }
}

impl fmt::Display for WrapAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
