//! HTTP to one server: [`Client`].

use std::{error::Error as _, fmt::Write as _, time::Duration};

use bytes::{Buf as _, Bytes};
use http::{HeaderValue, Request, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{self, connect::HttpConnector};
use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_kms::KmsResult;
use zeroize::Zeroizing;

use crate::{answer::Answer, question::Question, refusal::nonsense, token::Token};

/// Bytes of the longest answer. A full batch of the longest blobs has 1.5 MiB.
const MAX_ANSWER: usize = 4 << 20;

/// Connections to one server, in one namespace.
pub(crate) struct Client {
    pub(crate) http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Scheme, host and port.
    pub(crate) origin: String,
    pub(crate) namespace: Option<HeaderValue>,
    pub(crate) attempt_timeout: Duration,
}

impl Client {
    /// Sends once, and waits for the whole answer for as long as one attempt may take.
    pub(crate) async fn send(
        &self,
        question: &Question,
        token: Option<&Token>,
    ) -> KmsResult<Answer> {
        let answer = self.exchange(question, token);
        tokio::time::timeout(self.attempt_timeout, answer).await.unwrap_or_else(|_| {
            Err(KeyError::new(KeyErrorKind::Timeout, "the server did not answer in time"))
        })
    }

    async fn exchange(&self, question: &Question, token: Option<&Token>) -> KmsResult<Answer> {
        let request = self.request(question, token)?;
        let response = self.http.request(request).await.map_err(|error| unreachable(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return nonsense("the server's answer is too long");
            }
            let message = format!("the server's answer broke off: {error}");
            KeyError::new(KeyErrorKind::Unavailable, message)
        })?;
        let mut body = body.aggregate();
        let mut bytes = Zeroizing::new(Vec::with_capacity(body.remaining()));
        while body.has_remaining() {
            let chunk = body.chunk();
            bytes.extend_from_slice(chunk);
            let taken = chunk.len();
            body.advance(taken);
        }
        Ok(Answer { status: head.status, body: bytes })
    }

    fn request(
        &self,
        question: &Question,
        token: Option<&Token>,
    ) -> KmsResult<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(&question.method)
            .uri(format!("{}/v1/{}", self.origin, question.path))
            // What an agent may want to see, against forged requests of browsers.
            .header("x-vault-request", "true");
        if let Some(token) = token {
            request = request.header("x-vault-token", token.header());
        }
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if !question.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Full::new(question.body.clone());
        request.body(body).map_err(|_| nonsense("a request could not be made"))
    }
}

/// With its causes: that of a certificate is the last of them.
fn unreachable(error: &legacy::Error) -> KeyError {
    let mut message = format!("the server cannot be reached: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(message, ": {error}");
        cause = error.source();
    }
    KeyError::new(KeyErrorKind::Unavailable, message)
}
