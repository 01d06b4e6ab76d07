//! Objects: PUT, GET, HEAD, DELETE, forms, attributes.

use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use object_cipher_core::{Attributes, ChecksumKind, Mode, ObjectChecksum};
use object_cipher_s3::{ObjectETag, Operation, ReadKey, checksum};
use s3s::{
    Body, S3Request, S3Response,
    dto::{
        DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
        DeletedObject, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
        PutObjectInput, PutObjectOutput, StreamingBlob,
    },
};

use super::{
    Front, Refusal, Result,
    access::Asked,
    bucket_name,
    conditions::{WriteCondition, admit_read},
    digests::{Watch, body},
    encryption::{Chosen, Place, etag_of},
    error::twice,
    metadata, object_key,
    ranges::Wanted,
    request_cipher::Caller,
};
use crate::store::{
    self, BucketName, Metadata, ObjectKey, ObjectRecord, OpenObject, StagedObject, There,
};

/// One request deletes at most so many objects.
const MAX_DELETED: usize = 1_000;

impl Front {
    pub(super) async fn put(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> Result<S3Response<PutObjectOutput>> {
        let (bucket, key) = (bucket_name(&request.input.bucket)?, object_key(&request.input.key)?);
        let arrival = self.arrival(&request);
        let place = Place { bucket: &bucket, key: &key, caller: Caller::of(&request) };
        let (chosen, _) = self.to_write(arrival, &request.headers, place).await?;
        let length = request.input.content_length;
        let trailers = request.trailing_headers;
        let (default, etag) = (checksum::DEFAULT, chosen.etag_rule());
        let watch = Watch::new(&request.headers, trailers, length, default, etag)?;
        let mut metadata = metadata::of_headers(&request.headers)?;
        metadata::keep_context(&mut metadata, &chosen.context);
        let source = watch.watch(body(request.input.body));
        let staged = self.store().stage(&bucket, &key, &*chosen.cipher, source).await;
        let staged = staged.map_err(chosen.told())?;
        let condition = WriteCondition::of(&request.headers);
        let mut headers = HeaderMap::new();
        let record = self
            .commit(staged, watch, &chosen, (&bucket, &key), metadata, &condition, &mut headers)
            .await?;
        self.show(&chosen, &record.envelope, Operation::PutObject, &mut headers);
        Ok(S3Response::with_headers(PutObjectOutput::default(), headers))
    }

    /// Seals the digests of a staged body with it, and shows them.
    #[allow(clippy::too_many_arguments)]
    pub(super) async fn commit(
        &self,
        staged: StagedObject,
        watch: Watch,
        chosen: &Chosen,
        (bucket, key): (&BucketName, &ObjectKey),
        metadata: Metadata,
        condition: &WriteCondition,
        headers: &mut HeaderMap,
    ) -> Result<ObjectRecord> {
        let (digests, checksum) = watch.finish()?;
        let (etag, shown) = chosen.etag(&digests)?;
        let checksum = ObjectChecksum { checksum, kind: ChecksumKind::FullObject };
        let attributes =
            Attributes { etag: Some(etag), checksum: Some(checksum), metadata_digest: None };
        let admit = |there: There<'_>| {
            condition.admit(there, |record| self.recorded_etag(bucket, key, record))
        };
        let shown = shown.then(|| ObjectETag::Single(etag).to_string());
        let record = staged.commit(metadata, shown, attributes, admit).await?;
        headers.insert("etag", ObjectETag::Single(etag).header_value());
        show_checksum(&checksum, None, headers);
        Ok(record)
    }

