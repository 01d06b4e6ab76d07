//! What comes back: [`Answer`].

use std::{borrow::Cow, sync::Arc};

use base64ct::{Base64, Encoding as _};
use http::StatusCode;
use object_cipher_core::{KeyError, SourceKey};
use object_cipher_kms::{KmsResult, data_key};
use serde::{Deserialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    ciphertext::Ciphertext,
    refusal::{nonsense, refusal},
};

/// Room for what should be a data key: what is longer is none, and is not decoded.
const KEY_ROOM: usize = 64;

/// An answer as it was received.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// A new data key, out of the answer's own bytes.
#[derive(Deserialize)]
pub(crate) struct DataKeyAnswer<'a> {
    /// Base64 has nothing that JSON escapes, so that this is no copy.
    plaintext: &'a str,
    ciphertext: &'a str,
    key_version: Option<u32>,
}

#[derive(Deserialize)]
pub(crate) struct PlaintextAnswer<'a> {
    plaintext: &'a str,
}

#[derive(Deserialize)]
pub(crate) struct CiphertextAnswer<'a> {
    ciphertext: &'a str,
    key_version: Option<u32>,
}

#[derive(Deserialize)]
pub(crate) struct BatchAnswer<'a> {
    #[serde(borrow)]
    pub(crate) batch_results: Vec<ItemAnswer<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct ItemAnswer<'a> {
    #[serde(borrow)]
    pub(crate) error: Option<Cow<'a, str>>,
    ciphertext: Option<&'a str>,
    key_version: Option<u32>,
}

/// What a server tells of a key.
#[derive(Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "they are the server's own")]
pub(crate) struct KeyAnswer {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) cipher: String,
    pub(crate) latest_version: u32,
    pub(crate) derived: bool,
    pub(crate) exportable: bool,
    pub(crate) allow_plaintext_backup: bool,
    /// OpenBao's.
    #[serde(default)]
    pub(crate) soft_deleted: bool,
}

#[derive(Deserialize)]
struct Whole<T> {
    data: T,
}

#[derive(Deserialize)]
struct Refused<'a> {
    #[serde(borrow, default)]
    errors: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Identified {
    request_id: Option<String>,
}

impl Answer {
    /// The field `data`.
    pub(crate) fn data<'a, T: Deserialize<'a>>(&'a self) -> KmsResult<T> {
        Ok(self.whole::<Whole<T>>()?.data)
    }

    /// Fields beside `data`.
    pub(crate) fn whole<'a, T: Deserialize<'a>>(&'a self) -> KmsResult<T> {
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        // What serde says of a text may quote it.
        self.parse().ok_or_else(|| nonsense("the server's answer is not the one to the question"))
    }

    /// Results of a batch, which some servers send with an error's status if all have failed.
    pub(crate) fn batch(&self) -> KmsResult<BatchAnswer<'_>> {
        match self.parse::<Whole<BatchAnswer<'_>>>() {
            Some(whole) if self.status == StatusCode::BAD_REQUEST => Ok(whole.data),
            _ => self.data(),
        }
    }

    pub(crate) fn request_id(&self) -> Option<String> {
        self.parse_owned::<Identified>().and_then(|identified| identified.request_id)
    }

    fn refusal(&self) -> KeyError {
        let refused = self.parse::<Refused<'_>>().unwrap_or(Refused { errors: Vec::new() });
        let errors: Vec<&str> = refused.errors.iter().map(AsRef::as_ref).collect();
        refusal(self.status, &errors)
    }

    fn parse<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    fn parse_owned<T: DeserializeOwned>(&self) -> Option<T> {
        self.parse()
    }
}

impl<'a> DataKeyAnswer<'a> {
    pub(crate) fn key(&self) -> KmsResult<Arc<SourceKey>> {
        key(self.plaintext)
    }

    pub(crate) fn ciphertext(&self) -> KmsResult<Ciphertext<'a>> {
        ciphertext(self.ciphertext, self.key_version)
    }
}

impl PlaintextAnswer<'_> {
    pub(crate) fn key(&self) -> KmsResult<Arc<SourceKey>> {
        key(self.plaintext)
    }
}

impl<'a> CiphertextAnswer<'a> {
    pub(crate) fn ciphertext(&self) -> KmsResult<Ciphertext<'a>> {
        ciphertext(self.ciphertext, self.key_version)
    }
}

impl<'a> ItemAnswer<'a> {
    pub(crate) fn ciphertext(&self) -> KmsResult<Ciphertext<'a>> {
        let text = self.ciphertext.ok_or_else(|| nonsense("a batch's item has no answer"))?;
        ciphertext(text, self.key_version)
    }
}

fn key(text: &str) -> KmsResult<Arc<SourceKey>> {
    let mut room = Zeroizing::new([0; KEY_ROOM]);
    data_key(Base64::decode(text, &mut *room).unwrap_or_default())
}

/// Version by version the same, where the server tells it twice.
fn ciphertext(text: &str, version: Option<u32>) -> KmsResult<Ciphertext<'_>> {
    Ciphertext::parse(text.as_bytes())
        .filter(|parsed| version.is_none_or(|version| version == parsed.version))
        .ok_or_else(|| nonsense("the server's ciphertext is none of Transit"))
}
