//! The digests of a body as it comes in.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::{HeaderMap, StatusCode};
use object_cipher_core::{Checksum, ChecksumAlgorithm};
use object_cipher_s3::{ContentMd5, Digester, Digests, ETagRule, checksum};
use s3s::{StdError, TrailingHeaders, dto::StreamingBlob};

use super::{Refusal, Result};

/// What a client says of a body, and what it turns out to be.
pub(super) struct Watch {
    digester: Arc<Mutex<Option<Digester>>>,
    algorithm: ChecksumAlgorithm,
    claimed: Option<Checksum>,
    content_md5: Option<ContentMd5>,
    length: Option<u64>,
    trailers: Option<TrailingHeaders>,
    must_claim: bool,
}

impl Watch {
    /// Prepares for the body of a request with these headers. `default` is computed when the client
    /// names no checksum; MD5, which takes longer than all the rest, only for who needs it.
    pub(super) fn new(
        headers: &HeaderMap,
        trailers: Option<TrailingHeaders>,
        length: Option<i64>,
        default: ChecksumAlgorithm,
        etag: ETagRule,
    ) -> Result<Self> {
        let (claimed, named) = claims(headers)?;
        let algorithm = named.unwrap_or(default);
        let content_md5 =
            headers.get("content-md5").map(|value| ContentMd5::parse(value.as_bytes()));
        let needs_md5 = etag == ETagRule::Md5 || content_md5.is_some();
        let md5 = needs_md5.then_some(ChecksumAlgorithm::Md5);
        let digester = Digester::new(md5.into_iter().chain([algorithm]))?;
        Ok(Self {
            digester: Arc::new(Mutex::new(Some(digester))),
            algorithm,
            claimed,
            content_md5: content_md5.transpose()?,
            length: length.and_then(|length| u64::try_from(length).ok()),
            trailers,
            must_claim: false,
        })
    }

    /// The client has to say a digest.
    pub(super) fn must_claim(self) -> Self {
        Self { must_claim: true, ..self }
    }

    /// The body, watched as it goes by.
    pub(super) fn watch<S, E>(
        &self,
        body: S,
    ) -> impl Stream<Item = Result<Bytes, E>> + Unpin + use<S, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let digester = Arc::clone(&self.digester);
        body.inspect(move |piece| {
            if let (Ok(piece), Some(digester)) =
                (piece, &mut *digester.lock().unwrap_or_else(PoisonError::into_inner))
            {
                digester.update(piece);
            }
        })
    }

    /// The digests of the whole body, held against what the client said before and behind it.
    pub(super) fn finish(self) -> Result<(Digests, Checksum)> {
        let digester = self.digester.lock().unwrap_or_else(PoisonError::into_inner).take();
        let digests = digester.map(Digester::finish).ok_or_else(internal)?;
        if self.length.is_some_and(|length| length != digests.length()) {
            let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "IncompleteBody", message));
        }
        if let Some(claimed) = self.content_md5 {
            digests.verify_content_md5(claimed)?;
        }
        let behind = self.trailers.and_then(|trailers| trailers.take());
        let behind = behind.as_ref().map(claims).transpose()?.and_then(|(claimed, _)| claimed);
        if self.must_claim && (self.content_md5, self.claimed, behind) == (None, None, None) {
            let message =
                "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "InvalidRequest", message));
        }
        for claimed in [self.claimed, behind].iter().flatten() {
            digests.verify(claimed)?;
        }
        let checksum = digests.get(self.algorithm).copied().ok_or_else(internal)?;
        Ok((digests, checksum))
    }
}

/// The checksum in headers, and the algorithm that they announce.
fn claims(headers: &HeaderMap) -> Result<(Option<Checksum>, Option<ChecksumAlgorithm>)> {
    for algorithm in checksum::ALGORITHMS {
        if let Some(value) = headers.get(checksum::header(algorithm)) {
            return Ok((Some(checksum::parse(algorithm, value.as_bytes())?), Some(algorithm)));
        }
    }
    let trailer = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok());
    let by_trailer = trailer.and_then(|trailer| {
        checksum::ALGORITHMS.into_iter().find(|algorithm| {
            trailer
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case(checksum::header(*algorithm)))
        })
    });
    let named = headers.get("x-amz-sdk-checksum-algorithm").and_then(|value| value.to_str().ok());
    let named = match named {
        Some(name) => Some(checksum::from_name(&name.to_ascii_uppercase())?),
        None => None,
    };
    Ok((None, by_trailer.or(named)))
}

/// A body that may be missing.
pub(super) fn body(
    blob: Option<StreamingBlob>,
) -> impl Stream<Item = Result<Bytes, StdError>> + Send + Unpin {
    futures::stream::iter(blob).flatten()
}

fn internal() -> Refusal {
    Refusal::Other(Box::new(super::error::internal()))
}
