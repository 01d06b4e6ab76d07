//! The string pairs stored with a wrapped key: [`Description`].

use std::{collections::BTreeMap, fmt, fmt::Write as _};

use object_cipher_core::EncryptionContext;
use serde::{
    Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use super::double_encoding;
use crate::{Error, MetadataFault, Result};

/// Text that is longer cannot be metadata of S3, nor is it read from an instruction file.
const MAX_JSON_LEN: usize = 65_536;

/// String pairs that tell which key wraps: for raw keys the material description, for a KMS the
/// encryption context.
///
/// Of a material description nothing is authenticated; a KMS verifies its context.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Description(BTreeMap<String, String>);

impl Description {
    /// No pairs.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Reads a JSON object of strings, such as `{"key":"photos"}`.
    ///
    /// # Errors
    /// [`Error::Metadata`] for anything else, for a key that occurs twice and for more than 64 KiB.
    pub fn from_json(text: &str) -> Result<Self> {
        let pairs = (text.len() <= MAX_JSON_LEN).then(|| Self::parse_pairs(text));
        pairs.flatten().map(Self).ok_or(MALFORMED)
    }

    /// A JSON object of strings whose keys occur once.
    pub(crate) fn parse_pairs(text: &str) -> Option<BTreeMap<String, String>> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let pairs = reader.deserialize_map(Pairs).ok()?;
        reader.end().ok().map(|()| pairs)
    }

    /// Reads the value of a metadata header, which S3 may have encoded twice.
    pub(crate) fn from_header(value: &str) -> Result<Self> {
        match double_encoding::decode(value) {
            Some(decoded) => Self::from_json(&decoded?),
            None => Self::from_json(value),
        }
    }

    /// A JSON object, of ASCII only, so that no header and no store changes it.
    pub fn to_json(&self) -> String {
        let pairs: serde_json::Map<_, _> =
            self.0.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        let json = serde_json::Value::from(pairs).to_string();
        let mut ascii = String::with_capacity(json.len());
        for character in json.chars() {
            if character.is_ascii() && character != '\u{7f}' {
                ascii.push(character);
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
        ascii
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The pairs, in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a KMS takes.
    ///
    /// # Errors
    /// [`Error::Core`] when a KMS could not take it.
    pub fn to_context(&self) -> Result<EncryptionContext> {
        let mut context = EncryptionContext::new();
        for (key, value) in self.iter() {
            context.insert_reserved(key, value).map_err(object_cipher_core::Error::from)?;
        }
        Ok(context)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Description {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl From<&EncryptionContext> for Description {
    fn from(context: &EncryptionContext) -> Self {
        context.iter().collect()
    }
}

const MALFORMED: Error = Error::Metadata(MetadataFault::Json);

/// Reads a JSON object whose values are strings and whose keys occur once.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if pairs.insert(key, value).is_some() {
                return Err(A::Error::custom("a key occurs twice"));
            }
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e10_what_is_not_ascii_is_escaped_and_comes_back() {
        let pairs = [("ville", "Zürich – 東京 🦀"), ("q\"", "\\\u{7f}\n")];
        let description: Description = pairs.into_iter().collect();
        let json = description.to_json();
        assert!(json.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{json}");
        assert_eq!(Description::from_json(&json).unwrap(), description);
    }

    #[test]
    fn only_an_object_of_strings_with_keys_that_occur_once_is_read() {
        assert!(Description::from_json(" {} ").unwrap().is_empty());
        let bad = [
            "",
            "null",
            "[]",
            "\"a\"",
            "{",
            "{}x",
            r#"{"a":1}"#,
            r#"{"a":null}"#,
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":"1","a":"1"}"#,
            r#"{"a":"1",}"#,
            r#"{"a":"\ud800"}"#,
        ];
        for text in bad {
            assert_eq!(Description::from_json(text), Err(MALFORMED), "{text}");
        }
        let long = format!(r#"{{"a":"{}"}}"#, "b".repeat(MAX_JSON_LEN));
        assert_eq!(Description::from_json(&long), Err(MALFORMED));
    }
}
