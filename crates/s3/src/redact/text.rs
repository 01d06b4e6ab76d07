//! Finds customers' keys in text by the names they stand beside.

use std::borrow::Cow;

use super::{
    REDACTED, SHORTEST_SECRET,
    names::{at_start, decoded},
};

/// More than this between name and value, and they do not belong together.
const LONGEST_GAP: usize = 24;
const GAP_WORDS: [&[u8]; 7] = [b"Some(", b"b'", b"b\"", b"&quot;", b"&#34;", b"&apos;", b"&#39;"];

pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(rest) = text.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
        let Some(name) = at_start(rest) else {
            at += 1;
            continue;
        };
        at += name;
        let after = text.as_bytes().get(at..).unwrap_or_default();
        if let Some((gap, value)) = value_after_name(after) {
            out.extend([text.get(copied..at + gap).unwrap_or_default(), REDACTED]);
            at += gap + value;
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// The length of what parts a name from its value, and that of the value.
fn value_after_name(text: &[u8]) -> Option<(usize, usize)> {
    let gap = gap(text);
    let (between, rest) = text.split_at_checked(gap)?;
    // Without a gap there is no value to look for, however much follows.
    if gap == 0 || rest.starts_with(REDACTED.as_bytes()) {
        return None;
    }
    let ends_in = |bytes: &[u8]| between.last().is_some_and(|last| bytes.contains(last));
    let assigns = between.iter().any(|byte| b":=>([{\n%;&".contains(byte))
        || (ends_in(b"\"'") && between.contains(&b','));
    let value = match between.last() {
        Some(b'[') => until(rest, |byte| byte == b']'),
        Some(&quote @ (b'"' | b'\'')) if assigns => quoted(rest, quote),
        _ => unquoted(rest),
    };
    // What only spaces part from the name must be as long as a secret, so that prose is left as it is.
    let shortest = if assigns { 1 } else { SHORTEST_SECRET };
    (value >= shortest).then_some((gap, value))
}

fn gap(text: &[u8]) -> usize {
    let mut length = 0;
    while length < LONGEST_GAP {
        let rest = text.get(length..).unwrap_or_default();
        if rest.starts_with(REDACTED.as_bytes()) {
            break;
        }
        let word = GAP_WORDS.iter().find(|word| rest.starts_with(word)).map(|word| word.len());
        let byte = || {
            let (byte, length) = decoded(rest)?;
            b"\"' \t\r\n:=>([{\\,".contains(&byte).then_some(length)
        };
        match word.or_else(byte) {
            Some(more) => length += more,
            None => break,
        }
    }
    length
}

/// Up to the quote that ends it, which no backslash precedes.
fn quoted(text: &[u8], quote: u8) -> usize {
    let mut escaped = false;
    until(text, |byte| {
        let ends = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// Up to a blank or a mark that ends a value. A comma goes on with another value, unless a blank
/// or a quote follows.
fn unquoted(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += until(text.get(at..).unwrap_or_default(), |byte| {
            byte.is_ascii_whitespace() || b"\"'&<>)]},;\\".contains(&byte)
        });
        match text.get(at..) {
            Some([b',', next, ..]) if !b" \r\n\"'".contains(next) => at += 1,
            _ => return at,
        }
    }
}

fn until(text: &[u8], ends: impl FnMut(u8) -> bool) -> usize {
    text.iter().copied().position(ends).unwrap_or(text.len())
}
