//! Where a request's values come from: headers, or the fields of a POST form.

use http::{HeaderMap, HeaderValue};

use crate::{
    Error, Result,
    redact::{REDACTED, SHORTEST_SECRET},
};

/// Named values of a request: its headers, or the fields of a POST form.
pub trait Fields {
    /// All values of a name, which is in lower case. Names match in any case.
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;
}

/// The fields of a POST form, in the order sent. `file` is not among them.
#[derive(Clone, Copy)]
pub struct FormFields<'a>(pub &'a [(String, String)]);

impl Fields for HeaderMap {
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

impl Fields for FormFields<'_> {
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_bytes())
    }
}

/// The value of a name that may occur once.
pub(crate) fn one<'a, F: Fields>(fields: &'a F, name: &'static str) -> Result<Option<&'a [u8]>> {
    let mut values = fields.values(name);
    let first = values.next();
    match values.next() {
        Some(_) => Err(Error::Repeated { name }),
        None => Ok(first),
    }
}

/// A value as text.
pub(crate) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// A value as an answer or a log may repeat it. A long one might be a key under a wrong name.
pub(crate) fn shown(value: &[u8]) -> String {
    if value.len() < SHORTEST_SECRET { text(value) } else { REDACTED.to_owned() }
}
