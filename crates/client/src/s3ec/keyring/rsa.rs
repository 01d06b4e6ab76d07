//! A raw RSA key pair: [`RsaKeyring`].

use std::fmt;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rsa::{
        OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
        Pkcs1PrivateDecryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
    },
};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{KeyRequest, RawKey};
use crate::{
    Error, Result,
    s3ec::{DataKey, Description, EncryptedDataKey, WrapAlgorithm},
};

#[cfg(test)]
mod tests;

const KEY_LEN: usize = 32;

/// Wraps data keys under an RSA public key by OAEP with SHA-1, and unwraps by the private key; also the
/// legacy wraps: OAEP with SHA-256 (feature `aws-lc-sys`), and PKCS #1 v1.5 of V1.
///
/// RSA is AWS-LC's. Keys have 2,048 to 8,192 bits.
pub struct RsaKeyring {
    public: OaepPublicEncryptingKey,
    private: Option<PrivateKey>,
    description: Description,
}

struct PrivateKey {
    oaep_sha1: OaepPrivateDecryptingKey,
    pkcs1: Pkcs1PrivateDecryptingKey,
    /// Derived from the private key: what keys are derived with that stand in for those of a wrong
    /// padding.
    stand_in: Box<Zeroizing<[u8; 32]>>,
    #[cfg(feature = "aws-lc-sys")]
    oaep_sha256: object_cipher_aws_lc::OaepSha256Mgf1Sha1Key,
}

impl RsaKeyring {
    /// A private key that wraps and unwraps: PKCS #8 in PEM (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    /// [`Error::MalformedKey`] for anything else.
    pub fn from_private_pem(pem: &str) -> Result<Self> {
        let malformed =
            Error::MalformedKey("a private RSA key is PKCS #8 in PEM, of 2,048 to 8,192 bits");
        let der = decode_pem("PRIVATE KEY", pem).ok_or(malformed.clone())?;
        let key = PrivateDecryptingKey::from_pkcs8(&der).map_err(|_| malformed.clone())?;
        Self::from_keys(
            key.public_key(),
            Some(PrivateKey::new(key, &der).ok_or(malformed.clone())?),
        )
        .ok_or(malformed)
    }

    /// A public key that wraps only: `SubjectPublicKeyInfo` in PEM (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    /// [`Error::MalformedKey`] for anything else.
    pub fn from_public_pem(pem: &str) -> Result<Self> {
        let malformed = Error::MalformedKey(
            "a public RSA key is SubjectPublicKeyInfo in PEM, of 2,048 to 8,192 bits",
        );
        let der = decode_pem("PUBLIC KEY", pem).ok_or(malformed.clone())?;
        let key = PublicEncryptingKey::from_der(&der).map_err(|_| malformed.clone())?;
        Self::from_keys(key, None).ok_or(malformed)
    }

    /// The material description stored with what it wraps: how readers with several keys choose.
    #[must_use]
    pub fn with_description<K: Into<String>, V: Into<String>>(
        mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.description = pairs.into_iter().collect();
        self
    }

    fn from_keys(public: PublicEncryptingKey, private: Option<PrivateKey>) -> Option<Self> {
        let public = OaepPublicEncryptingKey::new(public).ok()?;
        Some(Self { public, private, description: Description::new() })
    }
}

impl PrivateKey {
    fn new(key: PrivateDecryptingKey, pkcs8: &[u8]) -> Option<Self> {
        let mut stand_in = Box::<Zeroizing<[u8; 32]>>::default();
        stand_in.copy_from_slice(digest(&SHA256, pkcs8).as_ref());
        Some(Self {
            stand_in,
            oaep_sha1: OaepPrivateDecryptingKey::new(key.clone()).ok()?,
            pkcs1: Pkcs1PrivateDecryptingKey::new(key).ok()?,
            #[cfg(feature = "aws-lc-sys")]
            oaep_sha256: object_cipher_aws_lc::OaepSha256Mgf1Sha1Key::from_pkcs8(pkcs8).ok()?,
        })
    }

    fn unwrap_oaep_sha1(&self, rq: &KeyRequest<'_>, wrapped: &[u8]) -> Result<DataKey> {
        let content = rq.content.name().as_bytes();
        let mut plain = Zeroizing::new(vec![0; self.oaep_sha1.min_output_size()]);
        let plain = self
            .oaep_sha1
            .decrypt(&OAEP_SHA1_MGF1SHA1, wrapped, &mut plain, None)
            .map_err(|_| Error::Unwrap)?;
        let (length, rest) = plain.split_first().ok_or(Error::Unwrap)?;
        let (key, bound) = rest.split_at_checked(KEY_LEN).ok_or(Error::Unwrap)?;
        let fits = usize::from(*length) == KEY_LEN && bool::from(bound.ct_eq(content));
        if fits { DataKey::from_slice(key) } else { Err(Error::Unwrap) }
    }

