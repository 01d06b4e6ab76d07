//! Sealed objects, altered beside the body and in it: their very content opens, or nothing does, and
//! both libraries say so.

use arbitrary::{Arbitrary, Unstructured};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{
    Result,
    s3ec::{
        AesKeyring, CommitmentPolicy, Header, METADATA_PREFIX, Request, S3ec, UnauthenticatedOpener,
    },
};
use object_cipher_core::{BodyStream, MessageBackend};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{drive, fuzzing::plans::AnyRange, now, plaintext};

use super::{header, repeatable::Repeatable};

/// The longest body that is read.
const MAX_LEN: usize = 70_000;
const CEK_ALG_PAIR: &str = "aws:x-amz-cek-alg";

/// What is sealed, what is done to it, and how it is read.
#[derive(Arbitrary, Debug)]
struct Case<'a> {
    committing: bool,
    key_len: u8,
    in_file: bool,
    /// Now and then the body is longer than what a stream decrypts at a time.
    long: u8,
    length: u16,
    changes: Vec<Change<'a>>,
    edits: Vec<Edit<'a>>,
    other_key: bool,
    piece: u16,
    /// By how much the announced length of the body is wrong.
    announced: i8,
    ranges: Vec<AnyRange>,
}

/// What is done to a pair beside the body.
#[derive(Arbitrary, Debug)]
enum Change<'a> {
    /// A bit of what its Base64 says, or of its text.
    Flip(u8, u16),
    Value(u8, &'a str),
    Remove(u8),
    Repeat(u8),
    Rename(u8, &'a str),
    /// The name or the value of another pair.
    NameOf(u8, u8),
    ValueOf(u8, u8),
    Move(u8),
    /// The prefix, and capitals: no change at all.
    Spell(u8),
    /// A description that says which content is meant, rightly or not.
    Describe(Named<'a>),
    /// As if it were content of V1 and V2 without authentication.
    Cbc,
}

#[derive(Arbitrary, Debug)]
enum Named<'a> {
    V2,
    V3,
    Any(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Edit<'a> {
    Flip(u32, u8),
    Cut(u32),
    Append(&'a [u8]),
    Insert(u32, u8),
    Remove(u32),
}

/// A pair, and whether it is in the instruction file.
type Placed = (bool, String, String);

/// What is stored.
struct Stored {
    metadata: Vec<(String, String)>,
    file: String,
    body: Vec<u8>,
}

/// An object that was sealed.
struct Sealed {
    header: Header,
    content: Vec<u8>,
    body: Vec<u8>,
}

/// Opens a sealed object that was altered in any way.
pub fn open(data: &[u8]) {
    let Ok(case) = Unstructured::new(data).arbitrary::<Case<'_>>() else { return };
    let sealed = case.seal(AwsLc);
    let same = case.seal(RustCrypto);
    assert!(sealed.header == same.header && sealed.body == same.body, "one way to seal");
    let stored = case.store(&sealed);
    let header = header(&stored.metadata, stored.file.as_bytes());
    assert!(!case.changes.is_empty() || header.as_ref() == Ok(&sealed.header));
    let Ok(header) = header else { return };
    let key_opens = !case.other_key && has_the_key(&header, &sealed.header);
    let same = stored.body == sealed.body && header.object_id() == sealed.header.object_id();
    let ours = case.read(AwsLc, &header, &stored.body);
    let theirs = case.read(RustCrypto, &header, &stored.body);
    assert_eq!(ours, theirs, "the libraries agree");
    assert_eq!(ours.is_ok(), key_opens && same && case.announced == 0);
    if let Ok(read) = ours {
        assert!(read == sealed.content);
    }
    let ours = case.range_opener(AwsLc, &header);
    let theirs = case.range_opener(RustCrypto, &header);
    assert_eq!((ours.is_ok(), theirs.is_ok()), (key_opens, key_opens));
    if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
        for range in case.ranges.iter().take(8) {
            let content = same.then_some(&*sealed.content);
            reads_range([&ours, &theirs], range, &stored.body, content);
        }
    }
}

/// What no key authenticates may differ: a material description, unless it names other content, and
/// the IV of V2, which the tag notices.
fn has_the_key(header: &Header, sealed: &Header) -> bool {
    let bound = |header: &Header| {
        let free = ["x-amz-matdesc", "x-amz-m", "x-amz-t", "x-amz-iv"];
        let mut pairs = header.to_metadata().ok()?;
        pairs.retain(|(name, _)| !free.contains(&name.as_str()));
        Some(pairs)
    };
    let named = header.encrypted_data_key().description.get(CEK_ALG_PAIR);
    bound(header) == bound(sealed)
        && named.is_none_or(|named| named == sealed.content_algorithm().name())
}

/// A range is fetched as the opener says. Of an object that is as it was sealed it is the content's.
fn reads_range(
    openers: [&UnauthenticatedOpener; 2],
    range: &AnyRange,
    body: &[u8],
    content: Option<&[u8]>,
) {
    let (stored_len, at) = (body.len() as u64, |at| usize::try_from(at).unwrap());
    let length = content.map_or(0, <[u8]>::len) as u64;
    let (range, selected) = range.near(stored_len + 32).of(length);
    let read = openers.map(|opener| {
        let fetch = UnauthenticatedOpener::fetch(&range).resolve(stored_len).ok()?;
        let mut fetched = body[at(fetch.start)..at(fetch.end)].to_vec();
        let wanted = opener.decrypt(&range, fetch.start, stored_len, &mut fetched).ok();
        assert!(wanted.is_some() || fetched.iter().all(|byte| *byte == 0), "wiped");
        Some(fetched[wanted?].to_vec())
    });
    assert!(read[0] == read[1], "the libraries agree");
    if let Some(content) = content {
        let expected = selected.map(|range| &content[at(range.start)..at(range.end)]);
        assert!(read[0].as_deref() == expected);
    }
}

impl Case<'_> {
    fn client(&self, backend: impl MessageBackend, key: u8) -> S3ec {
        let key = &[key; 32][..[16, 24, 32][usize::from(self.key_len) % 3]];
        let keyring = AesKeyring::new(key).unwrap().with_description([("key", "photos")]);
        let policy = match self.committing {
            true => CommitmentPolicy::RequireEncryptAllowDecrypt,
            false => CommitmentPolicy::ForbidEncryptAllowDecrypt,
        };
        S3ec::builder(keyring, Repeatable::new(backend))
            .commitment_policy(policy)
            .enable_legacy_wrapping_algorithms()
            .enable_legacy_unauthenticated_modes()
            .build()
    }

    fn reader(&self, backend: impl MessageBackend) -> S3ec {
        self.client(backend, if self.other_key { 8 } else { 7 })
    }

    fn seal(&self, backend: impl MessageBackend) -> Sealed {
        let length = usize::from(self.length);
        let length =
            if self.long % 16 == 15 { 65_536 - 128 + length % 256 } else { length % 1_024 };
        let content = plaintext(length);
        let mut sealed = now(self.client(backend, 7).seal(&Request::default())).unwrap();
        let body = drive(&mut sealed.stream, &content, usize::MAX).complete().unwrap();
        assert_eq!(sealed.header.plaintext_len(body.len() as u64), Some(content.len() as u64));
        Sealed { header: sealed.header, content, body }
    }

    fn store(&self, sealed: &Sealed) -> Stored {
        let (metadata, file) = if self.in_file {
            let written = sealed.header.to_instruction_file().unwrap();
            (written.object_metadata, serde_json::from_str(&written.body).unwrap())
        } else {
            (sealed.header.to_metadata().unwrap(), serde_json::Map::new())
        };
        let in_file = file
            .into_iter()
            .map(|(name, value)| (true, name, value.as_str().unwrap_or_default().to_owned()));
        let on_object = metadata.into_iter().map(|(name, value)| (false, name, value));
        let mut pairs: Vec<Placed> = on_object.chain(in_file).collect();
        for change in &self.changes {
            change.apply(&mut pairs);
        }
        let mut body = sealed.body.clone();
        for edit in &self.edits {
            edit.apply(&mut body);
        }
        body.truncate(MAX_LEN);
        let (in_file, metadata): (Vec<Placed>, _) = pairs.into_iter().partition(|pair| pair.0);
        let plain = |pairs: Vec<Placed>| {
            pairs.into_iter().map(|(_, name, value)| (name, value)).collect::<Vec<_>>()
        };
        Stored { metadata: plain(metadata), file: super::json(&plain(in_file)), body }
    }

    /// All of it, held back until it verifies, and at once as it comes: both end alike.
    fn read(&self, backend: impl MessageBackend, header: &Header, body: &[u8]) -> Result<Vec<u8>> {
        let client = self.reader(backend);
        let opener = || now(client.open(header, &Request::default()));
        let piece = usize::from(self.piece) + 1;
        let announced = (body.len() as u64).saturating_add_signed(self.announced.into());
        let mut verified = opener()?.into_verified(announced, MAX_LEN + 128)?;
        let held_back = drive(&mut verified, body, piece);
        assert!(held_back.result.is_ok() || held_back.released.is_empty(), "nothing leaves");
        assert_eq!(verified.end(), held_back.result, "an error stays");
        assert!(verified.output().is_empty());
        let mut unverified = opener()?.into_unverified();
        let at_once = drive(&mut unverified, body, piece);
        assert_eq!(unverified.end(), at_once.result, "an error stays");
        assert!(unverified.output().is_empty());
        let held_back = held_back.complete();
        if self.announced == 0 {
            assert_eq!(held_back, at_once.complete());
        }
        Ok(held_back?)
    }

    fn range_opener(
        &self,
        backend: impl MessageBackend,
        header: &Header,
    ) -> Result<UnauthenticatedOpener> {
        let client = self.reader(backend);
        let ranges = client.unauthenticated_ranges()?;
        now(ranges.open(header, &Request::default()))
    }
}

impl Change<'_> {
    fn apply(&self, pairs: &mut Vec<Placed>) {
        if pairs.is_empty() {
            return;
        }
        let count = pairs.len();
        let place = |at: u8| usize::from(at) % count;
        match *self {
            Self::Flip(at, bit) => flip(&mut pairs[place(at)].2, bit.into()),
            Self::Value(at, value) => value.clone_into(&mut pairs[place(at)].2),
            Self::Remove(at) => drop(pairs.remove(place(at))),
            Self::Repeat(at) => pairs.push(pairs[place(at)].clone()),
            Self::Rename(at, name) => name.clone_into(&mut pairs[place(at)].1),
            Self::NameOf(at, other) => pairs[place(at)].1 = pairs[place(other)].1.clone(),
            Self::ValueOf(at, other) => pairs[place(at)].2 = pairs[place(other)].2.clone(),
            Self::Move(at) => {
                let at = place(at);
                pairs[at].0 = !pairs[at].0;
            }
            Self::Spell(at) => {
                let name = &mut pairs[place(at)].1;
                if !name.starts_with(METADATA_PREFIX) {
                    name.insert_str(0, METADATA_PREFIX);
                }
                *name = name.to_ascii_uppercase();
            }
            Self::Describe(ref named) => describe(pairs, named),
            Self::Cbc => {
                for (_, name, value) in pairs {
                    match name.as_str() {
                        "x-amz-cek-alg" => *value = "AES/CBC/PKCS5Padding".to_owned(),
                        "x-amz-tag-len" => *value = "0".to_owned(),
                        "x-amz-iv" => *value = STANDARD.encode([7; 16]),
                        _ => {}
                    }
                }
            }
        }
    }
}

