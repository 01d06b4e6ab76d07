//! Ranges, of which nothing is authenticated: [`GetUnauthenticatedRange`].

use std::ops::Range;

use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use bytes::Bytes;
use object_cipher_client::s3ec::{Request, UnauthenticatedOpener};
use object_cipher_core::{EncryptionContext, Error as CoreError, ReadRange};

use crate::{
    Error, Result, S3EncryptionClient,
    client::{NO_BUCKET, NO_KEY, Stored, need},
    error,
};

/// Reads a range of an object. Made by [`S3EncryptionClient::get_unauthenticated_range`].
///
/// # Security
/// A range has no tag: whoever can write the bucket can flip bits of what comes out. Needs legacy
/// unauthenticated modes. Our own format has ranges that are verified.
#[must_use]
pub struct GetUnauthenticatedRange<'c> {
    client: &'c S3EncryptionClient,
    request: GetObjectFluentBuilder,
    range: ReadRange,
    context: Option<EncryptionContext>,
}

/// A range, of which nothing is authenticated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UnauthenticatedRangeOutput {
    /// The content in the range; cut where the object ends.
    pub unauthenticated: Bytes,
    /// The length of the whole stored body, in bytes.
    pub stored_len: u64,
}

impl<'c> GetUnauthenticatedRange<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        let request = client.shared.s3.get_object();
        Self { client, request, range: ReadRange::Whole, context: None }
    }

    /// The bucket.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.request = self.request.bucket(bucket);
        self
    }

    /// The object's key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.request = self.request.key(key);
        self
    }

    /// The range of the content, which is held in memory: read a long one as several.
    pub fn range(mut self, range: ReadRange) -> Self {
        self.range = range;
        self
    }

    /// The encryption context that the object was written with.
    pub fn encryption_context(mut self, context: EncryptionContext) -> Self {
        self.context = Some(context);
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// [`Error::Client`] with [`LegacyRange`](object_cipher_client::Error::LegacyRange) where such reads
    /// are not enabled, or with [`CoreError::RangeNotSatisfiable`] for a range behind the end (HTTP 416);
    /// [`Error::S3`].
    pub async fn send(self) -> Result<UnauthenticatedRangeOutput> {
        let ranges = self.client.shared.cipher.unauthenticated_ranges()?;
        if self.range == ReadRange::Whole {
            return Err(Error::Request("it names no range: see get_object"));
        }
        let bucket = need(self.request.get_bucket().as_ref(), NO_BUCKET)?.to_owned();
        let key = need(self.request.get_key().as_ref(), NO_KEY)?.to_owned();
        let asked = header_value(&UnauthenticatedOpener::fetch(&self.range));
        let sent = self.request.range(asked).send().await;
        let mut output = match sent {
            Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 416) => {
                return Err(CoreError::RangeNotSatisfiable { length: 0 }.into());
            }
            sent => sent.map_err(error::of("GetObject"))?,
        };
        let metadata = output.metadata.as_ref();
        let object = Stored { bucket: &bucket, key: &key, metadata, suffix: None };
        let header = self.client.header(&object).await?;
        let rq = Request { context: self.context.as_ref(), ..Request::default() };
        let opener = ranges.open(&header, &rq).await?;
        let (part, stored_len) = output
            .content_range
            .as_deref()
            .and_then(parse_content_range)
            .ok_or(Error::Answer("it does not tell which range it is"))?;
        let body = std::mem::take(&mut output.body).collect().await?.to_vec();
        let mut fetched = body;
        if fetched.len() as u64 != part.end - part.start {
            return Err(Error::Answer("it has not the length of its range"));
        }
        let wanted = opener.decrypt(&self.range, part.start, stored_len, &mut fetched)?;
        let unauthenticated = Bytes::from(fetched).slice(wanted);
        Ok(UnauthenticatedRangeOutput { unauthenticated, stored_len })
    }
}

/// The value of `Range` (RFC 9110 section 14.2).
fn header_value(range: &ReadRange) -> String {
    match range {
        ReadRange::Bytes(range) => format!("bytes={}-{}", range.start, range.end - 1),
        ReadRange::From(start) => format!("bytes={start}-"),
        ReadRange::Last(count) => format!("bytes=-{count}"),
        _ => "bytes=0-".to_owned(),
    }
}

/// The range and the whole length in `bytes 0-15/1000`.
fn parse_content_range(value: &str) -> Option<(Range<u64>, u64)> {
    let (range, whole) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    let (end, whole) = (last.checked_add(1)?, whole.parse().ok()?);
    (first < end && end <= whole).then_some((first..end, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_content_range_with_both_ends_and_a_length_is_taken() {
        assert_eq!(parse_content_range("bytes 0-15/16"), Some((0..16, 16)));
        let bad = ["", "bytes 0-15", "bytes 0-15/*", "bytes */16", "bytes 5-4/16", "bytes 0-16/16"];
        for value in bad {
            assert_eq!(parse_content_range(value), None, "{value}");
        }
        assert_eq!(parse_content_range("bytes 0-18446744073709551615/1"), None);
    }

    #[test]
    fn ranges_are_asked_for_as_http_spells_them() {
        assert_eq!(header_value(&ReadRange::Bytes(0..16)), "bytes=0-15");
        assert_eq!(header_value(&ReadRange::From(32)), "bytes=32-");
        assert_eq!(header_value(&ReadRange::Last(64)), "bytes=-64");
    }
}
