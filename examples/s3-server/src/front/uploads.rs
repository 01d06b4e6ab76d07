//! Multipart uploads.

use http::{HeaderMap, StatusCode};
use object_cipher_core::{
    Attributes, Checksum, ChecksumAlgorithm, ChecksumKind, Completion, ETag as RawETag, Mode,
    ObjectChecksum, PartReceipt,
};
use object_cipher_s3::{CustomerKey, ETagRule, Error, ObjectETag, Operation, PartKey, checksum};
use s3s::{
    S3Request, S3Response,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
        CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
        CreateMultipartUploadOutput, ETag, UploadPartInput, UploadPartOutput,
    },
};
use serde_json::json;

use super::{
    Front, Refusal, Result, bucket_name,
    conditions::WriteCondition,
    digests::{Watch, body},
    encryption::{Chosen, Place},
    metadata, object_key,
    objects::{set, show_checksum},
    request_cipher::Caller,
};
use crate::store::{
    self, BucketName, NamedPart, StagedPart, There, Upload, UploadId, UploadRecord,
};

/// Each part but the last has at least so many bytes.
const LEAST_PART: u64 = 5 * 1024 * 1024;

impl Front {
    pub(super) async fn create(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Result<S3Response<CreateMultipartUploadOutput>> {
        let (arrival, caller) = (self.arrival(&request), Caller::of(&request));
        let input = request.input;
        let (bucket, key) = (bucket_name(&input.bucket)?, object_key(&input.key)?);
        let place = Place { bucket: &bucket, key: &key, caller };
        let (chosen, _) = self.to_write(arrival, &request.headers, place).await?;
        let mut metadata = metadata::of_headers(&request.headers)?;
        metadata::keep_context(&mut metadata, &chosen.context);
        let algorithm = header(&request.headers, "x-amz-checksum-algorithm");
        let algorithm = algorithm.map(checksum::from_name).transpose()?;
        // S3 lets who sent no checksum algorithm complete an SSE-C upload without the key.
        let keyless = algorithm.is_none() && chosen.cipher.mode() == Mode::SseC;
        let completion = if keyless { Completion::Keyless } else { Completion::WithKey };
        let kind = header(&request.headers, "x-amz-checksum-type");
        let settings = json!({ "checksum": algorithm.map(checksum::name), "kind": kind });
        let upload = self.store().create_upload(
            &bucket,
            &key,
            &*chosen.cipher,
            completion,
            metadata,
            settings,
        );
        let upload = upload.await.map_err(chosen.told())?;
        let mut headers = HeaderMap::new();
        let envelope = &upload.record().envelope;
        self.show(&chosen, envelope, Operation::CreateMultipartUpload, &mut headers);
        if let Some(algorithm) = algorithm {
            set(&mut headers, "x-amz-checksum-algorithm", checksum::name(algorithm));
            let kind = kind.unwrap_or(match checksum::default_kind(algorithm) {
                ChecksumKind::FullObject => "FULL_OBJECT",
                _ => "COMPOSITE",
            });
            set(&mut headers, "x-amz-checksum-type", kind);
        }
        let output = CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload.id().as_str().into()),
            ..CreateMultipartUploadOutput::default()
        };
        Ok(S3Response::with_headers(output, headers))
    }

    pub(super) async fn part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> Result<S3Response<UploadPartOutput>> {
        let operation = Operation::UploadPart;
        let bucket = bucket_name(&request.input.bucket)?;
        let part_key = self.part_key(operation, &request, &bucket).await?;
        let caller = Caller::of(&request);
        let input = request.input;
        let key = object_key(&input.key)?;
        let place = Place { bucket: &bucket, key: &key, caller };
        let (upload, chosen) = self.resumed(place, &input.upload_id, part_key).await?;
        let default = algorithm(upload.record()).unwrap_or(checksum::DEFAULT);
        let (trailers, length) = (request.trailing_headers, input.content_length);
        let etag = chosen.etag_rule();
        let watch = Watch::new(&request.headers, trailers, length, default, etag)?;
        let number = part_number(input.part_number)?;
        let staged = upload.stage(number, watch.watch(body(input.body))).await?;
        let mut headers = HeaderMap::new();
        let etag = self.commit_part(staged, watch, &chosen, &mut headers).await?;
        headers.insert("etag", ObjectETag::Single(etag).header_value());
        self.show(&chosen, &upload.record().envelope, operation, &mut headers);
        Ok(S3Response::with_headers(UploadPartOutput::default(), headers))
    }

    /// Seals the digests of a staged part with it, and shows its checksum.
    pub(super) async fn commit_part(
        &self,
        staged: StagedPart,
        watch: Watch,
        chosen: &Chosen,
        headers: &mut HeaderMap,
    ) -> Result<RawETag> {
        let (digests, checksum) = watch.finish()?;
        let (etag, shown) = chosen.etag(&digests)?;
        staged.commit(etag, shown, &[checksum]).await?;
        set(headers, checksum::header(checksum.algorithm()), &checksum::encode(&checksum));
        Ok(etag)
    }

    pub(super) async fn part_key<T>(
        &self,
        operation: Operation,
        request: &S3Request<T>,
        bucket: &BucketName,
    ) -> Result<PartKey> {
        let default = self.bucket_encryption(bucket).await?;
        let arrival = self.arrival(request);
        Ok(PartKey::parse(operation, &request.headers, arrival, &default, self.profile())?)
    }

    /// Goes on with an upload under the key that a request for a part brings.
    pub(super) async fn resumed(
        &self,
        place: Place<'_>,
        id: &str,
        part_key: PartKey,
    ) -> Result<(Upload, Chosen)> {
        let id = UploadId::parse(id)?;
        let record = self.store().upload(place.bucket, place.key, &id).await?;
        let customer = part_key.for_part(record.envelope.mode())?;
        self.resume(place, &id, &record, customer.as_ref()).await
    }

    pub(super) async fn resume(
        &self,
        place: Place<'_>,
        id: &UploadId,
        record: &UploadRecord,
        customer: Option<&CustomerKey>,
    ) -> Result<(Upload, Chosen)> {
        let mode = record.envelope.mode();
        let (bucket, key) = (place.bucket, place.key);
        let chosen = self.to_open(&record.envelope, &record.metadata, customer, place)?;
        let resumed = self.store().resume(bucket, key, id, &*chosen.cipher).await;
        let told = |error| Refusal::told(error, |error| Error::from_upload(error, mode));
        Ok((resumed.map_err(told)?, chosen))
    }

    pub(super) async fn complete(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = &request.input;
        let (bucket, key) = (bucket_name(&input.bucket)?, object_key(&input.key)?);
        let operation = Operation::CompleteMultipartUpload;
        let part_key = self.part_key(operation, &request, &bucket).await?;
        let id = UploadId::parse(&input.upload_id)?;
        let upload = self.store().upload(&bucket, &key, &id).await?;
        let mode = upload.envelope.mode();
        let completion = if upload.envelope.allows_keyless_completion() {
            Completion::Keyless
        } else {
            Completion::WithKey
        };
        let customer = part_key.for_completion(mode, completion, self.profile())?;
        let parts = input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref());
        let named = named_parts(parts.unwrap_or_default())?;
        let place = Place { bucket: &bucket, key: &key, caller: Caller::of(&request) };
        let condition = WriteCondition::of(&request.headers);
        let admit = |there: There<'_>| {
            condition.admit(there, |record| self.recorded_etag(&bucket, &key, record))
        };

        let mut headers = HeaderMap::new();
        let etag = if customer.is_none() && mode == Mode::SseC {
            let done = self
                .store()
                .complete_keyless(&bucket, &key, &id, &named, LEAST_PART, admit)
                .await?;
            done.etag.and_then(|etag| ObjectETag::parse(etag.as_bytes()))
        } else {
            let (upload, chosen) = self.resume(place, &id, &upload, customer.as_ref()).await?;
            let mut made = None;
            let attributes = |receipts: &[PartReceipt]| {
                let (attributes, etag) = attributes_of(upload.record(), receipts)?;
                made = Some((attributes.clone(), etag));
                let shown = ETagRule::of(mode) == ETagRule::Random;
                Ok((attributes, shown.then(|| etag.to_string())))
            };
            let done = upload.complete(&*chosen.cipher, &named, LEAST_PART, attributes, admit);
            let record = done.await.map_err(chosen.told())?;
            self.show(&chosen, &record.envelope, operation, &mut headers);
            if let Some(checksum) = made.as_ref().and_then(|(made, _)| made.checksum.as_ref()) {
                show_checksum(checksum, u32::try_from(named.len()).ok(), &mut headers);
            }
            made.map(|(_, etag)| etag)
        };
        let output = CompleteMultipartUploadOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(input.key.clone()),
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            e_tag: etag.map(|etag| ETag::Strong(etag.to_string())),
            ..CompleteMultipartUploadOutput::default()
        };
        Ok(S3Response::with_headers(output, headers))
    }

    pub(super) async fn abort(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        let (bucket, key) = (bucket_name(&input.bucket)?, object_key(&input.key)?);
        self.store().abort(&bucket, &key, &UploadId::parse(&input.upload_id)?).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

pub(super) fn part_number(number: i32) -> Result<u32> {
    let number = u32::try_from(number).ok().filter(|number| (1..=10_000).contains(number));
    number.ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        Refusal::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    })
}

