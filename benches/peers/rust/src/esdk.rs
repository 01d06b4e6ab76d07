//! `aws-esdk`: messages in frames of 64 KiB under a raw AES key, its default suite without a signature.

use aws_esdk::{
    client::Client,
    material_providers::{
        client::Client as MaterialProviders,
        types::{
            AesWrappingAlg, EsdkAlgorithmSuiteId, keyring::KeyringRef,
            material_providers_config::MaterialProvidersConfig,
        },
    },
    types::aws_encryption_sdk_config::AwsEncryptionSdkConfig,
};
use aws_smithy_types::Blob;
use tokio::runtime::{Builder, Runtime};

use crate::{Subject, content::Content};

const FRAME: i64 = 64 << 10;

pub(crate) struct Esdk {
    runtime: Runtime,
    client: Client,
    keyring: KeyringRef,
    content: Vec<u8>,
    stored: Blob,
}

impl Esdk {
    pub(crate) fn new(content: Content) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        let config = AwsEncryptionSdkConfig::builder().build().unwrap();
        let client = Client::from_conf(config).unwrap();
        let config = MaterialProvidersConfig::builder().build().unwrap();
        let keyring = MaterialProviders::from_conf(config)
            .unwrap()
            .create_raw_aes_keyring()
            .key_name("name")
            .key_namespace("namespace")
            .wrapping_key(Blob::new([7; 32]))
            .wrapping_alg(AesWrappingAlg::AlgAes256GcmIv12Tag16);
        let keyring = runtime.block_on(keyring.send()).unwrap();
        let content = content.whole();
        let mut esdk = Self { runtime, client, keyring, content, stored: Blob::new([]) };
        esdk.stored = esdk.sealed();
        esdk
    }

    fn sealed(&self) -> Blob {
        let message = self
            .client
            .encrypt()
            .plaintext(Blob::new(&self.content[..]))
            .keyring(self.keyring.clone())
            .algorithm_suite_id(EsdkAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKey)
            .frame_length(FRAME);
        self.runtime.block_on(message.send()).unwrap().ciphertext.unwrap()
    }
}

impl Subject for Esdk {
    fn seal(&mut self) {
        self.sealed();
    }

    fn open(&mut self) {
        let message = self.client.decrypt().ciphertext(self.stored.clone());
        let opened = self.runtime.block_on(message.keyring(self.keyring.clone()).send()).unwrap();
        assert_eq!(opened.plaintext.unwrap().as_ref(), &self.content[..]);
    }
}