    /// Gives another key for whatever has no valid padding, so that nobody is told which has
    /// (Bleichenbacher). The content is then garbage, as it would be under any other key; and the same
    /// garbage each time, as it would be too.
    fn unwrap_pkcs1(&self, rq: &KeyRequest<'_>, wrapped: &[u8]) -> Result<DataKey> {
        let mut key = DataKey::zeroed();
        let info: &[&[u8]] = &[b"object-cipher/s3ec/stand-in"];
        rq.engine.hkdf_sha512(&self.stand_in[..], wrapped, info, key.expose_mut())?;
        let mut plain = Zeroizing::new(vec![0; self.pkcs1.min_output_size().max(KEY_LEN)]);
        let length = self.pkcs1.decrypt(wrapped, &mut plain).map_or(0, |plain| plain.len());
        let valid = length.ct_eq(&KEY_LEN);
        for (chosen, byte) in key.expose_mut().iter_mut().zip(&plain[..KEY_LEN]) {
            chosen.conditional_assign(byte, valid);
        }
        Ok(key)
    }

    #[cfg(feature = "aws-lc-sys")]
    fn unwrap_oaep_sha256(&self, wrapped: &[u8]) -> Result<DataKey> {
        let plain = self.oaep_sha256.decrypt(wrapped).map_err(|_| Error::Unwrap)?;
        DataKey::from_slice(&plain)
    }

    #[cfg(not(feature = "aws-lc-sys"))]
    #[allow(clippy::unused_self)]
    fn unwrap_oaep_sha256(&self, _: &[u8]) -> Result<DataKey> {
        Err(Error::Unsupported(
            "RSA-OAEP with SHA-256 and MGF1 with SHA-1 needs the feature `aws-lc-sys`",
        ))
    }
}

impl RawKey for RsaKeyring {
    fn unwraps_by(&self, wrap: Option<WrapAlgorithm>) -> Option<WrapAlgorithm> {
        match wrap {
            None => Some(WrapAlgorithm::RsaPkcs1),
            Some(WrapAlgorithm::RsaOaepSha1 | WrapAlgorithm::RsaOaepSha256) => wrap,
            Some(_) => None,
        }
    }

    /// The key's length, the key, the content's algorithm.
    fn wrap(&self, rq: &KeyRequest<'_>, data_key: &DataKey) -> Result<EncryptedDataKey> {
        rq.refuse_context(WrapAlgorithm::RsaOaepSha1)?;
        let content = rq.content.name().as_bytes();
        let mut plain = Zeroizing::new(Vec::with_capacity(1 + KEY_LEN + content.len()));
        plain.push(KEY_LEN.to_le_bytes()[0]);
        plain.extend_from_slice(data_key.expose());
        plain.extend_from_slice(content);
        let mut bytes = vec![0; self.public.ciphertext_size()];
        let length = self
            .public
            .encrypt(&OAEP_SHA1_MGF1SHA1, &plain, &mut bytes, None)
            .map(|wrapped| wrapped.len())
            .map_err(|_| Error::Unwrap)?;
        bytes.truncate(length);
        let description = self.description.clone();
        Ok(EncryptedDataKey { wrap: Some(WrapAlgorithm::RsaOaepSha1), bytes, description })
    }

    fn unwrap(&self, rq: &KeyRequest<'_>, wrap: WrapAlgorithm, wrapped: &[u8]) -> Result<DataKey> {
        rq.refuse_context(wrap)?;
        let private = self.private.as_ref().ok_or(Error::Unsupported(
            "this keyring has the public RSA key only, which unwraps nothing",
        ))?;
        match wrap {
            WrapAlgorithm::RsaOaepSha1 => private.unwrap_oaep_sha1(rq, wrapped),
            WrapAlgorithm::RsaPkcs1 => private.unwrap_pkcs1(rq, wrapped),
            WrapAlgorithm::RsaOaepSha256 => private.unwrap_oaep_sha256(wrapped),
            other => Err(Error::OtherKeyring(other)),
        }
    }
}

impl fmt::Debug for RsaKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKeyring").field("description", &self.description).finish_non_exhaustive()
    }
}

/// Wiped on drop whatever its label, which may be that of another form of private keys.
fn decode_pem(label: &str, pem: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (found, der) = pem_rfc7468::decode_vec(pem.as_bytes()).ok()?;
    let der = Zeroizing::new(der);
    (found == label).then_some(der)
}
