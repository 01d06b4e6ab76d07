//! Objects of the S3 Encryption Client: what stands beside a body, bodies, and ranges.

mod metadata;
mod open;
mod range;
mod repeatable;

pub use metadata::metadata;
pub use open::open;
pub use range::range;

use object_cipher_client::{
    Result,
    s3ec::{Found, Header},
};

/// Reads a header as a client does that has both, the object's metadata and what may be its
/// instruction file.
fn header<N: AsRef<str>>(metadata: &[(N, N)], file: &[u8]) -> Result<Header> {
    let pairs = metadata.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    match Found::read(pairs)? {
        Found::Complete(header) => Ok(header),
        Found::InInstructionFile(partial) => partial.complete(file),
    }
}

/// A JSON object of these pairs, also if names repeat.
fn json(pairs: &[(String, String)]) -> String {
    let quoted = |text: &String| serde_json::to_string(text).unwrap();
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    format!("{{{}}}", pairs.join(","))
}
