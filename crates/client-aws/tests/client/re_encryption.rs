//! New keys for old objects.

use object_cipher_client_aws::{
    Error, HeaderStorage, ReEncryptInstructionFile, S3EncryptionClient,
    object_cipher_client::{
        Error as ClientError,
        s3ec::{AesKeyring, DescribedKeyrings, FormatVersion, S3ec},
    },
};

use crate::{
    fake::{FakeS3, Operation},
    setup::{aes, cipher, context, get, get_error, kms, other_aes, put, rsa, v2_cipher},
};

const FILE: &str = "b/k.instruction";

fn client(fake: &FakeS3, cipher: S3ec) -> S3EncryptionClient {
    let builder = fake.builder(cipher).header_storage(HeaderStorage::InstructionFile);
    builder.build().unwrap()
}

fn re_encrypt(client: &S3EncryptionClient) -> ReEncryptInstructionFile<'_> {
    client.re_encrypt_instruction_file().bucket("b").key("k")
}

#[tokio::test]
async fn the_new_key_takes_the_place_of_the_old_one_and_the_object_is_not_touched() {
    let fake = FakeS3::start().await;
    for (version, old, new) in [
        (FormatVersion::V3, cipher(aes()).build(), cipher(other_aes()).build()),
        (FormatVersion::V2, v2_cipher(aes()).build(), v2_cipher(other_aes()).build()),
    ] {
        let (old, new) = (client(&fake, old), client(&fake, new));
        put(&old, "k", b"a cat").await;
        let object = fake.object("b/k").unwrap();
        let rewrap = re_encrypt(&old).new_keyring(other_aes()).enforce_rotation();
        assert_eq!(rewrap.send().await.unwrap().version(), version);
        assert_eq!(fake.object("b/k").unwrap(), object);
        assert_eq!(get(&new, "k").await, b"a cat");
        let error = get_error(&old, "k").await;
        assert!(matches!(error, Error::Client(ClientError::Unwrap)), "{error}");
    }
}

#[tokio::test]
async fn a_partner_reads_by_a_file_of_its_own_beside_the_first() {
    let fake = FakeS3::start().await;
    let owner = fake.client_with_files();
    put(&owner, "k", b"a cat").await;
    let file = fake.object(FILE).unwrap();
    let rewrap = re_encrypt(&owner).new_keyring(rsa("rsa2048a"));
    rewrap.instruction_file_suffix(".partner").send().await.unwrap();
    assert_eq!(fake.object(FILE).unwrap(), file);
    assert_eq!(get(&owner, "k").await, b"a cat");

    let partner = client(&fake, cipher(rsa("rsa2048a")).build());
    let get = partner.get_object().bucket("b").key("k").instruction_file_suffix(".partner");
    let body = get.send_for_body().await.unwrap().collect().await.unwrap();
    assert_eq!(&body.to_vec(), b"a cat");
}

#[tokio::test]
async fn an_aes_key_takes_no_file_of_its_own() {
    let fake = FakeS3::start().await;
    let owner = fake.client_with_files();
    put(&owner, "k", b"a cat").await;
    let rewrap = || re_encrypt(&owner).new_keyring(other_aes());
    let error = rewrap().instruction_file_suffix(".partner").send().await.unwrap_err();
    assert!(matches!(error, Error::Request(_)), "{error}");
    assert_eq!(get(&owner, "k").await, b"a cat");
    rewrap().instruction_file_suffix(".instruction").send().await.unwrap();
}

#[tokio::test]
async fn a_keyring_of_the_same_description_is_refused() {
    let fake = FakeS3::start().await;
    let owner = fake.client_with_files();
    put(&owner, "k", b"a cat").await;
    let same = AesKeyring::new(&[8; 32]).unwrap().with_description([("key", "2026")]);
    let error = re_encrypt(&owner).new_keyring(same).send().await.unwrap_err();
    assert!(matches!(error, Error::Client(ClientError::Configuration(_))), "{error}");
    assert_eq!(get(&owner, "k").await, b"a cat");
}

#[tokio::test]
async fn rotation_can_be_enforced_and_then_the_old_key_must_not_unwrap() {
    let fake = FakeS3::start().await;
    let owner = fake.client_with_files();
    put(&owner, "k", b"a cat").await;
    let file = fake.object(FILE).unwrap();
    let same_key = || AesKeyring::new(&[7; 32]).unwrap().with_description([("key", "renamed")]);
    let rewrap = || re_encrypt(&owner).new_keyring(same_key());
    let error = rewrap().enforce_rotation().send().await.unwrap_err();
    assert!(matches!(error, Error::Request(_)), "{error}");
    assert_eq!(fake.object(FILE).unwrap(), file);
    rewrap().send().await.unwrap();
    assert_eq!(get(&owner, "k").await, b"a cat");
}

#[tokio::test]
async fn an_object_moves_from_a_kms_by_its_encryption_context() {
    let fake = FakeS3::start().await;
    let owner = client(&fake, cipher(kms()).build());
    let put = owner.put_object().bucket("b").key("k").body(b"a cat".to_vec().into());
    put.encryption_context(context()).send().await.unwrap();
    let rewrap = || re_encrypt(&owner).new_keyring(aes()).enforce_rotation();
    let error = rewrap().send().await.unwrap_err();
    assert!(matches!(error, Error::Client(ClientError::Context)), "{error}");
    rewrap().encryption_context(context()).send().await.unwrap();
    assert_eq!(get(&fake.client(), "k").await, b"a cat");
}

#[tokio::test]
async fn a_kms_is_no_new_keyring() {
    let fake = FakeS3::start().await;
    let owner = fake.client_with_files();
    put(&owner, "k", b"a cat").await;
    let error = re_encrypt(&owner).new_keyring(kms()).send().await.unwrap_err();
    assert!(matches!(error, Error::Client(ClientError::Unsupported(_))), "{error}");
}

#[tokio::test]
async fn a_client_reads_what_was_written_before_and_after_a_rotation() {
    let fake = FakeS3::start().await;
    let old = fake.client_with_files();
    put(&old, "k", b"a cat").await;
    put(&old, "before", b"a dog").await;
    re_encrypt(&old).new_keyring(other_aes()).send().await.unwrap();
    let both = DescribedKeyrings::new(other_aes()).with([("key", "2026")], aes());
    let client = client(&fake, cipher(both).build());
    assert_eq!(get(&client, "k").await, b"a cat");
    assert_eq!(get(&client, "before").await, b"a dog");
}

#[tokio::test]
async fn a_key_in_metadata_or_a_client_without_files_is_refused_before_anything_is_written() {
    let fake = FakeS3::start().await;
    put(&fake.client(), "k", b"a cat").await;
    let error = re_encrypt(&fake.client()).new_keyring(other_aes()).send().await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    let files = fake.client_with_files();
    let error = re_encrypt(&files).new_keyring(other_aes()).send().await.unwrap_err();
    assert!(matches!(error, Error::Request(_)), "{error}");
    assert!(matches!(re_encrypt(&files).send().await.unwrap_err(), Error::Request(_)));
    assert_eq!(fake.asked_of(Operation::PutObject).len(), 1);
}
