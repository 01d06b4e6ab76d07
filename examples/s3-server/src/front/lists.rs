//! Lists of objects.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{
    S3Request, S3Response,
    dto::{
        CommonPrefix, ETag, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput,
        ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
        ObjectVersion,
    },
};

use super::{Front, Refusal, Result, bucket_name, buckets::timestamp};
use crate::store::{BucketName, Listed, ObjectKey, ObjectRecord, Page, Query};

/// What is encoded in names: all but letters, digits and these.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');
/// A page holds at most so many entries.
pub(super) const MAX_KEYS: i32 = 1_000;

/// A page of a list, as all three operations show it.
struct Shown {
    coding: Coding,
    prefix: String,
    max_keys: i32,
    /// Where the next page begins, if there is one.
    next: Option<String>,
    objects: Vec<Object>,
    common_prefixes: Vec<CommonPrefix>,
}

impl Front {
    pub(super) async fn list_v1(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> Result<S3Response<ListObjectsOutput>> {
        let input = request.input;
        let query = Query {
            prefix: input.prefix.unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after: input.marker.clone().unwrap_or_default(),
            limit: limit(input.max_keys)?,
        };
        let shown = self.shown(&input.bucket, &query, input.encoding_type.as_ref()).await?;
        let coding = shown.coding;
        let output = ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(shown.prefix),
            marker: Some(coding.write(&query.after)),
            delimiter: input.delimiter.map(|delimiter| coding.write(&delimiter)),
            max_keys: Some(shown.max_keys),
            is_truncated: Some(shown.next.is_some()),
            next_marker: shown.next.map(|next| coding.write(&next)),
            contents: Some(shown.objects),
            common_prefixes: Some(shown.common_prefixes),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        };
        Ok(S3Response::new(output))
    }

    pub(super) async fn list_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let token = input.continuation_token.as_deref().map(token).transpose()?;
        let query = Query {
            prefix: input.prefix.unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after: token.or_else(|| input.start_after.clone()).unwrap_or_default(),
            limit: limit(input.max_keys)?,
        };
        let shown = self.shown(&input.bucket, &query, input.encoding_type.as_ref()).await?;
        let coding = shown.coding;
        let output = ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(shown.prefix),
            start_after: input.start_after.map(|after| coding.write(&after)),
            delimiter: input.delimiter.map(|delimiter| coding.write(&delimiter)),
            max_keys: Some(shown.max_keys),
            key_count: i32::try_from(shown.objects.len() + shown.common_prefixes.len()).ok(),
            is_truncated: Some(shown.next.is_some()),
            continuation_token: input.continuation_token,
            next_continuation_token: shown.next.map(|next| URL_SAFE_NO_PAD.encode(next)),
            contents: Some(shown.objects),
            common_prefixes: Some(shown.common_prefixes),
            encoding_type: input.encoding_type,
            ..ListObjectsV2Output::default()
        };
        Ok(S3Response::new(output))
    }

    /// One null version of each object.
    pub(super) async fn list_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> Result<S3Response<ListObjectVersionsOutput>> {
        let input = request.input;
        let query = Query {
            prefix: input.prefix.unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after: input.key_marker.clone().unwrap_or_default(),
            limit: limit(input.max_keys)?,
        };
        let shown = self.shown(&input.bucket, &query, input.encoding_type.as_ref()).await?;
        let coding = shown.coding;
        let versions = shown.objects.into_iter().map(|object| ObjectVersion {
            key: object.key,
            e_tag: object.e_tag,
            size: object.size,
            last_modified: object.last_modified,
            is_latest: Some(true),
            version_id: Some("null".into()),
            ..ObjectVersion::default()
        });
        let output = ListObjectVersionsOutput {
            name: Some(input.bucket),
            prefix: Some(shown.prefix),
            key_marker: Some(coding.write(&query.after)),
            delimiter: input.delimiter.map(|delimiter| coding.write(&delimiter)),
            max_keys: Some(shown.max_keys),
            is_truncated: Some(shown.next.is_some()),
            next_key_marker: shown.next.map(|next| coding.write(&next)),
            versions: Some(versions.collect()),
            common_prefixes: Some(shown.common_prefixes),
            encoding_type: input.encoding_type,
            ..ListObjectVersionsOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn shown(
        &self,
        bucket: &str,
        query: &Query,
        encoding: Option<&EncodingType>,
    ) -> Result<Shown> {
        let bucket = bucket_name(bucket)?;
        let page = self.page(&bucket, query).await?;
        let coding = Coding::of(encoding);
        let next = page.truncated.then(|| last(&page)).flatten();
        let (objects, common_prefixes) = self.entries(&bucket, page, coding);
        let max_keys = i32::try_from(query.limit).unwrap_or(MAX_KEYS);
        let prefix = coding.write(&query.prefix);
        Ok(Shown { coding, prefix, max_keys, next, objects, common_prefixes })
    }

    async fn page(&self, bucket: &BucketName, query: &Query) -> Result<Page> {
        if query.limit == 0 {
            self.store().bucket(bucket).await?;
            return Ok(Page::default());
        }
        Ok(self.store().list(bucket, query).await?)
    }

    fn entries(
        &self,
        bucket: &BucketName,
        page: Page,
        coding: Coding,
    ) -> (Vec<Object>, Vec<CommonPrefix>) {
        let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
        for listed in page.found {
            match listed {
                Listed::Object(key, record) => {
                    objects.push(self.entry(bucket, &key, &record, coding));
                }
                Listed::CommonPrefix(prefix) => {
                    prefixes.push(CommonPrefix { prefix: Some(coding.write(&prefix)) });
                }
            }
        }
        (objects, prefixes)
    }

    fn entry(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        record: &ObjectRecord,
        coding: Coding,
    ) -> Object {
        let etag = self.recorded_etag(bucket, key, record);
        Object {
            key: Some(coding.write(key.as_str())),
            e_tag: etag.map(|etag| ETag::Strong(etag.to_string())),
            size: i64::try_from(record.size).ok(),
            last_modified: Some(timestamp(record.modified)),
            ..Object::default()
        }
    }
}

/// How names are written in a list.
#[derive(Clone, Copy)]
pub(super) enum Coding {
    Plain,
    Url,
}

impl Coding {
    pub(super) fn of(wanted: Option<&EncodingType>) -> Self {
        match wanted {
            Some(wanted) if wanted.as_str() == EncodingType::URL => Self::Url,
            _ => Self::Plain,
        }
    }

    pub(super) fn write(self, name: &str) -> String {
        match self {
            Self::Plain => name.to_owned(),
            Self::Url => utf8_percent_encode(name, ENCODED).to_string(),
        }
    }
}

/// How many entries a page holds.
pub(super) fn limit(max_keys: Option<i32>) -> Result<usize> {
    usize::try_from(max_keys.unwrap_or(MAX_KEYS).min(MAX_KEYS)).map_err(|_| {
        let message = "Argument max-keys must be an integer between 0 and 2147483647";
        Refusal::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    })
}

/// The key that a page ended with.
fn token(token: &str) -> Result<String> {
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|key| String::from_utf8(key).ok());
    key.ok_or_else(|| {
        let message = "The continuation token provided is incorrect";
        Refusal::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    })
}

fn last(page: &Page) -> Option<String> {
    page.found.last().map(|listed| match listed {
        Listed::Object(key, _) => key.as_str().to_owned(),
        Listed::CommonPrefix(prefix) => prefix.clone(),
    })
}