    pub(super) async fn get(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> Result<S3Response<GetObjectOutput>> {
        twice(|| self.begin(&request)).await
    }

    async fn begin(
        &self,
        request: &S3Request<GetObjectInput>,
    ) -> Result<S3Response<GetObjectOutput>> {
        let input = &request.input;
        let (object, chosen) = self.open_for(request, &input.bucket, &input.key).await?;
        let wanted = Wanted::of(&object, input.range, input.part_number)?;
        let mut headers = opened(&object, &wanted, &request.headers);
        self.show(&chosen, &object.record().envelope, Operation::GetObject, &mut headers);
        let size = object.record().size;
        let output = GetObjectOutput {
            // s3s makes 206 of it.
            content_range: wanted.content_range(size),
            body: Some(stream(object, &wanted).await?),
            content_length: i64::try_from(wanted.length).ok(),
            ..GetObjectOutput::default()
        };
        Ok(S3Response::with_headers(output, headers))
    }

    pub(super) async fn head(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> Result<S3Response<HeadObjectOutput>> {
        let input = &request.input;
        let (bucket, key) = (bucket_name(&input.bucket)?, object_key(&input.key)?);
        let record = self.store().head(&bucket, &key).await?;
        let needs_key = wants_checksum(&request.headers) || input.part_number.is_some();
        let (record, wanted, mut headers, chosen) = if is_kms(&record) && !needs_key {
            refuse_version(request.uri.query())?;
            // No call of the KMS: what is told is what the record says, and a GET verifies it.
            ReadKey::parse(&request.headers, self.arrival(&request))?
                .for_object(record.envelope.mode())?;
            let etag = record.etag.as_ref().and_then(|etag| ObjectETag::parse(etag.as_bytes()));
            admit_read(&request.headers, "", etag.as_ref(), record.modified)?;
            let wanted = Wanted::of_bytes(record.size, input.range)?;
            let headers = described(&record, etag, &wanted);
            let place = Place { bucket: &bucket, key: &key, caller: Caller::of(&request) };
            let chosen = self.to_open(&record.envelope, &record.metadata, None, place)?;
            (record, wanted, headers, chosen)
        } else {
            let (object, chosen) = self.open_for(&request, &input.bucket, &input.key).await?;
            let wanted = Wanted::of(&object, input.range, input.part_number)?;
            let headers = opened(&object, &wanted, &request.headers);
            (object.record().clone(), wanted, headers, chosen)
        };
        self.show(&chosen, &record.envelope, Operation::HeadObject, &mut headers);
        let content_length = i64::try_from(wanted.length).ok();
        let content_range = wanted.content_range(record.size);
        let output =
            HeadObjectOutput { content_length, content_range, ..HeadObjectOutput::default() };
        let status = wanted.status();
        Ok(S3Response { status, headers, ..S3Response::new(output) })
    }

    /// Opens an object for a request that reads it: key first, then conditions.
    async fn open_for<T>(
        &self,
        request: &S3Request<T>,
        bucket: &str,
        key: &str,
    ) -> Result<(OpenObject, Chosen)> {
        refuse_version(request.uri.query())?;
        let read_key = ReadKey::parse(&request.headers, self.arrival(request))?;
        let (bucket, key) = (bucket_name(bucket)?, object_key(key)?);
        let place = Place { bucket: &bucket, key: &key, caller: Caller::of(request) };
        let stored = self.store().get(&bucket, &key).await?;
        let (object, chosen) = self.open(stored, &read_key, place).await?;
        let etag = etag_of(object.record(), object.opener());
        admit_read(&request.headers, "", etag.as_ref(), object.record().modified)?;
        Ok((object, chosen))
    }

    pub(super) async fn delete(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (bucket_name(&request.input.bucket)?, object_key(&request.input.key)?);
        self.store().delete(&bucket, &key).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    pub(super) async fn delete_several(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> Result<S3Response<DeleteObjectsOutput>> {
        let bucket = bucket_name(&request.input.bucket)?;
        self.store().bucket(&bucket).await?;
        let who = request.credentials;
        let quiet = request.input.delete.quiet.unwrap_or(false);
        if request.input.delete.objects.len() > MAX_DELETED {
            return Err(object_cipher_s3::Error::MalformedXml.into());
        }
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in request.input.delete.objects {
            let asked = Asked {
                action: "s3:DeleteObject",
                bucket: Some(bucket.as_str()),
                key: Some(&object.key),
                who: who.as_ref(),
                of_upload: false,
            };
            let result = async {
                self.admit(&asked, &request.headers).await?;
                Ok(self.store().delete(&bucket, &object_key(&object.key)?).await?)
            };
            match result.await {
                Ok(()) if quiet => {}
                Ok(()) => {
                    deleted
                        .push(DeletedObject { key: Some(object.key), ..DeletedObject::default() });
                }
                Err(refusal) => {
                    let refusal: Refusal = refusal;
                    errors.push(refusal.of_one(object.key, self.profile()));
                }
            }
        }
        let output = DeleteObjectsOutput {
            deleted: Some(deleted),
            errors: Some(errors),
            ..DeleteObjectsOutput::default()
        };
        Ok(S3Response::new(output))
    }
}

/// The headers that tell about an object that was opened.
fn opened(object: &OpenObject, wanted: &Wanted, asked: &HeaderMap) -> HeaderMap {
    let (record, opener) = (object.record(), object.opener());
    let mut headers = described(record, etag_of(record, opener), wanted);
    if let (Some(checksum), true) = (opener.checksum(), wants_checksum(asked) && !wanted.partial) {
        show_checksum(checksum, record.part_count(), &mut headers);
    }
    headers
}

fn wants_checksum(asked: &HeaderMap) -> bool {
    asked.get("x-amz-checksum-mode").is_some_and(|mode| mode == "ENABLED")
}

/// Whether a KMS has the object's key.
fn is_kms(record: &ObjectRecord) -> bool {
    matches!(record.envelope.mode(), Mode::SseKms | Mode::DsseKms)
}

/// The headers that tell about an object, but for what its key opens.
fn described(record: &ObjectRecord, etag: Option<ObjectETag>, wanted: &Wanted) -> HeaderMap {
    let mut headers = HeaderMap::new();
    metadata::show(&record.metadata, &mut headers);
    headers.entry("content-type").or_insert(HeaderValue::from_static("binary/octet-stream"));
    headers.insert("accept-ranges", HeaderValue::from_static("bytes"));
    if let Some(etag) = etag {
        headers.insert("etag", etag.header_value());
    }
    set(&mut headers, "last-modified", &http_date(record.modified));
    if let (Some(parts), true) = (record.part_count(), wanted.partial) {
        set(&mut headers, "x-amz-mp-parts-count", &parts.to_string());
    }
    headers
}

/// The plaintext, as s3s sends it. Its first piece is there before the answer begins: what fails
/// until then is told.
async fn stream(object: OpenObject, wanted: &Wanted) -> Result<StreamingBlob> {
    let Some(range) = &wanted.range else { return Ok(StreamingBlob::from(Body::empty())) };
    let mut rest = Box::pin(object.read(range)?);
    let first = rest.next().await.transpose()?;
    let frames = futures::stream::iter(first.map(Ok)).chain(rest).map(|piece: store::Result<_>| {
        piece.map(Frame::data).map_err(|error| {
            tracing::error!(%error, "a body cannot be read on");
            std::io::Error::other("the body cannot be read on")
        })
    });
    Ok(StreamingBlob::from(Body::http_body_unsync(StreamBody::new(frames))))
}

/// Shows a checksum in the headers of an answer.
pub(super) fn show_checksum(
    checksum: &ObjectChecksum,
    parts: Option<u32>,
    headers: &mut HeaderMap,
) {
    let value = checksum::encode_object(checksum, parts.unwrap_or(1));
    set(headers, checksum::header(checksum.checksum.algorithm()), &value);
    let kind = match checksum.kind {
        ChecksumKind::Composite => "COMPOSITE",
        _ => "FULL_OBJECT",
    };
    set(headers, "x-amz-checksum-type", kind);
}

pub(super) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// An HTTP date (RFC 9110 section 5.6.7).
pub(super) fn http_date(milliseconds: u64) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(milliseconds);
    httpdate::fmt_http_date(time)
}

/// There is one version of each object: the null version.
fn refuse_version(query: Option<&str>) -> Result<()> {
    let version = query_pairs(query).find(|(name, _)| name == "versionId").map(|(_, value)| value);
    match version.as_deref() {
        None | Some("null" | "") => Ok(()),
        _ => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "NoSuchVersion",
            "The specified version does not exist.",
        )),
    }
}

fn query_pairs(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned()
}
