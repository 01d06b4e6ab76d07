//! What a server's refusal means: [`refusal`].

use http::StatusCode;
use object_cipher_core::{KeyError, KeyErrorKind};

/// Characters of a server's message that are passed on.
const MESSAGE_LEN: usize = 512;

/// A refusal of a whole request.
pub(crate) fn refusal(status: StatusCode, errors: &[&str]) -> KeyError {
    let text = errors.join("; ");
    let kind = match status {
        StatusCode::BAD_REQUEST => kind_of(&text),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => KeyErrorKind::Denied,
        // A key that is not there is not worth a word to the server, an engine is.
        StatusCode::NOT_FOUND if text.is_empty() => KeyErrorKind::NotFound,
        StatusCode::NOT_FOUND => KeyErrorKind::Internal,
        StatusCode::METHOD_NOT_ALLOWED => KeyErrorKind::Unsupported,
        StatusCode::REQUEST_TIMEOUT => KeyErrorKind::Timeout,
        StatusCode::TOO_MANY_REQUESTS => KeyErrorKind::Throttled,
        // A node that lags behind its primary.
        StatusCode::PRECONDITION_FAILED => KeyErrorKind::Unavailable,
        // Redirections are from a standby to the active node: no token follows them.
        _ if status.is_server_error() || status.is_redirection() => KeyErrorKind::Unavailable,
        _ => KeyErrorKind::Invalid,
    };
    let message = if text.is_empty() { message_without_words(kind) } else { shown(&text) };
    KeyError::new(kind, message).with_code(status.as_str().to_owned())
}

/// A refusal of one item of a batch.
pub(crate) fn item_refusal(error: &str) -> KeyError {
    KeyError::new(kind_of(error), shown(error)).with_code("400")
}

/// A refusal to log in: of credentials, whatever the status.
pub(crate) fn login_refusal(error: KeyError) -> KeyError {
    if error.is_retryable() || error.kind() == KeyErrorKind::Internal {
        return error;
    }
    let code = error.code().unwrap_or_default().to_owned();
    KeyError::new(KeyErrorKind::Denied, format!("login: {}", error.message())).with_code(code)
}

/// An answer that is not one.
pub(crate) fn nonsense(what: &'static str) -> KeyError {
    KeyError::new(KeyErrorKind::Internal, what)
}

/// The server tells its refusals apart by their texts only.
fn kind_of(text: &str) -> KeyErrorKind {
    const TEXTS: [(&str, KeyErrorKind); 8] = [
        ("message authentication failed", KeyErrorKind::Integrity),
        ("disallowed by policy (too old)", KeyErrorKind::KeyVersionMissing),
        ("version is too new", KeyErrorKind::KeyVersionMissing),
        ("invalid ciphertext", KeyErrorKind::Integrity),
        ("encryption key not found", KeyErrorKind::NotFound),
        ("soft-deleted key", KeyErrorKind::Disabled),
        ("Vault is sealed", KeyErrorKind::Unavailable),
        ("permission denied", KeyErrorKind::Denied),
    ];
    let known = TEXTS.iter().find(|(part, _)| text.contains(part));
    known.map_or(KeyErrorKind::Invalid, |(_, kind)| *kind)
}

fn message_without_words(kind: KeyErrorKind) -> String {
    let message = match kind {
        KeyErrorKind::NotFound => "the Transit engine has no such key",
        KeyErrorKind::Throttled => "the server has had too many requests",
        KeyErrorKind::Unavailable => "the server is not available",
        _ => "the server refused, and did not say why",
    };
    message.to_owned()
}

fn shown(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(MESSAGE_LEN).map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k4_a_refusal_is_of_the_kind_that_its_text_tells() {
        use KeyErrorKind::{
            Denied, Disabled, Integrity, Internal, Invalid, KeyVersionMissing, NotFound, Throttled,
            Timeout, Unavailable, Unsupported,
        };
        let rows = [
            (400, "cipher: message authentication failed", Integrity),
            (400, "chacha20poly1305: message authentication failed", Integrity),
            (400, "invalid ciphertext: no prefix", Integrity),
            (400, "invalid ciphertext length", Integrity),
            (400, "invalid ciphertext: version is too new", KeyVersionMissing),
            (
                400,
                "ciphertext or signature version is disallowed by policy (too old)",
                KeyVersionMissing,
            ),
            (400, "encryption key not found", NotFound),
            (400, "refusing to use soft-deleted key", Disabled),
            (400, "lease is not renewable", Invalid),
            (403, "permission denied", Denied),
            (404, "", NotFound),
            (404, "no handler for route \"x/keys/y\". route entry not found.", Internal),
            (405, "1 error occurred:\n\t* unsupported operation\n\n", Unsupported),
            (408, "", Timeout),
            (412, "required index state not present", Unavailable),
            (429, "request path \"transit/\": rate limit quota exceeded", Throttled),
            (307, "", Unavailable),
            (500, "internal error", Unavailable),
            (503, "Vault is sealed", Unavailable),
        ];
        for (status, text, kind) in rows {
            let errors = if text.is_empty() { vec![] } else { vec![text] };
            let error = refusal(StatusCode::from_u16(status).unwrap(), &errors);
            assert_eq!(error.kind(), kind, "{status} {text}");
            assert_eq!(error.code(), Some(status.to_string().as_str()));
            let later = matches!(kind, Unavailable | Throttled | Timeout);
            assert_eq!(error.is_retryable(), later, "{status} {text}");
            assert!(!error.message().contains('\n') && !error.message().is_empty());
        }
    }

    #[test]
    fn what_is_wrong_with_credentials_is_a_denial() {
        let error = refusal(StatusCode::BAD_REQUEST, &["invalid role or secret ID"]);
        assert_eq!(login_refusal(error).kind(), KeyErrorKind::Denied);
        let error = refusal(StatusCode::SERVICE_UNAVAILABLE, &["Vault is sealed"]);
        assert_eq!(login_refusal(error).kind(), KeyErrorKind::Unavailable);
    }

    #[test]
    fn a_long_message_is_cut() {
        let error = refusal(StatusCode::BAD_REQUEST, &["x".repeat(100_000).as_str()]);
        assert_eq!(error.message().len(), MESSAGE_LEN);
    }
}