/// The parts that a client names. An ETag that is none of ours names no part.
fn named_parts(parts: &[CompletedPart]) -> Result<Vec<NamedPart>> {
    if parts.is_empty() {
        return Err(Error::MalformedXml.into());
    }
    let named = parts.iter().map(|named| {
        let part = part_number(named.part_number.unwrap_or(0))?;
        let etag = named.e_tag.as_ref().and_then(|etag| ObjectETag::parse(etag.value().as_bytes()));
        let Some(ObjectETag::Single(etag)) = etag else {
            return Err(store::Error::Part(part).into());
        };
        Ok(NamedPart { part, etag, checksum: named_checksum(named)? })
    });
    named.collect()
}

fn named_checksum(part: &CompletedPart) -> Result<Option<Checksum>> {
    use ChecksumAlgorithm::{Crc32, Crc32C, Crc64Nvme, Sha1, Sha256};
    let named = [
        (Crc32, &part.checksum_crc32),
        (Crc32C, &part.checksum_crc32c),
        (Crc64Nvme, &part.checksum_crc64nvme),
        (Sha1, &part.checksum_sha1),
        (Sha256, &part.checksum_sha256),
    ];
    let named = named.into_iter().find_map(|(algorithm, value)| Some((algorithm, value.as_ref()?)));
    Ok(named.map(|(algorithm, value)| checksum::parse(algorithm, value.as_bytes())).transpose()?)
}

