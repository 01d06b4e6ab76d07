//! Writes on a condition.

use object_cipher_client_aws::{Error, S3EncryptionClient};

use crate::{
    fake::{FakeS3, Operation},
    setup::{PART_LEN, content, get, put, s3_code},
};

async fn put_new(client: &S3EncryptionClient, length: usize) -> Result<(), Error> {
    let body = content(length).into();
    client.put_object().bucket("b").key("k").body(body).if_none_match("*").send().await.map(drop)
}

async fn put_over(client: &S3EncryptionClient, e_tag: &str, length: usize) -> Result<(), Error> {
    let body = content(length).into();
    client.put_object().bucket("b").key("k").body(body).if_match(e_tag).send().await.map(drop)
}

fn is_refused(error: &Error) -> bool {
    s3_code(error).as_deref() == Some("PreconditionFailed")
}

#[tokio::test]
async fn a_new_object_is_stored_only_where_there_is_none() {
    for length in [100, PART_LEN] {
        let fake = FakeS3::start().await;
        for client in [fake.client(), fake.client_with_files()] {
            put_new(&client, length).await.unwrap();
            assert!(get(&client, "k").await == content(length));
            assert!(is_refused(&put_new(&client, length).await.unwrap_err()));
            assert_eq!(fake.open_uploads(), 0);
            fake.remove("b/k");
        }
    }
}

#[tokio::test]
async fn an_object_is_replaced_only_if_it_is_the_one_that_is_meant() {
    for length in [100, PART_LEN] {
        let fake = FakeS3::start().await;
        for client in [fake.client(), fake.client_with_files()] {
            put(&client, "k", b"before").await;
            let e_tag = fake.object("b/k").unwrap().e_tag;
            put_over(&client, &e_tag, length).await.unwrap();
            assert!(get(&client, "k").await == content(length));
            assert!(is_refused(&put_over(&client, &e_tag, length).await.unwrap_err()));
            assert!(get(&client, "k").await == content(length));
        }
    }
}

#[tokio::test]
async fn a_condition_that_fails_leaves_the_object_before_it_its_instruction_file() {
    for length in [100, PART_LEN] {
        let fake = FakeS3::start().await;
        let client = fake.client_with_files();
        put(&client, "k", b"before").await;
        let file = fake.object("b/k.instruction").unwrap();
        assert!(is_refused(&put_new(&client, length).await.unwrap_err()));
        assert!(is_refused(&put_over(&client, "\"other\"", length).await.unwrap_err()));
        assert_eq!(fake.object("b/k.instruction").unwrap(), file);
        assert_eq!(get(&client, "k").await, b"before");
    }
}

#[tokio::test]
async fn of_many_writers_of_one_new_object_one_wins_and_it_is_readable() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    let writers = (0..8).map(|writer| {
        let client = client.clone();
        tokio::spawn(async move { put_new(&client, 100 + writer).await })
    });
    let written = futures::future::join_all(writers.collect::<Vec<_>>()).await;
    let won = written.into_iter().filter(|written| written.as_ref().unwrap().is_ok()).count();
    assert_eq!(won, 1);
    let read = get(&client, "k").await;
    assert_eq!(read, content(read.len()));
}

#[tokio::test]
async fn the_condition_of_an_upload_is_told_when_it_is_completed() {
    let fake = FakeS3::start().await;
    put_new(&fake.client(), PART_LEN).await.unwrap();
    let complete = &fake.asked_of(Operation::CompleteUpload)[0];
    assert_eq!(complete.headers["if-none-match"], "*");
}
