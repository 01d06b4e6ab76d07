//! Buckets.

use http::{HeaderMap, StatusCode};
use s3s::{
    S3Request, S3Response,
    dto::{
        Bucket, CreateBucketInput, CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput,
        DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketLocationInput,
        GetBucketLocationOutput, GetBucketPolicyInput, GetBucketPolicyOutput, HeadBucketInput,
        HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner, PutBucketPolicyInput,
        PutBucketPolicyOutput, Timestamp,
    },
};

use super::{
    ENCRYPTION, Front, Refusal, Result, bucket_name,
    objects::set,
    policy::{POLICY, Policy},
};
use crate::store::BucketName;

impl Front {
    pub(super) async fn create_bucket_named(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> Result<S3Response<CreateBucketOutput>> {
        let bucket = BucketName::parse(request.input.bucket)?;
        let settings = serde_json::json!({ ENCRYPTION: self.shared.new_bucket.to_json() });
        self.store().create_bucket(&bucket, settings).await?;
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

    pub(super) async fn put_policy(
        &self,
        request: S3Request<PutBucketPolicyInput>,
    ) -> Result<S3Response<PutBucketPolicyOutput>> {
        let bucket = bucket_name(&request.input.bucket)?;
        self.store().bucket(&bucket).await?;
        let policy = request.input.policy;
        Policy::parse(&policy, bucket.as_str())?;
        let set = |settings: &mut serde_json::Value| settings[POLICY] = policy.into();
        self.store().change_bucket(&bucket, set).await?;
        Ok(no_content(PutBucketPolicyOutput::default()))
    }

    pub(super) async fn policy(
        &self,
        request: S3Request<GetBucketPolicyInput>,
    ) -> Result<S3Response<GetBucketPolicyOutput>> {
        let record = self.store().bucket(&bucket_name(&request.input.bucket)?).await?;
        let policy = record.settings.get(POLICY).and_then(serde_json::Value::as_str);
        let policy = policy.ok_or_else(|| {
            let message = "The bucket policy does not exist";
            Refusal::new(StatusCode::NOT_FOUND, "NoSuchBucketPolicy", message)
        })?;
        Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy.to_owned()) }))
    }

    pub(super) async fn delete_policy(
        &self,
        request: S3Request<DeleteBucketPolicyInput>,
    ) -> Result<S3Response<DeleteBucketPolicyOutput>> {
        let bucket = bucket_name(&request.input.bucket)?;
        let set = |settings: &mut serde_json::Value| settings[POLICY] = serde_json::Value::Null;
        self.store().change_bucket(&bucket, set).await?;
        Ok(no_content(DeleteBucketPolicyOutput::default()))
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

fn no_content<T>(output: T) -> S3Response<T> {
    S3Response { status: Some(StatusCode::NO_CONTENT), ..S3Response::new(output) }
}

/// A time in milliseconds since the Unix epoch.
pub(super) fn timestamp(milliseconds: u64) -> Timestamp {
    (std::time::UNIX_EPOCH + std::time::Duration::from_millis(milliseconds)).into()
}
