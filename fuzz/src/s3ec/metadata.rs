//! Metadata and instruction files: what parses is written and read again, nothing that stands there
//! goes unread, and what keeps every rule parses.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_client::s3ec::{
    ContentAlgorithm, FormatVersion, Found, Header, METADATA_PREFIX, WrapAlgorithm,
    is_reserved_name,
};

use super::{header, json};
use crate::text;

type Pairs = Vec<(String, String)>;

/// The names of the format that are read.
const NAMES: [&str; 14] = [
    "x-amz-key",
    "x-amz-key-v2",
    "x-amz-iv",
    "x-amz-matdesc",
    "x-amz-wrap-alg",
    "x-amz-cek-alg",
    "x-amz-tag-len",
    "x-amz-c",
    "x-amz-3",
    "x-amz-w",
    "x-amz-d",
    "x-amz-i",
    "x-amz-m",
    "x-amz-t",
];
/// What V3 keeps on the object whatever is in the instruction file.
const V3_OBJECT_NAMES: [&str; 3] = ["x-amz-c", "x-amz-d", "x-amz-i"];
const V2_WRAPS: [WrapAlgorithm; 6] = [
    WrapAlgorithm::AesGcm,
    WrapAlgorithm::RsaOaepSha1,
    WrapAlgorithm::KmsContext,
    WrapAlgorithm::Kms,
    WrapAlgorithm::AesKeyWrap,
    WrapAlgorithm::RsaOaepSha256,
];
const V3_WRAPS: [(WrapAlgorithm, &str); 3] = [
    (WrapAlgorithm::AesGcm, "02"),
    (WrapAlgorithm::KmsContext, "12"),
    (WrapAlgorithm::RsaOaepSha1, "22"),
];

/// A header as clients write it, but for its faults.
#[derive(Arbitrary, Debug)]
struct Forged<'a> {
    form: Form,
    wrap: u8,
    key: &'a [u8],
    public: u8,
    description: Vec<(&'a str, &'a str)>,
    /// How S3 answers the description, if it does so in encoded words.
    words: Option<(bool, u8)>,
    /// The Python client's way.
    as_context: bool,
    in_file: bool,
    respelled: u16,
    users: Vec<(&'a str, &'a str)>,
    faults: Vec<Fault<'a>>,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Form {
    V1,
    V2Cbc,
    V2Gcm,
    V3,
}

#[derive(Arbitrary, Debug)]
enum Fault<'a> {
    Remove(u8),
    Repeat(u8),
    Value(u8, &'a str),
    /// A pair too many, with its own value or another's.
    Add(u8, &'a str),
    AddAs(u8, u8),
    /// From the object to the instruction file, or back.
    Move(u8),
}

/// Reads metadata and an instruction file. The first byte can choose to read a text as it is: a line
/// `name: value` a pair, and behind a zero byte the file.
pub fn metadata(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    if *kind == 0 {
        let (metadata, file) = text::split(rest);
        check(&text::pairs(metadata), file);
    } else if let Ok(forged) = Unstructured::new(rest).arbitrary::<Forged<'_>>() {
        let (object, in_file) = forged.pairs();
        let file = json(&in_file);
        let borrowed: Vec<_> =
            object.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let read = check(&borrowed, file.as_bytes());
        if forged.faults.is_empty() {
            forged.is_as_read(&read.expect("keeps every rule"));
        }
    }
}

fn check(pairs: &[(&str, &str)], file: &[u8]) -> Option<Header> {
    let found = Found::read(pairs.iter().copied()).ok();
    let reversed = Found::read(pairs.iter().rev().copied()).ok();
    assert_eq!(found, reversed, "the order does not matter");
    let respelled: Vec<_> = pairs.iter().map(|(name, value)| (respell(name), *value)).collect();
    let respelled = Found::read(respelled.iter().map(|(name, value)| (name.as_str(), *value)));
    assert_eq!(found, respelled.ok(), "the spelling does not matter");
    let read = match found? {
        Found::Complete(header) => {
            every_pair_counts(pairs, &header);
            header
        }
        Found::InInstructionFile(partial) => {
            let header = partial.complete(file).ok()?;
            let in_file: BTreeMap<String, String> = serde_json::from_slice(file).unwrap();
            let in_file = in_file.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let all: Vec<_> = pairs.iter().copied().chain(in_file).collect();
            let together = Found::read(all.iter().copied()).unwrap();
            assert_eq!(together, Found::Complete(header.clone()), "as if it stood in one place");
            every_pair_counts(&all, &header);
            header
        }
    };
    holds_together(&read);
    comes_back(&read);
    Some(read)
}

