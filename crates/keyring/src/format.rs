//! The bytes of a keyring file, format version 1.
//!
//! Integers are big-endian; NS is `object-cipher`. Nothing may follow the last field.
//!
//! | Offset | Size | Field |
//! |---|---|---|
//! | 0 | 8 | magic 89 4F 43 4B 0D 0A 1A 0A |
//! | 8 | 1 | format version = 1 |
//! | 9 | 1 | KDF: 0 = none, the secret is a 32-byte key; 1 = Argon2id version 1.3 |
//! | 10 | 4 | Argon2id memory in KiB: 8·lanes to 1,048,576; KDF 0: zero |
//! | 14 | 4 | Argon2id passes: 1 to 16; KDF 0: zero |
//! | 18 | 4 | Argon2id lanes: 1 to 16; KDF 0: zero |
//! | 22 | 32 | salt, random, drawn anew whenever the unlock secret changes |
//! | 54 | 8 | generation: 1 when created, one more with each write |
//! | 62 | 2 | number of versions: 1 to 1,024 |
//! | 64 | 1 | length of the keyring id: 1 to 64 |
//! | 65 | n | keyring id: `A-Z a-z 0-9 . _ -`, the first a letter or digit. The header ends here |
//! | … | 21 or 125 each | versions, strictly rising by number |
//! | … | 64 | MAC |
//!
//! | Offset | Size | Field of a version |
//! |---|---|---|
//! | 0 | 4 | number: at least 1 |
//! | 4 | 8 | created: seconds since 1970 |
//! | 12 | 1 | state: 1 = enabled (exactly one version), 2 = decrypt-only, 3 = destroyed, 4 = waiting |
//! | 13 | 8 | wraps reserved: at most 2^40; 0 for a version that waits |
//! | 21 | 104 | sealed key; absent when destroyed |
//!
//! ```text
//! secret     = the 32-byte key, or Argon2id(passphrase, salt, memory, passes, lanes, L = 32)
//! seal ‖ mac = HKDF-SHA-512(salt, ikm = secret, info = NS"/v1/keyring/unlock", L = 32 + 64)
//! sealed key = CB(seal, NS"/v1/keyring/key" 00 ‖ header ‖ the version's first 21 bytes, key)
//! MAC        = HMAC-SHA-512(mac, every byte of the file before it)
//! ```
//!
//! A reader checks the file's size, then the header, whose bounds cap what Argon2id may cost, then
//! the MAC in constant time, and only then looks at the versions. Every write seals every key
//! anew, so a sealed key belongs to one generation of one file.

use std::path::Path;

use object_cipher_core::{CryptoBackend, KeyringId, SourceKey, cobblestone};
use subtle::ConstantTimeEq;

use crate::{
    Error, Keyring, MAX_VERSIONS, MAX_WRAPS, Result, VersionState,
    counter::WrapCounter,
    record::{Content, Record},
    unlock::{Argon2Params, FileKey, Kdf},
};

/// No keyring file is longer: the header, 1,024 versions and the MAC.
pub(crate) const MAX_FILE_LEN: usize = FIXED_LEN + 64 + MAX_VERSIONS * VERSION_LEN + MAC_LEN;

const MAGIC: &[u8; 8] = b"\x89OCK\r\n\x1a\n";
const FORMAT: u8 = 1;
const KDF_NONE: u8 = 0;
const KDF_ARGON2ID: u8 = 1;
const FIXED_LEN: usize = 65;
const FIELDS_LEN: usize = 21;
const SEALED_LEN: usize = cobblestone::HEADER_LEN + 32 + cobblestone::TAG_LEN;
const VERSION_LEN: usize = FIELDS_LEN + SEALED_LEN;
pub(crate) const MAC_LEN: usize = 64;
const KEY_CONTEXT: &[u8] = b"object-cipher/v1/keyring/key\0";

/// The public part of a file: enough to derive its keys, nothing to be believed before the MAC.
pub(crate) struct Header<'a> {
    path: &'a Path,
    kdf: Kdf,
    generation: u64,
    count: u16,
    id: KeyringId,
    /// The file up to the MAC, and the MAC.
    body: &'a [u8],
    mac: &'a [u8; MAC_LEN],
    versions_at: usize,
}

