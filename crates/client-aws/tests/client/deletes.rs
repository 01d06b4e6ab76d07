//! Objects that are deleted.

use object_cipher_client_aws::Error;

use crate::{
    fake::{FakeS3, Fault, Object, Operation},
    setup::{put, s3_code},
};

#[tokio::test]
async fn an_object_is_deleted_with_its_instruction_file_and_no_other() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    fake.store("b/k.partner", Object::default());
    put(&client, "k2", b"a cat").await;
    client.delete_object().bucket("b").key("k").send().await.unwrap();
    assert_eq!(fake.names(), ["b/k.partner", "b/k2", "b/k2.instruction"]);
    client.delete_object().bucket("b").key("k").send().await.unwrap();
}

#[tokio::test]
async fn the_file_stays_where_one_version_is_deleted() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    let delete = client.delete_object().bucket("b").key("k");
    delete.configure(|request| request.version_id("v1")).send().await.unwrap();
    assert_eq!(fake.names(), ["b/k.instruction"]);
}

#[tokio::test]
async fn the_file_stays_where_the_object_could_not_be_deleted() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    fake.fault_of(Operation::DeleteObject, Fault::Refuse(403, "AccessDenied"));
    let error = client.delete_object().bucket("b").key("k").send().await.unwrap_err();
    assert_eq!(s3_code(&error).as_deref(), Some("AccessDenied"));
    assert_eq!(fake.names(), ["b/k", "b/k.instruction"]);
}

#[tokio::test]
async fn any_number_of_objects_is_deleted_with_their_files_a_thousand_names_at_a_time() {
    let fake = FakeS3::start().await;
    let keys: Vec<_> = (0..1_001).map(|number| format!("a&b/{number:04}")).collect();
    for key in &keys {
        fake.store(&format!("b/{key}"), Object::default());
        fake.store(&format!("b/{key}.instruction"), Object::default());
    }
    let answers = fake.client().delete_objects().bucket("b").keys(keys).send().await.unwrap();
    assert!(fake.names().is_empty());
    let deleted: Vec<_> = answers.iter().map(|answer| answer.deleted().len()).collect();
    assert_eq!(deleted, [1_000, 1_000, 2]);
}

#[tokio::test]
async fn no_keys_are_no_request_and_an_empty_one_is_refused() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    assert!(client.delete_objects().bucket("b").send().await.unwrap().is_empty());
    let delete = client.delete_objects().bucket("b").key("k").key("");
    assert!(matches!(delete.send().await.unwrap_err(), Error::Request(_)));
    assert!(fake.asked().is_empty());
}
