//! How S3 names and writes checksums, and how it makes an object's of its parts'.
//!
//! Checksums are over the plaintext. Those that a client can ask for are [`ALGORITHMS`]; what else
//! [`ChecksumAlgorithm`] knows has names here, and is not computed.
//!
//! ```
//! use object_cipher_core::{ChecksumAlgorithm, ChecksumKind};
//! use object_cipher_s3::checksum;
//!
//! let sent = checksum::parse(ChecksumAlgorithm::Crc32, b"y/Q5Jg==")?;
//! assert_eq!(checksum::header(sent.algorithm()), "x-amz-checksum-crc32");
//! assert_eq!(checksum::encode(&sent), "y/Q5Jg==");
//! assert!(!checksum::allows(ChecksumAlgorithm::Sha256, ChecksumKind::FullObject));
//! # Ok::<(), object_cipher_s3::Error>(())
//! ```

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crc_fast::{CrcAlgorithm, checksum_combine};
use object_cipher_core::{Checksum, ChecksumAlgorithm, ChecksumKind, MAX_PARTS, ObjectChecksum};

use crate::{Digester, Error, Result};

/// The algorithms that this crate computes.
pub const ALGORITHMS: [ChecksumAlgorithm; 5] = [
    ChecksumAlgorithm::Crc32,
    ChecksumAlgorithm::Crc32C,
    ChecksumAlgorithm::Crc64Nvme,
    ChecksumAlgorithm::Sha1,
    ChecksumAlgorithm::Sha256,
];

/// What S3 adds to an object whose client sent no checksum.
pub const DEFAULT: ChecksumAlgorithm = ChecksumAlgorithm::Crc64Nvme;

/// S3's name, as in `x-amz-checksum-algorithm`.
pub const fn name(algorithm: ChecksumAlgorithm) -> &'static str {
    names(algorithm).0
}

/// The header that holds a checksum.
pub const fn header(algorithm: ChecksumAlgorithm) -> &'static str {
    names(algorithm).1
}

/// The algorithm of S3's name.
///
/// # Errors
/// [`Error::ChecksumUnsupported`] unless it is one of [`ALGORITHMS`].
pub fn from_name(name: &str) -> Result<ChecksumAlgorithm> {
    let found = ALGORITHMS.into_iter().find(|algorithm| names(*algorithm).0 == name);
    found.ok_or(Error::ChecksumUnsupported)
}

/// Whether an upload of parts may have a checksum of this algorithm and kind.
pub const fn allows(algorithm: ChecksumAlgorithm, kind: ChecksumKind) -> bool {
    use ChecksumAlgorithm::{Crc32, Crc32C, Crc64Nvme, Sha1, Sha256};
    match kind {
        ChecksumKind::FullObject => matches!(algorithm, Crc32 | Crc32C | Crc64Nvme),
        ChecksumKind::Composite => matches!(algorithm, Crc32 | Crc32C | Sha1 | Sha256),
        _ => false,
    }
}

/// The kind of an upload's checksum when the client names none.
pub const fn default_kind(algorithm: ChecksumAlgorithm) -> ChecksumKind {
    match algorithm {
        ChecksumAlgorithm::Crc64Nvme => ChecksumKind::FullObject,
        _ => ChecksumKind::Composite,
    }
}

/// A checksum as a header or trailer holds it: base64 of the digest.
///
/// # Errors
/// [`Error::ChecksumInvalid`] unless it is base64 of as many bytes as the algorithm's digests have.
pub fn parse(algorithm: ChecksumAlgorithm, value: &[u8]) -> Result<Checksum> {
    let digest = STANDARD.decode(value).ok();
    let checksum = digest.and_then(|digest| Checksum::new(algorithm, &digest).ok());
    checksum.ok_or(Error::ChecksumInvalid { header: header(algorithm) })
}

