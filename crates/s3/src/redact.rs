//! Keeps customers' keys out of logs: in headers, URLs, free text and S3's XML.
//!
//! [`mark_headers`] comes first, before anything else sees a request: `Debug` of a header value
//! that is marked shows nothing. [`url`], [`text`] and [`xml`] find keys by the names they stand
//! beside, and need no key. A host that has the key at hand finds it by its bytes as well, under
//! any name, with a [`KeyScrubber`].
//!
//! ```
//! use object_cipher_s3::redact;
//!
//! let line = "PUT /photos/a?X-Amz-Server-Side-Encryption-Customer%2DKey=c2VjcmV0&partNumber=1";
//! assert_eq!(
//!     redact::url(line),
//!     "PUT /photos/a?X-Amz-Server-Side-Encryption-Customer%2DKey=[redacted]&partNumber=1"
//! );
//! assert_eq!(
//!     redact::text("PutObjectInput { sse_customer_key: Some(\"c2VjcmV0\"), .. }"),
//!     "PutObjectInput { sse_customer_key: Some(\"[redacted]\"), .. }"
//! );
//! ```

mod names;
mod scrubber;
mod text;

use std::borrow::Cow;

use http::HeaderMap;

pub use scrubber::KeyScrubber;

use crate::header::{COPY_SOURCE_CUSTOMER_KEY, CUSTOMER_KEY};

/// What stands where something was redacted.
pub const REDACTED: &str = "[redacted]";

/// Characters of the shortest secret: the MD5 of a key in base64 without padding.
pub(crate) const SHORTEST_SECRET: usize = 22;

/// In which S3 repeats what it was to verify a signature of: the headers of the request, also as
/// bytes in hex, or the policy of a form, in base64.
const SIGNED_ELEMENTS: [&str; 4] =
    ["CanonicalRequest", "CanonicalRequestBytes", "StringToSign", "StringToSignBytes"];

/// Whether a header or form field of this name, in any case, holds a customer's key or its MD5.
pub fn is_customer_key_name(name: &str) -> bool {
    [CUSTOMER_KEY, COPY_SOURCE_CUSTOMER_KEY]
        .iter()
        .flat_map(|headers| [headers.key, headers.key_md5])
        .any(|secret| secret.eq_ignore_ascii_case(name))
}

/// Marks customers' keys as sensitive, so that their `Debug` shows nothing, and HTTP/2 does not
/// index them. Do it before any other layer sees the request.
pub fn mark_headers(headers: &mut HeaderMap) {
    let secret = headers.iter_mut().filter(|(name, _)| is_customer_key_name(name.as_str()));
    secret.for_each(|(_, value)| value.set_sensitive(true));
}

/// A copy without customers' keys, for logs and traces.
pub fn strip_headers(headers: &HeaderMap) -> HeaderMap {
    let others = headers.iter().filter(|(name, _)| !is_customer_key_name(name.as_str()));
    others.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The URL without customers' keys: the values of query parameters whose names, in any case and
/// however percent-encoded, are those of the headers; and as [`text`], for a URL within the URL.
pub fn url(url: &str) -> Cow<'_, str> {
    let Some((path, query)) = url.split_once('?') else {
        return text(url);
    };
    let mut out = String::with_capacity(url.len());
    out.extend([path, "?"]);
    let mut found = false;
    for parameter in query.split_inclusive(['&', ';', '#']) {
        match parameter.split_once('=') {
            Some((name, value)) if names::is_whole(name) => {
                found = true;
                let end = value.get(value.trim_end_matches(['&', ';', '#']).len()..);
                out.extend([name, "=", REDACTED, end.unwrap_or_default()]);
            }
            _ => out.push_str(parameter),
        }
    }
    if found { Cow::Owned(text(&out).into_owned()) } else { text(url) }
}

/// The text without customers' keys: what follows a name of a header of theirs, or of a member of
/// the AWS SDKs and tools, in any case, with `-`, `_` or nothing between the words. Made for errors
/// and lines of logs; it would rather take a word too many.
pub fn text(text: &str) -> Cow<'_, str> {
    text::redact(text)
}

/// S3's XML without customers' keys: as [`text`], and without what S3 repeats of a signed request.
/// Made also for XML that is cut short.
pub fn xml(xml: &str) -> Cow<'_, str> {
    let mut kept = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some((begin, element)) = first_signed(rest) {
        let (before, content) = rest.split_at(begin);
        kept.extend([before, REDACTED]);
        let end = format!("</{element}");
        rest = content.find(&end).and_then(|at| content.get(at..)).unwrap_or_default();
    }
    if kept.is_empty() {
        return text(xml);
    }
    kept.push_str(rest);
    Cow::Owned(text(&kept).into_owned())
}

/// Where the content of the first of [`SIGNED_ELEMENTS`] begins.
fn first_signed(xml: &str) -> Option<(usize, &'static str)> {
    xml.match_indices('<').find_map(|(at, _)| {
        let tag = xml.get(at + 1..)?;
        let begins =
            |element: &&str| tag.strip_prefix(*element).is_some_and(|rest| rest.starts_with('>'));
        let element = SIGNED_ELEMENTS.into_iter().find(begins)?;
        Some((at + element.len() + 2, element))
    })
}

#[cfg(test)]
mod tests;
