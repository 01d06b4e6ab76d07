//! Answers: [`Answer`].

use std::{io, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::Response;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::Frame;

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// An answer that was not yet sent.
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    cut: bool,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), cut: false }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ends in the middle of its body.
    pub(super) fn cut(mut self) -> Self {
        self.cut = true;
        self
    }

    pub(super) fn into_response(self, without_body: bool) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let response = response.header("content-length", self.body.len());
        let body = if without_body {
            Full::default().map_err(|never| match never {}).boxed()
        } else if self.cut {
            let half = self.body.slice(..self.body.len() / 2);
            let cut = async {
                // What came before has to be on its way.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(io::Error::other("cut"))
            };
            let frames = stream::iter([Ok(Frame::data(half))]).chain(stream::once(cut));
            BodyExt::boxed(StreamBody::new(frames))
        } else {
            Full::new(self.body).map_err(|never| match never {}).boxed()
        };
        response.body(body).unwrap()
    }
}

pub(super) fn refusal(status: u16, code: &str) -> Answer {
    Answer::new(status, format!("<Error><Code>{code}</Code><Message>as told</Message></Error>"))
}
