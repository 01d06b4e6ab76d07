//! Metadata of objects and instruction files, both ways: [`Found`], [`Partial`].
//!
//! Readers of the other clients differ in which mixtures of keys they let pass. This one takes
//! whatever they write and no mixture.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    ContentAlgorithm, Description, Header, WrapAlgorithm,
    header::{COMMITMENT_LEN, Content, EncryptedDataKey},
};
use crate::{Error, MetadataFault, Result};

/// What S3 puts before the names of user metadata, in requests and answers.
pub const METADATA_PREFIX: &str = "x-amz-meta-";
/// What comes behind an object's key to name its instruction file.
pub const INSTRUCTION_SUFFIX: &str = ".instruction";
/// The longest instruction file that is read, in bytes.
pub const MAX_INSTRUCTION_FILE_LEN: usize = 131_072;
/// The longest wrapped key: a KMS's. One of RSA is as long as its modulus.
pub(crate) const MAX_WRAPPED_KEY_LEN: usize = 6_144;

/// On an instruction file itself. Readers do not need it.
const INSTRUCTION_MARK: &str = "x-amz-crypto-instr-file";
/// On objects of any version. Nothing is taken from it.
const CONTENT_LENGTH: &str = "x-amz-unencrypted-content-length";
/// Of old clients, which so told of the content (CVE-2022-2582). Never read.
const CONTENT_MD5: &str = "x-amz-unencrypted-content-md5";

const KEY_V1: &str = "x-amz-key";
const KEY_V2: &str = "x-amz-key-v2";
const IV: &str = "x-amz-iv";
const MATDESC: &str = "x-amz-matdesc";
const WRAP_ALG: &str = "x-amz-wrap-alg";
const CEK_ALG: &str = "x-amz-cek-alg";
const TAG_LEN: &str = "x-amz-tag-len";
const V3_CONTENT: &str = "x-amz-c";
const V3_KEY: &str = "x-amz-3";
const V3_WRAP: &str = "x-amz-w";
const V3_COMMITMENT: &str = "x-amz-d";
const V3_MESSAGE_ID: &str = "x-amz-i";
const V3_DESCRIPTION: &str = "x-amz-m";
const V3_CONTEXT: &str = "x-amz-t";

/// The keys of V1 and V2.
const LEGACY_KEYS: [&str; 7] = [KEY_V1, KEY_V2, IV, MATDESC, WRAP_ALG, CEK_ALG, TAG_LEN];
const V3_KEYS: [&str; 7] =
    [V3_CONTENT, V3_KEY, V3_WRAP, V3_COMMITMENT, V3_MESSAGE_ID, V3_DESCRIPTION, V3_CONTEXT];
/// What V3 keeps on the object even where the wrapped key is in an instruction file: who replaces that
/// cannot replace what the content commits to.
const V3_OBJECT_KEYS: [&str; 3] = [V3_CONTENT, V3_COMMITMENT, V3_MESSAGE_ID];

/// What an object's metadata says of its encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// All of it.
    Complete(Header),
    /// No wrapped key. It, and in V1 and V2 all else, is in an instruction file: fetch that, and
    /// [complete](Partial::complete) the header. If there is none, the object is not encrypted.
    InInstructionFile(Partial),
}

/// What an object's metadata says when the wrapped key is in an instruction file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial(Option<Content>);

/// Metadata to write: beside the body, or shared out between object and instruction file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstructionFile {
    /// Pairs of the object's metadata, without [`METADATA_PREFIX`].
    pub object_metadata: Vec<(String, String)>,
    /// Pairs of the instruction file's own metadata, without [`METADATA_PREFIX`].
    pub metadata: Vec<(String, String)>,
    /// The instruction file's body.
    pub body: String,
}

impl Found {
    /// Reads the user metadata of an object: pairs with or without [`METADATA_PREFIX`], of which those
    /// that the format does not know are the user's and ignored.
    ///
    /// # Errors
    /// [`Error::Metadata`] for a mixture of versions, and for what is missing or malformed.
    pub fn read<'a>(metadata: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let fields = Fields::collect(metadata)?;
        if fields.has(&V3_KEYS) {
            let content = fields.v3_content()?;
            if fields.get(V3_KEY).is_some() {
                let key = fields.v3_key()?;
                return Ok(Self::Complete(Header { content, key }));
            }
            fields.refuse(&[V3_WRAP, V3_DESCRIPTION, V3_CONTEXT])?;
            return Ok(Self::InInstructionFile(Partial(Some(content))));
        }
        if fields.has(&LEGACY_KEYS) {
            return fields.legacy_header().map(Self::Complete);
        }
        Ok(Self::InInstructionFile(Partial(None)))
    }
}

