//! `GetObjectAttributes`.

use http::HeaderMap;
use object_cipher_core::ChecksumAlgorithm;
use object_cipher_s3::{ReadKey, checksum};
use s3s::{
    S3Request, S3Response,
    dto::{
        Checksum, ETag, GetObjectAttributesInput, GetObjectAttributesOutput,
        GetObjectAttributesParts, ObjectPart,
    },
};

use super::{
    Front, Result, bucket_name,
    encryption::{Place, etag_of},
    object_key,
    request_cipher::Caller,
};

/// A page holds at most so many parts.
const MAX_PARTS: i32 = 1_000;

impl Front {
    pub(super) async fn attributes(
        &self,
        request: S3Request<GetObjectAttributesInput>,
    ) -> Result<S3Response<GetObjectAttributesOutput>> {
        let read_key = ReadKey::parse(&request.headers, self.arrival(&request))?;
        let caller = Caller::of(&request);
        let input = request.input;
        let (bucket, key) = (bucket_name(&input.bucket)?, object_key(&input.key)?);
        let place = Place { bucket: &bucket, key: &key, caller };
        let stored = self.store().get(&bucket, &key).await?;
        let (object, _) = self.open(stored, &read_key, place).await?;
        let (record, opener) = (object.record(), object.opener());
        let wants = |name: &str| {
            let wanted = input.object_attributes.iter();
            wanted.flat_map(|wanted| wanted.as_str().split(',')).any(|wanted| wanted.trim() == name)
        };
        let sealed = opener.checksum().filter(|_| wants("Checksum")).map(|sealed| {
            let of = |algorithm| {
                let is = sealed.checksum.algorithm() == algorithm;
                is.then(|| checksum::encode_object(sealed, record.part_count().unwrap_or(1)))
            };
            Checksum {
                checksum_crc32: of(ChecksumAlgorithm::Crc32),
                checksum_crc32c: of(ChecksumAlgorithm::Crc32C),
                checksum_crc64nvme: of(ChecksumAlgorithm::Crc64Nvme),
                checksum_sha1: of(ChecksumAlgorithm::Sha1),
                checksum_sha256: of(ChecksumAlgorithm::Sha256),
                ..Checksum::default()
            }
        });
        let parts = if wants("ObjectParts") && record.part_count().is_some() {
            Some(page_of(&object.parts()?, input.part_number_marker, input.max_parts))
        } else {
            None
        };
        let etag = etag_of(record, opener).filter(|_| wants("ETag"));
        let output = GetObjectAttributesOutput {
            checksum: sealed,
            e_tag: etag.map(|etag| ETag::Strong(etag.to_string())),
            object_parts: parts,
            object_size: i64::try_from(record.size).ok().filter(|_| wants("ObjectSize")),
            last_modified: Some(super::buckets::timestamp(record.modified)),
            ..GetObjectAttributesOutput::default()
        };
        Ok(S3Response::with_headers(output, HeaderMap::new()))
    }
}

/// A page of an object's parts, behind `marker`.
fn page_of(
    parts: &[(u32, u64)],
    marker: Option<i32>,
    max_parts: Option<i32>,
) -> GetObjectAttributesParts {
    let after = marker.and_then(|marker| u32::try_from(marker).ok()).unwrap_or(0);
    let max_parts = max_parts.unwrap_or(MAX_PARTS).clamp(0, MAX_PARTS);
    let limit = usize::try_from(max_parts).unwrap_or(0);
    let rest: Vec<_> = parts.iter().filter(|(part, _)| *part > after).collect();
    let shown = rest.iter().take(limit).map(|(part, length)| ObjectPart {
        part_number: i32::try_from(*part).ok(),
        size: i64::try_from(*length).ok(),
        ..ObjectPart::default()
    });
    let shown: Vec<_> = shown.collect();
    GetObjectAttributesParts {
        is_truncated: Some(rest.len() > limit),
        max_parts: Some(max_parts),
        next_part_number_marker: shown.last().and_then(|part| part.part_number),
        part_number_marker: Some(marker.unwrap_or(0)),
        parts: Some(shown),
        total_parts_count: i32::try_from(parts.len()).ok(),
    }
}
