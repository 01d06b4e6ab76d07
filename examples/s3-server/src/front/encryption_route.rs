//! `?encryption` on buckets and objects, which s3s cannot parse in full, and would take for a
//! `PutObject` on an object: [`EncryptionRoute`].

use futures::StreamExt as _;
use http::{Extensions, HeaderMap, Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use object_cipher_core::Mode;
use object_cipher_s3::{
    BucketEncryption, ETagRule, Encryption, Error, ObjectEncryption, ReadKey, SseRequest, checksum,
};
use s3s::{Body, S3Request, S3Response, S3Result, route::S3Route};

use super::{
    ENCRYPTION, Front, Refusal, Result, access::Asked, bucket_name, digests::Watch,
    encryption::Place, metadata, object_key, request_cipher::Caller,
};
use crate::store;

/// A configuration takes at most so many bytes.
const MAX_BODY_LEN: usize = 64 * 1024;

/// Takes every request with `?encryption`.
pub(super) struct EncryptionRoute(pub(super) Front);

#[async_trait::async_trait]
impl S3Route for EncryptionRoute {
    fn is_match(&self, _: &Method, uri: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        let query = uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "encryption")
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        let result = self.0.admit_route(request).await;
        result.map_err(|refusal| refusal.into_host(&request.extensions, self.0.profile()))
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let extensions = request.extensions.clone();
        let profile = self.0.profile();
        let result = self.0.route_encryption(request).await;
        result.map_err(|refusal| refusal.into_host(&extensions, profile))
    }
}

impl Front {
    async fn admit_route(&self, request: &S3Request<Body>) -> Result<()> {
        let (bucket, key) = target(&request.uri)?;
        let action = match (&key, &request.method) {
            (Some(_), _) => "s3:UpdateObjectEncryption",
            (None, &Method::GET) => "s3:GetEncryptionConfiguration",
            (None, _) => "s3:PutEncryptionConfiguration",
        };
        let asked = Asked {
            action,
            bucket: Some(&bucket),
            key: key.as_deref(),
            who: request.credentials.as_ref(),
            of_upload: false,
        };
        self.admit(&asked, &request.headers).await
    }

    async fn route_encryption(&self, request: S3Request<Body>) -> Result<S3Response<Body>> {
        match target(&request.uri)? {
            (bucket, None) => {
                let bucket = bucket_name(&bucket)?;
                // That there is no such bucket is told before the body is looked at.
                let previous = self.bucket_encryption(&bucket).await?;
                match request.method {
                    Method::GET => {
                        let shown = previous.shown(self.profile())?;
                        Ok(S3Response::new(Body::from(shown.to_xml())))
                    }
                    Method::PUT => {
                        let wanted = BucketEncryption::from_xml(&read(request).await?)?;
                        self.set_encryption(&bucket, wanted.merged_over(&previous)).await?;
                        Ok(S3Response::new(Body::empty()))
                    }
                    Method::DELETE => {
                        self.set_encryption(&bucket, previous.deleted()).await?;
                        Ok(S3Response::with_status(Body::empty(), StatusCode::NO_CONTENT))
                    }
                    _ => Err(not_allowed()),
                }
            }
            (bucket, Some(key)) if request.method == Method::PUT => {
                self.update_object(&bucket, &key, request).await
            }
            (_, Some(_)) => Err(not_allowed()),
        }
    }

    async fn set_encryption(
        &self,
        bucket: &store::BucketName,
        encryption: BucketEncryption,
    ) -> Result<()> {
        let json = encryption.to_json();
        let set = |settings: &mut serde_json::Value| settings[ENCRYPTION] = json.into();
        Ok(self.store().change_bucket(bucket, set).await?)
    }

    /// `UpdateObjectEncryption`: wraps the data key anew, and leaves the body.
    async fn update_object(
        &self,
        bucket: &str,
        key: &str,
        request: S3Request<Body>,
    ) -> Result<S3Response<Body>> {
        let (bucket, key) = (bucket_name(bucket)?, object_key(key)?);
        let record = self.store().head(&bucket, &key).await?;
        let (arrival, caller) = (self.arrival(&request), Caller::of(&request));
        let place = || Place { bucket: &bucket, key: &key, caller: caller.clone() };
        let headers = request.headers.clone();
        let body = read(request).await?;
        let scope = self.shared.update_scope;
        let target = ObjectEncryption::from_xml(&body, scope)?;
        let mode = record.envelope.mode();
        scope.admit_source(Some(mode))?;
        let old = ReadKey::parse_copy_source(&headers, arrival)?.for_object(mode)?;
        let from = self.to_open(&record.envelope, &record.metadata, old.as_ref(), place())?;
        let to = match target {
            ObjectEncryption::SseKms { key_arn, bucket_key } => {
                // What the caller bound stays bound.
                let context = metadata::context(&record.metadata)?;
                self.sse_kms(Some(&key_arn), &context, bucket_key, place())?
            }
            ObjectEncryption::SseC => {
                let default = self.bucket_encryption(&bucket).await?;
                let wish = SseRequest::parse(&headers, arrival, &default, self.profile())?;
                match wish.encryption {
                    Encryption::SseC(key) => self.chosen(Mode::SseC, Some(&key), caller.clone())?,
                    _ => return Err(Error::CustomerKeyMissing.into()),
                }
            }
            _ => self.chosen(Mode::SseS3, None, caller.clone())?,
        };
        let done = self.store().rewrap(&bucket, &key, &*from.cipher, &*to.cipher).await;
        done.map_err(|error| {
            let told = |error: &_| {
                let of = |mode| Error::from_open(error, mode);
                of(from.cipher.mode()).or_else(|| of(to.cipher.mode()))
            };
            Refusal::told(error, told)
        })?;
        Ok(S3Response::new(Body::empty()))
    }
}

/// The body of a request, which has to say a digest of it.
async fn read(request: S3Request<Body>) -> Result<Vec<u8>> {
    let trailers = request.trailing_headers;
    let (default, no_etag) = (checksum::DEFAULT, ETagRule::Random);
    let watch = Watch::new(&request.headers, trailers, None, default, no_etag)?.must_claim();
    let mut body = watch.watch(Limited::new(request.input, MAX_BODY_LEN).into_data_stream());
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece.map_err(|_| Error::MalformedXml)?);
    }
    watch.finish()?;
    Ok(bytes)
}

/// The bucket, and the key if there is one, that a request is about.
fn target(uri: &Uri) -> Result<(String, Option<String>)> {
    let path = uri.path().trim_start_matches('/');
    let path = percent_encoding::percent_decode_str(path).decode_utf8().map_err(|_| {
        let message = "Couldn't parse the specified URI.";
        Refusal::new(StatusCode::BAD_REQUEST, "InvalidURI", message)
    })?;
    Ok(match path.split_once('/') {
        Some((bucket, "")) => (bucket.to_owned(), None),
        Some((bucket, key)) => (bucket.to_owned(), Some(key.to_owned())),
        None => (path.into_owned(), None),
    })
}

fn not_allowed() -> Refusal {
    let message = "The specified method is not allowed against this resource.";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
}
