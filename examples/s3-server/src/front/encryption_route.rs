//! `?encryption` on buckets and objects, which s3s cannot parse in full, and would take for a
//! `PutObject` on an object: [`EncryptionRoute`].

use http::{Extensions, HeaderMap, Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use object_cipher_core::Mode;
use object_cipher_s3::{
    BucketEncryption, Encryption, Error, ObjectEncryption, ReadKey, SseRequest,
};
use s3s::{Body, S3Request, S3Response, S3Result, route::S3Route};

use super::{Front, Refusal, Result, bucket_name, object_key};
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

    async fn call(&self, mut request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let extensions = std::mem::take(&mut request.extensions);
        let profile = self.0.profile();
        let result = self.0.route_encryption(request).await;
        result.map_err(|refusal| refusal.into_host(&extensions, profile))
    }
}

impl Front {
    async fn route_encryption(&self, request: S3Request<Body>) -> Result<S3Response<Body>> {
        let path = percent_decoded(request.uri.path().trim_start_matches('/'))?;
        match path.split_once('/').filter(|(_, key)| !key.is_empty()) {
            None => {
                let bucket = bucket_name(path.trim_end_matches('/'))?;
                // That there is no such bucket is told before the body is looked at.
                let previous = self.bucket_encryption(&bucket).await?;
                match request.method {
                    Method::GET => {
                        let shown = previous.shown(self.profile())?;
                        Ok(S3Response::new(Body::from(shown.to_xml())))
                    }
                    Method::PUT => {
                        let wanted = BucketEncryption::from_xml(&read(request.input).await?)?;
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
            Some((bucket, key)) if request.method == Method::PUT => {
                let (bucket, key) = (bucket.to_owned(), key.to_owned());
                self.update_object(&bucket, &key, request).await
            }
            Some(_) => Err(not_allowed()),
        }
    }

    async fn set_encryption(
        &self,
        bucket: &store::BucketName,
        encryption: BucketEncryption,
    ) -> Result<()> {
        let json = encryption.to_json();
        let set = |settings: &mut serde_json::Value| settings["encryption"] = json.into();
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
        let body = read(request.input).await?;
        let scope = self.shared.update_scope;
        let target = ObjectEncryption::from_xml(&body, scope)?;
        let from = record.envelope.mode();
        scope.admit_source(Some(from))?;
        let old = ReadKey::parse_copy_source(&request.headers, self.arrival())?.for_object(from)?;
        let from = self.chosen(from, old.as_ref())?;
        let to = match target.mode() {
            Mode::SseC => {
                let default = self.bucket_encryption(&bucket).await?;
                let wish =
                    SseRequest::parse(&request.headers, self.arrival(), &default, self.profile())?;
                match wish.encryption {
                    Encryption::SseC(key) => self.chosen(Mode::SseC, Some(&key))?,
                    _ => return Err(Error::CustomerKeyMissing.into()),
                }
            }
            mode => self.chosen(mode, None)?,
        };
        let done = self.store().rewrap(&bucket, &key, &*from.cipher, &*to.cipher).await;
        done.map_err(|error| {
            Refusal::told(error, |error| Error::from_open(error, from.cipher.mode()))
        })?;
        Ok(S3Response::new(Body::empty()))
    }
}

async fn read(body: Body) -> Result<Vec<u8>> {
    let body = Limited::new(body, MAX_BODY_LEN).collect().await;
    body.map(|body| body.to_bytes().to_vec()).map_err(|_| Error::MalformedXml.into())
}

fn percent_decoded(path: &str) -> Result<String> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    decoded.map(Into::into).map_err(|_| {
        let message = "Couldn't parse the specified URI.";
        Refusal::new(StatusCode::BAD_REQUEST, "InvalidURI", message)
    })
}

fn not_allowed() -> Refusal {
    let message = "The specified method is not allowed against this resource.";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
}
