//! Finds one customer's key by its bytes: [`KeyScrubber`].

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::{REDACTED, names::decoded};
use crate::CustomerKey;

/// Finds a customer's key and its MD5 in any text or bytes: raw, as hex, as base64 in the standard
/// and the URL-safe alphabet, also percent-encoded, and as the list of numbers that `Debug` makes
/// of bytes.
///
/// ```
/// use object_cipher_s3::{CustomerKey, redact::KeyScrubber};
///
/// let scrubber = KeyScrubber::new(&CustomerKey::from_bytes(&[1; 32]));
/// let error = "bad key 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE='";
/// assert_eq!(scrubber.scrub(error), "bad key '[redacted]'");
/// ```
pub struct KeyScrubber {
    forms: Vec<Form>,
}

/// A secret, written in one way.
struct Form {
    writing: Writing,
    bytes: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Writing {
    /// Just these bytes.
    Exact,
    /// Letters in any case.
    Hex,
    /// Of either alphabet, perhaps percent-encoded, perhaps padded. It is kept in the standard
    /// alphabet without padding.
    Base64,
}

impl KeyScrubber {
    /// Looks for this key. The forms of the key that it keeps are wiped on drop.
    pub fn new(key: &CustomerKey) -> Self {
        let key_md5 = key.md5();
        let secrets = [key.source_key().expose_bytes().as_slice(), key_md5.as_bytes()];
        Self { forms: secrets.into_iter().flat_map(Form::all).collect() }
    }

    /// Whether the key or its MD5 is in there, in any form.
    pub fn finds_in(&self, bytes: &[u8]) -> bool {
        (0..bytes.len()).any(|at| self.length_at(bytes, at).is_some())
    }

    /// The text without the key.
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.scrub_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// The bytes without the key.
    pub fn scrub_bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out = Vec::new();
        let mut copied = 0;
        let mut at = 0;
        while at < bytes.len() {
            if let Some(length) = self.length_at(bytes, at) {
                out.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
                out.extend_from_slice(REDACTED.as_bytes());
                at += length;
                copied = at;
            } else {
                at += 1;
            }
        }
        if copied == 0 {
            return Cow::Borrowed(bytes);
        }
        out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// The length of the form that begins there.
    fn length_at(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let rest = bytes.get(at..)?;
        self.forms.iter().find_map(|form| form.length_at_start(rest))
    }
}

impl Form {
    fn all(secret: &[u8]) -> [Self; 4] {
        let hex = written(2 * secret.len(), |out| {
            secret.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
        });
        [
            Self { writing: Writing::Exact, bytes: Zeroizing::new(secret.to_vec()) },
            Self {
                writing: Writing::Exact,
                bytes: written(5 * secret.len(), |out| write!(out, "{secret:?}")),
            },
            Self { writing: Writing::Hex, bytes: hex },
            Self {
                writing: Writing::Base64,
                bytes: Zeroizing::new(STANDARD_NO_PAD.encode(secret).into_bytes()),
            },
        ]
    }

    fn length_at_start(&self, text: &[u8]) -> Option<usize> {
        let length = self.bytes.len();
        match self.writing {
            Writing::Exact => text.starts_with(&self.bytes).then_some(length),
            Writing::Hex => text.get(..length)?.eq_ignore_ascii_case(&self.bytes).then_some(length),
            Writing::Base64 => base64_length(text, &self.bytes),
        }
    }
}

fn base64_length(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let next = |at| decoded(text.get(at..)?);
    let mut at = 0;
    for &wanted in wanted {
        let (byte, length) = next(at)?;
        let is_same = match wanted {
            b'+' => matches!(byte, b'+' | b'-'),
            b'/' => matches!(byte, b'/' | b'_'),
            _ => byte == wanted,
        };
        if !is_same {
            return None;
        }
        at += length;
    }
    while let Some((b'=', length)) = next(at) {
        at += length;
    }
    Some(at)
}

/// Text of at most this length: more room would leave a copy behind.
fn written(length: usize, write: impl FnOnce(&mut String) -> fmt::Result) -> Zeroizing<Vec<u8>> {
    let mut text = String::with_capacity(length);
    // A string takes whatever is written.
    let _ = write(&mut text);
    Zeroizing::new(text.into_bytes())
}

impl fmt::Debug for KeyScrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyScrubber([redacted])")
    }
}