/// A checksum of a whole object as a header holds it: as [`parse`], or with `-` and the number of
/// parts after it. Then it is a composite one.
///
/// # Errors
/// [`Error::ChecksumInvalid`], also for a number of parts that is none of S3's.
pub fn parse_object(
    algorithm: ChecksumAlgorithm,
    value: &[u8],
) -> Result<(ObjectChecksum, Option<u32>)> {
    let Some(at) = value.iter().position(|byte| *byte == b'-') else {
        let checksum = parse(algorithm, value)?;
        return Ok((ObjectChecksum { checksum, kind: ChecksumKind::FullObject }, None));
    };
    let (digest, parts) = value.split_at(at);
    let parts = parts.get(1..).and_then(parse_part_count);
    let parts = parts.ok_or(Error::ChecksumInvalid { header: header(algorithm) })?;
    let checksum = parse(algorithm, digest)?;
    Ok((ObjectChecksum { checksum, kind: ChecksumKind::Composite }, Some(parts)))
}

/// The value of the header: base64 of the digest.
pub fn encode(checksum: &Checksum) -> String {
    STANDARD.encode(checksum.digest())
}

/// The value of the header for an object of this many parts: a composite checksum has their number
/// after it. An object that came in one piece has one.
pub fn encode_object(checksum: &ObjectChecksum, parts: u32) -> String {
    let digest = encode(&checksum.checksum);
    match checksum.kind {
        ChecksumKind::Composite => format!("{digest}-{parts}"),
        _ => digest,
    }
}

/// The composite checksum of an object's parts in order: the digest of their digests.
///
/// None without parts, of parts of several algorithms, and of an algorithm that does not allow it.
pub fn composite(parts: impl IntoIterator<Item = Checksum>) -> Option<Checksum> {
    let mut parts = parts.into_iter().peekable();
    let algorithm = parts.peek()?.algorithm();
    if !allows(algorithm, ChecksumKind::Composite) {
        return None;
    }
    let mut digester = Digester::new([algorithm]).ok()?;
    for part in parts {
        if part.algorithm() != algorithm {
            return None;
        }
        digester.update(part.digest());
    }
    digester.finish().get(algorithm).copied()
}

/// The checksum of the whole content of an object, from those of its parts in order and their
/// lengths in bytes.
///
/// None without parts, of parts of several algorithms, and of an algorithm that does not allow it.
pub fn full_object(parts: impl IntoIterator<Item = (Checksum, u64)>) -> Option<Checksum> {
    let mut parts = parts.into_iter();
    let (first, _) = parts.next()?;
    let algorithm = first.algorithm();
    let crc = crc(algorithm)?;
    let whole = parts.try_fold(value(&first), |whole, (part, length)| {
        let is_same = part.algorithm() == algorithm;
        is_same.then(|| checksum_combine(crc, whole, value(&part), length))
    })?;
    from_value(algorithm, whole)
}

/// What computes the algorithm, if it is a CRC.
pub(crate) const fn crc(algorithm: ChecksumAlgorithm) -> Option<CrcAlgorithm> {
    match algorithm {
        ChecksumAlgorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
        ChecksumAlgorithm::Crc32C => Some(CrcAlgorithm::Crc32Iscsi),
        ChecksumAlgorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
        _ => None,
    }
}

/// The checksum of a CRC's value: its low bytes, most significant first.
pub(crate) fn from_value(algorithm: ChecksumAlgorithm, crc: u64) -> Option<Checksum> {
    let bytes = crc.to_be_bytes();
    let start = bytes.len().checked_sub(algorithm.digest_len())?;
    Checksum::new(algorithm, bytes.get(start..)?).ok()
}

/// A number of parts, without sign or leading zeros.
pub(crate) fn parse_part_count(text: &[u8]) -> Option<u32> {
    let parts = core::str::from_utf8(text).ok()?.parse().ok()?;
    let is_canonical = matches!(text.first(), Some(b'1'..=b'9'));
    (is_canonical && parts <= MAX_PARTS).then_some(parts)
}

