//! Buckets.

use http::HeaderMap;
use s3s::{
    S3Request, S3Response,
    dto::{
        Bucket, CreateBucketInput, CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput,
        GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput,
        ListBucketsInput, ListBucketsOutput, Owner, Timestamp,
    },
};

use super::{Front, Result, bucket_name, objects::set};
use crate::store::BucketName;

impl Front {
    pub(super) async fn create_bucket_named(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> Result<S3Response<CreateBucketOutput>> {
        let bucket = BucketName::parse(request.input.bucket)?;
        self.store().create_bucket(&bucket, serde_json::json!({})).await?;
        let mut headers = HeaderMap::new();
        set(&mut headers, "location", &format!("/{}", bucket.as_str()));
        Ok(S3Response::with_headers(CreateBucketOutput::default(), headers))
    }

    pub(super) async fn head_bucket_named(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> Result<S3Response<HeadBucketOutput>> {
        self.store().bucket(&bucket_name(&request.input.bucket)?).await?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    pub(super) async fn delete_bucket_named(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> Result<S3Response<DeleteBucketOutput>> {
        self.store().delete_bucket(&bucket_name(&request.input.bucket)?).await?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    pub(super) async fn location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> Result<S3Response<GetBucketLocationOutput>> {
        self.store().bucket(&bucket_name(&request.input.bucket)?).await?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    pub(super) async fn all_buckets(
        &self,
        _: S3Request<ListBucketsInput>,
    ) -> Result<S3Response<ListBucketsOutput>> {
        let buckets = self.store().buckets().await?.into_iter().map(|(name, record)| Bucket {
            name: Some(name.as_str().into()),
            creation_date: Some(timestamp(record.created)),
            ..Bucket::default()
        });
        let output = ListBucketsOutput {
            buckets: Some(buckets.collect()),
            owner: Some(Owner::default()),
            ..ListBucketsOutput::default()
        };
        Ok(S3Response::new(output))
    }
}

/// A time in milliseconds since the Unix epoch.
pub(super) fn timestamp(milliseconds: u64) -> Timestamp {
    (std::time::UNIX_EPOCH + std::time::Duration::from_millis(milliseconds)).into()
}