/// No pair of the format's stands there unread, nor would one more: it could be of another version.
fn every_pair_counts(pairs: &[(&str, &str)], header: &Header) {
    let cbc = header.content_algorithm() == ContentAlgorithm::AesCbc;
    let described = !header.encrypted_data_key().description.is_empty();
    for at in 0..pairs.len() {
        let name = plain(pairs[at].0);
        let says_nothing = match name.as_str() {
            "x-amz-tag-len" => cbc,
            "x-amz-m" | "x-amz-t" => !described,
            name => !NAMES.contains(&name),
        };
        let rest = pairs[..at].iter().chain(&pairs[at + 1..]).copied();
        let without = Found::read(rest).ok() == Some(Found::Complete(header.clone()));
        assert_eq!(without, says_nothing, "{name}");
    }
    for name in NAMES {
        let with = Found::read(pairs.iter().copied().chain([(name, "a2V5")])).ok();
        assert_ne!(with, Some(Found::Complete(header.clone())), "{name}");
    }
}

fn holds_together(header: &Header) {
    let (key, content) = (header.encrypted_data_key(), header.content_algorithm());
    assert!((1..=6_144).contains(&key.bytes.len()));
    let version = match (key.wrap, content.is_committing()) {
        (None, _) => FormatVersion::V1,
        (_, false) => FormatVersion::V2,
        (_, true) => FormatVersion::V3,
    };
    assert_eq!(header.version(), version);
    assert_eq!(header.plaintext_len(16), (content != ContentAlgorithm::AesCbc).then_some(0));
    assert_eq!(header.plaintext_len(15), None);
    // A KMS takes what it can.
    let _ = key.description.to_context();
}

/// What may be written is, in ASCII under reserved names, and is read as the same.
fn comes_back(written: &Header) {
    let wrap = written.encrypted_data_key().wrap;
    let legacy = written.content_algorithm().is_legacy() || wrap.is_none_or(|w| w.is_legacy());
    let metadata = written.to_metadata();
    let file = written.to_instruction_file();
    assert_eq!((metadata.is_err(), file.is_err()), (legacy, legacy));
    let (Ok(metadata), Ok(file)) = (metadata, file) else { return };
    let in_file = file.object_metadata.iter().chain(&file.metadata);
    for (name, value) in metadata.iter().chain(in_file) {
        assert!(is_reserved_name(name));
        assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{value}");
    }
    assert_eq!(header(&metadata, b"").as_ref(), Ok(written));
    assert_eq!(header(&file.object_metadata, file.body.as_bytes()).as_ref(), Ok(written));
    assert!(header(&file.object_metadata, b"{}").is_err());
    assert_eq!(file.object_metadata.is_empty(), written.version() == FormatVersion::V2);
}

