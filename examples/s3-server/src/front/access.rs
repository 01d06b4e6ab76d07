//! Who may do what: clients by their access keys, and what the policy of a bucket says.

use std::borrow::Cow;

use object_cipher_s3::{ConditionKeys, Error, Fields};
use s3s::{
    S3Request, S3Result,
    access::{S3Access, S3AccessContext},
    auth::Credentials,
    dto::{CopyObjectInput, CopySource, PostObjectInput, UploadPartCopyInput},
    path::S3Path,
};

use super::{
    Front, Refusal, Result, forms,
    policy::{Call, Decision, POLICY, Policy},
    request_cipher::Caller,
};
use crate::store::{self, BucketName};

/// Asks before an operation looks at anything else of its request.
pub(super) struct Access(pub(super) Front);

/// What is asked for, of what, by whom. Names are as the request has them.
pub(super) struct Asked<'a> {
    /// Such as `s3:PutObject`.
    pub(super) action: &'a str,
    pub(super) bucket: Option<&'a str>,
    pub(super) key: Option<&'a str>,
    pub(super) who: Option<&'a Credentials>,
    /// Whether it goes on with an upload.
    pub(super) of_upload: bool,
}

impl Front {
    /// Whether a request may go on: of a client with an access key unless a policy denies it, of
    /// others only if a policy allows it.
    pub(super) async fn admit<F: Fields + Sync>(
        &self,
        asked: &Asked<'_>,
        fields: &F,
    ) -> Result<()> {
        let decision = match asked.bucket {
            // Who owns a bucket can always take back a policy that denies everything.
            Some(_) if asked.action.ends_with("BucketPolicy") => Decision::Silent,
            Some(bucket) => self.decide(bucket, asked, fields).await?,
            None => Decision::Silent,
        };
        match decision {
            Decision::Allowed => Ok(()),
            Decision::Silent if asked.who.is_some() => Ok(()),
            Decision::Silent | Decision::Denied => Err(Error::Denied.into()),
        }
    }

    async fn decide<F: Fields + Sync>(
        &self,
        bucket: &str,
        asked: &Asked<'_>,
        fields: &F,
    ) -> Result<Decision> {
        let Ok(name) = BucketName::parse(bucket) else { return Ok(Decision::Silent) };
        let settings = match self.store().bucket(&name).await {
            Ok(record) => record.settings,
            // The operation tells it, to those who may know.
            Err(store::Error::NoSuchBucket) => return Ok(Decision::Silent),
            Err(error) => return Err(error.into()),
        };
        let Some(text) = settings.get(POLICY).and_then(serde_json::Value::as_str) else {
            return Ok(Decision::Silent);
        };
        let policy = Policy::parse(text, bucket)
            .map_err(|_| Refusal::from(store::Error::Altered("policy of a bucket")))?;
        let resource = match asked.key {
            Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
            None => format!("arn:aws:s3:::{bucket}"),
        };
        let caller =
            Caller { principal: asked.who.map(|who| who.access_key.clone()), request_id: None };
        let kms_key = if policy.asks_for_the_kms_key() && asked.key.is_some() {
            self.kms_key_of(fields, &name, &caller).await
        } else {
            None
        };
        Ok(policy.decide(&Call {
            action: asked.action,
            resource: &resource,
            access_key: asked.who.map(|who| who.access_key.as_str()),
            secure: self.shared.tls,
            encryption: &ConditionKeys::of(fields, kms_key.as_deref()),
            of_upload: asked.of_upload,
        }))
    }

    async fn admit_source<T>(&self, request: &S3Request<T>, source: &CopySource) -> Result<()> {
        let CopySource::Bucket { bucket, key, .. } = source else { return Ok(()) };
        let asked = Asked {
            action: "s3:GetObject",
            bucket: Some(bucket),
            key: Some(key),
            who: request.credentials.as_ref(),
            of_upload: false,
        };
        self.admit(&asked, &request.headers).await
    }

    async fn admit_operation(&self, cx: &S3AccessContext<'_>) -> Result<()> {
        let operation = cx.s3_op().name();
        let (bucket, key) = match cx.s3_path() {
            S3Path::Root => (None, None),
            S3Path::Bucket { bucket } => (Some(&**bucket), None),
            S3Path::Object { bucket, key } => (Some(&**bucket), Some(&**key)),
        };
        let of_upload =
            matches!(operation, "UploadPart" | "UploadPartCopy" | "CompleteMultipartUpload");
        for action in actions(operation) {
            let asked = Asked { action: &action, bucket, key, who: cx.credentials(), of_upload };
            self.admit(&asked, cx.headers()).await?;
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        // Forms are asked about below, once they are read, and deletions one by one.
        if matches!(cx.s3_op().name(), "PostObject" | "DeleteObjects") {
            return Ok(());
        }
        let result = self.0.admit_operation(cx).await;
        result.map_err(|refusal| refusal.into_host(cx.extensions_mut(), self.0.profile()))
    }

    async fn post_object(&self, request: &mut S3Request<PostObjectInput>) -> S3Result<()> {
        let PostObjectInput { bucket, key, .. } = &request.input;
        let asked = Asked {
            action: "s3:PutObject",
            bucket: Some(bucket),
            key: Some(key),
            who: request.credentials.as_ref(),
            of_upload: false,
        };
        let fields = forms::encryption_fields(&request.input);
        let result = self.0.admit(&asked, &object_cipher_s3::FormFields(&fields)).await;
        result.map_err(|refusal| refusal.into_host(&request.extensions, self.0.profile()))
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        let result = self.0.admit_source(request, &request.input.copy_source).await;
        result.map_err(|refusal| refusal.into_host(&request.extensions, self.0.profile()))
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        let result = self.0.admit_source(request, &request.input.copy_source).await;
        result.map_err(|refusal| refusal.into_host(&request.extensions, self.0.profile()))
    }
}

/// The actions that a client must be allowed for an operation.
fn actions(operation: &str) -> Vec<Cow<'static, str>> {
    let actions: &[&str] = match operation {
        "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => &["s3:PutObject"],
        "HeadObject" => &["s3:GetObject"],
        "GetObjectAttributes" => &["s3:GetObject", "s3:GetObjectAttributes"],
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => &["s3:ListBucket"],
        "ListObjectVersions" => &["s3:ListBucketVersions"],
        "ListMultipartUploads" => &["s3:ListBucketMultipartUploads"],
        "ListParts" => &["s3:ListMultipartUploadParts"],
        "ListBuckets" => &["s3:ListAllMyBuckets"],
        other => return vec![format!("s3:{other}").into()],
    };
    actions.iter().map(|action| Cow::Borrowed(*action)).collect()
}
