//! What a client says of an object, in headers and in the fields of forms.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use object_cipher_core::EncryptionContext;
use object_cipher_s3::header;

use super::{Refusal, Result};
use crate::store::{self, Metadata};

/// Headers that are kept and shown again.
const KEPT: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];
const USER: &str = "x-amz-meta-";
/// Names that are ours: nobody else sets them.
const OURS: &str = "x-amz-meta-object-cipher-";
/// User metadata takes at most so many bytes.
const MAX_USER_LEN: usize = 2_048;

/// What a request says.
pub(super) fn of_headers(headers: &HeaderMap) -> Result<Metadata> {
    of_pairs(headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))))
}

/// What a request or a form says, names in lower case.
pub(super) fn of_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Metadata> {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    let mut user_len = 0;
    for (name, value) in pairs {
        if name.starts_with(OURS) {
            continue;
        }
        if let Some(user) = name.strip_prefix(USER) {
            user_len += user.len() + value.len();
            kept.entry(name.into())
                .and_modify(|before| {
                    before.push(',');
                    before.push_str(value);
                })
                .or_insert_with(|| value.into());
        } else if KEPT.contains(&name) {
            let value =
                if name == "content-encoding" { without_chunked(value) } else { value.into() };
            if !value.is_empty() {
                kept.insert(name.into(), value);
            }
        }
    }
    if user_len > MAX_USER_LEN {
        let message = "Your metadata headers exceed the maximum allowed metadata size.";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "MetadataTooLarge", message));
    }
    Ok(Metadata(kept))
}

/// `aws-chunked` is how the body travelled, not what it is.
fn without_chunked(value: &str) -> String {
    let codings = value.split(',').map(str::trim).filter(|coding| *coding != "aws-chunked");
    codings.collect::<Vec<_>>().join(",")
}

/// Keeps the caller's encryption context, which S3 keeps so too, in the place of any before.
pub(super) fn keep_context(metadata: &mut Metadata, context: &EncryptionContext) {
    metadata.0.remove(header::CONTEXT);
    if !context.is_empty() {
        let pairs: BTreeMap<_, _> = context.iter().collect();
        metadata.0.insert(header::CONTEXT.into(), serde_json::json!(pairs).to_string());
    }
}

/// The caller's encryption context, as it was kept.
pub(super) fn context(metadata: &Metadata) -> Result<EncryptionContext> {
    let mut context = EncryptionContext::new();
    let Some(kept) = metadata.0.get(header::CONTEXT) else { return Ok(context) };
    let damaged = || Refusal::from(store::Error::Altered("encryption context"));
    let pairs: BTreeMap<String, String> = serde_json::from_str(kept).map_err(|_| damaged())?;
    for (key, value) in pairs {
        // It was admitted when it was kept, and the wrap binds it.
        context.insert_reserved(key, value).map_err(|_| damaged())?;
    }
    Ok(context)
}

/// Shows it in the headers of an answer, but for the encryption context.
pub(super) fn show(metadata: &Metadata, headers: &mut HeaderMap) {
    for (name, value) in metadata.0.iter().filter(|(name, _)| *name != header::CONTEXT) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}
