//! Conditional requests.

use http::HeaderMap;
use object_cipher_s3::{ETagList, ObjectETag};
use s3s::dto::{Timestamp, TimestampFormat};

use super::{
    Refusal, Result,
    objects::{http_date, set},
};
use crate::store::{self, ObjectRecord, There};

/// What a request that writes wants of the object that is there.
pub(super) enum WriteCondition {
    Any,
    Absent,
    Match(ETagList),
}

impl WriteCondition {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key("if-none-match") {
            Self::Absent
        } else if let Some(value) = headers.get("if-match") {
            Self::Match(ETagList::parse(value.as_bytes()))
        } else {
            Self::Any
        }
    }

    /// Holds it against the object that is there; `etag` gives the object's ETag, if it opens.
    pub(super) fn admit(
        &self,
        there: There<'_>,
        etag: impl FnOnce(&ObjectRecord) -> Option<ObjectETag>,
    ) -> store::Result<()> {
        match (self, there) {
            (Self::Any, _) | (Self::Absent, There::Nothing) => Ok(()),
            (Self::Absent, _) | (Self::Match(_), There::Damaged) => Err(store::Error::Condition),
            (Self::Match(_), There::Nothing) => Err(store::Error::NoSuchKey),
            (Self::Match(wanted), There::Object(there)) => {
                let matches = etag(there).is_some_and(|etag| wanted.matches(&etag));
                if matches { Ok(()) } else { Err(store::Error::Condition) }
            }
        }
    }
}

/// Holds a request that reads against the object (RFC 9110 section 13.2.2). `prefix` is that of a
/// copy's source.
pub(super) fn admit_read(
    headers: &HeaderMap,
    prefix: &str,
    etag: Option<&ObjectETag>,
    modified: u64,
) -> Result<()> {
    let value = |name: &str| headers.get(format!("{prefix}{name}"));
    let list = |name| value(name).map(|value| ETagList::parse(value.as_bytes()));
    let seconds = modified / 1_000;
    let failed = || Refusal::from(store::Error::Condition);
    let unchanged = || {
        if !prefix.is_empty() {
            return failed();
        }
        let mut told = HeaderMap::new();
        if let Some(etag) = etag {
            told.insert("etag", etag.header_value());
        }
        set(&mut told, "last-modified", &http_date(modified));
        Refusal::NotModified(told)
    };
    match list("if-match") {
        Some(wanted) if !etag.is_some_and(|etag| wanted.matches(etag)) => return Err(failed()),
        None if since(value("if-unmodified-since")).is_some_and(|limit| seconds > limit) => {
            return Err(failed());
        }
        _ => {}
    }
    match list("if-none-match") {
        Some(known) if etag.is_some_and(|etag| known.matches_weakly(etag)) => Err(unchanged()),
        None if since(value("if-modified-since")).is_some_and(|limit| seconds <= limit) => {
            Err(unchanged())
        }
        _ => Ok(()),
    }
}

/// An HTTP date in seconds since the Unix epoch; what is none is passed over.
fn since(value: Option<&http::HeaderValue>) -> Option<u64> {
    let time = Timestamp::parse(TimestampFormat::HttpDate, value?.to_str().ok()?).ok()?;
    let time: time::OffsetDateTime = time.into();
    u64::try_from(time.unix_timestamp()).ok()
}
