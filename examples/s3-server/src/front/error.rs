//! Refusals, and the way of an answer through s3s: [`AnswerSlot`].

use std::sync::{Arc, Mutex, PoisonError};

use http::{Extensions, HeaderMap, StatusCode};
use object_cipher_s3::{Answer, ErrorXml, Profile};
use s3s::{S3Error, S3ErrorCode, dto};

use crate::store;

pub(super) type Result<T, E = Refusal> = std::result::Result<T, E>;

/// Why a request is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// S3's answer to a fault of encryption.
    Encryption(object_cipher_s3::Error),
    /// Another of S3's answers.
    Other(Box<Answer>),
    /// The client's copy is as good as the object: 304, with these headers.
    NotModified(HeaderMap),
    /// What a record names was not there: it may be stale.
    Stale,
    /// s3s's own.
    Host(S3Error),
}

/// Where an answer waits for the outer layer while s3s carries a shorter one: s3s cannot write
/// `ArgumentName`, `ArgumentValue` and their kin. One is put into the extensions of each request.
#[derive(Clone, Default)]
pub(super) struct AnswerSlot(Arc<Mutex<Option<Box<Answer>>>>);

impl AnswerSlot {
    pub(super) fn take(&self) -> Option<Box<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, answer: Box<Answer>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        let message = message.to_owned();
        let answer = Answer { status, code, message, argument_name: None, argument_value: None };
        Self::Other(Box::new(answer))
    }

    /// What a failure of the store tells the client, where `told` knows S3's answer to the cipher's.
    pub(super) fn told(
        error: store::Error,
        told: impl FnOnce(&object_cipher_core::Error) -> Option<object_cipher_s3::Error>,
    ) -> Self {
        match &error {
            store::Error::Cipher(refused) => told(refused).map_or_else(|| error.into(), Self::from),
            _ => error.into(),
        }
    }

    /// The error for s3s; the whole answer waits in the request's slot.
    pub(super) fn into_host(self, extensions: &Extensions, profile: Profile) -> S3Error {
        let answer = match self.answer(profile) {
            Ok(answer) => answer,
            Err(error) => return error,
        };
        let code = S3ErrorCode::from_bytes(answer.code.as_bytes());
        let mut error = S3Error::new(code.unwrap_or(S3ErrorCode::InternalError));
        error.set_status_code(answer.status);
        error.set_message(answer.message.clone());
        if let Some(slot) = extensions.get::<AnswerSlot>() {
            slot.put(answer);
        }
        error
    }

    /// As one of several in an answer that is itself a success.
    pub(super) fn of_one(self, key: String, profile: Profile) -> dto::Error {
        let (code, message) = match self.answer(profile) {
            Ok(answer) => (answer.code.to_owned(), Some(answer.message)),
            Err(error) => (error.code().as_str().to_owned(), None),
        };
        dto::Error { code: Some(code), key: Some(key), message, ..dto::Error::default() }
    }

    /// Our own answer, or what s3s writes.
    fn answer(self, profile: Profile) -> Result<Box<Answer>, S3Error> {
        match self {
            Self::Encryption(error) => Ok(Box::new(error.answer(profile))),
            Self::Other(answer) => Ok(answer),
            Self::Stale => Ok(Box::new(internal())),
            Self::NotModified(headers) => {
                let mut error = S3Error::new(S3ErrorCode::NotModified);
                error.set_status_code(StatusCode::NOT_MODIFIED);
                error.set_headers(headers);
                Err(error)
            }
            Self::Host(error) => Err(error),
        }
    }
}

/// The body of an answer.
pub(super) fn xml(answer: &Answer, request_id: &str) -> String {
    ErrorXml::new(answer).element("RequestId", request_id).to_string()
}

impl From<object_cipher_s3::Error> for Refusal {
    fn from(error: object_cipher_s3::Error) -> Self {
        Self::Encryption(error)
    }
}

