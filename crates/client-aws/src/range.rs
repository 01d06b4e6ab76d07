//! Ranges, of which nothing is authenticated: [`GetUnauthenticatedRange`].

use std::{fmt, ops::Range};

use aws_sdk_s3::{
    operation::get_object::{GetObjectOutput, builders::GetObjectFluentBuilder},
    primitives::ByteStream,
};
use bytes::Bytes;
use object_cipher_client::s3ec::{Request, UnauthenticatedOpener};
use object_cipher_core::{EncryptionContext, Error as CoreError, ReadRange};

use crate::{
    Error, Result, S3EncryptionClient,
    client::{NO_BUCKET, NO_KEY, Stored, need},
    error,
    instruction_file::check_suffix,
};

/// Reads a range of an object. Made by [`S3EncryptionClient::get_unauthenticated_range`].
///
/// # Security
/// A range has no tag: whoever can write the bucket can flip bits of what comes out. Needs legacy
/// unauthenticated modes. Our own format has ranges that are verified.
///
/// ```no_run
/// use object_cipher_core::ReadRange;
///
/// # use object_cipher_client_aws::{Error, S3EncryptionClient};
/// # async fn example(client: S3EncryptionClient) -> Result<(), Error> {
/// let get = || client.get_unauthenticated_range().bucket("films").key("lions.mp4");
/// let first = get().range(ReadRange::Bytes(0..1_000_000)).send().await?;
/// // The next one is of the same object, or there is none.
/// let e_tag = first.e_tag.unwrap_or_default();
/// let next = get().range(ReadRange::Bytes(1_000_000..2_000_000));
/// let next = next.configure(|request| request.if_match(e_tag)).send().await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct GetUnauthenticatedRange<'c> {
    client: &'c S3EncryptionClient,
    request: GetObjectFluentBuilder,
    range: ReadRange,
    context: Option<EncryptionContext>,
    suffix: Option<String>,
}

/// A range, of which nothing is authenticated.
#[derive(Clone)]
#[non_exhaustive]
pub struct UnauthenticatedRangeOutput {
    /// The content in the range; cut where the object ends.
    pub unauthenticated: Bytes,
    /// The length of the whole stored body, in bytes.
    pub stored_len: u64,
    /// The ETag of the stored body.
    pub e_tag: Option<String>,
}

impl<'c> GetUnauthenticatedRange<'c> {
    pub(crate) fn new(client: &'c S3EncryptionClient) -> Self {
        let request = client.shared.s3.get_object();
        Self { client, request, range: ReadRange::Whole, context: None, suffix: None }
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

    /// Everything else that the SDK's request can say: the version, or by `if_match` the ETag of the range
    /// before, so that all ranges are of one object.
    pub fn configure(
        mut self,
        configure: impl FnOnce(GetObjectFluentBuilder) -> GetObjectFluentBuilder,
    ) -> Self {
        self.request = configure(self.request);
        self
    }

    /// The range of the content, which is held in memory: read a long one as several. One with an open end
    /// may be as long as the client's `max_buffered_len`.
    pub fn range(mut self, range: ReadRange) -> Self {
        self.range = range;
        self
    }

    /// The encryption context that the object was written with.
    pub fn encryption_context(mut self, context: EncryptionContext) -> Self {
        self.context = Some(context);
        self
    }

    /// Another instruction file than the default one, by what stands behind the key: `.partner`.
    pub fn instruction_file_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.suffix = Some(suffix.into());
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// [`Error::Client`] with [`LegacyRange`](object_cipher_client::Error::LegacyRange) where such reads
    /// are not enabled, or with [`CoreError::RangeNotSatisfiable`] for a range behind the end (HTTP 416);
    /// [`Error::Answer`] when another range comes; [`Error::S3`].
    pub async fn send(self) -> Result<UnauthenticatedRangeOutput> {
        let Self { client, request, range, context, suffix } = self;
        let ranges = client.shared.cipher.unauthenticated_ranges()?;
        check_suffix(suffix.as_ref())?;
        check_request(&request, &range)?;
        let bucket = need(request.get_bucket().as_ref(), NO_BUCKET)?.to_owned();
        let key = need(request.get_key().as_ref(), NO_KEY)?.to_owned();
        let version = request.get_version_id().clone();
        let asked = UnauthenticatedOpener::fetch(&range);
        let sent = request.range(header_value(&asked)).send().await;
        let mut output = match sent {
            Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 416) => {
                return Err(Box::pin(client.not_satisfiable(bucket, key, version)).await);
            }
            sent => sent.map_err(error::of("GetObject"))?,
        };
        let metadata = output.metadata.as_ref();
        let object = Stored { bucket: &bucket, key: &key, metadata, suffix: suffix.as_deref() };
        let header = client.header(&object).await?;
        let rq = Request { context: context.as_ref(), ..Request::default() };
        let opener = ranges.open(&header, &rq).await?;
        let (part, stored_len) = answered(&output, &asked, client.shared.max_buffered_len)?;
        let mut fetched = fetch(std::mem::take(&mut output.body), &part).await?;
        let wanted = opener.decrypt(&range, part.start, stored_len, &mut fetched)?;
        let unauthenticated = Bytes::from(fetched).slice(wanted);
        Ok(UnauthenticatedRangeOutput { unauthenticated, stored_len, e_tag: output.e_tag })
    }
}

