//! The outer layer around s3s: [`Service`].

use std::{future::Future, pin::Pin, sync::Arc};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use object_cipher_s3::{Profile, redact};
use s3s::{
    Body, HttpError,
    auth::SimpleAuth,
    config::{S3Config, StaticConfigProvider},
    service::{S3Service, S3ServiceBuilder},
};

use super::{
    Front,
    access::Access,
    encryption_route::EncryptionRoute,
    error::{AnswerSlot, xml},
    signature,
};
use crate::args::AccessKey;

/// A form's file takes at most so many bytes.
const MAX_FORM_FILE: u64 = 64 * 1024 * 1024;

/// A request's id, which its answer shows, and a KMS's audit log.
#[derive(Clone)]
pub(super) struct RequestId(pub(super) String);

/// A hyper service: marks customers' keys as sensitive before s3s sees them, and writes answers in
/// full.
#[derive(Clone)]
pub struct Service {
    service: S3Service,
    profile: Profile,
}

impl Service {
    /// A service for these clients.
    pub fn new(front: Front, access_keys: &[AccessKey]) -> Self {
        let mut auth = SimpleAuth::new();
        for key in access_keys {
            auth.register(key.id.clone(), key.secret.as_str().into());
        }
        let mut config = S3Config::default();
        config.post_object_max_file_size = MAX_FORM_FILE;
        let profile = front.profile();
        let mut builder = S3ServiceBuilder::new(front.clone());
        builder.set_auth(auth);
        builder.set_access(Access(front.clone()));
        builder.set_route(EncryptionRoute(front));
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        Self { service: builder.build(), profile }
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Body>;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (service, profile) = (self.service.clone(), self.profile);
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
            let id = request_id();
            request.extensions_mut().insert(RequestId(id.clone()));
            let head = request.method() == Method::HEAD;
            let mut response = match signature::check(request.uri(), request.headers()) {
                Ok(()) => service.call(request).await?,
                Err(refusal) => {
                    refusal.into_host(request.extensions(), profile);
                    Response::new(Body::empty())
                }
            };
            if let Some(answer) = slot.take() {
                *response.status_mut() = answer.status;
                response.headers_mut().remove(header::CONTENT_LENGTH);
                *response.body_mut() =
                    if head { Body::empty() } else { Body::from(xml(&answer, &id)) };
                let xml = HeaderValue::from_static("application/xml");
                response.headers_mut().insert(header::CONTENT_TYPE, xml);
            } else if response.status() == StatusCode::NOT_MODIFIED {
                // s3s writes one.
                response.headers_mut().remove(header::CONTENT_LENGTH);
                response.headers_mut().remove(header::CONTENT_TYPE);
                *response.body_mut() = Body::empty();
            }
            if let Ok(id) = HeaderValue::from_str(&id) {
                response.headers_mut().insert("x-amz-request-id", id);
            }
            Ok(response)
        })
    }
}

/// Sixteen digits: they tell requests apart, and nothing else.
fn request_id() -> String {
    let mut bytes = [0; 8];
    // Without randomness nothing is sealed, and that is told.
    let _ = getrandom::fill(&mut bytes);
    hex::encode_upper(bytes)
}
