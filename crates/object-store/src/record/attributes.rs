//! `object_store`'s attributes as pairs.

use std::borrow::Cow;

use object_store::{Attribute, Attributes};

use super::{RecordFault, pairs::Pairs};
use crate::{Error, Result};

/// What the caller's own names begin with.
const USER_PREFIX: &str = "x-amz-meta-";

const NAMES: [(&str, Attribute); 6] = [
    ("cache-control", Attribute::CacheControl),
    ("content-disposition", Attribute::ContentDisposition),
    ("content-encoding", Attribute::ContentEncoding),
    ("content-language", Attribute::ContentLanguage),
    ("content-type", Attribute::ContentType),
    ("x-amz-storage-class", Attribute::StorageClass),
];

impl Pairs {
    pub(super) fn of_attributes(attributes: &Attributes) -> Result<Self> {
        let mut pairs = Self::default();
        for (attribute, value) in attributes {
            let unknown = Error::Attributes("one is of a kind that records have no name for");
            pairs.0.insert(name(attribute).ok_or(unknown)?.into_owned(), value.to_string());
        }
        Ok(pairs)
    }

    pub(super) fn to_attributes(&self) -> Result<Attributes, RecordFault> {
        let mut attributes = Attributes::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            let attribute = attribute(name).ok_or(RecordFault::Pairs)?;
            attributes.insert(attribute, value.clone().into());
        }
        Ok(attributes)
    }
}

fn name(attribute: &Attribute) -> Option<Cow<'static, str>> {
    match attribute {
        Attribute::Metadata(key) => Some(format!("{USER_PREFIX}{key}").into()),
        known => NAMES.iter().find(|(_, other)| other == known).map(|(name, _)| (*name).into()),
    }
}

fn attribute(name: &str) -> Option<Attribute> {
    match name.strip_prefix(USER_PREFIX) {
        Some(key) => Some(Attribute::Metadata(key.to_owned().into())),
        None => NAMES.iter().find(|(known, _)| *known == name).map(|(_, known)| known.clone()),
    }
}
