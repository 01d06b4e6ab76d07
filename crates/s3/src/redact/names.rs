//! The names beside which customers' keys stand, in each way they are written.

/// The words of a name. Each `-` stands for `-`, `_` or nothing.
const NAMES: [&[u8]; 4] = [
    // Of headers, form fields and query parameters, whatever comes before.
    b"server-side-encryption-customer-key",
    // Of the members of the AWS SDKs.
    b"sse-customer-key",
    // Of the AWS CLI's flags.
    b"sse-c-key",
    b"sse-c-copy-source-key",
];
const MD5: &[u8] = b"-md5";

/// The length of the name that the text begins with, if it is one and ends there.
pub(super) fn at_start(text: &[u8]) -> Option<usize> {
    // Looked at for every place in a text, so the first letter decides in most.
    if !matches!(text.first(), Some(b's' | b'S' | b'%')) {
        return None;
    }
    let length = NAMES.iter().find_map(|name| matched(text, name))?;
    let rest = text.get(length..).unwrap_or_default();
    let length = length + matched(rest, MD5).unwrap_or(0);
    let goes_on = decoded(text.get(length..)?).is_some_and(|(byte, _)| is_word(byte));
    (!goes_on).then_some(length)
}

/// Whether the text ends with a name.
pub(super) fn is_whole(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |start| bytes.get(start..).is_some_and(|rest| at_start(rest) == Some(rest.len()));
    (0..bytes.len()).any(ends)
}

/// The first byte of a text that may be percent-encoded, even more than once, and its length.
pub(super) fn decoded(text: &[u8]) -> Option<(u8, usize)> {
    let (&first, mut rest) = text.split_first()?;
    if first == b'%' {
        while let Some(again) = rest.strip_prefix(b"25") {
            rest = again;
        }
        if let Some((&[high, low], after)) = rest.split_first_chunk()
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            return Some((high << 4 | low, text.len() - after.len()));
        }
    }
    Some((first, 1))
}

/// The length of what the text begins with, if it is `name`.
fn matched(text: &[u8], name: &[u8]) -> Option<usize> {
    let mut at = 0;
    for &wanted in name {
        match (wanted, decoded(text.get(at..)?)) {
            (b'-', Some((b'-' | b'_', length))) => at += length,
            (b'-', _) => {}
            (_, Some((byte, length))) if byte.eq_ignore_ascii_case(&wanted) => at += length,
            _ => return None,
        }
    }
    Some(at)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
