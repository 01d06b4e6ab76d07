//! The header `x-amz-server-side-encryption-context`.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_core::{EncryptionContext, EncryptionContextError, MAX_ENCRYPTION_CONTEXT_LEN};
use serde::{
    Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use crate::{Error, Result};

/// The pair that S3 itself sets: the ARN of the object, or with a Bucket Key of the bucket. A
/// caller may name it, but only truly; whoever knows the ARN checks it.
pub const ARN_PAIR: &str = "aws:s3:arn";

/// Text that is longer in JSON than any context of 8 KiB, every byte of it escaped as `\u0000`.
const MAX_JSON_LEN: usize = 6 * MAX_ENCRYPTION_CONTEXT_LEN + 6;

/// The context in the header's value: base64 of a JSON object of strings.
pub(crate) fn parse(value: &[u8]) -> Result<EncryptionContext> {
    if value.len() > MAX_JSON_LEN.div_ceil(3) * 4 {
        return Err(Error::ContextMalformed);
    }
    let json = STANDARD.decode(value).map_err(|_| Error::ContextMalformed)?;
    from_json(&json).map_err(|_| Error::ContextMalformed)
}

/// The header's value for a context: pairs in the order of their keys.
pub(crate) fn write(context: &EncryptionContext) -> String {
    let pairs: serde_json::Map<_, _> =
        context.iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    STANDARD.encode(serde_json::Value::from(pairs).to_string())
}

fn from_json(json: &[u8]) -> serde_json::Result<EncryptionContext> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let context = reader.deserialize_map(Pairs)?;
    reader.end()?;
    Ok(context)
}

/// Reads a JSON object whose values are strings and whose keys occur once.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = EncryptionContext;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut context = EncryptionContext::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value::<String>()?;
            insert(&mut context, key, value).map_err(A::Error::custom)?;
        }
        Ok(context)
    }
}

fn insert(
    context: &mut EncryptionContext,
    key: String,
    value: String,
) -> Result<(), EncryptionContextError> {
    if key == ARN_PAIR { context.insert_reserved(key, value) } else { context.insert(key, value) }
}