impl S3EncryptionClient {
    /// The error for a range behind the end, of an object whose length the refusal did not tell.
    async fn not_satisfiable(&self, bucket: String, key: String, version: Option<String>) -> Error {
        let head = self.head_object().bucket(bucket).key(key);
        match head.configure(|rq| rq.set_version_id(version)).send().await {
            Ok(head) => {
                // Of AES-CBC no more is known.
                let stored_len = head.stored.content_length.and_then(|len| u64::try_from(len).ok());
                let length = head.plaintext_len.or(stored_len).unwrap_or_default();
                CoreError::RangeNotSatisfiable { length }.into()
            }
            Err(error) => error,
        }
    }
}

impl fmt::Debug for UnauthenticatedRangeOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnauthenticatedRangeOutput")
            .field("stored_len", &self.stored_len)
            .field("e_tag", &self.e_tag)
            .finish_non_exhaustive()
    }
}

fn check_request(request: &GetObjectFluentBuilder, range: &ReadRange) -> Result<()> {
    let empty = matches!(range, ReadRange::Bytes(range) if range.is_empty());
    if empty || *range == ReadRange::Whole {
        return Err(Error::Request("it names no range, or an empty one"));
    }
    if request.get_range().is_some() || request.get_part_number().is_some() {
        return Err(Error::Request("its range is the content's, and it has no part"));
    }
    Ok(())
}

/// Which bytes came, of how many: those that were asked for, whatever the answer would like them to be.
fn answered(
    output: &GetObjectOutput,
    asked: &ReadRange,
    max_len: usize,
) -> Result<(Range<u64>, u64)> {
    let told = output.content_range.as_deref().and_then(parse_content_range);
    let (part, stored_len) = told.ok_or(Error::Answer("it does not tell which range it is"))?;
    if asked.resolve(stored_len).ok().as_ref() != Some(&part) {
        return Err(Error::Answer("it is another range than was asked for"));
    }
    if matches!(asked, ReadRange::From(_)) && part.end - part.start > max_len as u64 {
        return Err(CoreError::Limit("the range is longer than may be held in memory").into());
    }
    Ok((part, stored_len))
}

/// The bytes of the range, and no more of them.
async fn fetch(mut body: ByteStream, part: &Range<u64>) -> Result<Vec<u8>> {
    let other = Error::Answer("it has not the length of its range");
    let length = part.end - part.start;
    let mut fetched = Vec::new();
    while let Some(bytes) = body.try_next().await? {
        if (fetched.len() + bytes.len()) as u64 > length {
            return Err(other);
        }
        fetched.extend_from_slice(&bytes);
    }
    if fetched.len() as u64 == length { Ok(fetched) } else { Err(other) }
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