impl Forged<'_> {
    /// The pairs of the object and those of its instruction file.
    fn pairs(&self) -> (Pairs, Pairs) {
        let keeps = |name: &str| self.form == Form::V3 && V3_OBJECT_NAMES.contains(&name);
        let mut pairs: Vec<_> = self
            .well_formed()
            .into_iter()
            .map(|(name, value)| (self.in_file && !keeps(name), name.to_owned(), value))
            .collect();
        for fault in &self.faults {
            fault.commit(&mut pairs);
        }
        for (at, (_, name, _)) in pairs.iter_mut().enumerate() {
            if self.respelled >> (at % 16) & 1 == 1 {
                *name = respell(name);
            }
        }
        let of = |side| {
            let pairs = pairs.iter().filter(move |(in_file, ..)| *in_file == side);
            pairs.map(|(_, name, value)| (name.clone(), value.clone()))
        };
        let users = self.users.iter().filter(|(name, _)| !NAMES.contains(&plain(name).as_str()));
        let users = users.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        (of(false).chain(users).collect(), of(true).collect())
    }

    fn well_formed(&self) -> Vec<(&'static str, String)> {
        let key = STANDARD.encode(self.key());
        let public = |length| STANDARD.encode(vec![self.public.max(1); length]);
        let description = self.described();
        let wrap = self.wrap();
        let legacy = |key_name, iv_len| {
            vec![(key_name, key.clone()), ("x-amz-iv", public(iv_len)), description.clone()]
        };
        let named = |content: &str| {
            let name = wrap.map_or("", WrapAlgorithm::name).to_owned();
            vec![("x-amz-wrap-alg", name), ("x-amz-cek-alg", content.to_owned())]
        };
        match self.form {
            Form::V1 => legacy("x-amz-key", 16),
            Form::V2Cbc => [legacy("x-amz-key-v2", 16), named("AES/CBC/PKCS5Padding")].concat(),
            Form::V2Gcm => {
                let tag = vec![("x-amz-tag-len", "128".to_owned())];
                [legacy("x-amz-key-v2", 12), named("AES/GCM/NoPadding"), tag].concat()
            }
            Form::V3 => vec![
                ("x-amz-c", "115".to_owned()),
                ("x-amz-3", key),
                ("x-amz-w", V3_WRAPS[usize::from(self.wrap) % 3].1.to_owned()),
                ("x-amz-d", public(28)),
                ("x-amz-i", public(28)),
                description,
            ],
        }
    }

    fn wrap(&self) -> Option<WrapAlgorithm> {
        match self.form {
            Form::V1 => None,
            Form::V3 => Some(V3_WRAPS[usize::from(self.wrap) % 3].0),
            _ => Some(V2_WRAPS[usize::from(self.wrap) % 6]),
        }
    }

    fn key(&self) -> &[u8] {
        if self.key.is_empty() { b"wrapped" } else { &self.key[..self.key.len().min(6_144)] }
    }

    fn description(&self) -> BTreeMap<&str, &str> {
        self.description.iter().copied().collect()
    }

    fn described(&self) -> (&'static str, String) {
        let json = serde_json::to_string(&self.description()).unwrap();
        let text = match self.words {
            Some((q, length)) => encoded_twice(&json, q, usize::from(length % 60) + 1),
            None => json,
        };
        let is_context = self.as_context || self.wrap().is_some_and(WrapAlgorithm::is_kms);
        let name = match self.form {
            Form::V3 if is_context => "x-amz-t",
            Form::V3 => "x-amz-m",
            _ => "x-amz-matdesc",
        };
        (name, text)
    }

    fn is_as_read(&self, header: &Header) {
        let key = header.encrypted_data_key();
        assert_eq!((key.wrap, &key.bytes[..]), (self.wrap(), self.key()));
        assert!(key.description.iter().eq(self.description()));
        assert_eq!(
            header.version(),
            match self.form {
                Form::V1 => FormatVersion::V1,
                Form::V3 => FormatVersion::V3,
                _ => FormatVersion::V2,
            }
        );
        assert_eq!(header.object_id().as_bytes()[0], self.public.max(1));
    }
}

impl Fault<'_> {
    fn commit(&self, pairs: &mut Vec<(bool, String, String)>) {
        let place = |at: u8| usize::from(at) % pairs.len().max(1);
        let name = |number: u8| NAMES[usize::from(number) % NAMES.len()].to_owned();
        match *self {
            _ if pairs.is_empty() => {}
            Self::Remove(at) => drop(pairs.remove(place(at))),
            Self::Repeat(at) => pairs.push(pairs[place(at)].clone()),
            Self::Value(at, value) => {
                let at = place(at);
                value.clone_into(&mut pairs[at].2);
            }
            Self::Add(number, value) => pairs.push((false, name(number), value.to_owned())),
            Self::AddAs(number, at) => {
                let (in_file, _, value) = pairs[place(at)].clone();
                pairs.push((in_file, name(number), value));
            }
            Self::Move(at) => {
                let at = place(at);
                pairs[at].0 = !pairs[at].0;
            }
        }
    }
}

/// The name as it is in lower case without the prefix.
fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_prefix(METADATA_PREFIX).unwrap_or(&name).to_owned()
}

/// Another spelling of a name, with the prefix it may have.
fn respell(name: &str) -> String {
    let other: String =
        name.chars()
            .map(|c| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            })
            .collect();
    let prefixed = name.to_ascii_lowercase().starts_with(METADATA_PREFIX);
    if prefixed { other } else { format!("X-Amz-Meta-{other}") }
}

/// What S3 answers for a header of this text: its bytes as characters, in encoded words.
fn encoded_twice(text: &str, q: bool, word_len: usize) -> String {
    let latin: String = text.bytes().map(char::from).collect();
    let words = latin.as_bytes().chunks(word_len).map(|word| {
        let hex = || word.iter().map(|byte| format!("={byte:02X}")).collect::<String>();
        if q {
            format!("=?UTF-8?Q?{}?=", hex())
        } else {
            format!("=?UTF-8?B?{}?=", STANDARD.encode(word))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
