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
    /// The bytes of a range, or of a part, or of the whole.
    pub(super) fn of(
        object: &OpenObject,
        range: Option<dto::Range>,
        part: Option<i32>,
    ) -> Result<Self> {
        let size = object.record().size;
        let range = match (range, part) {
            (Some(_), Some(_)) => return Err(Error::RangeWithPartNumber.into()),
            (None, None) => {
                let range = Some(ReadRange::Whole);
                return Ok(Wanted { range, start: 0, length: size, partial: false });
            }
            (None, Some(part)) => {
                let number = u32::try_from(part).ok();
                let bytes = number.and_then(|number| object.part(number));
                let bytes = bytes.ok_or(Error::PartNumberNotSatisfiable)?;
                if bytes.is_empty() {
                    return Ok(Wanted { range: None, start: 0, length: 0, partial: size > 0 });
                }
                ReadRange::Bytes(bytes)
            }
            (Some(dto::Range::Int { first, last: Some(last) }), None) => {
                ReadRange::Bytes(first..last.saturating_add(1))
            }
            (Some(dto::Range::Int { first, last: None }), None) => ReadRange::From(first),
            (Some(dto::Range::Suffix { length }), None) => ReadRange::Last(length),
        };
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