/// What is sealed with an object of these parts, and its ETag.
fn attributes_of(
    upload: &UploadRecord,
    receipts: &[PartReceipt],
) -> store::Result<(Attributes, ObjectETag)> {
    let etag = ObjectETag::of_parts(receipts.iter().map(PartReceipt::etag));
    let Some(etag @ ObjectETag::Multipart { digest, .. }) = etag else {
        return Err(store::Error::PartOrder);
    };
    let algorithm = algorithm(upload).unwrap_or(checksum::DEFAULT);
    let kind = match upload.settings.get("kind").and_then(serde_json::Value::as_str) {
        Some("FULL_OBJECT") => ChecksumKind::FullObject,
        Some("COMPOSITE") => ChecksumKind::Composite,
        _ => checksum::default_kind(algorithm),
    };
    let of_part = |receipt: &PartReceipt| {
        receipt.checksums().iter().find(|checksum| checksum.algorithm() == algorithm).copied()
    };
    let parts: Option<Vec<_>> =
        receipts.iter().map(|receipt| Some((of_part(receipt)?, receipt.plaintext_len()))).collect();
    // Parts under another algorithm than the upload's make none.
    let checksum = parts.and_then(|parts| match kind {
        ChecksumKind::FullObject => checksum::full_object(parts),
        _ => checksum::composite(parts.into_iter().map(|(checksum, _)| checksum)),
    });
    let checksum = checksum.map(|checksum| ObjectChecksum { checksum, kind });
    Ok((Attributes { etag: Some(digest), checksum, metadata_digest: None }, etag))
}

/// The checksum algorithm that an upload was created with.
fn algorithm(upload: &UploadRecord) -> Option<ChecksumAlgorithm> {
    checksum::from_name(upload.settings.get("checksum")?.as_str()?).ok()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