/// A cursor over bytes of known meaning.
struct Reader<'a>(&'a [u8]);

impl<'a> Header<'a> {
    /// Reads the header of the file at `path`, which has these bytes.
    pub(crate) fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self> {
        Self::read(path, bytes).map_err(|what| Error::Malformed { file: path.into(), what })
    }

    pub(crate) fn kdf(&self) -> &Kdf {
        &self.kdf
    }

    /// The end of the file. Every write has another: it draws a salt for each key anew.
    pub(crate) fn mac(&self) -> &'a [u8; MAC_LEN] {
        self.mac
    }

    /// Verifies the whole file and opens its keys.
    pub(crate) fn decode<B: CryptoBackend>(
        self,
        key: &FileKey,
        backend: &B,
        counting: fn(u64) -> WrapCounter,
    ) -> Result<Keyring> {
        let mac = compute_mac(key, self.body, backend)?;
        if !bool::from(mac.ct_eq(self.mac.as_slice())) {
            return Err(Error::Rejected { file: self.path.into() });
        }
        let (header, versions) = self.body.split_at(self.versions_at);
        let mut versions = Reader(versions);
        let mut records = Vec::with_capacity(self.count.into());
        for _ in 0..self.count {
            let record = read_version(&mut versions, key, header, backend);
            records.push(record.map_err(|what| self.malformed(what))?);
        }
        if !versions.0.is_empty() {
            return Err(self.malformed("bytes follow the last version"));
        }
        Keyring::assemble(self.id, self.generation, records, backend, counting)
    }

    fn read(path: &'a Path, bytes: &'a [u8]) -> Result<Self, &'static str> {
        const SHORT: &str = "it ends too early";
        let (body, mac) = bytes.split_last_chunk().ok_or(SHORT)?;
        let mut reader = Reader(body);
        if reader.array::<8>() != Some(*MAGIC) {
            return Err("it does not begin with the magic bytes");
        }
        if reader.array() != Some([FORMAT]) {
            return Err("its format version is not known");
        }
        let kdf = reader.kdf()?;
        let generation = reader.array().map(u64::from_be_bytes).ok_or(SHORT)?;
        let count = reader.array().map(u16::from_be_bytes).ok_or(SHORT)?;
        let [id_len] = reader.array().ok_or(SHORT)?;
        let id = reader.take(id_len.into()).ok_or(SHORT)?;
        let id = std::str::from_utf8(id).ok().and_then(KeyringId::parse);
        let id = id.ok_or("its keyring id is not one")?;
        if generation == 0 || !(1..=MAX_VERSIONS).contains(&count.into()) {
            return Err("its generation or number of versions is out of bounds");
        }
        let versions_at = body.len() - reader.0.len();
        Ok(Self { path, kdf, generation, count, id, body, mac, versions_at })
    }

    fn malformed(&self, what: &'static str) -> Error {
        Error::Malformed { file: self.path.into(), what }
    }
}

/// The file that holds these versions, sealed under `key`.
pub(crate) fn encode<B: CryptoBackend>(
    id: &KeyringId,
    generation: u64,
    records: &[Record],
    key: &FileKey,
    backend: &B,
) -> Result<Vec<u8>> {
    let count =
        u16::try_from(records.len()).ok().filter(|count| usize::from(*count) <= MAX_VERSIONS);
    let count = count.ok_or_else(|| Error::TooManyVersions { keyring: id.clone() })?;
    let header = encode_header(id, generation, count, &key.kdf);
    let mut file = header.clone();
    for record in records {
        let fields = encode_fields(record);
        file.extend_from_slice(&fields);
        if let Some(master) = record.key() {
            let context = [KEY_CONTEXT, &header, &fields];
            let bytes = master.expose_bytes();
            file.extend(cobblestone::seal_message(backend, &key.seal, &context, bytes)?);
        }
    }
    let mac = compute_mac(key, &file, backend)?;
    file.extend_from_slice(&mac);
    Ok(file)
}

/// The byte of a state, in the file and in the digest.
pub(crate) fn state_byte(state: VersionState) -> u8 {
    match state {
        VersionState::Enabled => 1,
        VersionState::DecryptOnly => 2,
        VersionState::Destroyed => 3,
        VersionState::Waiting => 4,
    }
}

