//! Copies: always opened and sealed anew, under another data key.

use http::{HeaderMap, StatusCode};
use object_cipher_core::ReadRange;
use object_cipher_s3::{Error, ObjectETag, Operation, ReadKey, checksum};
use s3s::{
    S3Request, S3Response,
    dto::{
        CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, ETag,
        MetadataDirective, UploadPartCopyInput, UploadPartCopyOutput,
    },
};

use super::{
    Front, Refusal, Result, bucket_name,
    buckets::timestamp,
    conditions::{WriteCondition, admit_read},
    digests::Watch,
    encryption::{Place, etag_of},
    metadata, object_key,
    request_cipher::Caller,
    uploads::part_number,
};
use crate::store::OpenObject;

/// The names of conditions on a copy's source begin so.
const SOURCE: &str = "x-amz-copy-source-";

impl Front {
    pub(super) async fn copy(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> Result<S3Response<CopyObjectOutput>> {
        let (bucket, key) = (bucket_name(&request.input.bucket)?, object_key(&request.input.key)?);
        let place = Place { bucket: &bucket, key: &key, caller: Caller::of(&request) };
        let arrival = self.arrival(&request);
        let (chosen, wish) = self.to_write(arrival, &request.headers, place).await?;
        let source = self.source(&request, &request.input.copy_source).await?;
        let input = request.input;
        let replace = input
            .metadata_directive
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let in_place = is_named(&input.copy_source, bucket.as_str(), key.as_str());
        let mode_changes = source.record().envelope.mode() != chosen.cipher.mode();
        if in_place && !replace && !wish.explicit && !mode_changes {
            // A bucket with settings of its own counts as a wish.
            if !self.bucket_encryption(&bucket).await?.is_set() {
                return Err(Error::CopyChangesNothing.into());
            }
        }
        let mut metadata = if replace {
            metadata::of_headers(&request.headers)?
        } else {
            source.record().metadata.clone()
        };
        // The source's is not copied.
        metadata::keep_context(&mut metadata, &chosen.context);
        let algorithm = source.opener().checksum().map(|sealed| sealed.checksum.algorithm());
        let nothing = HeaderMap::new();
        let (algorithm, etag) = (algorithm.unwrap_or(checksum::DEFAULT), chosen.etag_rule());
        let watch = Watch::new(&nothing, None, None, algorithm, etag)?;
        let plaintext = Box::pin(source.read(&ReadRange::Whole)?);
        let staged =
            self.store().stage(&bucket, &key, &*chosen.cipher, watch.watch(plaintext)).await;
        let staged = staged.map_err(chosen.told())?;
        let condition = WriteCondition::of(&request.headers);
        let mut told = HeaderMap::new();
        let record = self
            .commit(staged, watch, &chosen, (&bucket, &key), metadata, &condition, &mut told)
            .await?;
        let mut headers = HeaderMap::new();
        self.show(&chosen, &record.envelope, Operation::CopyObject, &mut headers);
        let result = CopyObjectResult {
            e_tag: told_etag(&told),
            last_modified: Some(timestamp(record.modified)),
            checksum_crc32: told_checksum(&told, "crc32"),
            checksum_crc32c: told_checksum(&told, "crc32c"),
            checksum_crc64nvme: told_checksum(&told, "crc64nvme"),
            checksum_sha1: told_checksum(&told, "sha1"),
            checksum_sha256: told_checksum(&told, "sha256"),
            ..CopyObjectResult::default()
        };
        let output =
            CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() };
        Ok(S3Response::with_headers(output, headers))
    }

    pub(super) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> Result<S3Response<UploadPartCopyOutput>> {
        let operation = Operation::UploadPartCopy;
        let bucket = bucket_name(&request.input.bucket)?;
        let part_key = self.part_key(operation, &request, &bucket).await?;
        let key = object_key(&request.input.key)?;
        let place = Place { bucket: &bucket, key: &key, caller: Caller::of(&request) };
        let (upload, chosen) = self.resumed(place, &request.input.upload_id, part_key).await?;
        let source = self.source(&request, &request.input.copy_source).await?;
        let input = request.input;
        let range = source_range(input.copy_source_range.as_deref(), source.record().size)?;
        let (algorithm, etag) = (checksum::DEFAULT, chosen.etag_rule());
        let watch = Watch::new(&HeaderMap::new(), None, None, algorithm, etag)?;
        let plaintext = watch.watch(Box::pin(source.read(&range)?));
        let staged = upload.stage(part_number(input.part_number)?, plaintext).await?;
        let mut told = HeaderMap::new();
        let etag = self.commit_part(staged, watch, &chosen, &mut told).await?;
        let mut headers = HeaderMap::new();
        self.show(&chosen, &upload.record().envelope, operation, &mut headers);
        let result = CopyPartResult {
            e_tag: Some(ETag::Strong(ObjectETag::Single(etag).to_string())),
            last_modified: Some(std::time::SystemTime::now().into()),
            ..CopyPartResult::default()
        };
        let output = UploadPartCopyOutput {
            copy_part_result: Some(result),
            ..UploadPartCopyOutput::default()
        };
        Ok(S3Response::with_headers(output, headers))
    }

    /// Opens the source of a copy.
    async fn source<T>(&self, request: &S3Request<T>, source: &CopySource) -> Result<OpenObject> {
        let headers = &request.headers;
        let CopySource::Bucket { bucket, key, version_id } = source else {
            let message = "Copies are made from buckets only.";
            return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message));
        };
        if version_id.as_deref().is_some_and(|version| version != "null") {
            let message = "The specified version does not exist.";
            return Err(Refusal::new(StatusCode::NOT_FOUND, "NoSuchVersion", message));
        }
        let read_key = ReadKey::parse_copy_source(headers, self.arrival(request))?;
        let (bucket, key) = (bucket_name(bucket)?, object_key(key)?);
        let place = Place { bucket: &bucket, key: &key, caller: Caller::of(request) };
        let stored = self.store().get(&bucket, &key).await?;
        let (object, _) = self.open(stored, &read_key, place).await?;
        let etag = etag_of(object.record(), object.opener());
        admit_read(headers, SOURCE, etag.as_ref(), object.record().modified)?;
        Ok(object)
    }
}

fn is_named(source: &CopySource, bucket: &str, key: &str) -> bool {
    matches!(source, CopySource::Bucket { bucket: from, key: name, .. } if **from == *bucket && **name == *key)
}

/// `bytes=first-last`, both inside the source.
fn source_range(range: Option<&str>, size: u64) -> Result<ReadRange> {
    let Some(range) = range else { return Ok(ReadRange::Whole) };
    let ends = range.strip_prefix("bytes=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let Some((first, last)): Option<(u64, u64)> = ends else {
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "InvalidArgument", message));
    };
    if first > last || last >= size {
        let message = "The requested range is not satisfiable";
        return Err(Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message));
    }
    Ok(ReadRange::Bytes(first..last.saturating_add(1)))
}

fn told_etag(told: &HeaderMap) -> Option<ETag> {
    let value = told.get("etag")?.to_str().ok()?;
    Some(ETag::Strong(value.trim_matches('"').to_owned()))
}

fn told_checksum(told: &HeaderMap, name: &str) -> Option<String> {
    Some(told.get(format!("x-amz-checksum-{name}"))?.to_str().ok()?.to_owned())
}
