//! The outer layer around s3s: [`Service`].

use std::{future::Future, pin::Pin, sync::Arc};

use http::{HeaderValue, Method, Request, Response, header};
use hyper::body::Incoming;
use object_cipher_s3::redact;
use s3s::{
    Body, HttpError,
    auth::SimpleAuth,
    config::{S3Config, StaticConfigProvider},
    service::{S3Service, S3ServiceBuilder},
};

use super::{
    Front,
    encryption_route::EncryptionRoute,
    error::{AnswerSlot, xml},
};
use crate::args::AccessKey;

/// A form's file takes at most so many bytes.
const MAX_FORM_FILE: u64 = 64 * 1024 * 1024;

/// A hyper service: marks customers' keys as sensitive before s3s sees them, and writes answers in
/// full.
#[derive(Clone)]
pub struct Service(S3Service);

impl Service {
    /// A service for these clients.
    pub fn new(front: Front, access_keys: &[AccessKey]) -> Self {
        let mut auth = SimpleAuth::new();
        for key in access_keys {
            auth.register(key.id.clone(), key.secret.as_str().into());
        }
        let mut config = S3Config::default();
        config.post_object_max_file_size = MAX_FORM_FILE;
        let mut builder = S3ServiceBuilder::new(front.clone());
        builder.set_auth(auth);
        builder.set_route(EncryptionRoute(front));
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        Self(builder.build())
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Body>;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let service = self.0.clone();
        Box::pin(async move {
            let mut request = request.map(Body::from);
            redact::mark_headers(request.headers_mut());
            tracing::trace!(
                method = %request.method(),
                url = %redact::url(&request.uri().to_string()),
                headers = ?request.headers(),
                "request"
            );
            let slot = AnswerSlot::default();
            request.extensions_mut().insert(slot.clone());
            let head = request.method() == Method::HEAD;
            let mut response = service.call(request).await?;
            if let Some(answer) = slot.take() {
                *response.status_mut() = answer.status;
                response.headers_mut().remove(header::CONTENT_LENGTH);
                let has_body = !head && answer.status != http::StatusCode::NOT_MODIFIED;
                *response.body_mut() =
                    if has_body { Body::from(xml(&answer)) } else { Body::empty() };
                let xml = HeaderValue::from_static("application/xml");
                response.headers_mut().insert(header::CONTENT_TYPE, xml);
            }
            Ok(response)
        })
    }
}
