//! Multipart uploads.

use std::time::Duration;

use object_cipher_client_aws::{Error, Upload};

use crate::{
    fake::{Asked, FakeS3, Fault, Operation},
    setup::{PART_LEN, aes, cipher, content, get, put, s3_code},
};

const SLOW: Duration = Duration::from_millis(200);

fn part(number: i32) -> impl Fn(&Asked) -> bool + Send + 'static {
    move |asked| asked.operation == Operation::UploadPart && asked.part() == Some(number)
}

async fn begin(fake: &FakeS3) -> Upload {
    fake.client().create_upload().bucket("b").key("k").send().await.unwrap()
}

#[tokio::test]
async fn content_may_be_written_in_pieces_of_any_length() {
    let fake = FakeS3::start().await;
    let all = content(2 * PART_LEN + 12_345);
    let mut upload = begin(&fake).await;
    let mut rest = &all[..];
    for length in [0, 1, 65_535, 65_537, 3 * 65_536, PART_LEN, 7, usize::MAX] {
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        upload.write(piece).await.unwrap();
        rest = behind;
    }
    upload.complete().await.unwrap();
    assert_eq!(fake.object("b/k").unwrap().parts, 3);
    assert!(get(&fake.client(), "k").await == all);
}

#[tokio::test]
async fn an_upload_of_nothing_is_an_object_of_nothing() {
    let fake = FakeS3::start().await;
    begin(&fake).await.complete().await.unwrap();
    assert!(get(&fake.client(), "k").await.is_empty());
}

#[tokio::test]
async fn parts_are_sent_side_by_side_and_completed_in_order() {
    let fake = FakeS3::start().await;
    fake.fault(part(1), Fault::Delay(SLOW));
    fake.fault(part(2), Fault::Delay(SLOW / 2));
    let all = content(3 * PART_LEN);
    put(&fake.client(), "k", &all).await;
    assert!(fake.most_parts_at_once() > 1);
    assert!(get(&fake.client(), "k").await == all);
}

#[tokio::test]
async fn no_more_parts_are_sent_at_a_time_than_the_client_is_set_up_for() {
    let fake = FakeS3::start().await;
    for number in 1..=4 {
        fake.fault(part(number), Fault::Delay(SLOW / 4));
    }
    let builder = fake.builder(cipher(aes()).build()).upload_concurrency(2);
    put(&builder.build().unwrap(), "k", &content(3 * PART_LEN)).await;
    assert_eq!(fake.most_parts_at_once(), 2);
}

#[tokio::test]
async fn a_part_that_is_tried_again_is_the_same_bytes() {
    let fake = FakeS3::start().await;
    fake.fault(part(1), Fault::Refuse(500, "InternalError"));
    fake.fault(part(2), Fault::Refuse(503, "SlowDown"));
    let all = content(PART_LEN + 1);
    put(&fake.client(), "k", &all).await;
    for number in [1, 2] {
        let sent = fake.asked_of(Operation::UploadPart);
        let sent: Vec<_> = sent.iter().filter(|asked| asked.part() == Some(number)).collect();
        assert_eq!(sent.len(), 2, "{number}");
        assert!(sent[0].body == sent[1].body, "{number}");
    }
    assert!(get(&fake.client(), "k").await == all);
}

#[tokio::test]
async fn a_put_of_which_a_part_is_refused_is_aborted() {
    let fake = FakeS3::start().await;
    fake.fault(part(1), Fault::Refuse(403, "AccessDenied"));
    let body = content(3 * PART_LEN).into();
    let put = fake.client().put_object().bucket("b").key("k").body(body).send().await;
    assert_eq!(s3_code(&put.unwrap_err()).as_deref(), Some("AccessDenied"));
    assert_eq!(fake.open_uploads(), 0);
    assert!(fake.names().is_empty());
}

#[tokio::test]
async fn an_upload_whose_completion_fails_is_aborted_and_the_first_error_is_told() {
    let fake = FakeS3::start().await;
    fake.fault_of(Operation::CompleteUpload, Fault::Refuse(400, "InvalidPart"));
    fake.fault_of(Operation::AbortUpload, Fault::Refuse(403, "AccessDenied"));
    let error = begin(&fake).await.complete().await.unwrap_err();
    assert_eq!(s3_code(&error).as_deref(), Some("InvalidPart"));
    assert_eq!(fake.asked_of(Operation::AbortUpload).len(), 1);

    fake.fault_of(Operation::CompleteUpload, Fault::Refuse(400, "InvalidPart"));
    begin(&fake).await.complete().await.unwrap_err();
    assert_eq!(fake.open_uploads(), 1, "that whose abort failed");
    assert!(fake.names().is_empty());
}

#[tokio::test]
async fn an_upload_that_is_aborted_leaves_nothing() {
    let fake = FakeS3::start().await;
    let mut upload = begin(&fake).await;
    upload.write(&content(PART_LEN)).await.unwrap();
    upload.abort().await.unwrap();
    assert_eq!(fake.open_uploads(), 0);
    assert!(fake.names().is_empty());
}

#[tokio::test]
async fn an_upload_of_which_a_write_failed_never_becomes_an_object() {
    let fake = FakeS3::start().await;
    fake.fault(part(1), Fault::Refuse(403, "AccessDenied"));
    let mut upload = begin(&fake).await;
    let all = content(5 * PART_LEN);
    assert_eq!(s3_code(&upload.write(&all).await.unwrap_err()).as_deref(), Some("AccessDenied"));
    assert!(matches!(upload.write(&all).await.unwrap_err(), Error::BrokenUpload));
    assert!(matches!(upload.complete().await.unwrap_err(), Error::BrokenUpload));
    assert_eq!(fake.operations().last(), Some(&Operation::AbortUpload));
    assert_eq!(fake.open_uploads(), 0);
    assert!(fake.names().is_empty());
}

#[tokio::test]
async fn an_upload_of_which_a_write_was_dropped_never_becomes_an_object() {
    let fake = FakeS3::start().await;
    for number in 1..=3 {
        fake.fault(part(number), Fault::Delay(60 * SLOW));
    }
    let mut upload = begin(&fake).await;
    let all = content(5 * PART_LEN);
    tokio::time::timeout(2 * SLOW, upload.write(&all)).await.unwrap_err();
    assert!(matches!(upload.write(b"more").await.unwrap_err(), Error::BrokenUpload));
    assert!(matches!(upload.complete().await.unwrap_err(), Error::BrokenUpload));
    assert!(fake.names().is_empty());
}

#[tokio::test]
async fn an_upload_that_is_dropped_sends_nothing_more() {
    let fake = FakeS3::start().await;
    fake.fault(part(1), Fault::Delay(SLOW));
    let mut upload = begin(&fake).await;
    upload.write(&content(PART_LEN)).await.unwrap();
    drop(upload);
    tokio::time::sleep(2 * SLOW).await;
    let sent = fake.asked_of(Operation::UploadPart).len();
    assert!(sent <= 1, "{sent}");
    assert!(fake.asked_of(Operation::CompleteUpload).is_empty());
}
