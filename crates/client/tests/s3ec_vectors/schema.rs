//! The schema of the vectors, and how a body that is too long to be stored is made again.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use object_cipher_core::{Aes256Gcm, CryptoBackend, EncryptionContext};
use object_cipher_rustcrypto::RustCrypto;
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
pub(crate) struct Keys {
    pub(crate) keys: BTreeMap<String, WrappingKey>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum WrappingKey {
    Aes {
        #[serde(with = "hex")]
        hex: Vec<u8>,
    },
    Rsa {
        private_pem: String,
    },
    Kms {
        key_id: String,
    },
}

#[derive(Deserialize)]
pub(crate) struct Group {
    pub(crate) vectors: Vec<Vector>,
}

#[derive(Deserialize)]
pub(crate) struct Ranges {
    pub(crate) reads: Vec<RangeRead>,
}

/// A positive vector, or a negative one, which has a reader.
#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) format_version: String,
    pub(crate) key: Key,
    pub(crate) plaintext: Plaintext,
    pub(crate) object: Object,
    pub(crate) instruction_file: Option<InstructionFile>,
    pub(crate) context: Option<BTreeMap<String, String>>,
    pub(crate) expect: Option<String>,
    pub(crate) reader: Option<Reader>,
    #[serde(default)]
    pub(crate) kms_extra: Vec<Blob>,
}

#[derive(Deserialize)]
pub(crate) struct Key {
    #[serde(rename = "ref")]
    pub(crate) name: String,
    /// Not there if the reader was given a key that wraps another.
    pub(crate) data_key_hex: Option<String>,
    #[serde(flatten)]
    pub(crate) blob: Option<WrappedBlob>,
}

/// What a KMS has wrapped: these bytes under this context.
#[derive(Deserialize)]
pub(crate) struct WrappedBlob {
    pub(crate) key_id: String,
    pub(crate) ciphertext_blob_b64: String,
    pub(crate) kms_encryption_context: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(crate) struct Blob {
    #[serde(flatten)]
    pub(crate) blob: WrappedBlob,
    pub(crate) data_key_hex: String,
}

#[derive(Deserialize)]
pub(crate) struct Plaintext {
    pub(crate) len: usize,
    pub(crate) sha256: String,
    pub(crate) seed: String,
}

#[derive(Deserialize)]
pub(crate) struct Object {
    pub(crate) metadata: BTreeMap<String, String>,
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    len: usize,
    sha256: String,
    b64: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct InstructionFile {
    pub(crate) body: String,
}

/// How the client was configured that refused a negative vector.
#[derive(Deserialize)]
pub(crate) struct Reader {
    pub(crate) policy: Option<String>,
    #[serde(default)]
    pub(crate) legacy: bool,
    pub(crate) context: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
pub(crate) struct RangeRead {
    pub(crate) object: String,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) len: usize,
    pub(crate) sha256: String,
}

/// Where the vectors are.
pub(crate) fn folder() -> PathBuf {
    std::env::var_os("OBJECT_CIPHER_S3EC_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/s3ec"),
        PathBuf::from,
    )
}

pub(crate) fn load<T: DeserializeOwned>(name: &str) -> T {
    let path = folder().join(name);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All positive vectors, of every group in the folder.
pub(crate) fn positives() -> Vec<Vector> {
    let mut names: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .filter(|name| !["keys.json", "negative.json", "ranges.json"].contains(&name.as_str()))
        .collect();
    names.sort();
    names.iter().flat_map(|name| load::<Group>(name).vectors).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub(crate) fn context_of(pairs: &BTreeMap<String, String>) -> EncryptionContext {
    let mut context = EncryptionContext::new();
    for (key, value) in pairs {
        context.insert_reserved(key, value).unwrap();
    }
    context
}

pub(crate) fn key_bytes(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

impl Plaintext {
    /// SHA-256 of seed and counter, again and again.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let blocks = (0u64..).flat_map(|counter| {
            let hash = Sha256::new().chain_update(&self.seed).chain_update(counter.to_be_bytes());
            hash.finalize()
        });
        let bytes: Vec<u8> = blocks.take(self.len).collect();
        assert_eq!(sha256(&bytes), self.sha256, "plaintext of {}", self.seed);
        bytes
    }
}

impl Vector {
    /// The stored body, as written or made again from what it was made of.
    pub(crate) fn body(&self) -> Vec<u8> {
        let body = match &self.object.body.b64 {
            Some(text) => STANDARD.decode(text).unwrap(),
            None => self.seal_again(),
        };
        assert_eq!(
            (body.len(), sha256(&body)),
            (self.object.body.len, self.object.body.sha256.clone())
        );
        body
    }

    fn seal_again(&self) -> Vec<u8> {
        let data_key: [u8; 32] = key_bytes(self.key.data_key_hex.as_ref().unwrap());
        let mut body = self.plaintext.bytes();
        let (mut key, mut iv, mut aad) = (data_key, [1; 12], [0, 0x73].as_slice());
        if self.format_version == "V3" {
            let message_id = self.stored_bytes("x-amz-i");
            let info: &[&[u8]] = &[aad, b"DERIVEKEY"];
            RustCrypto.hkdf_sha512(&message_id, &data_key, info, &mut key).unwrap();
        } else {
            let stored = self.stored_bytes("x-amz-iv");
            if stored.len() == 16 {
                let cbc = cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &stored).unwrap();
                return cbc.encrypt_padded_vec::<Pkcs7>(&body);
            }
            iv = stored.try_into().unwrap();
            aad = &[];
        }
        let mut tag = [0; 16];
        RustCrypto.aead(&key).unwrap().seal(&iv, aad, &mut body, &mut tag).unwrap();
        body.extend_from_slice(&tag);
        body
    }

    fn stored_bytes(&self, name: &str) -> Vec<u8> {
        let in_file = || {
            let body = &self.instruction_file.as_ref()?.body;
            serde_json::from_str::<BTreeMap<String, String>>(body).ok()?.remove(name)
        };
        let value = self.object.metadata.get(name).cloned().or_else(in_file);
        STANDARD.decode(value.unwrap()).unwrap()
    }
}
