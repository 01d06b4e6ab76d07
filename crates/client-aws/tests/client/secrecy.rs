//! What must not be seen, and what every caller may count on.

use object_cipher_client_aws::{
    HeaderStorage, S3EncryptionClient, aws_sdk_s3::primitives::ByteStream,
};
use object_cipher_core::ReadRange;

use crate::{
    fake::{FakeS3, Fault, Operation},
    setup::{PART_LEN, aes, cipher, put, told},
};

const SECRET: &[u8] = b"the lion sleeps in the third cage";
/// Of the AES key that the tests wrap by, as `Debug` and hexadecimal would have it.
const KEY: [&str; 2] = ["7, 7, 7, 7", "07070707"];

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn assert_silent(text: &str) {
    let content = format!("{SECRET:?}");
    let content = content.trim_matches(['[', ']']);
    assert!(!text.contains("lion") && !text.contains(content), "{text}");
    assert!(KEY.iter().all(|key| !text.contains(key)), "{text}");
}

fn secrets(length: usize) -> Vec<u8> {
    SECRET.iter().copied().cycle().take(length).collect()
}

#[tokio::test]
async fn nothing_that_is_sent_holds_the_content_and_checksums_are_of_what_is_sent() {
    let fake = FakeS3::start().await;
    for client in [fake.client(), fake.client_with_files()] {
        for length in [SECRET.len(), PART_LEN + 1_000] {
            put(&client, "k", &secrets(length)).await;
        }
    }
    let asked = fake.asked();
    for asked in asked.iter() {
        assert!(!holds(&asked.body, b"lion"), "{:?}", asked.operation);
        assert_silent(&format!("{:?} {:?} {:?}", asked.name, asked.query, asked.headers));
    }
    let bodies = [Operation::PutObject, Operation::UploadPart];
    let bodies: Vec<_> = asked.iter().filter(|asked| bodies.contains(&asked.operation)).collect();
    assert_eq!(bodies.len(), 2 + 2 * 2 + 2);
    for asked in bodies {
        assert_eq!(asked.headers["x-amz-checksum-crc32"], asked.crc32());
    }
}

#[tokio::test]
async fn no_answer_and_no_error_shows_content_or_keys() {
    let fake = FakeS3::start().await;
    let legacy = cipher(aes()).enable_legacy_unauthenticated_modes().build();
    let builder = fake.builder(legacy);
    assert_silent(&format!("{builder:?}"));
    let delayed = builder.clone().enable_delayed_authentication().build().unwrap();
    for client in [builder.build().unwrap(), delayed] {
        assert_silent(&format!("{client:?}"));
        put(&client, "k", SECRET).await;
        let mut got = client.get_object().bucket("b").key("k").send().await.unwrap();
        assert_silent(&format!("{got:?}"));
        let piece = got.body.try_next().await.unwrap();
        assert!(piece.is_some_and(|piece| piece == SECRET));
        assert_silent(&format!("{got:?}"));
        let range = client.get_unauthenticated_range().bucket("b").key("k");
        let range = range.range(ReadRange::From(0)).send().await.unwrap();
        assert_eq!(range.unauthenticated, SECRET);
        assert_silent(&format!("{range:?}"));
        let head = client.head_object().bucket("b").key("k").send().await.unwrap();
        assert_silent(&format!("{head:?}"));
        fake.change("b/k", |object| object.body.truncate(20));
        let failed = match client.get_object().bucket("b").key("k").send().await {
            Ok(got) => told(&got.body.collect().await.unwrap_err()),
            Err(error) => told(&error),
        };
        assert_silent(&failed);
    }
}

#[tokio::test]
async fn no_failed_upload_shows_content_or_keys() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    let mut upload = client.create_upload().bucket("b").key("k").send().await.unwrap();
    upload.write(&secrets(PART_LEN + 1_000)).await.unwrap();
    assert_silent(&format!("{upload:?}"));
    fake.fault_of(Operation::CompleteUpload, Fault::Refuse(400, "InvalidPart"));
    assert_silent(&told(&upload.complete().await.unwrap_err()));
    fake.fault_of(Operation::PutObject, Fault::Refuse(403, "AccessDenied"));
    let put = client.put_object().bucket("b").key("k").body(ByteStream::from_static(SECRET));
    assert_silent(&told(&put.send().await.unwrap_err()));
}

fn assert_send<T: Send>(_: &T) {}

fn assert_send_and_sync<T: Send + Sync>() {}

#[tokio::test]
async fn every_future_may_move_between_threads() {
    assert_send_and_sync::<S3EncryptionClient>();
    assert_send_and_sync::<object_cipher_client_aws::Builder>();
    assert_send_and_sync::<object_cipher_client_aws::Error>();
    let fake = FakeS3::start().await;
    let storage = HeaderStorage::InstructionFile;
    let client = fake.builder(cipher(aes()).build()).header_storage(storage).build().unwrap();
    assert_send(&client.put_object().send());
    assert_send(&client.get_object().send());
    assert_send(&client.get_object().send_for_body());
    assert_send(&client.get_unauthenticated_range().send());
    assert_send(&client.head_object().send());
    assert_send(&client.delete_object().send());
    assert_send(&client.delete_objects().send());
    assert_send(&client.copy_object().send());
    assert_send(&client.re_encrypt_instruction_file().send());
    let mut upload = client.create_upload().bucket("b").key("k").send().await.unwrap();
    assert_send(&client.create_upload().send());
    assert_send(&upload.write(b"content"));
    assert_send(&upload);
    assert_send(&upload.complete());
}

#[tokio::test]
async fn a_client_works_from_a_task_of_its_own() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    let body = ByteStream::from_static(SECRET);
    let task = tokio::spawn(async move {
        client.put_object().bucket("b").key("k").body(body).send().await.map(|_| client)
    });
    let client = task.await.unwrap().unwrap();
    let body = client.get_object().bucket("b").key("k").send_for_body().await.unwrap();
    let read = tokio::spawn(async move { body.collect().await.unwrap().to_vec() });
    assert_eq!(read.await.unwrap(), SECRET);
}
