//! A small HTTP service over hyper that keeps objects under SSE-C: `object-cipher-s3` reads the headers
//! and writes the answers, and nothing else of S3 is there.
//!
//! It prints where it listens. `PUT /NAME` and `GET /NAME` with the three headers of a customer's key.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use embedding::{Object, Result};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use object_cipher::{
    AwsLc, Envelope, Mode, ObjectCipher as _, ObjectContext, SseC, io,
    s3::{
        Arrival, BucketEncryption, Encryption, Error, ErrorXml, Operation, Profile, ReadKey,
        ShownEncryption, SseRequest, redact,
    },
};
use tokio::net::TcpListener;

type Answer = Response<Full<Bytes>>;
type Objects = Arc<Mutex<HashMap<String, Object>>>;

/// It listens on this machine's own address only, so nobody else reads the keys. A service that others
/// reach says here whether the request came over TLS.
const ARRIVAL: Arrival = Arrival { secure: true, signature_v4: false };
const MAX_LEN: usize = 64 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let objects = Objects::default();
    loop {
        let (connection, _) = listener.accept().await?;
        let objects = Arc::clone(&objects);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&objects, request));
            http1::Builder::new().serve_connection(TokioIo::new(connection), service).await
        });
    }
}

async fn answer(objects: &Objects, mut request: Request<Incoming>) -> Result<Answer, Infallible> {
    // Before anything else sees the headers.
    redact::mark_headers(request.headers_mut());
    let name = request.uri().path().to_owned();
    let done = match *request.method() {
        Method::PUT => put(objects, &name, request).await,
        Method::GET => get(objects, &name, request.headers()).await,
        _ => return Ok(status(StatusCode::METHOD_NOT_ALLOWED)),
    };
    // S3's own words for what the client did; no word of what happened here.
    Ok(done.unwrap_or_else(|error| match error.downcast::<Error>() {
        Ok(error) => {
            let answer = error.answer(Profile::Aws);
            let mut response = Response::new(ErrorXml::new(&answer).to_string().into());
            *response.status_mut() = answer.status;
            response
        }
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
    }))
}

async fn put(objects: &Objects, name: &str, request: Request<Incoming>) -> Result<Answer> {
    let bucket = BucketEncryption::unset();
    let asked = SseRequest::parse(request.headers(), ARRIVAL, &bucket, Profile::Aws)?;
    let Encryption::SseC(key) = asked.encryption else {
        return Ok(status(StatusCode::NOT_IMPLEMENTED));
    };
    let content = Limited::new(request.into_body(), MAX_LEN).collect().await?.to_bytes();
    let cx = ObjectContext::new("service", "", name);
    let object = Object::put(&SseC::new(&key, AwsLc), &cx, &content).await?;
    objects.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), object);

    let mut response = status(StatusCode::OK);
    let shown = ShownEncryption::SseC { key_md5: key.md5() };
    shown.write(Operation::PutObject, Profile::Aws, response.headers_mut());
    Ok(response)
}

async fn get(objects: &Objects, name: &str, headers: &HeaderMap) -> Result<Answer> {
    let found = objects.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
    let Some(object) = found else { return Ok(status(StatusCode::NOT_FOUND)) };
    let key = ReadKey::parse(headers, ARRIVAL)?.for_object(Mode::SseC)?;
    let key = key.ok_or(Error::CustomerKeyRequired)?;
    let cx = ObjectContext::new("service", "", name);
    let envelope = Envelope::from_text(&object.envelope)?;
    let opener = match SseC::new(&key, AwsLc).open(&cx, &envelope).await {
        Ok(opener) => opener,
        Err(error) => {
            return Err(Error::from_open(&error, Mode::SseC).map_or(error.into(), Into::into));
        }
    };
    let mut content = Vec::new();
    io::open_all(&opener, &mut &object.body[..], &mut content)?;

    let mut response = Response::new(content.into());
    let shown = ShownEncryption::SseC { key_md5: key.md5() };
    shown.write(Operation::GetObject, Profile::Aws, response.headers_mut());
    Ok(response)
}

fn status(status: StatusCode) -> Answer {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
