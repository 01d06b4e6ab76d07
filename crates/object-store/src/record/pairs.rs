//! Pairs of strings in the one form they have: [`Pairs`].

use std::collections::BTreeMap;

use object_cipher_core::EncryptionContext;

use super::{RecordFault, section};

/// Pairs of strings: (u32 length, name, u32 length, value) each, names strictly rising by their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs(pub(super) BTreeMap<String, String>);

impl Pairs {
    pub(super) fn of_context(context: &EncryptionContext) -> Self {
        Self(context.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, RecordFault> {
        let mut pairs = BTreeMap::new();
        while !bytes.is_empty() {
            let [name, value] = [text(&mut bytes)?, text(&mut bytes)?];
            if pairs.last_key_value().is_some_and(|(before, _)| *before >= name) {
                return Err(RecordFault::Pairs);
            }
            pairs.insert(name, value);
        }
        Ok(Self(pairs))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for text in self.0.iter().flat_map(|(name, value)| [name, value]) {
            // What is longer is refused by the bound on the whole.
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        out
    }

    pub(super) fn to_context(&self) -> Result<EncryptionContext, RecordFault> {
        let mut context = EncryptionContext::new();
        for (name, value) in &self.0 {
            // The wrap binds the context: who adds a reserved pair to a record opens nothing by it.
            context.insert_reserved(name, value).map_err(|_| RecordFault::Pairs)?;
        }
        Ok(context)
    }
}

fn text(rest: &mut &[u8]) -> Result<String, RecordFault> {
    let bytes = section(rest, super::MAX_PAIRS_LEN)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| RecordFault::Pairs)
}
