//! Lists of uploads and of their parts.

use object_cipher_core::Mode;
use object_cipher_s3::{ObjectETag, Operation};
use s3s::{
    S3Request, S3Response,
    dto::{
        CommonPrefix, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
        ListPartsOutput, MultipartUpload, Part,
    },
};

use super::{
    Front, Result, bucket_name,
    buckets::timestamp,
    encryption::Place,
    lists::{Coding, MAX_KEYS, limit},
    object_key,
    request_cipher::Caller,
};
use crate::store::{PartRecord, Upload, UploadId, UploadRecord};

/// A page of parts.
const MAX_PARTS_LISTED: usize = 1_000;

impl Front {
    pub(super) async fn parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> Result<S3Response<ListPartsOutput>> {
        let bucket = bucket_name(&request.input.bucket)?;
        let key = object_key(&request.input.key)?;
        let id = UploadId::parse(&request.input.upload_id)?;
        let record = self.store().upload(&bucket, &key, &id).await?;
        // A customer's key is not needed, but what is sent has to be in order.
        self.part_key(Operation::ListParts, &request, &bucket).await?;
        let caller = Caller::of(&request);
        let input = request.input;
        let after = input.part_number_marker.and_then(|marker| u32::try_from(marker).ok());
        let limit = input.max_parts.and_then(|max| usize::try_from(max).ok());
        let limit = limit.unwrap_or(MAX_PARTS_LISTED).min(MAX_PARTS_LISTED);
        let mut kept = self.store().parts(&id).await?;
        kept.retain(|(part, _)| after.is_none_or(|after| *part > after));
        let truncated = kept.len() > limit;
        kept.truncate(limit);
        // The MD5 ETags of SSE-S3 are in the receipts; those of other modes are random and in clear.
        let place = Place { bucket: &bucket, key: &key, caller };
        let sealed = match record.envelope.mode() {
            Mode::SseS3 => Some(self.resume(place, &id, &record, None).await?.0),
            _ => None,
        };
        let mut parts = Vec::with_capacity(kept.len());
        for (number, part) in &kept {
            parts.push(shown_part(*number, part, sealed.as_ref()).await?);
        }
        let last = parts.last().and_then(|part| part.part_number);
        let output = ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            is_truncated: Some(truncated),
            part_number_marker: input.part_number_marker,
            next_part_number_marker: last.filter(|_| truncated),
            max_parts: i32::try_from(limit).ok(),
            parts: Some(parts),
            ..ListPartsOutput::default()
        };
        Ok(S3Response::new(output))
    }

    pub(super) async fn uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        let max_uploads = input.max_uploads.unwrap_or(MAX_KEYS).min(MAX_KEYS);
        let limit = limit(Some(max_uploads))?;
        let uploads = self.store().uploads(&bucket_name(&input.bucket)?).await?;
        let mut entries = entries(uploads, &input);
        let truncated = limit > 0 && entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| truncated);
        let next = last.map(|(name, upload)| {
            (name.clone(), upload.as_ref().map(|(id, _)| id.as_str().to_owned()))
        });
        let coding = Coding::of(input.encoding_type.as_ref());
        let (mut uploads, mut prefixes) = (Vec::new(), Vec::new());
        for (name, upload) in entries {
            let name = Some(coding.write(&name));
            match upload {
                None => prefixes.push(CommonPrefix { prefix: name }),
                Some((id, record)) => uploads.push(MultipartUpload {
                    key: name,
                    upload_id: Some(id.as_str().into()),
                    initiated: Some(timestamp(record.created)),
                    ..MultipartUpload::default()
                }),
            }
        }
        let encoded = |name: Option<String>| name.map(|name| coding.write(&name));
        let (next_key, next_id) = next.unzip();
        let output = ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: encoded(input.prefix),
            delimiter: encoded(input.delimiter),
            key_marker: encoded(input.key_marker),
            upload_id_marker: input.upload_id_marker,
            next_key_marker: encoded(next_key),
            next_upload_id_marker: next_id.flatten(),
            max_uploads: Some(max_uploads),
            is_truncated: Some(truncated),
            encoding_type: input.encoding_type,
            uploads: Some(uploads),
            common_prefixes: Some(prefixes),
            ..ListMultipartUploadsOutput::default()
        };
        Ok(S3Response::new(output))
    }
}
/// What is listed under its key, or as one with others under what they begin with.
type Entry = (String, Option<(UploadId, UploadRecord)>);

/// The entries behind the markers, of uploads in order.
fn entries(
    uploads: Vec<(UploadId, UploadRecord)>,
    input: &ListMultipartUploadsInput,
) -> Vec<Entry> {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let after = input.key_marker.as_deref().unwrap_or_default();
    let mut entries: Vec<Entry> = Vec::new();
    for (id, record) in uploads {
        let Some(rest) = record.key.strip_prefix(prefix) else { continue };
        let cut = delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
        if let Some(cut) = cut {
            let common = &record.key[..prefix.len() + cut];
            if common > after && entries.last().is_none_or(|(last, _)| last != common) {
                entries.push((common.to_owned(), None));
            }
        } else if record.key.as_str() > after
            || (record.key == after
                && input.upload_id_marker.as_deref().is_some_and(|marker| id.as_str() > marker))
        {
            entries.push((record.key.clone(), Some((id, record))));
        }
    }
    entries
}

/// A part as a list shows it.
async fn shown_part(number: u32, part: &PartRecord, sealed: Option<&Upload>) -> Result<Part> {
    let etag = match (&part.etag, sealed) {
        (Some(etag), _) => Some(etag.clone()),
        (None, Some(upload)) => {
            let receipt = upload.receipt(number, part, None).await?;
            Some(ObjectETag::Single(receipt.etag()).to_string())
        }
        (None, None) => None,
    };
    Ok(Part {
        part_number: i32::try_from(number).ok(),
        size: i64::try_from(part.size).ok(),
        last_modified: Some(timestamp(part.modified)),
        e_tag: etag.map(ETag::Strong),
        ..Part::default()
    })
}