impl Partial {
    /// The header, by the body of the instruction file.
    ///
    /// # Errors
    /// [`Error::Metadata`] when it is not the instruction file of such an object.
    pub fn complete(&self, instruction_file: &[u8]) -> Result<Header> {
        let malformed = |_| MetadataFault::InstructionFile;
        if instruction_file.len() > MAX_INSTRUCTION_FILE_LEN {
            return Err(MetadataFault::InstructionFile.into());
        }
        let json = std::str::from_utf8(instruction_file).map_err(malformed)?;
        let pairs = Description::parse_pairs(json).ok_or(MetadataFault::InstructionFile)?;
        let pairs = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let fields = Fields::collect(pairs)?;
        match self.0 {
            Some(content) => {
                fields.refuse(&V3_OBJECT_KEYS)?;
                if fields.has(&LEGACY_KEYS) {
                    return Err(MetadataFault::Mixed.into());
                }
                Ok(Header { content, key: fields.v3_key()? })
            }
            None if fields.has(&V3_KEYS) => Err(MetadataFault::Mixed.into()),
            None => fields.legacy_header(),
        }
    }

    /// That there is no instruction file.
    pub fn missing(&self) -> Error {
        MetadataFault::NoInstructionFile.into()
    }
}

impl Header {
    /// All pairs of the object's metadata, without [`METADATA_PREFIX`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] for legacy headers, which are not written.
    pub fn to_metadata(&self) -> Result<Vec<(String, String)>> {
        let mut pairs = self.content_pairs()?;
        pairs.extend(self.key_pairs()?);
        Ok(pairs)
    }

    /// The pairs shared out between the object and an instruction file.
    ///
    /// # Errors
    /// As [`Header::to_metadata`].
    pub fn to_instruction_file(&self) -> Result<InstructionFile> {
        let (object_metadata, mut in_file) = match self.content {
            Content::CommittingAesGcm { .. } => (self.content_pairs()?, Vec::new()),
            _ => (Vec::new(), self.content_pairs()?),
        };
        in_file.extend(self.key_pairs()?);
        let body = in_file.into_iter().collect::<Description>().to_json();
        let metadata = vec![(INSTRUCTION_MARK.to_owned(), String::new())];
        Ok(InstructionFile { object_metadata, metadata, body })
    }

    fn content_pairs(&self) -> Result<Vec<(String, String)>> {
        let algorithm = self.content_algorithm().name();
        Ok(match &self.content {
            Content::AesCbc { .. } => return Err(NOT_WRITTEN),
            Content::AesGcm { iv } => pairs([
                (IV, STANDARD.encode(iv)),
                (CEK_ALG, algorithm.to_owned()),
                (TAG_LEN, "128".to_owned()),
            ]),
            Content::CommittingAesGcm { message_id, commitment } => pairs([
                (V3_CONTENT, algorithm.to_owned()),
                (V3_COMMITMENT, STANDARD.encode(commitment)),
                (V3_MESSAGE_ID, STANDARD.encode(message_id)),
            ]),
        })
    }

    fn key_pairs(&self) -> Result<Vec<(String, String)>> {
        let EncryptedDataKey { wrap, bytes, description } = &self.key;
        let wrap = wrap.filter(|wrap| !wrap.is_legacy()).ok_or(NOT_WRITTEN)?;
        let key = STANDARD.encode(bytes);
        if !self.content_algorithm().is_committing() {
            return Ok(pairs([
                (KEY_V2, key),
                (WRAP_ALG, wrap.name().to_owned()),
                (MATDESC, description.to_json()),
            ]));
        }
        let name = wrap.v3_name().ok_or(NOT_WRITTEN)?.to_owned();
        let mut written = pairs([(V3_KEY, key), (V3_WRAP, name)]);
        if !description.is_empty() {
            let place = if wrap.is_kms() { V3_CONTEXT } else { V3_DESCRIPTION };
            written.push((place.to_owned(), description.to_json()));
        }
        Ok(written)
    }
}

const NOT_WRITTEN: Error =
    Error::Unsupported("legacy content and legacy wraps are read, not written");

