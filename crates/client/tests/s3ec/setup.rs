//! What the attacks are made with: libraries, keyrings, and how an object is stored and read.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{
    Error, Result,
    s3ec::{
        AesKeyring, Builder, CommitmentPolicy, DataKey, Description, EncryptedDataKey, Found,
        Header, KeyRequest, Keyring, KmsKeyring, Request, RsaKeyring, S3ec, WrapAlgorithm,
    },
};
use object_cipher_core::{BoxFuture, EncryptionContext};
use object_cipher_kms::{KeyName, Scope};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{FakeKms, drive, now};

pub(crate) const MAX_LEN: usize = 1 << 20;
pub(crate) const KMS_KEY: &str = "11111111-2222-3333-4444-555555555555";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Library {
    AwsLc,
    RustCrypto,
}

pub(crate) const LIBRARIES: [Library; 2] = [Library::AwsLc, Library::RustCrypto];

pub(crate) type Pairs = Vec<(String, String)>;

impl Library {
    pub(crate) fn builder(self, keyring: impl Keyring + 'static) -> Builder {
        match self {
            Self::AwsLc => S3ec::builder(keyring, AwsLc),
            Self::RustCrypto => S3ec::builder(keyring, RustCrypto),
        }
    }

    /// Reads whatever can be read.
    pub(crate) fn lenient(self, keyring: impl Keyring + 'static) -> S3ec {
        self.builder(keyring)
            .commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt)
            .enable_legacy_wrapping_algorithms()
            .enable_legacy_unauthenticated_modes()
            .build()
    }
}

/// The policies that write V3 and V2; both read both.
pub(crate) const BOTH_FORMATS: [CommitmentPolicy; 2] =
    [CommitmentPolicy::RequireEncryptAllowDecrypt, CommitmentPolicy::ForbidEncryptAllowDecrypt];

/// Wraps every data key by any algorithm in a single way, counts how often it is asked, and can be told
/// to fail.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) data_key: [u8; 32],
    pub(crate) fault: Option<Error>,
    /// What it makes of a wrapped key of V1.
    pub(crate) of_v1: Option<WrapAlgorithm>,
    /// How it says that it wraps.
    pub(crate) wraps: Option<WrapAlgorithm>,
    pub(crate) description: Description,
    pub(crate) asked: AtomicUsize,
}

impl Given {
    pub(crate) fn new(data_key: [u8; 32]) -> Arc<Self> {
        Arc::new(Self::unshared(data_key))
    }

    pub(crate) fn unshared(data_key: [u8; 32]) -> Self {
        let wraps = Some(WrapAlgorithm::AesGcm);
        Self { data_key, of_v1: Some(WrapAlgorithm::AesEcb), wraps, ..Self::default() }
    }

    /// How often it was asked for a key.
    pub(crate) fn calls(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn answer(&self) -> Result<DataKey> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.fault.clone().map_or_else(|| DataKey::from_slice(&self.data_key), Err)
    }

    fn wrapped(&self) -> EncryptedDataKey {
        let description = self.description.clone();
        EncryptedDataKey { wrap: self.wraps, bytes: b"wrapped".to_vec(), description }
    }
}

impl Keyring for Given {
    fn unwraps_by(&self, wrap: Option<WrapAlgorithm>, _: &Description) -> Option<WrapAlgorithm> {
        wrap.or(self.of_v1)
    }

    fn generate<'a>(
        &'a self,
        _: &'a KeyRequest<'a>,
    ) -> BoxFuture<'a, Result<(DataKey, EncryptedDataKey)>> {
        Box::pin(async { self.answer().map(|key| (key, self.wrapped())) })
    }

    fn unwrap<'a>(
        &'a self,
        _: &'a KeyRequest<'a>,
        _: WrapAlgorithm,
        _: &'a EncryptedDataKey,
    ) -> BoxFuture<'a, Result<DataKey>> {
        Box::pin(async { self.answer() })
    }

    fn wrap<'a>(
        &'a self,
        _: &'a KeyRequest<'a>,
        _: &'a DataKey,
    ) -> BoxFuture<'a, Result<EncryptedDataKey>> {
        Box::pin(async { self.answer().map(|_| self.wrapped()) })
    }
}

pub(crate) fn aes(byte: u8, length: usize) -> AesKeyring {
    AesKeyring::new(&vec![byte; length]).unwrap()
}

