//! Digests of plaintext as it streams by: [`Digester`].

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::Md5;
use object_cipher_core::{Checksum, ChecksumAlgorithm, ETag};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{Error, Result, checksum};

/// Computes several digests of one content at once: MD5 and
/// [`checksum::ALGORITHMS`](crate::checksum::ALGORITHMS).
///
/// ```
/// use object_cipher_core::ChecksumAlgorithm;
/// use object_cipher_s3::{ContentMd5, Digester, checksum};
///
/// let mut digester = Digester::new([ChecksumAlgorithm::Md5, ChecksumAlgorithm::Crc64Nvme])?;
/// digester.update(b"1234");
/// digester.update(b"56789");
/// let digests = digester.finish();
///
/// digests.verify(&checksum::parse(ChecksumAlgorithm::Crc64Nvme, b"rosUhgp5mIg=")?)?;
/// digests.verify_content_md5(ContentMd5::parse(b"JfnnlDI7RTiF9RgfG2JNCw==")?)?;
/// # Ok::<(), object_cipher_s3::Error>(())
/// ```
#[derive(Clone)]
pub struct Digester {
    length: u64,
    running: Vec<Running>,
}

/// The digests of a content, and its length. `Debug` does not show them, since they tell of the
/// plaintext.
#[derive(Clone)]
pub struct Digests {
    length: u64,
    checksums: Vec<Checksum>,
}

/// The MD5 that a client says the body of its request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentMd5([u8; 16]);

#[derive(Clone)]
enum Running {
    Crc(ChecksumAlgorithm, crc_fast::Digest),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Digester {
    /// Digests by these algorithms, each once.
    ///
    /// # Errors
    /// [`Error::ChecksumUnsupported`] for one that is not computed here.
    pub fn new(algorithms: impl IntoIterator<Item = ChecksumAlgorithm>) -> Result<Self> {
        let mut running: Vec<Running> = Vec::new();
        for algorithm in algorithms {
            if running.iter().all(|digest| digest.algorithm() != algorithm) {
                running.push(Running::new(algorithm)?);
            }
        }
        Ok(Self { length: 0, running })
    }

    /// Takes the next bytes of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        for digest in &mut self.running {
            digest.update(bytes);
        }
    }

    /// The digests of all that was taken.
    pub fn finish(self) -> Digests {
        let checksums = self.running.into_iter().filter_map(Running::finish).collect();
        Digests { length: self.length, checksums }
    }
}

impl Digests {
    /// Bytes of the content.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digest by an algorithm, if it was asked for.
    pub fn get(&self, algorithm: ChecksumAlgorithm) -> Option<&Checksum> {
        self.checksums.iter().find(|checksum| checksum.algorithm() == algorithm)
    }

    /// The MD5 as an ETag, if it was asked for.
    pub fn md5(&self) -> Option<ETag> {
        let checksum = self.get(ChecksumAlgorithm::Md5)?;
        checksum.digest().try_into().ok().map(ETag)
    }

    /// Whether the content is what the client says.
    ///
    /// # Errors
    /// [`Error::ChecksumMismatch`] if not, and if the digest was not asked for.
    pub fn verify(&self, claimed: &Checksum) -> Result<()> {
        let algorithm = claimed.algorithm();
        if self.get(algorithm) == Some(claimed) {
            Ok(())
        } else {
            Err(Error::ChecksumMismatch { algorithm: checksum::name(algorithm) })
        }
    }

    /// Whether the content has the MD5 that the client says.
    ///
    /// # Errors
    /// [`Error::ContentMd5Mismatch`] if not, and if MD5 was not asked for.
    pub fn verify_content_md5(&self, claimed: ContentMd5) -> Result<()> {
        if self.md5() == Some(ETag(claimed.0)) { Ok(()) } else { Err(Error::ContentMd5Mismatch) }
    }
}

impl ContentMd5 {
    /// The value of the header `Content-MD5`: base64 of 16 bytes.
    ///
    /// # Errors
    /// [`Error::ContentMd5Invalid`] for anything else.
    pub fn parse(value: &[u8]) -> Result<Self> {
        let digest = STANDARD.decode(value).ok().and_then(|digest| digest.try_into().ok());
        digest.map(Self).ok_or(Error::ContentMd5Invalid)
    }
}

impl Running {
    fn new(algorithm: ChecksumAlgorithm) -> Result<Self> {
        match (algorithm, checksum::crc(algorithm)) {
            (_, Some(crc)) => Ok(Self::Crc(algorithm, crc_fast::Digest::new(crc))),
            (ChecksumAlgorithm::Md5, _) => Ok(Self::Md5(Md5::new())),
            (ChecksumAlgorithm::Sha1, _) => Ok(Self::Sha1(Sha1::new())),
            (ChecksumAlgorithm::Sha256, _) => Ok(Self::Sha256(Sha256::new())),
            _ => Err(Error::ChecksumUnsupported),
        }
    }

