//! What a token's errors mean: [`meaning`].

use cryptoki::error::{Error, RvError};
use object_cipher_core::{KeyError, KeyErrorKind};

/// What a failed decryption tells of the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Blob or context are not what was wrapped.
    Rejected,
    /// The token cannot say it, or did not work.
    Unclear,
    /// Nothing: the token did not work.
    Silent,
}

/// How such an error looks through a KMS.
pub(crate) fn meaning(error: &Error) -> KeyError {
    let (code, kind) = match error {
        Error::Pkcs11(code, _) => (name(*code), kind(*code)),
        Error::NullFunctionPointer | Error::NotSupported => {
            let message = "the PKCS#11 module lacks a function";
            return KeyError::new(KeyErrorKind::Unsupported, message);
        }
        _ => {
            let message = "the PKCS#11 module answered with what is no answer";
            return KeyError::new(KeyErrorKind::Internal, message);
        }
    };
    let message = match kind {
        KeyErrorKind::Denied => "the token refused the PIN",
        KeyErrorKind::Unsupported => "the token does not do AES-GCM so",
        KeyErrorKind::InvalidState => "the token does not let the key be used so",
        KeyErrorKind::Unavailable => "the token does not work",
        _ => "the token refused the call",
    };
    KeyError::new(kind, message).with_code(code)
}

/// Judges an error in decryption.
pub(crate) fn verdict(error: &Error) -> Verdict {
    let Error::Pkcs11(code, _) = error else { return Verdict::Silent };
    match code {
        // The last is CKR_AEAD_DECRYPT_FAILED of PKCS#11 3.0, which cryptoki does not name.
        RvError::EncryptedDataInvalid
        | RvError::EncryptedDataLenRange
        | RvError::UnknownErrorCode(0x42) => Verdict::Rejected,
        RvError::GeneralError
        | RvError::FunctionFailed
        | RvError::DataInvalid
        | RvError::SignatureInvalid
        | RvError::ArgumentsBad
        | RvError::UnknownErrorCode(_)
        | RvError::VendorDefined(_) => Verdict::Unclear,
        _ => Verdict::Silent,
    }
}

/// Blob or context are not what was wrapped; not told which.
pub(crate) fn rejected() -> KeyError {
    let message = "the wrapped key or its context is not what was wrapped";
    KeyError::new(KeyErrorKind::Integrity, message)
}

/// Whether the token did not get to judge the PIN, so that it may be tried once more.
pub(crate) fn unjudged(error: &Error) -> bool {
    use RvError::{
        CryptokiNotInitialized, DeviceRemoved, SessionClosed, SessionHandleInvalid, TokenNotPresent,
    };
    matches!(
        error,
        Error::Pkcs11(
            CryptokiNotInitialized
                | DeviceRemoved
                | SessionClosed
                | SessionHandleInvalid
                | TokenNotPresent,
            _
        )
    )
}

fn kind(code: RvError) -> KeyErrorKind {
    use RvError as Rv;
    match code {
        Rv::PinIncorrect
        | Rv::PinInvalid
        | Rv::PinLenRange
        | Rv::PinExpired
        | Rv::PinLocked
        | Rv::UserPinNotInitialized => KeyErrorKind::Denied,
        Rv::MechanismInvalid
        | Rv::MechanismParamInvalid
        | Rv::FunctionNotSupported
        | Rv::AttributeTypeInvalid => KeyErrorKind::Unsupported,
        Rv::KeyFunctionNotPermitted
        | Rv::KeyTypeInconsistent
        | Rv::KeySizeRange
        | Rv::UserAnotherAlreadyLoggedIn
        | Rv::UserTooManyTypes => KeyErrorKind::InvalidState,
        Rv::ArgumentsBad
        | Rv::AttributeValueInvalid
        | Rv::BufferTooSmall
        | Rv::DataInvalid
        | Rv::DataLenRange
        | Rv::TemplateIncomplete
        | Rv::TemplateInconsistent => KeyErrorKind::Internal,
        // All that tells of the device, of sessions and handles, or of nothing.
        _ => KeyErrorKind::Unavailable,
    }
}

/// The name in PKCS#11, such as `CKR_PIN_INCORRECT`: cryptoki's own has the same words.
fn name(code: RvError) -> String {
    match code {
        RvError::VendorDefined(number) | RvError::UnknownErrorCode(number) => {
            format!("CKR_{number:#x}")
        }
        code => format!("{code:?}").chars().fold("CKR".to_owned(), |mut name, letter| {
            if letter.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
            name
        }),
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    fn error(code: RvError) -> Error {
        Error::Pkcs11(code, Function::Decrypt)
    }

    #[test]
    fn errors_have_a_kind_a_code_and_are_tried_again_only_when_the_token_may_come_back() {
        use KeyErrorKind::{Denied, Internal, InvalidState, Unavailable, Unsupported};
        let rows = [
            (RvError::PinIncorrect, Denied, "CKR_PIN_INCORRECT"),
            (RvError::PinLocked, Denied, "CKR_PIN_LOCKED"),
            (RvError::MechanismInvalid, Unsupported, "CKR_MECHANISM_INVALID"),
            (RvError::KeyFunctionNotPermitted, InvalidState, "CKR_KEY_FUNCTION_NOT_PERMITTED"),
            (RvError::TemplateInconsistent, Internal, "CKR_TEMPLATE_INCONSISTENT"),
            (RvError::GeneralError, Unavailable, "CKR_GENERAL_ERROR"),
            (RvError::DeviceRemoved, Unavailable, "CKR_DEVICE_REMOVED"),
            (RvError::ObjectHandleInvalid, Unavailable, "CKR_OBJECT_HANDLE_INVALID"),
            (RvError::UserNotLoggedIn, Unavailable, "CKR_USER_NOT_LOGGED_IN"),
            (RvError::OperationActive, Unavailable, "CKR_OPERATION_ACTIVE"),
            (RvError::VendorDefined(0x8000_0102), Unavailable, "CKR_0x80000102"),
        ];
        for (code, kind, name) in rows {
            let meaning = meaning(&error(code));
            assert_eq!((meaning.kind(), meaning.code()), (kind, Some(name)));
            assert_eq!(meaning.is_retryable(), kind == Unavailable, "{name}");
        }
        assert_eq!(meaning(&Error::InvalidValue).kind(), Internal);
        assert_eq!(meaning(&Error::NullFunctionPointer).kind(), Unsupported);
    }

    #[test]
    fn k1_only_what_says_so_rejects_a_blob() {
        let rows = [
            (RvError::EncryptedDataInvalid, Verdict::Rejected),
            (RvError::EncryptedDataLenRange, Verdict::Rejected),
            (RvError::UnknownErrorCode(0x42), Verdict::Rejected),
            (RvError::UnknownErrorCode(0x43), Verdict::Unclear),
            (RvError::GeneralError, Verdict::Unclear),
            (RvError::VendorDefined(0x8000_0102), Verdict::Unclear),
            (RvError::DeviceError, Verdict::Silent),
            (RvError::SessionHandleInvalid, Verdict::Silent),
            (RvError::KeyHandleInvalid, Verdict::Silent),
        ];
        for (code, expected) in rows {
            assert_eq!(verdict(&error(code)), expected, "{code:?}");
        }
    }

    #[test]
    fn a_pin_that_the_token_may_have_judged_is_not_tried_again() {
        for code in [RvError::PinIncorrect, RvError::GeneralError, RvError::DeviceError] {
            assert!(!unjudged(&error(code)), "{code:?}");
        }
        assert!(unjudged(&error(RvError::TokenNotPresent)));
    }
}
