//! `GetObjectAttributes`.

use http::HeaderMap;
use object_cipher_core::ChecksumAlgorithm;
use object_cipher_s3::{ReadKey, checksum};
use s3s::{
    S3Request, S3Response,
    dto::{
        Checksum, ETag, GetObjectAttributesInput, GetObjectAttributesOutput,
        GetObjectAttributesParts,
    },
};

use super::{Front, Result, bucket_name, encryption::etag_of, object_key};

impl Front {
    pub(super) async fn attributes(
        &self,
        request: S3Request<GetObjectAttributesInput>,
    ) -> Result<S3Response<GetObjectAttributesOutput>> {
        let input = request.input;
        let read_key = ReadKey::parse(&request.headers, self.arrival())?;
        let stored =
            self.store().get(&bucket_name(&input.bucket)?, &object_key(&input.key)?).await?;
        let (object, _) = self.open(stored, &read_key).await?;
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
        let parts = record.part_count().filter(|_| wants("ObjectParts"));
        let parts = parts.map(|count| GetObjectAttributesParts {
            total_parts_count: i32::try_from(count).ok(),
            ..GetObjectAttributesParts::default()
        });
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