fn pairs<const N: usize>(pairs: [(&str, String); N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The format's own pairs.
struct Fields<'a>(BTreeMap<&'static str, &'a str>);

impl<'a> Fields<'a> {
    /// The pairs whose names the format knows.
    fn collect(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut fields = BTreeMap::new();
        for (name, value) in all {
            let Some(name) = known(name) else { continue };
            if fields.insert(name, value).is_some() {
                return Err(MetadataFault::Repeated(name).into());
            }
        }
        let fields = Self(fields);
        if fields.has(&V3_KEYS) && fields.has(&LEGACY_KEYS)
            || fields.get(KEY_V1).is_some() && fields.get(KEY_V2).is_some()
        {
            return Err(MetadataFault::Mixed.into());
        }
        Ok(fields)
    }

    fn get(&self, name: &'static str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    fn has(&self, names: &[&'static str]) -> bool {
        names.iter().any(|name| self.0.contains_key(name))
    }

    fn need(&self, name: &'static str) -> Result<&'a str> {
        self.get(name).ok_or(MetadataFault::Missing(name).into())
    }

    /// These may not stand here.
    fn refuse(&self, names: &[&'static str]) -> Result<()> {
        match names.iter().find(|name| self.0.contains_key(*name)) {
            Some(name) => Err(MetadataFault::Misplaced(name).into()),
            None => Ok(()),
        }
    }

    fn bytes(&self, name: &'static str) -> Result<Vec<u8>> {
        let text = self.need(name)?;
        let malformed = Error::Metadata(MetadataFault::Value(name));
        if text.is_empty() || text.len() > MAX_WRAPPED_KEY_LEN.div_ceil(3) * 4 {
            return Err(malformed);
        }
        STANDARD.decode(text).map_err(|_| malformed)
    }

    /// Public bytes that no writer leaves at zero.
    fn array<const N: usize>(&self, name: &'static str) -> Result<[u8; N]> {
        <[u8; N]>::try_from(self.bytes(name)?)
            .ok()
            .filter(|bytes| bytes.iter().any(|byte| *byte != 0))
            .ok_or(MetadataFault::Value(name).into())
    }

    fn description(&self, name: &'static str) -> Result<Description> {
        self.get(name).map_or(Ok(Description::new()), Description::from_header)
    }

    fn v3_content(&self) -> Result<Content> {
        if self.need(V3_CONTENT)? != ContentAlgorithm::CommittingAesGcm.name() {
            return Err(MetadataFault::Value(V3_CONTENT).into());
        }
        Ok(Content::CommittingAesGcm {
            message_id: self.array::<COMMITMENT_LEN>(V3_MESSAGE_ID)?,
            commitment: self.array::<COMMITMENT_LEN>(V3_COMMITMENT)?,
        })
    }

    fn v3_key(&self) -> Result<EncryptedDataKey> {
        let wrap = self.need(V3_WRAP)?;
        let wrap = WrapAlgorithm::of_v3(wrap).ok_or(MetadataFault::Value(V3_WRAP))?;
        // The Python client writes the description of any keyring as a context.
        let place = match (self.get(V3_CONTEXT), self.get(V3_DESCRIPTION)) {
            (Some(_), Some(_)) => return Err(MetadataFault::Misplaced(V3_DESCRIPTION).into()),
            (None, Some(_)) if wrap.is_kms() => {
                return Err(MetadataFault::Misplaced(V3_DESCRIPTION).into());
            }
            (None, _) => V3_DESCRIPTION,
            (Some(_), None) => V3_CONTEXT,
        };
        let description = self.description(place)?;
        Ok(EncryptedDataKey { wrap: Some(wrap), bytes: self.bytes(V3_KEY)?, description })
    }

    fn legacy_header(&self) -> Result<Header> {
        if self.get(KEY_V1).is_some() {
            self.refuse(&[WRAP_ALG, CEK_ALG, TAG_LEN])?;
            self.need(MATDESC)?;
            let content = Content::AesCbc { iv: self.array(IV)? };
            let (bytes, description) = (self.bytes(KEY_V1)?, self.description(MATDESC)?);
            return Ok(Header {
                content,
                key: EncryptedDataKey { wrap: None, bytes, description },
            });
        }
        let wrapped = self.bytes(KEY_V2)?;
        let wrap = self.need(WRAP_ALG)?;
        let wrap = WrapAlgorithm::of_v2(wrap).ok_or(MetadataFault::Value(WRAP_ALG))?;
        let algorithm = self.need(CEK_ALG)?;
        let content = match (ContentAlgorithm::of_v2(algorithm), self.get(TAG_LEN)) {
            (Some(ContentAlgorithm::AesGcm), Some("128")) => {
                Content::AesGcm { iv: self.array(IV)? }
            }
            (Some(ContentAlgorithm::AesGcm), None) => {
                return Err(MetadataFault::Missing(TAG_LEN).into());
            }
            // The C++ client says that the tag has no bits.
            (Some(ContentAlgorithm::AesCbc), None | Some("0")) => {
                Content::AesCbc { iv: self.array(IV)? }
            }
            (Some(_), _) => return Err(MetadataFault::Value(TAG_LEN).into()),
            (None, _) => return Err(MetadataFault::Value(CEK_ALG).into()),
        };
        self.need(MATDESC)?;
        let description = self.description(MATDESC)?;
        let key = EncryptedDataKey { wrap: Some(wrap), bytes: wrapped, description };
        Ok(Header { content, key })
    }
}

/// Whether a name of user metadata is one of the format's, with or without [`METADATA_PREFIX`].
pub fn is_reserved_name(name: &str) -> bool {
    let name = without_prefix(name);
    let unread = [INSTRUCTION_MARK, CONTENT_LENGTH, CONTENT_MD5];
    known(name).is_some() || unread.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// The format's own spelling of a name, if it is one of its names.
fn known(name: &str) -> Option<&'static str> {
    let name = without_prefix(name);
    LEGACY_KEYS.into_iter().chain(V3_KEYS).find(|known| known.eq_ignore_ascii_case(name))
}

fn without_prefix(name: &str) -> &str {
    let (prefix, rest) = name.split_at_checked(METADATA_PREFIX.len()).unwrap_or(("", name));
    if prefix.eq_ignore_ascii_case(METADATA_PREFIX) { rest } else { name }
}
