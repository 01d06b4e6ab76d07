//! What is kept at an object's path: [`Record`].

mod attributes;
mod pairs;

use object_cipher_core::{
    CompletedUpload, EncryptionContext, Envelope, Error as CoreError, MAX_ENVELOPE_LEN, PartTable,
    State,
};
use object_store::{Attributes, path::Path};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};
use pairs::Pairs;

/// The longest record, in bytes: refused before it is fetched.
pub const MAX_RECORD_LEN: u64 = 2 << 20;

/// Bytes of a record that tell its object's length.
pub(crate) const HEAD_LEN: u64 = 16;

const MAGIC: [u8; 4] = [0x89, b'S', b'3', b'R'];
const VERSION: u8 = 1;
/// Attributes take at most this many bytes, as does an encryption context.
const MAX_PAIRS_LEN: usize = 65_536;

/// What is kept at an object's path, in clear: Envelope, attributes, encryption context, part table and
/// the plaintext's length.
///
/// ```text
/// magic        4   89 53 33 52
/// version      1   1
/// zero         3
/// length       8   of the plaintext, in bytes, big-endian
/// path        32   SHA-256 of the path that it was written for
/// envelope     4 + n
/// attributes   4 + n   pairs, names strictly rising: (4 + n name, 4 + n value) each
/// context      4 + n   pairs, in the same form
/// part table   4 + n   empty for an object of one body
/// ```
///
/// Lengths are u32, big-endian. Nothing in it is to be trusted before the Envelope is open: it seals
/// length, number of parts, the digest of the attributes and that of the part table, and the wrap binds
/// the encryption context.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The plaintext's length, in bytes.
    pub plaintext_len: u64,
    /// SHA-256 of the path that it was written for. Somewhere else it is a copy that was made beneath the
    /// store: it opens nothing there, and the body is not its own.
    pub path_digest: [u8; 32],
    /// The Envelope of a finished object.
    pub envelope: Envelope,
    /// What the caller says of the object, such as its content type.
    pub attributes: Attributes,
    /// The encryption context it was sealed under.
    pub context: EncryptionContext,
    /// The part table of an object that came in parts.
    pub part_table: Option<PartTable>,
}

/// Why bytes are no [`Record`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// It is longer than a record can be.
    #[error("it is too long")]
    TooLong,
    /// It ends too early.
    #[error("it ends too early")]
    TooShort,
    /// Bytes follow its end.
    #[error("bytes follow its end")]
    TrailingBytes,
    /// It does not begin as records do.
    #[error("it does not begin as records do")]
    Magic,
    /// Its version is not known.
    #[error("its version is not known")]
    Version,
    /// Reserved bytes are set.
    #[error("reserved bytes are set")]
    Reserved,
    /// Its pairs are not in the one form they have.
    #[error("its attributes or its encryption context are not in canonical form")]
    Pairs,
    /// Its Envelope or its part table is not one, or not of a finished object.
    #[error("its Envelope or its part table is malformed")]
    Envelope,
}

impl Record {
    /// The record of an object of one body.
    pub(crate) fn of_body(path: &Path, plaintext_len: u64, envelope: Envelope, said: Said) -> Self {
        let Said { attributes, context } = said;
        let path_digest = digest(path);
        Self { plaintext_len, path_digest, envelope, attributes, context, part_table: None }
    }

    /// The record of a completed upload.
    pub(crate) fn of_parts(
        path: &Path,
        plaintext_len: u64,
        completed: CompletedUpload,
        said: Said,
    ) -> Self {
        let CompletedUpload { envelope, part_table } = completed;
        let record = Self::of_body(path, plaintext_len, envelope, said);
        Self { part_table: Some(part_table), ..record }
    }

    /// The record that the same object has at another path.
    pub(crate) fn at(self, path: &Path) -> Self {
        Self { path_digest: digest(path), ..self }
    }

    /// Whether it was written for a path.
    pub(crate) fn is_of(&self, path: &Path) -> bool {
        self.path_digest == digest(path)
    }

