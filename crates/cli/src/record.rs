//! What is kept beside a sealed body: the Envelope, and the name that is bound.
//!
//! A text file of one or two lines, each ended by a line feed:
//!
//! ```text
//! object-cipher-envelope: <the Envelope in base64>
//! name: <the name, percent-encoded, if there is one>
//! ```
//!
//! The first line is the pair that a store would keep in the object's metadata. The name is there
//! so that nobody has to remember it; whether it is the one that was bound shows when the Envelope
//! is opened. One name has one spelling, and one record one text: anything else is refused.

use std::fmt::Write as _;

use object_cipher_core::{ENVELOPE_PAIR_NAME, Envelope};

/// The longest name, in bytes, as S3 has it for keys.
pub(crate) const MAX_NAME_LEN: usize = 1_024;
/// Longer files are refused before they are read.
pub(crate) const MAX_RECORD_LEN: u64 = 32_768;

/// An Envelope with the name that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) envelope: Envelope,
    /// Empty when no name is bound.
    pub(crate) name: String,
}

/// Why a text is not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("is not the record of a sealed file")]
    Form,
    #[error("is too long for the record of a sealed file")]
    TooLong,
    #[error("holds a name that is not written as it should be")]
    Name,
    #[error("{0}")]
    Envelope(object_cipher_core::Error),
}

impl Record {
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{ENVELOPE_PAIR_NAME}: {}\n", self.envelope.to_text());
        if !self.name.is_empty() {
            let _ = writeln!(text, "name: {}", encode(&self.name));
        }
        text
    }

    pub(crate) fn parse(text: &str) -> Result<Self, RecordError> {
        let (first, rest) = text.split_once('\n').ok_or(RecordError::Form)?;
        let envelope = field(first, ENVELOPE_PAIR_NAME)?;
        let envelope = Envelope::from_text(envelope).map_err(RecordError::Envelope)?;
        let name = match rest.strip_suffix('\n') {
            None if rest.is_empty() => String::new(),
            None => return Err(RecordError::Form),
            Some(line) => {
                let written = field(line, "name")?;
                decode(written).filter(|name| encode(name) == written).ok_or(RecordError::Name)?
            }
        };
        Ok(Self { envelope, name })
    }
}

fn field<'a>(line: &'a str, key: &str) -> Result<&'a str, RecordError> {
    line.strip_prefix(key).and_then(|rest| rest.strip_prefix(": ")).ok_or(RecordError::Form)
}

/// Visible ASCII but `%` stands for itself, every other byte is `%` and two upper-case digits.
fn encode(name: &str) -> String {
    name.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'%' | 0..=b' ' | 0x7f.. => {
                let _ = write!(text, "%{byte:02X}");
            }
            plain => text.push(char::from(plain)),
        }
        text
    })
}

/// The name that a text may stand for; whether it is written as [`encode`] does is checked by the
/// caller.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    let name = String::from_utf8(bytes).ok()?;
    (1..=MAX_NAME_LEN).contains(&name.len()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn every_name_comes_back() {
        for name in ["a", "a b", "100%", "naïve/…", "line\nfeed", "\u{7f}\0"] {
            let text = encode(name);
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
            assert_eq!(decode(&text).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_name_has_one_spelling() {
        for text in ["%41", "%2f", "a b", "%e2%80%a6", "+1", "é"] {
            let same = decode(text).is_some_and(|name| encode(&name) == text);
            assert_eq!(same, text == "+1", "{text}");
        }
        for text in ["", "%", "%4", "%zz", "%+1", "%FF"] {
            let same = decode(text).is_some_and(|name| encode(&name) == text);
            assert!(!same, "{text}");
        }
    }
}
