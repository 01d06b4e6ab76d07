//! Which bytes of an object a request reads.

use http::StatusCode;
use object_cipher_core::ReadRange;
use object_cipher_s3::Error;
use s3s::dto;

use super::Result;
use crate::store::OpenObject;

/// The bytes to read, and whether they are a part of the object.
pub(super) struct Wanted {
    /// None for a part without bytes.
    pub(super) range: Option<ReadRange>,
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) partial: bool,
}

impl Wanted {
    /// The bytes of a range, or of the whole.
    pub(super) fn of_bytes(size: u64, range: Option<dto::Range>) -> Result<Self> {
        let range = match range {
            None => {
                let range = Some(ReadRange::Whole);
                return Ok(Wanted { range, start: 0, length: size, partial: false });
            }
            Some(dto::Range::Int { first, last: Some(last) }) => {
                ReadRange::Bytes(first..last.saturating_add(1))
            }
            Some(dto::Range::Int { first, last: None }) => ReadRange::From(first),
            Some(dto::Range::Suffix { length }) => ReadRange::Last(length),
        };
        Self::part_of(size, range)
    }

    /// The bytes of a range, or of a part, or of the whole.
    pub(super) fn of(
        object: &OpenObject,
        range: Option<dto::Range>,
        part: Option<i32>,
    ) -> Result<Self> {
        let size = object.record().size;
        match (range, part) {
            (Some(_), Some(_)) => Err(Error::RangeWithPartNumber.into()),
            (range, None) => Self::of_bytes(size, range),
            (None, Some(part)) => {
                let number = u32::try_from(part).ok();
                let bytes = number.map(|number| object.part(number)).transpose()?.flatten();
                let bytes = bytes.ok_or(Error::PartNumberNotSatisfiable)?;
                if bytes.is_empty() {
                    return Ok(Wanted { range: None, start: 0, length: 0, partial: size > 0 });
                }
                Self::part_of(size, ReadRange::Bytes(bytes))
            }
        }
    }

    fn part_of(size: u64, range: ReadRange) -> Result<Self> {
        let bytes = range.resolve(size)?;
        let (start, length) = (bytes.start, bytes.end - bytes.start);
        Ok(Wanted { range: Some(range), start, length, partial: true })
    }

    /// The header `Content-Range`.
    pub(super) fn content_range(&self, size: u64) -> Option<String> {
        let end = (self.start + self.length).saturating_sub(1);
        self.partial.then(|| format!("bytes {}-{end}/{size}", self.start))
    }

    pub(super) fn status(&self) -> Option<StatusCode> {
        self.partial.then_some(StatusCode::PARTIAL_CONTENT)
    }
}