fn flip(value: &mut String, bit: usize) {
    let flipped = |mut bytes: Vec<u8>| {
        if !bytes.is_empty() {
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        bytes
    };
    *value = match STANDARD.decode(&*value) {
        Ok(bytes) => STANDARD.encode(flipped(bytes)),
        Err(_) => String::from_utf8_lossy(&flipped(value.clone().into_bytes())).into_owned(),
    };
}

fn describe(pairs: &mut [Placed], named: &Named<'_>) {
    let value = match named {
        Named::V2 => "AES/GCM/NoPadding",
        Named::V3 => "115",
        Named::Any(text) => text,
    };
    let json = serde_json::json!({ CEK_ALG_PAIR: value }).to_string();
    for (_, name, value) in pairs {
        if ["x-amz-matdesc", "x-amz-m", "x-amz-t"].contains(&name.as_str()) {
            value.clone_from(&json);
        }
    }
}

impl Edit<'_> {
    fn apply(&self, body: &mut Vec<u8>) {
        let place = |at: u32, body: &[u8]| at as usize % (body.len() + 1);
        match *self {
            Self::Flip(at, bit) => {
                let at = place(at, body);
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Cut(at) => body.truncate(place(at, body)),
            Self::Append(bytes) => body.extend_from_slice(bytes),
            Self::Insert(at, byte) => body.insert(place(at, body), byte),
            Self::Remove(at) => {
                let at = place(at, body);
                if at < body.len() {
                    body.remove(at);
                }
            }
        }
    }
}
