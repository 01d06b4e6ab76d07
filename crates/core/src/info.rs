//! The sealed info block: what an object's Envelope says in secret.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    Error, Headers, Item, Result, Suite,
    reader::{Reader, write_u16},
    wiped::Wiped,
};

/// A multipart object has 1 to this many parts.
pub const MAX_PARTS: u32 = 10_000;

/// The longest block: every tag, two layers' headers, a SHA-512.
const MAX_LEN: usize = 7 * 3 + 8 + 4 + 32 + 112 + 16 + 66 + 32;
const TAG_LENGTH: u8 = 1;
const TAG_PART_COUNT: u8 = 2;
const TAG_PART_INDEX: u8 = 3;
const TAG_HEADERS: u8 = 4;
const TAG_ETAG: u8 = 5;
const TAG_CHECKSUM: u8 = 6;
const TAG_METADATA: u8 = 7;

/// What the caller wants sealed with the object. Core computes none of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Attributes {
    /// The ETag's 16 bytes: an MD5 (SSE-S3), or random.
    pub etag: Option<ETag>,
    /// The checksum that the client asked for.
    pub checksum: Option<ObjectChecksum>,
    /// SHA-256 of the user metadata: pairs sorted by name, each enc(lower-case name) ‖ enc(value).
    pub metadata_digest: Option<[u8; 32]>,
}

/// The 16 bytes of an ETag.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ETag(pub [u8; 16]);

/// A digest by one of S3's checksum algorithms, raw, of the algorithm's length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    digest: [u8; 64],
}

/// An object's checksum, with its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectChecksum {
    /// The digest.
    pub checksum: Checksum,
    /// Whether it is of the whole content or of the parts' digests (multipart only).
    pub kind: ChecksumKind,
}

/// What an object's checksum is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChecksumKind {
    /// Of the whole content.
    FullObject,
    /// Of the digests of the parts.
    Composite,
}

/// S3's checksum algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChecksumAlgorithm {
    /// CRC-32, 4 bytes.
    Crc32,
    /// CRC-32C, 4 bytes.
    Crc32C,
    /// CRC-64/NVME, 8 bytes.
    Crc64Nvme,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
    /// MD5, 16 bytes.
    Md5,
    /// XXH64, 8 bytes.
    XxHash64,
    /// XXH3, 64 bits, 8 bytes.
    XxHash3,
    /// XXH3, 128 bits, 16 bytes.
    XxHash128,
}

/// The info block, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Info {
    pub(crate) length: u64,
    pub(crate) content: Content,
    pub(crate) attributes: Attributes,
}

/// How the content is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// One body, which begins with these headers.
    Body(Headers),
    /// Parts, by their count and the digest of the part table's index.
    Parts { count: u32, index_digest: [u8; 32] },
}

impl Checksum {
    /// A digest by an algorithm.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the digest has not the algorithm's length.
    pub fn new(algorithm: ChecksumAlgorithm, digest: &[u8]) -> Result<Self> {
        if digest.len() != algorithm.digest_len() {
            return Err(Error::Misuse("the digest has not the algorithm's length"));
        }
        let mut padded = [0; 64];
        padded[..digest.len()].copy_from_slice(digest);
        Ok(Self { algorithm, digest: padded })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// The raw digest.
    pub fn digest(&self) -> &[u8] {
        &self.digest[..self.algorithm.digest_len()]
    }
}

impl ChecksumAlgorithm {
    const ALL: [Self; 10] = [
        Self::Crc32,
        Self::Crc32C,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Md5,
        Self::XxHash64,
        Self::XxHash3,
        Self::XxHash128,
    ];

    /// Bytes of a digest.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32C => 4,
            Self::Crc64Nvme | Self::XxHash64 | Self::XxHash3 => 8,
            Self::Md5 | Self::XxHash128 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Crc32 => 1,
            Self::Crc32C => 2,
            Self::Crc64Nvme => 3,
            Self::Sha1 => 4,
            Self::Sha256 => 5,
            Self::Sha512 => 6,
            Self::Md5 => 7,
            Self::XxHash64 => 8,
            Self::XxHash3 => 9,
            Self::XxHash128 => 10,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.byte() == byte)
    }
}