    /// Reads what was found at an object's path.
    ///
    /// # Errors
    /// [`RecordFault`] for anything that is not exactly one canonical record of version 1.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordFault> {
        if bytes.len() as u64 > MAX_RECORD_LEN {
            return Err(RecordFault::TooLong);
        }
        let plaintext_len = plaintext_len(bytes)?;
        let rest = bytes.get(16..).ok_or(RecordFault::TooShort)?;
        let (path_digest, mut rest) =
            rest.split_first_chunk::<32>().ok_or(RecordFault::TooShort)?;
        let envelope = section(&mut rest, MAX_ENVELOPE_LEN)?;
        let envelope = Envelope::parse(envelope).map_err(|_| RecordFault::Envelope)?;
        let attributes = Pairs::parse(section(&mut rest, MAX_PAIRS_LEN)?)?.to_attributes()?;
        let context = Pairs::parse(section(&mut rest, MAX_PAIRS_LEN)?)?.to_context()?;
        let part_table = match section(&mut rest, usize::MAX)? {
            [] => None,
            table => Some(
                PartTable::parse(envelope.mode().suite(), table)
                    .map_err(|_| RecordFault::Envelope)?,
            ),
        };
        if !rest.is_empty() {
            return Err(RecordFault::TrailingBytes);
        }
        if envelope.state() != State::Finished || envelope.is_multipart() != part_table.is_some() {
            return Err(RecordFault::Envelope);
        }
        let path_digest = *path_digest;
        Ok(Self { plaintext_len, path_digest, envelope, attributes, context, part_table })
    }

    /// What is stored.
    ///
    /// # Errors
    /// [`Error::Attributes`] when they have no name in a record, or are too long.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let attributes = Pairs::of_attributes(&self.attributes)?.to_bytes();
        let context = Pairs::of_context(&self.context).to_bytes();
        if attributes.len() > MAX_PAIRS_LEN {
            return Err(Error::Attributes("they take more than 65,536 bytes"));
        }
        let table = self.part_table.as_ref().map(PartTable::to_bytes).unwrap_or_default();
        let sections = [self.envelope.as_bytes(), &attributes, &context, &table];
        let length: usize = sections.iter().map(|section| 4 + section.len()).sum();
        let mut out = Vec::with_capacity(48 + length);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[VERSION, 0, 0, 0]);
        out.extend_from_slice(&self.plaintext_len.to_be_bytes());
        out.extend_from_slice(&self.path_digest);
        for section in sections {
            let length = u32::try_from(section.len())
                .map_err(|_| CoreError::Limit("a section of a record has at most 2^32 bytes"))?;
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(section);
        }
        Ok(out)
    }
}

/// What a caller says of a new object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) attributes: Attributes,
    pub(crate) context: EncryptionContext,
}

/// The digest of attributes that is sealed in the Envelope.
///
/// # Errors
/// As [`Record::to_bytes`].
pub(crate) fn attributes_digest(attributes: &Attributes) -> Result<[u8; 32]> {
    Ok(Sha256::digest(Pairs::of_attributes(attributes)?.to_bytes()).into())
}

fn digest(path: &Path) -> [u8; 32] {
    Sha256::digest(path.as_ref()).into()
}

/// The plaintext's length, as the first [`HEAD_LEN`] bytes of a record tell it.
pub(crate) fn plaintext_len(record: &[u8]) -> Result<u64, RecordFault> {
    if !record.starts_with(&MAGIC) {
        return Err(RecordFault::Magic);
    }
    let (head, _) = record.split_first_chunk::<16>().ok_or(RecordFault::TooShort)?;
    let [_, _, _, _, version, z0, z1, z2, length @ ..] = *head;
    if version != VERSION {
        return Err(RecordFault::Version);
    }
    if [z0, z1, z2] != [0; 3] {
        return Err(RecordFault::Reserved);
    }
    Ok(u64::from_be_bytes(length))
}

/// The next section: a length, and as many bytes.
fn section<'a>(rest: &mut &'a [u8], most: usize) -> Result<&'a [u8], RecordFault> {
    let (length, bytes) = rest.split_first_chunk().ok_or(RecordFault::TooShort)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| RecordFault::TooLong)?;
    if length > most {
        return Err(RecordFault::TooLong);
    }
    let (section, after) = bytes.split_at_checked(length).ok_or(RecordFault::TooShort)?;
    *rest = after;
    Ok(section)
}
