//! Which of s3s's operations goes where.

use s3s::{S3, S3Request, S3Response, S3Result, dto};

use super::Front;

/// Forwards operations; a refusal leaves its answer in the request's slot.
macro_rules! operations {
    ($($operation:ident($input:ident) -> $output:ident = $method:ident;)+) => {
        #[async_trait::async_trait]
        impl S3 for Front {
            $(async fn $operation(
                &self,
                request: S3Request<dto::$input>,
            ) -> S3Result<S3Response<dto::$output>> {
                let extensions = request.extensions.clone();
                let result = self.$method(request).await;
                result.map_err(|refusal| refusal.into_host(&extensions, self.profile()))
            })+
        }
    };
}

operations! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput = create_bucket_named;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = head_bucket_named;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = delete_bucket_named;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = location;
    put_bucket_policy(PutBucketPolicyInput) -> PutBucketPolicyOutput = put_policy;
    get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput = policy;
    delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput = delete_policy;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = all_buckets;
    put_object(PutObjectInput) -> PutObjectOutput = put;
    post_object(PostObjectInput) -> PostObjectOutput = post;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = attributes;
    get_object(GetObjectInput) -> GetObjectOutput = get;
    head_object(HeadObjectInput) -> HeadObjectOutput = head;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = delete_several;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copy;
    list_objects(ListObjectsInput) -> ListObjectsOutput = list_v1;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list_v2;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = list_versions;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = create;
    upload_part(UploadPartInput) -> UploadPartOutput = part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copy_part;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = abort;
    list_parts(ListPartsInput) -> ListPartsOutput = parts;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = uploads;
}