impl From<S3Error> for Refusal {
    fn from(error: S3Error) -> Self {
        Self::Host(error)
    }
}

impl From<object_cipher_core::Error> for Refusal {
    fn from(error: object_cipher_core::Error) -> Self {
        store::Error::from(error).into()
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        use object_cipher_core::Error as Core;
        use store::Error as Store;
        let (status, code, message) = match &error {
            Store::NoSuchBucket => (404, "NoSuchBucket", "The specified bucket does not exist"),
            Store::BucketName => (400, "InvalidBucketName", "The specified bucket is not valid."),
            Store::BucketExists => (
                409,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ),
            Store::BucketNotEmpty => {
                (409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
            }
            Store::Key => (400, "KeyTooLongError", "Your key is too long"),
            Store::NoSuchKey => (404, "NoSuchKey", "The specified key does not exist."),
            Store::NoSuchUpload => (
                404,
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
            ),
            Store::Part(_) | Store::Cipher(Core::Part { .. }) => (
                400,
                "InvalidPart",
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
            ),
            Store::PartOrder => (
                400,
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ),
            Store::PartTooSmall(_) => (
                400,
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
            ),
            Store::Condition => (
                412,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
            ),
            Store::BodyGone(_) => {
                tracing::error!(%error, "a request failed");
                return Self::Stale;
            }
            // The source of a copy is ours.
            Store::Source(source) if !source.is::<Store>() => of_source(&**source),
            Store::Cipher(Core::RangeNotSatisfiable { .. }) => {
                (416, "InvalidRange", "The requested range is not satisfiable")
            }
            Store::Cipher(Core::Limit(_)) => (
                400,
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed object size.",
            ),
            // What is broken here is no business of the client's; the log has it.
            _ => {
                tracing::error!(%error, "a request failed");
                return Self::Other(Box::new(internal()));
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, code, message)
    }
}

pub(super) fn internal() -> Answer {
    Answer {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        code: "InternalError",
        message: "We encountered an internal error. Please try again.".into(),
        argument_name: None,
        argument_value: None,
    }
}

/// Tries once more what met a stale record: it is read again then.
pub(super) async fn twice<T, F>(attempt: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    match attempt().await {
        Err(Refusal::Stale) => attempt().await,
        done => done,
    }
}

/// Why a request's body failed. s3s tells its reasons by their text only.
fn of_source(error: &(dyn std::error::Error + 'static)) -> (u16, &'static str, &'static str) {
    let reason = error.to_string();
    if reason.ends_with("SignatureMismatch") {
        return (
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        );
    }
    if reason.ends_with("Sha256Mismatch") {
        return (
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
    }
    (
        400,
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_copy_of_what_is_damaged_is_no_fault_of_the_clients() {
        let source = store::Error::Source(Box::new(store::Error::Altered("length of a body")));
        let Ok(answer) = Refusal::from(source).answer(Profile::Aws) else { panic!() };
        assert_eq!(answer.code, "InternalError");
        let source = store::Error::Source("the connection ended".into());
        let Ok(answer) = Refusal::from(source).answer(Profile::Aws) else { panic!() };
        assert_eq!(answer.code, "IncompleteBody");
    }

    #[tokio::test]
    async fn a_stale_read_is_tried_once_more_and_no_more() {
        for (stale, succeeds) in [(0, true), (1, true), (2, false)] {
            let tries = Cell::new(0);
            let done = twice(|| async {
                tries.set(tries.get() + 1);
                if tries.get() <= stale { Err(Refusal::Stale) } else { Ok(()) }
            });
            assert_eq!(done.await.is_ok(), succeeds);
            assert_eq!(tries.get(), (stale + 1).min(2));
        }
        let tries = Cell::new(0);
        let refused = twice(|| async {
            tries.set(tries.get() + 1);
            Err::<(), _>(Refusal::from(store::Error::NoSuchKey))
        });
        assert!(refused.await.is_err());
        assert_eq!(tries.get(), 1);
    }
}
