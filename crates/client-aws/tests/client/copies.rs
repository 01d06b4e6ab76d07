//! Copies within S3.

use object_cipher_client_aws::{Error, object_cipher_client::Error as ClientError};

use crate::{
    fake::{FakeS3, Object},
    setup::{get, put, s3_code},
};

#[tokio::test]
async fn a_copy_opens_wherever_the_wrapped_key_is() {
    let fake = FakeS3::start().await;
    for client in [fake.client(), fake.client_with_files()] {
        let key = "a folder/käse+ü? #1 %25.jpg";
        put(&client, key, b"a cat").await;
        let copy = client.copy_object().source("b", key).bucket("b").key("copy of it");
        copy.send().await.unwrap();
        assert_eq!(get(&client, "copy of it").await, b"a cat");
    }
    assert!(fake.names().contains(&"b/copy of it.instruction".to_owned()));
}

#[tokio::test]
async fn a_copy_without_a_file_over_an_object_with_one_opens() {
    let fake = FakeS3::start().await;
    put(&fake.client_with_files(), "target", b"a dog").await;
    let client = fake.client();
    put(&client, "source", b"a cat").await;
    let copy = client.copy_object().source("b", "source").bucket("b").key("target");
    copy.send().await.unwrap();
    assert_eq!(get(&client, "target").await, b"a cat");
}

#[tokio::test]
async fn a_copy_of_which_the_file_is_missing_leaves_the_target_as_it_was() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "source", b"a cat").await;
    put(&client, "target", b"a dog").await;
    fake.remove("b/source.instruction");
    let copy = client.copy_object().source("b", "source").bucket("b").key("target");
    assert_eq!(s3_code(&copy.send().await.unwrap_err()).as_deref(), Some("NoSuchKey"));
    assert_eq!(get(&client, "target").await, b"a dog");
}

#[tokio::test]
async fn metadata_that_mixes_versions_is_not_copied() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    let mixed = [("x-amz-d", "AA=="), ("x-amz-key-v2", "AA==")];
    let metadata = mixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    fake.store("b/k", Object { metadata: metadata.into(), ..Object::default() });
    let copy = client.copy_object().source("b", "k").bucket("b").key("copy").send().await;
    assert!(matches!(copy.unwrap_err(), Error::Client(ClientError::Metadata(_))));
    assert_eq!(fake.names(), ["b/k"]);
}

#[tokio::test]
async fn a_copy_that_names_no_object_is_refused_before_anything_is_sent() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    for copy in [
        client.copy_object().bucket("b").key("k"),
        client.copy_object().source("b", "").bucket("b").key("k"),
        client.copy_object().source("b", "k").bucket("b"),
    ] {
        assert!(matches!(copy.send().await.unwrap_err(), Error::Request(_)));
    }
    assert!(fake.asked().is_empty());
}
