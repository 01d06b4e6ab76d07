//! What the SDK's errors mean: AWS goes by codes, so only they are looked at, never at a status
//! that has one.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::error::{ConnectorError, ErrorMetadata, ProvideErrorMetadata, SdkError};
use object_cipher_core::{KeyError, KeyErrorKind};

/// The error of a call.
pub(crate) fn key_error<E>(error: &SdkError<E>) -> KeyError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            answered(answer.err().meta(), answer.raw().status().is_server_error())
        }
        SdkError::TimeoutError(_) => late(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => late(),
        SdkError::DispatchFailure(failure) => {
            failure.as_connector_error().map_or_else(|| out_of_reach(error), undelivered)
        }
        SdkError::ResponseError(_) => {
            KeyError::new(KeyErrorKind::Unavailable, "the answer of AWS KMS was cut off")
        }
        other => {
            let message = format!("the request to AWS KMS cannot be made: {}", cause(other));
            KeyError::new(KeyErrorKind::Internal, message)
        }
    }
}

fn answered(error: &ErrorMetadata, server_error: bool) -> KeyError {
    let kind = error.code().and_then(kind_of).unwrap_or(if server_error {
        KeyErrorKind::Unavailable
    } else {
        KeyErrorKind::Internal
    });
    let message = error.message().unwrap_or(match error.code() {
        Some(_) => "AWS KMS refused",
        None => "AWS KMS answered with what is no answer",
    });
    let told = KeyError::new(kind, message.to_owned());
    match error.code() {
        Some(code) => told.with_code(code.to_owned()),
        None => told,
    }
}

/// The codes of KMS, of its front end, and of signatures. `ThrottlingException` and others are in
/// no model of the SDK, so none of its types are matched.
fn kind_of(code: &str) -> Option<KeyErrorKind> {
    Some(match code {
        "InvalidCiphertextException" => KeyErrorKind::Integrity,
        "IncorrectKeyException" => KeyErrorKind::WrongKey,
        "NotFoundException" => KeyErrorKind::NotFound,
        "DisabledException" => KeyErrorKind::Disabled,
        "KMSInvalidStateException" => KeyErrorKind::InvalidState,
        "InvalidArnException"
        | "InvalidGrantTokenException"
        | "InvalidKeyUsageException"
        | "SerializationException"
        | "ValidationError"
        | "ValidationException" => KeyErrorKind::Invalid,
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => KeyErrorKind::Denied,
        "LimitExceededException"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => KeyErrorKind::Throttled,
        "DependencyTimeoutException"
        | "InternalFailure"
        | "KMSInternalException"
        | "KeyUnavailableException"
        | "RequestAbortedException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => KeyErrorKind::Unavailable,
        "RequestTimeout" | "RequestTimeoutException" => KeyErrorKind::Timeout,
        "UnknownOperationException" | "UnsupportedOperationException" => KeyErrorKind::Unsupported,
        _ => return None,
    })
}

/// No answer came: no connection, or nothing to sign with.
fn undelivered(error: &ConnectorError) -> KeyError {
    match find::<CredentialsError>(error) {
        None => out_of_reach(error),
        Some(CredentialsError::ProviderTimedOut(_)) => late(),
        Some(error) => {
            let kind = match error {
                CredentialsError::CredentialsNotLoaded(_)
                | CredentialsError::InvalidConfiguration(_) => KeyErrorKind::Denied,
                _ => KeyErrorKind::Unavailable,
            };
            KeyError::new(kind, format!("no credentials for AWS KMS: {error}"))
        }
    }
}

fn late() -> KeyError {
    KeyError::new(KeyErrorKind::Timeout, "AWS KMS did not answer in time")
}

fn out_of_reach(error: &(dyn Error + 'static)) -> KeyError {
    let message = format!("AWS KMS cannot be reached: {}", cause(error));
    KeyError::new(KeyErrorKind::Unavailable, message)
}

/// What is at the bottom of it.
fn cause(error: &dyn Error) -> String {
    let mut deepest = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        deepest = error.to_string();
        next = error.source();
    }
    deepest
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
