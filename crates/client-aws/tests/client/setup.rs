//! Clients, keys and contents.

use std::{sync::Arc, time::Duration};

use aws_smithy_http_client::Builder as HttpBuilder;
use bytes::Bytes;
use futures::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use object_cipher_aws_lc::AwsLc;
use object_cipher_client_aws::{
    Builder, Error, HeaderStorage, S3EncryptionClient,
    aws_sdk_s3::{
        Client, Config,
        config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
        primitives::{ByteStream, SdkBody},
    },
    object_cipher_client::s3ec::{
        self, AesKeyring, CommitmentPolicy, Keyring, KmsKeyring, RsaKeyring, S3ec,
    },
};
use object_cipher_core::EncryptionContext;
use object_cipher_kms::KeyName;
use object_cipher_testkit::FakeKms;

use crate::fake::FakeS3;

pub(crate) const PART_LEN: usize = 5 << 20;
const KMS_KEY: &str = "11111111-2222-3333-4444-555555555555";

impl FakeS3 {
    /// The SDK's client, which is quick to try again.
    pub(crate) fn sdk(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .endpoint_url(format!("http://{}", self.address))
            .force_path_style(true)
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
            .http_client(HttpBuilder::new().build_http());
        Client::from_conf(config.build())
    }

    /// A client's configuration, with parts as short as they may be.
    pub(crate) fn builder(&self, cipher: S3ec) -> Builder {
        S3EncryptionClient::builder(self.sdk(), cipher).part_len(PART_LEN)
    }

    /// A client that writes and reads V3 by an AES key.
    pub(crate) fn client(&self) -> S3EncryptionClient {
        self.builder(cipher(aes()).build()).build().unwrap()
    }

    /// The same, with its keys in instruction files.
    pub(crate) fn client_with_files(&self) -> S3EncryptionClient {
        let storage = HeaderStorage::InstructionFile;
        self.builder(cipher(aes()).build()).header_storage(storage).build().unwrap()
    }
}

pub(crate) fn cipher(keyring: impl Keyring + 'static) -> s3ec::Builder {
    S3ec::builder(keyring, AwsLc)
}

/// A cipher that writes V2 and reads everything that is not legacy.
pub(crate) fn v2_cipher(keyring: impl Keyring + 'static) -> s3ec::Builder {
    cipher(keyring).commitment_policy(CommitmentPolicy::ForbidEncryptAllowDecrypt)
}

pub(crate) fn aes() -> AesKeyring {
    AesKeyring::new(&[7; 32]).unwrap().with_description([("key", "2026")])
}

pub(crate) fn other_aes() -> AesKeyring {
    AesKeyring::new(&[8; 32]).unwrap().with_description([("key", "2027")])
}

/// An RSA key pair of the vectors.
pub(crate) fn rsa(name: &str) -> RsaKeyring {
    let keys: serde_json::Value =
        serde_json::from_str(include_str!("../../../../vectors/s3ec/keys.json")).unwrap();
    let pem = keys["keys"][name]["private_pem"].as_str().unwrap();
    RsaKeyring::from_private_pem(pem).unwrap().with_description([("key", name)])
}

pub(crate) fn kms() -> KmsKeyring {
    let kms = FakeKms::new().with_key(KMS_KEY);
    KmsKeyring::new(Arc::new(kms), KeyName::parse(KMS_KEY).unwrap())
}

pub(crate) fn context() -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert("tenant", "zoo").unwrap();
    context
}

/// Bytes of which no two pieces are alike.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0_u64..)
        .flat_map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1).to_be_bytes())
        .take(length)
        .collect()
}

/// A body of unknown length, in pieces, which may fail at its end.
pub(crate) fn stream_of(content: &[u8], piece_len: usize, fails: bool) -> ByteStream {
    let pieces = content.chunks(piece_len).map(Bytes::copy_from_slice);
    let pieces = pieces.map(|piece| Ok(Frame::data(piece)));
    let failure = fails.then(|| Err(std::io::Error::other("the source is gone")));
    let frames: Vec<_> = pieces.chain(failure).collect();
    ByteStream::new(SdkBody::from_body_1_x(StreamBody::new(stream::iter(frames))))
}

/// Everything that an error and what is behind it say.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let behind = error.source().map(told).unwrap_or_default();
    format!("{error} {error:?} {behind}")
}

/// The code with which S3 refused.
pub(crate) fn s3_code(error: &Error) -> Option<String> {
    use object_cipher_client_aws::aws_sdk_s3::error::ProvideErrorMetadata as _;
    match error {
        Error::S3 { source, .. } => source.code().map(str::to_owned),
        _ => None,
    }
}

/// Stores an object in the bucket `b`.
pub(crate) async fn put(client: &S3EncryptionClient, key: &str, content: &[u8]) {
    let body = ByteStream::from(content.to_vec());
    client.put_object().bucket("b").key(key).body(body).send().await.unwrap();
}

/// The content of an object of the bucket `b`.
pub(crate) async fn get(client: &S3EncryptionClient, key: &str) -> Vec<u8> {
    try_to_get(client, key).await.unwrap()
}

/// Why an object of the bucket `b` is not read, be it before its body or in it.
pub(crate) async fn get_error(client: &S3EncryptionClient, key: &str) -> Error {
    try_to_get(client, key).await.map(|content| content.len()).unwrap_err()
}

async fn try_to_get(client: &S3EncryptionClient, key: &str) -> Result<Vec<u8>, Error> {
    let body = client.get_object().bucket("b").key(key).send_for_body().await?;
    Ok(body.collect().await?.to_vec())
}