/// The PEM of a private key among the vectors' keys.
pub(crate) fn private_pem(name: &str) -> String {
    rsa_pem(name, "private_pem")
}

pub(crate) fn public_pem(name: &str) -> String {
    rsa_pem(name, "public_pem")
}

fn rsa_pem(name: &str, part: &str) -> String {
    let folder = std::env::var_os("OBJECT_CIPHER_S3EC_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/s3ec"),
        Into::into,
    );
    let text = fs::read_to_string(folder.join("keys.json")).unwrap();
    let keys: serde_json::Value = serde_json::from_str(&text).unwrap();
    keys["keys"][name][part].as_str().unwrap().to_owned()
}

pub(crate) fn rsa(name: &str) -> RsaKeyring {
    RsaKeyring::from_private_pem(&private_pem(name)).unwrap()
}

pub(crate) fn fake_kms() -> Arc<FakeKms> {
    Arc::new(FakeKms::new().with_key(KMS_KEY))
}

pub(crate) fn kms_keyring(kms: &Arc<FakeKms>) -> KmsKeyring {
    let arn = Scope::default().arn(KMS_KEY);
    KmsKeyring::new(Arc::clone(kms) as _, KeyName::parse(&arn).unwrap())
}

pub(crate) fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    let mut context = EncryptionContext::new();
    for (key, value) in pairs {
        context.insert(*key, *value).unwrap();
    }
    context
}

pub(crate) fn request(context: Option<&EncryptionContext>) -> Request<'_> {
    Request { context, ..Request::default() }
}

/// Seals an object: its header and body.
pub(crate) fn seal(
    cipher: &S3ec,
    context: Option<&EncryptionContext>,
    plaintext: &[u8],
) -> (Header, Vec<u8>) {
    let mut sealed = now(cipher.seal(&request(context))).unwrap();
    let body = drive(&mut sealed.stream, plaintext, usize::MAX).complete().unwrap();
    assert_eq!(sealed.header.plaintext_len(body.len() as u64), Some(plaintext.len() as u64));
    (sealed.header, body)
}

/// Opens an object in both forms, which have to agree. What is held back until it verifies gives no byte
/// of what does not.
pub(crate) fn read(
    cipher: &S3ec,
    context: Option<&EncryptionContext>,
    header: &Header,
    body: &[u8],
) -> Result<Vec<u8>> {
    let open = || now(cipher.open(header, &request(context)));
    let mut verified = open()?.into_verified(body.len() as u64, MAX_LEN)?;
    let verified = drive(&mut verified, body, usize::MAX);
    let mut unverified = open()?.into_unverified();
    let unverified = drive(&mut unverified, body, usize::MAX).complete();
    assert!(verified.result.is_ok() || verified.released.is_empty());
    let verified = verified.complete();
    assert_eq!(verified, unverified);
    Ok(verified?)
}

/// Reads an object by its metadata.
pub(crate) fn read_stored(
    cipher: &S3ec,
    context: Option<&EncryptionContext>,
    metadata: &[(String, String)],
    body: &[u8],
) -> Result<Vec<u8>> {
    read(cipher, context, &header(metadata, None)?, body)
}

pub(crate) fn found(metadata: &[(String, String)]) -> Result<Found> {
    Found::read(metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

pub(crate) fn header(metadata: &[(String, String)], file: Option<&str>) -> Result<Header> {
    match (found(metadata)?, file) {
        (Found::Complete(header), _) => Ok(header),
        (Found::InInstructionFile(partial), Some(file)) => partial.complete(file.as_bytes()),
        (Found::InInstructionFile(partial), None) => Err(partial.missing()),
    }
}

pub(crate) fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Pairs {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

pub(crate) fn value<'a>(metadata: &'a [(String, String)], name: &str) -> &'a str {
    &metadata.iter().find(|(key, _)| key == name).unwrap().1
}

pub(crate) fn with(metadata: &[(String, String)], name: &str, value: &str) -> Pairs {
    let mut changed = without(metadata, name);
    changed.push((name.to_owned(), value.to_owned()));
    changed
}

pub(crate) fn without(metadata: &[(String, String)], name: &str) -> Pairs {
    metadata.iter().filter(|(key, _)| key != name).cloned().collect()
}

pub(crate) fn plaintext(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

/// The bytes with each of their bits flipped in turn.
pub(crate) fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}