fn value(checksum: &Checksum) -> u64 {
    checksum.digest().iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

const fn names(algorithm: ChecksumAlgorithm) -> (&'static str, &'static str) {
    match algorithm {
        ChecksumAlgorithm::Crc32 => ("CRC32", "x-amz-checksum-crc32"),
        ChecksumAlgorithm::Crc32C => ("CRC32C", "x-amz-checksum-crc32c"),
        ChecksumAlgorithm::Crc64Nvme => ("CRC64NVME", "x-amz-checksum-crc64nvme"),
        ChecksumAlgorithm::Sha1 => ("SHA1", "x-amz-checksum-sha1"),
        ChecksumAlgorithm::Sha256 => ("SHA256", "x-amz-checksum-sha256"),
        ChecksumAlgorithm::Sha512 => ("SHA512", "x-amz-checksum-sha512"),
        ChecksumAlgorithm::Md5 => ("MD5", "x-amz-checksum-md5"),
        ChecksumAlgorithm::XxHash64 => ("XXHASH64", "x-amz-checksum-xxhash64"),
        ChecksumAlgorithm::XxHash3 => ("XXHASH3", "x-amz-checksum-xxhash3"),
        ChecksumAlgorithm::XxHash128 => ("XXHASH128", "x-amz-checksum-xxhash128"),
        // One that core learns before this crate does.
        _ => ("UNKNOWN", "x-amz-checksum-unknown"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use ChecksumAlgorithm::{
        Crc32, Crc32C, Crc64Nvme, Md5, Sha1, Sha256, Sha512, XxHash3, XxHash64, XxHash128,
    };

    fn of(algorithm: ChecksumAlgorithm, content: &[u8]) -> Checksum {
        let mut digester = Digester::new([algorithm]).unwrap();
        digester.update(content);
        *digester.finish().get(algorithm).unwrap()
    }

    #[test]
    fn names_and_headers_are_those_of_s3() {
        // 3: what the API's model has, and whether it is computed here.
        let rows = [
            (Crc32, "CRC32", "x-amz-checksum-crc32", true),
            (Crc32C, "CRC32C", "x-amz-checksum-crc32c", true),
            (Crc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", true),
            (Sha1, "SHA1", "x-amz-checksum-sha1", true),
            (Sha256, "SHA256", "x-amz-checksum-sha256", true),
            (Sha512, "SHA512", "x-amz-checksum-sha512", false),
            (Md5, "MD5", "x-amz-checksum-md5", false),
            (XxHash64, "XXHASH64", "x-amz-checksum-xxhash64", false),
            (XxHash3, "XXHASH3", "x-amz-checksum-xxhash3", false),
            (XxHash128, "XXHASH128", "x-amz-checksum-xxhash128", false),
        ];
        for (algorithm, named, header_name, computed) in rows {
            assert_eq!((name(algorithm), header(algorithm)), (named, header_name));
            let wanted = if computed { Ok(algorithm) } else { Err(Error::ChecksumUnsupported) };
            assert_eq!(from_name(named), wanted);
            assert_eq!(ALGORITHMS.contains(&algorithm), computed, "{named}");
        }
        for other in ["", "crc32", "CRC64", "CRC32 "] {
            assert_eq!(from_name(other), Err(Error::ChecksumUnsupported), "{other}");
        }
    }

    #[test]
    fn whoever_sends_no_checksum_gets_crc64nvme_of_the_whole_object() {
        // 3: an object in one piece, and an upload without an algorithm.
        assert_eq!((DEFAULT, default_kind(DEFAULT)), (Crc64Nvme, ChecksumKind::FullObject));
        assert!(allows(DEFAULT, ChecksumKind::FullObject));
    }

    #[test]
    fn the_checksum_of_parts_is_the_one_that_s3_gave() {
        // 3: an upload of three equal parts, recorded from Amazon S3.
        let part = parse(Sha256, b"DjU70AB1bON8k0n0fVHv2PJQVWcA/jWsITp6ti20Tbs=").unwrap();
        let checksum = composite([part; 3]).unwrap();
        let whole = ObjectChecksum { checksum, kind: ChecksumKind::Composite };
        assert_eq!(encode_object(&whole, 3), "dVAleH1OmqkLvByTMLIWSjNCz3x2Ul1KJEZw3eQ2Fqg=-3");
    }

    #[test]
    fn each_algorithm_allows_the_kinds_of_s3() {
        let rows = [
            (Crc32, true, true, ChecksumKind::Composite),
            (Crc32C, true, true, ChecksumKind::Composite),
            (Crc64Nvme, false, true, ChecksumKind::FullObject),
            (Sha1, true, false, ChecksumKind::Composite),
            (Sha256, true, false, ChecksumKind::Composite),
        ];
        for (algorithm, composites, whole, default) in rows {
            assert_eq!(allows(algorithm, ChecksumKind::Composite), composites, "3 {algorithm:?}");
            assert_eq!(allows(algorithm, ChecksumKind::FullObject), whole, "3 {algorithm:?}");
            assert_eq!(default_kind(algorithm), default);
            let part = of(algorithm, b"part");
            assert_eq!(composite([part]).is_some(), composites, "{algorithm:?}");
            assert_eq!(full_object([(part, 4)]).is_some(), whole, "{algorithm:?}");
        }
        assert_eq!(composite([]), None);
        assert_eq!(full_object([]), None);
        assert_eq!(composite([of(Crc32, b"a"), of(Sha1, b"b")]), None);
        assert_eq!(full_object([(of(Crc32, b"a"), 1), (of(Crc32C, b"b"), 1)]), None);
    }

    #[test]
    fn a_composite_checksum_is_the_digest_of_the_digests_with_the_number_of_parts() {
        let parts: [&[u8]; 3] = [b"one", b"two", b""];
        for algorithm in [Crc32, Crc32C, Sha1, Sha256] {
            let digests = parts.map(|part| of(algorithm, part));
            let joined: Vec<u8> = digests.iter().flat_map(|part| part.digest().to_vec()).collect();
            let checksum = composite(digests).unwrap();
            assert_eq!(checksum, of(algorithm, &joined));

            let object = ObjectChecksum { checksum, kind: ChecksumKind::Composite };
            let text = encode_object(&object, 3);
            assert_eq!(text, format!("{}-3", encode(&checksum)));
            assert_eq!(parse_object(algorithm, text.as_bytes()), Ok((object, Some(3))));
        }
        let whole = ObjectChecksum { checksum: of(Crc32, b"x"), kind: ChecksumKind::FullObject };
        assert_eq!(encode_object(&whole, 3), encode(&whole.checksum));
        assert_eq!(parse_object(Crc32, encode(&whole.checksum).as_bytes()), Ok((whole, None)));
    }

    #[test]
    fn a_value_that_is_no_digest_is_invalid() {
        let rows = [
            (Crc32, ""),
            (Crc32, "y/Q5Jg"),
            (Crc32, "y/Q5Jg=="),
            (Crc32, "y/Q5Jh=="),
            (Crc32, " y/Q5Jg=="),
            (Crc32, "y_Q5Jg=="),
            (Crc32, "cbf43926"),
            (Crc64Nvme, "y/Q5Jg=="),
            (Sha256, "y/Q5Jg=="),
            (Md5, "y/Q5Jg=="),
            (XxHash3, "y/Q5Jg=="),
        ];
        for (algorithm, value) in rows {
            let valid = (algorithm, value) == (Crc32, "y/Q5Jg==");
            let wanted = Error::ChecksumInvalid { header: header(algorithm) };
            assert_eq!(parse(algorithm, value.as_bytes()).err(), (!valid).then_some(wanted));
        }
        for count in ["", "0", "01", "+1", "-1", "10001", "1-1", "99999999999"] {
            let value = format!("y/Q5Jg==-{count}");
            assert!(parse_object(Crc32, value.as_bytes()).is_err(), "{count}");
        }
        assert!(parse_object(Crc32, b"y/Q5Jg==-10000").is_ok());
    }

    proptest! {
        #[test]
        fn crcs_of_parts_combine_to_that_of_the_whole(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
        ) {
            for algorithm in [Crc32, Crc32C, Crc64Nvme] {
                let of_parts =
                    parts.iter().map(|part| (of(algorithm, part), part.len() as u64));
                prop_assert_eq!(full_object(of_parts), Some(of(algorithm, &parts.concat())));
            }
        }
    }
}