fn encode_header(id: &KeyringId, generation: u64, count: u16, kdf: &Kdf) -> Vec<u8> {
    let (kdf_id, costs) = match kdf.argon2 {
        None => (KDF_NONE, [0; 3]),
        Some(params) => (KDF_ARGON2ID, [params.kib(), params.passes(), params.lanes()]),
    };
    let id = id.as_str().as_bytes();
    let mut header = Vec::with_capacity(FIXED_LEN + id.len());
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&[FORMAT, kdf_id]);
    header.extend(costs.iter().flat_map(|cost| cost.to_be_bytes()));
    header.extend_from_slice(&kdf.salt);
    header.extend_from_slice(&generation.to_be_bytes());
    header.extend_from_slice(&count.to_be_bytes());
    // A keyring id has at most 64 bytes: its length is all in the lowest byte.
    header.push(id.len().to_le_bytes()[0]);
    header.extend_from_slice(id);
    header
}

fn encode_fields(record: &Record) -> Vec<u8> {
    let mut fields = Vec::with_capacity(FIELDS_LEN);
    fields.extend_from_slice(&record.number.to_be_bytes());
    fields.extend_from_slice(&record.created.to_be_bytes());
    fields.push(state_byte(record.state()));
    fields.extend_from_slice(&record.wraps.to_be_bytes());
    fields
}

fn read_version<B: CryptoBackend>(
    reader: &mut Reader<'_>,
    key: &FileKey,
    header: &[u8],
    backend: &B,
) -> Result<Record, &'static str> {
    const SHORT: &str = "a version ends too early";
    let fields = reader.take(FIELDS_LEN).ok_or(SHORT)?;
    let mut values = Reader(fields);
    let number = values.array().map(u32::from_be_bytes).ok_or(SHORT)?;
    let created = values.array().map(u64::from_be_bytes).ok_or(SHORT)?;
    let [state] = values.array().ok_or(SHORT)?;
    let wraps = values.array().map(u64::from_be_bytes).ok_or(SHORT)?;
    if wraps > MAX_WRAPS {
        return Err("a number of wraps is out of bounds");
    }
    let mut open = || {
        let sealed = reader.take(SEALED_LEN).ok_or(SHORT)?;
        let context = [KEY_CONTEXT, header, fields];
        cobblestone::open_message(backend, &key.seal, &context, sealed)
            .ok()
            .and_then(|bytes| bytes.as_slice().try_into().map(SourceKey::from_bytes).ok())
            .ok_or("a sealed key does not open")
    };
    let content = match state {
        1 => Content::Enabled(open()?),
        2 => Content::DecryptOnly(open()?),
        3 => Content::Destroyed,
        4 if wraps == 0 => Content::Waiting(open()?),
        4 => return Err("a version that waits has wrapped"),
        _ => return Err("a version's state is not known"),
    };
    Ok(Record { number, created, wraps, content })
}

fn compute_mac<B: CryptoBackend>(key: &FileKey, body: &[u8], backend: &B) -> Result<[u8; MAC_LEN]> {
    let mut mac = [0; MAC_LEN];
    backend
        .hmac_sha512(key.mac.as_slice(), &[body], &mut mac)
        .map_err(object_cipher_core::Error::from)?;
    Ok(mac)
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// The KDF and its costs, which must be within bounds before anything is computed.
    fn kdf(&mut self) -> Result<Kdf, &'static str> {
        const SHORT: &str = "it ends too early";
        let [id] = self.array().ok_or(SHORT)?;
        let mut cost = || self.array().map(u32::from_be_bytes).ok_or(SHORT);
        let costs = (cost()?, cost()?, cost()?);
        let salt = self.array().ok_or(SHORT)?;
        let argon2 = match (id, costs) {
            (KDF_NONE, (0, 0, 0)) => None,
            (KDF_ARGON2ID, (kib, passes, lanes)) => {
                let params = Argon2Params::checked(kib, passes, lanes);
                Some(params.ok_or("its Argon2id costs are out of bounds")?)
            }
            _ => return Err("its way of unlocking is not known"),
        };
        Ok(Kdf { argon2, salt })
    }
}