    fn algorithm(&self) -> ChecksumAlgorithm {
        match self {
            Self::Crc(algorithm, _) => *algorithm,
            Self::Md5(_) => ChecksumAlgorithm::Md5,
            Self::Sha1(_) => ChecksumAlgorithm::Sha1,
            Self::Sha256(_) => ChecksumAlgorithm::Sha256,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, digest) => digest.update(bytes),
            Self::Md5(digest) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    /// The digest, which always has its algorithm's length.
    fn finish(self) -> Option<Checksum> {
        let algorithm = self.algorithm();
        match self {
            Self::Crc(_, digest) => checksum::from_value(algorithm, digest.finalize()),
            Self::Md5(digest) => Checksum::new(algorithm, &digest.finalize()).ok(),
            Self::Sha1(digest) => Checksum::new(algorithm, &digest.finalize()).ok(),
            Self::Sha256(digest) => Checksum::new(algorithm, &digest.finalize()).ok(),
        }
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digester").field("length", &self.length).finish_non_exhaustive()
    }
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digests").field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;
    use crate::Profile;
    use ChecksumAlgorithm::{Crc32, Crc32C, Crc64Nvme, Md5 as MD5, Sha1 as SHA1, Sha256 as SHA256};

    const ALL: [ChecksumAlgorithm; 6] = [MD5, Crc32, Crc32C, Crc64Nvme, SHA1, SHA256];

    fn digests(content: &[u8]) -> Digests {
        let mut digester = Digester::new(ALL).unwrap();
        digester.update(content);
        digester.finish()
    }

    #[test]
    fn digests_are_the_known_ones() {
        // The check values of the catalogue of CRCs, of RFC 1321 and of FIPS 180.
        let rows: [(ChecksumAlgorithm, &[u8], &str); 9] = [
            (Crc32, b"123456789", "cbf43926"),
            (Crc32C, b"123456789", "e3069283"),
            (Crc64Nvme, b"123456789", "ae8b14860a799888"),
            (Crc32, b"", "00000000"),
            (Crc64Nvme, b"", "0000000000000000"),
            (MD5, b"abc", "900150983cd24fb0d6963f7d28e17f72"),
            (SHA1, b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (SHA256, b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (MD5, b"", "d41d8cd98f00b204e9800998ecf8427e"),
        ];
        for (algorithm, content, wanted) in rows {
            let found = digests(content);
            let digest = found.get(algorithm).map(|checksum| hex::encode(checksum.digest()));
            assert_eq!(digest.as_deref(), Some(wanted), "{algorithm:?} of {content:?}");
            assert_eq!(found.length(), content.len() as u64);
        }
    }

    #[test]
    fn what_is_not_computed_is_refused_and_what_is_asked_for_twice_computed_once() {
        for algorithm in [
            ChecksumAlgorithm::Sha512,
            ChecksumAlgorithm::XxHash64,
            ChecksumAlgorithm::XxHash3,
            ChecksumAlgorithm::XxHash128,
        ] {
            let error = Digester::new([Crc32, algorithm]).err();
            assert_eq!(error, Some(Error::ChecksumUnsupported), "{algorithm:?}");
        }
        assert_eq!(Digester::new([Crc32, MD5, Crc32]).unwrap().finish().checksums.len(), 2);
    }

    #[test]
    fn a_claim_holds_for_its_content_only() {
        let (right, wrong) = (digests(b"content"), digests(b"content."));
        for algorithm in ALL {
            let claim = right.get(algorithm).unwrap();
            assert_eq!(right.verify(claim), Ok(()));
            let mismatch = Error::ChecksumMismatch { algorithm: checksum::name(algorithm) };
            assert_eq!(wrong.verify(claim), Err(mismatch.clone()));
            let without = Digester::new([]).unwrap().finish();
            assert_eq!(without.verify(claim), Err(mismatch));
        }
        let answer = wrong.verify(right.get(SHA256).unwrap()).unwrap_err().answer(Profile::Aws);
        assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "BadDigest"));
        assert_eq!(
            answer.message,
            "The SHA256 you specified did not match the calculated checksum."
        );
    }

    #[test]
    fn content_md5_is_read_strictly_and_verified() {
        let claim = ContentMd5::parse(b"mgNkuembtIDdJeHwKEyFVQ==").unwrap();
        assert_eq!(digests(b"content").verify_content_md5(claim), Ok(()));
        for other in [digests(b"contents"), Digester::new([Crc32]).unwrap().finish()] {
            let answer = other.verify_content_md5(claim).unwrap_err().answer(Profile::Aws);
            assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "BadDigest"));
        }
        for value in ["", "mgNkuembtIDdJeHwKEyFVQ", "9a0364b9e99bb480dd25e1f0284c8555", "YWJj"] {
            let answer = ContentMd5::parse(value.as_bytes()).unwrap_err().answer(Profile::Aws);
            assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "InvalidDigest"));
        }
    }

    proptest! {
        #[test]
        fn digests_do_not_depend_on_how_the_content_arrives(
            content in prop::collection::vec(any::<u8>(), 0..2_000),
            cuts in prop::collection::vec(0_usize..2_000, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(content.len())).collect();
            cuts.extend([0, content.len()]);
            cuts.sort_unstable();
            let mut digester = Digester::new(ALL).unwrap();
            cuts.windows(2).for_each(|pair| digester.update(&content[pair[0]..pair[1]]));
            prop_assert_eq!(digester.finish().checksums, digests(&content).checksums);
        }
    }
}
