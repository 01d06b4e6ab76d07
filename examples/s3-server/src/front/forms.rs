//! POST forms, whose fields stand for headers.

use http::HeaderMap;
use object_cipher_s3::{FormFields, Operation, checksum, header};
use s3s::{
    S3Request, S3Response,
    dto::{PostObjectInput, PostObjectOutput},
};

use super::{
    Front, Result, bucket_name,
    conditions::WriteCondition,
    digests::{Watch, body},
    encryption::Place,
    metadata, object_key,
    request_cipher::Caller,
};

impl Front {
    pub(super) async fn post(
        &self,
        request: S3Request<PostObjectInput>,
    ) -> Result<S3Response<PostObjectOutput>> {
        let (arrival, caller) = (self.arrival(&request), Caller::of(&request));
        let input = request.input;
        let (bucket, key) = (bucket_name(&input.bucket)?, object_key(&input.key)?);
        let place = Place { bucket: &bucket, key: &key, caller };
        let asked = encryption_fields(&input);
        let (chosen, _) = self.to_write(arrival, &FormFields(&asked), place).await?;
        let pairs = described(&input);
        let mut metadata =
            metadata::of_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        metadata::keep_context(&mut metadata, &chosen.context);
        let nothing = HeaderMap::new();
        let watch = Watch::new(&nothing, None, None, checksum::DEFAULT, chosen.etag_rule())?;
        let source = watch.watch(body(input.body));
        let staged = self.store().stage(&bucket, &key, &*chosen.cipher, source).await;
        let staged = staged.map_err(chosen.told())?;
        let mut headers = HeaderMap::new();
        let any = WriteCondition::of(&nothing);
        let record = self
            .commit(staged, watch, &chosen, (&bucket, &key), metadata, &any, &mut headers)
            .await?;
        self.show(&chosen, &record.envelope, Operation::PostObject, &mut headers);
        Ok(S3Response::with_headers(PostObjectOutput::default(), headers))
    }
}

/// What a form asks of encryption. It is never in the headers of the request.
pub(super) fn encryption_fields(input: &PostObjectInput) -> Vec<(String, String)> {
    let mode = input.server_side_encryption.as_ref().map(|mode| mode.as_str().to_owned());
    let fields = [
        (header::SSE, mode),
        (header::KMS_KEY_ID, input.ssekms_key_id.clone()),
        (header::CONTEXT, input.ssekms_encryption_context.clone()),
        (header::BUCKET_KEY_ENABLED, input.bucket_key_enabled.map(|wish| wish.to_string())),
        (header::CUSTOMER_KEY.algorithm, input.sse_customer_algorithm.clone()),
        (header::CUSTOMER_KEY.key, input.sse_customer_key.clone()),
        (header::CUSTOMER_KEY.key_md5, input.sse_customer_key_md5.clone()),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What a form says of its object.
fn described(input: &PostObjectInput) -> Vec<(String, String)> {
    let own = [
        ("cache-control", input.cache_control.clone()),
        ("content-disposition", input.content_disposition.clone()),
        ("content-encoding", input.content_encoding.clone()),
        ("content-language", input.content_language.clone()),
        ("content-type", input.content_type.clone()),
    ];
    let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let user = input.metadata.iter().flatten();
    let user = user
        .map(|(name, value)| (format!("x-amz-meta-{}", name.to_ascii_lowercase()), value.clone()));
    own.chain(user).collect()
}