impl Info {
    /// The TLV form: tag u8, length u16, value; tags strictly rising.
    pub(crate) fn encode(&self) -> Result<Wiped<Vec<u8>>> {
        // Room for the longest, so that no copy is left behind in growing.
        let mut out = Wiped::new(Vec::with_capacity(MAX_LEN));
        let mut put = |tag: u8, value: &[&[u8]]| {
            out.push(tag);
            write_u16(value.iter().map(|piece| piece.len()).sum(), &mut out)?;
            for piece in value {
                out.extend_from_slice(piece);
            }
            Ok::<_, Error>(())
        };
        put(TAG_LENGTH, &[&self.length.to_be_bytes()])?;
        match &self.content {
            Content::Body(headers) => put(TAG_HEADERS, &[headers.as_bytes()])?,
            Content::Parts { count, index_digest } => {
                put(TAG_PART_COUNT, &[&count.to_be_bytes()])?;
                put(TAG_PART_INDEX, &[index_digest])?;
            }
        }
        if let Some(ETag(bytes)) = &self.attributes.etag {
            put(TAG_ETAG, &[bytes])?;
        }
        if let Some(ObjectChecksum { checksum, kind }) = &self.attributes.checksum {
            if *kind == ChecksumKind::Composite && matches!(self.content, Content::Body(_)) {
                return Err(Error::Misuse("only a multipart object has a composite checksum"));
            }
            let kind = kind.byte();
            put(TAG_CHECKSUM, &[&[checksum.algorithm.byte(), kind], checksum.digest()])?;
        }
        if let Some(digest) = &self.attributes.metadata_digest {
            put(TAG_METADATA, &[digest])?;
        }
        Ok(out)
    }

    pub(crate) fn parse(suite: Suite, multipart: bool, bytes: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(bytes)?;
        let length = u64::from_be_bytes(fields.require(TAG_LENGTH)?);
        let content = if multipart {
            let count = u32::from_be_bytes(fields.require(TAG_PART_COUNT)?);
            if !(1..=MAX_PARTS).contains(&count) {
                return Err(fields.reader.field("part count"));
            }
            Content::Parts { count, index_digest: fields.require(TAG_PART_INDEX)? }
        } else {
            let headers = fields.optional(TAG_HEADERS)?.ok_or(fields.reader.field("headers"))?;
            let headers = Headers::parse(suite, headers);
            Content::Body(headers.map_err(|_| fields.reader.field("headers"))?)
        };
        let attributes = Attributes {
            etag: fields.array(TAG_ETAG)?.map(ETag),
            checksum: fields.checksum(multipart)?,
            metadata_digest: fields.array(TAG_METADATA)?,
        };
        fields.end()?;
        Ok(Self { length, content, attributes })
    }
}

impl ChecksumKind {
    fn byte(self) -> u8 {
        match self {
            Self::FullObject => 1,
            Self::Composite => 2,
        }
    }
}

/// The TLV fields, taken in rising order of their tags; one that is not asked for is an error.
struct Fields<'a> {
    reader: Reader<'a>,
    next: Option<(u8, &'a [u8])>,
}

impl<'a> Fields<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self> {
        let mut fields = Self { reader: Reader::new(Item::Info, bytes), next: None };
        fields.advance()?;
        Ok(fields)
    }

    fn advance(&mut self) -> Result<()> {
        self.next = if self.reader.is_empty() {
            None
        } else {
            Some((self.reader.u8()?, self.reader.prefixed_u16(usize::from(u16::MAX))?))
        };
        Ok(())
    }

    fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>> {
        match self.next {
            Some((found, value)) if found == tag => {
                self.advance()?;
                Ok(Some(value))
            }
            _ => Ok(None),
        }
    }

    fn array<const N: usize>(&mut self, tag: u8) -> Result<Option<[u8; N]>> {
        let value = self.optional(tag)?;
        value.map(|value| value.try_into().map_err(|_| self.reader.field("length"))).transpose()
    }

    fn require<const N: usize>(&mut self, tag: u8) -> Result<[u8; N]> {
        self.array(tag)?.ok_or(self.reader.field("tag"))
    }

    fn checksum(&mut self, multipart: bool) -> Result<Option<ObjectChecksum>> {
        let Some(value) = self.optional(TAG_CHECKSUM)? else {
            return Ok(None);
        };
        let refused = self.reader.field("checksum");
        let (&[algorithm, kind], digest) = value.split_first_chunk().ok_or(refused.clone())?;
        let algorithm = ChecksumAlgorithm::from_byte(algorithm).ok_or(refused.clone())?;
        let kind = match kind {
            1 => ChecksumKind::FullObject,
            2 if multipart => ChecksumKind::Composite,
            _ => return Err(refused),
        };
        let checksum = Checksum::new(algorithm, digest).map_err(|_| refused)?;
        Ok(Some(ObjectChecksum { checksum, kind }))
    }

    fn end(self) -> Result<()> {
        if self.next.is_some() { Err(self.reader.field("tag")) } else { Ok(()) }
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ETag({self})")
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({:?}, ", self.algorithm)?;
        self.digest().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
