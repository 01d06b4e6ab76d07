//! Metadata that S3 encoded twice.
//!
//! S3 takes a header's UTF-8 bytes for ISO-8859-1 characters, and answers with these as encoded words
//! of RFC 2047 in UTF-8. Undoing it: words to text, each character to the byte of its number, bytes to
//! text.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{Error, MetadataFault, Result};

/// The text that was stored, if the value is in encoded words.
pub(crate) fn decode(value: &str) -> Option<Result<String>> {
    value.starts_with("=?").then(|| decode_words(value).ok_or(MALFORMED))
}

/// Words that are separated by white space, which is not part of the text.
fn decode_words(value: &str) -> Option<String> {
    let mut text = Vec::new();
    for word in value.split_ascii_whitespace() {
        text.extend(decode_word(word)?);
    }
    // A character may be split between two words, so they are put together first.
    let bytes = String::from_utf8(text).ok()?.chars().map(u8::try_from).collect::<Result<_, _>>();
    String::from_utf8(bytes.ok()?).ok()
}

/// `=?charset?encoding?text?=`
fn decode_word(word: &str) -> Option<Vec<u8>> {
    let mut fields = word.strip_prefix("=?")?.strip_suffix("?=")?.splitn(3, '?');
    let (charset, encoding, text) = (fields.next()?, fields.next()?, fields.next()?);
    if !charset.eq_ignore_ascii_case("UTF-8") {
        return None;
    }
    match encoding {
        "B" | "b" => STANDARD.decode(text).ok(),
        "Q" | "q" => decode_q(text),
        _ => None,
    }
}

/// Hexadecimal digits behind `=`, and `_` for a space.
fn decode_q(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            other => other,
        });
    }
    Some(bytes)
}

const MALFORMED: Error = Error::Metadata(MetadataFault::DoubleEncoding);

#[cfg(test)]
mod tests {
    use super::*;

    /// What S3 answers for a header of this text.
    fn encode_twice(text: &str, q: bool, word_len: usize) -> String {
        let latin: String = text.bytes().map(char::from).collect();
        let words = latin.as_bytes().chunks(word_len).map(|word| {
            if q {
                let hex: Vec<_> = word.iter().map(|byte| format!("={byte:02X}")).collect();
                format!("=?UTF-8?Q?{}?=", hex.concat())
            } else {
                format!("=?UTF-8?B?{}?=", STANDARD.encode(word))
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn e10_what_s3_encoded_twice_is_decoded_whatever_the_words() {
        let text = "{\"ville\":\"Zürich – 東京 🦀\"}";
        for q in [false, true] {
            for word_len in 1..60 {
                let value = encode_twice(text, q, word_len);
                assert_eq!(decode(&value).unwrap().unwrap(), text, "{value}");
            }
        }
        assert_eq!(decode("=?utf-8?q?a_b=3D?="), Some(Ok("a b=".into())));
    }

    #[test]
    fn e10_what_is_not_so_encoded_is_an_error_or_left_alone() {
        assert_eq!(decode("{}"), None);
        assert_eq!(decode(" =?UTF-8?B?e30=?="), None);
        let bad = [
            "=?",
            "=??=",
            "=?UTF-8?B?e30=",
            "=?UTF-8?B?e3?=",
            "=?UTF-8?X?e30=?=",
            "=?UTF-8?Q?=3?=",
            "=?UTF-8?Q?=+f?=",
            "=?ISO-8859-1?Q?a?=",
            "=?UTF-8?Q?=FF?=",
            "=?UTF-8?B?e30=?= {}",
            // A character above U+00FF, and bytes that are no UTF-8.
            "=?UTF-8?Q?=E6=9D=B1?=",
            "=?UTF-8?Q?=C3=BF?=",
        ];
        for value in bad {
            assert_eq!(decode(value), Some(Err(MALFORMED)), "{value}");
        }
    }
}
