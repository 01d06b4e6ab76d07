//! The formats of the S3 Encryption Client.

use object_cipher_audits::MEMORY;
use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{
    Result,
    s3ec::{
        AesKeyring, CommitmentPolicy, DataKey, Description, EncryptedDataKey, Header, KeyRequest,
        Keyring, KmsKeyring, Request, RsaKeyring, S3ec, UnauthenticatedOpener, WrapAlgorithm,
    },
};
use object_cipher_core::{BoxFuture, MessageBackend, ReadRange};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{drive, now, plaintext};

use crate::{
    modes::{key, kms_key, local_kms},
    nothing_is_left_by, told,
};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/s3ec/keys.json");

/// A keyring whose data keys are told.
struct Told<K>(K);

impl<K: Keyring> Keyring for Told<K> {
    fn unwraps_by(
        &self,
        wrap: Option<WrapAlgorithm>,
        description: &Description,
    ) -> Option<WrapAlgorithm> {
        self.0.unwraps_by(wrap, description)
    }

    fn generate<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
    ) -> BoxFuture<'a, Result<(DataKey, EncryptedDataKey)>> {
        Box::pin(async {
            let (key, wrapped) = self.0.generate(rq).await?;
            MEMORY.tell(key.expose());
            Ok((key, wrapped))
        })
    }

    fn unwrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        wrap: WrapAlgorithm,
        wrapped: &'a EncryptedDataKey,
    ) -> BoxFuture<'a, Result<DataKey>> {
        self.0.unwrap(rq, wrap, wrapped)
    }

    fn wrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        data_key: &'a DataKey,
    ) -> BoxFuture<'a, Result<EncryptedDataKey>> {
        self.0.wrap(rq, data_key)
    }
}

#[test]
fn z1_nothing_is_left_by_the_s3_encryption_clients_formats_under_aes_keys() {
    nothing_is_left_by(|| both_libraries(|| AesKeyring::new(&key(0x21)).unwrap()));
}

#[test]
fn z1_nothing_is_left_by_the_s3_encryption_clients_formats_under_rsa_keys() {
    let pem = private_pem();
    nothing_is_left_by(|| both_libraries(|| RsaKeyring::from_private_pem(&pem).unwrap()));
}

#[test]
fn z1_nothing_is_left_by_the_s3_encryption_clients_formats_under_a_kms() {
    nothing_is_left_by(|| both_libraries(|| KmsKeyring::new(local_kms(), kms_key())));
}

/// A private key of the vectors, of which pieces of its secret numbers are told, in either order of bytes.
fn private_pem() -> String {
    let keys: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(VECTORS).unwrap()).unwrap();
    let pem = keys["keys"]["rsa2048a"]["private_pem"].as_str().unwrap().to_owned();
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap();
    // The exponent begins at byte 303 of a key of 2,048 bits, then come the primes.
    for at in [367, 610, 740] {
        let mut piece: [u8; 16] = der[at..at + 16].try_into().unwrap();
        MEMORY.tell(&piece);
        piece.reverse();
        MEMORY.tell(&piece);
    }
    // The test's own copy, which no library could wipe.
    std::mem::forget(der);
    pem
}

fn both_libraries<K: Keyring + 'static>(keyring: impl Fn() -> K) {
    let policies =
        [CommitmentPolicy::RequireEncryptAllowDecrypt, CommitmentPolicy::ForbidEncryptAllowDecrypt];
    for policy in policies {
        objects(&cipher(told(RustCrypto), keyring(), policy));
        objects(&cipher(told(AwsLc), keyring(), policy));
    }
}

fn cipher(
    backend: impl MessageBackend,
    keyring: impl Keyring + 'static,
    policy: CommitmentPolicy,
) -> S3ec {
    S3ec::builder(Told(keyring), backend)
        .commitment_policy(policy)
        .enable_legacy_wrapping_algorithms()
        .enable_legacy_unauthenticated_modes()
        .build()
}

/// Puts, gets both ways, ranges, rewraps, and failures of each.
fn objects(cipher: &S3ec) {
    let (content, rq) = (plaintext(40_000), Request::default());
    let mut sealed = now(cipher.seal(&rq)).unwrap();
    let mut body = drive(&mut sealed.stream, &content, usize::MAX).complete().unwrap();
    let header = sealed.header;
    assert!(verified(cipher, &header, &body).unwrap() == content);
    let mut stream = now(cipher.open(&header, &rq)).unwrap().into_unverified();
    assert!(drive(&mut stream, &body, usize::MAX).complete().unwrap() == content);
    drop(stream);
    range(cipher, &header, &body);

    let other = AesKeyring::new(&key(0x22)).unwrap().with_description([("key", "new")]);
    let moved = now(cipher.rewrap(&header, &rq, &other));
    if let Ok(moved) = moved {
        assert!(now(cipher.open(&moved, &rq)).is_err());
    }
    body[30_000] ^= 1;
    assert!(verified(cipher, &header, &body).is_err());
    // Begun and left.
    drop(now(cipher.seal(&rq)).unwrap());
    drop(now(cipher.open(&header, &rq)).unwrap());
}

fn verified(cipher: &S3ec, header: &Header, body: &[u8]) -> Result<Vec<u8>> {
    let opener = now(cipher.open(header, &Request::default()))?;
    let mut stream = opener.into_verified(body.len() as u64, 1 << 20)?;
    Ok(drive(&mut stream, body, usize::MAX).complete()?)
}

fn range(cipher: &S3ec, header: &Header, body: &[u8]) {
    let range = ReadRange::Bytes(20_000..20_010);
    let ranges = cipher.unauthenticated_ranges().unwrap();
    let opener = now(ranges.open(header, &Request::default())).unwrap();
    let stored = body.len() as u64;
    let fetch = UnauthenticatedOpener::fetch(&range).resolve(stored).unwrap();
    let mut fetched = body[fetch.start as usize..fetch.end as usize].to_vec();
    assert!(opener.decrypt(&range, fetch.start, stored, &mut fetched).is_ok());
    assert!(opener.decrypt(&range, fetch.start + 16, stored, &mut fetched[..1]).is_err());
}
