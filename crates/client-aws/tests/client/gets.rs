//! Objects that are read, and what reading refuses.

use bytes::BytesMut;
use object_cipher_client_aws::{
    Error, S3EncryptionClient,
    aws_sdk_s3::primitives::ByteStream,
    object_cipher_client::{Error as ClientError, MetadataFault, s3ec::S3ec},
};
use object_cipher_core::Error as CoreError;

use crate::{
    fake::{FakeS3, Fault, Object, Operation},
    setup::{
        PART_LEN, aes, cipher, content, get, get_error, kms, other_aes, put, rsa, s3_code, told,
        v2_cipher,
    },
};

fn delayed(fake: &FakeS3, cipher: S3ec) -> S3EncryptionClient {
    fake.builder(cipher).enable_delayed_authentication().build().unwrap()
}

/// Flips a bit of the stored body.
fn flip(fake: &FakeS3, name: &str, at: usize) {
    fake.change(name, |object| {
        let mut body = BytesMut::from(&object.body[..]);
        body[at] ^= 1;
        object.body = body.freeze();
    });
}

async fn read_all(mut body: ByteStream) -> (usize, Option<String>) {
    let mut length = 0;
    loop {
        match body.try_next().await {
            Ok(Some(piece)) => length += piece.len(),
            Ok(None) => return (length, None),
            Err(error) => return (length, Some(told(&error))),
        }
    }
}

fn is_rejected(error: &Error) -> bool {
    matches!(error, Error::Client(ClientError::Core(CoreError::Rejected { .. })))
}

#[tokio::test]
async fn a_changed_body_fails_before_anything_of_it_is_given_out() {
    let fake = FakeS3::start().await;
    for made in [cipher(aes()).build(), v2_cipher(aes()).build()] {
        let client = fake.builder(made).build().unwrap();
        for at in [0, 99_999, 100_000, 100_015] {
            put(&client, "k", &content(100_000)).await;
            flip(&fake, "b/k", at);
            let error = client.get_object().bucket("b").key("k").send().await.unwrap_err();
            assert!(is_rejected(&error), "{at}: {error}");
        }
    }
}

#[tokio::test]
async fn with_delayed_authentication_a_changed_body_ends_in_an_error_and_never_cleanly() {
    let fake = FakeS3::start().await;
    let client = delayed(&fake, cipher(aes()).build());
    for (length, at) in [(0, 0), (10, 3), (65_536, 65_551), (200_000, 0), (200_000, 200_015)] {
        put(&client, "k", &content(length)).await;
        flip(&fake, "b/k", at);
        let mut body = client.get_object().bucket("b").key("k").send_for_body().await.unwrap();
        let mut given = 0;
        let error = loop {
            match body.try_next().await {
                Ok(piece) => given += piece.expect("never a clean end").len(),
                Err(error) => break told(&error),
            }
        };
        assert!(error.contains("Rejected"), "{error}");
        assert!(given <= length, "{given}");
        assert!(body.try_next().await.is_err(), "the failure stays");
    }
}

#[tokio::test]
async fn with_delayed_authentication_content_comes_whole_and_its_length_is_told() {
    let fake = FakeS3::start().await;
    let client = delayed(&fake, cipher(aes()).build());
    for length in [0, 1, 65_535, 65_536, 65_537, 2 * PART_LEN] {
        put(&client, "k", &content(length)).await;
        let got = client.get_object().bucket("b").key("k").send().await.unwrap();
        assert_eq!(got.content_length, i64::try_from(length).ok());
        assert_eq!(got.body.size_hint(), (length as u64, Some(length as u64)));
        assert!(got.body.collect().await.unwrap().to_vec() == content(length), "{length}");
    }
}

#[tokio::test]
async fn a_body_that_lacks_its_end_or_has_more_fails() {
    let fake = FakeS3::start().await;
    for client in [fake.client(), delayed(&fake, cipher(aes()).build())] {
        for length in [0, 15, 16, 100, 999, 1_015] {
            put(&client, "k", &content(1_000)).await;
            fake.change("b/k", |object| object.body.truncate(length));
            get_error(&client, "k").await;
        }
        put(&client, "k", &content(1_000)).await;
        fake.change("b/k", |object| object.body = [&object.body[..], &[0]].concat().into());
        get_error(&client, "k").await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_fails() {
    let fake = FakeS3::start().await;
    for client in [fake.client(), delayed(&fake, cipher(aes()).build())] {
        put(&client, "k", &content(300_000)).await;
        fake.fault_of(Operation::GetObject, Fault::CutBody);
        let error = get_error(&client, "k").await;
        assert!(matches!(error, Error::Body(_)), "{error}");
    }
}

#[tokio::test]
async fn after_an_answer_that_broke_off_the_body_never_ends_cleanly() {
    let fake = FakeS3::start().await;
    let client = delayed(&fake, cipher(aes()).build());
    put(&client, "k", &content(300_000)).await;
    fake.fault_of(Operation::GetObject, Fault::CutBody);
    let mut body = client.get_object().bucket("b").key("k").send_for_body().await.unwrap();
    while body.try_next().await.is_ok_and(|piece| piece.is_some()) {}
    assert!(body.try_next().await.is_err());
}

#[tokio::test]
async fn a_body_longer_than_may_be_held_back_is_refused() {
    let fake = FakeS3::start().await;
    let builder = fake.builder(cipher(aes()).build()).max_buffered_len(1_016);
    let client = builder.build().unwrap();
    put(&client, "k", &content(1_000)).await;
    assert_eq!(get(&client, "k").await, content(1_000));
    put(&client, "k", &content(1_001)).await;
    let error = get_error(&client, "k").await;
    assert!(matches!(error, Error::Client(ClientError::Core(CoreError::Limit(_)))), "{error}");
}

#[tokio::test]
async fn ranges_and_parts_are_refused_before_anything_is_sent() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    let get = || client.get_object().bucket("b").key("k");
    for get in [
        get().configure(|request| request.range("bytes=0-9")),
        get().configure(|request| request.part_number(1)),
    ] {
        assert!(matches!(get.send().await.unwrap_err(), Error::Request(_)));
    }
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_range_that_nobody_asked_for_is_refused() {
    let fake = FakeS3::start().await;
    for client in [fake.client(), delayed(&fake, cipher(aes()).build())] {
        put(&client, "k", &content(1_000)).await;
        for range in ["bytes=0-99", "bytes=0-"] {
            fake.fault_of(Operation::GetObject, Fault::AsIfRange(Some(range)));
            let error = client.get_object().bucket("b").key("k").send().await.unwrap_err();
            assert!(matches!(error, Error::Answer(_)), "{error}");
        }
    }
}

#[tokio::test]
async fn an_object_that_is_not_encrypted_is_refused() {
    let fake = FakeS3::start().await;
    fake.store("b/k", Object { body: b"in clear".as_slice().into(), ..Object::default() });
    for client in [fake.client(), delayed(&fake, cipher(aes()).build())] {
        let error = client.get_object().bucket("b").key("k").send().await.unwrap_err();
        let missing = ClientError::Metadata(MetadataFault::NoInstructionFile);
        assert!(matches!(&error, Error::Client(found) if *found == missing), "{error}");
    }
}

#[tokio::test]
async fn a_missing_object_is_an_error_of_s3() {
    let fake = FakeS3::start().await;
    let error = get_error(&fake.client(), "k").await;
    assert_eq!(s3_code(&error).as_deref(), Some("NoSuchKey"));
}

#[tokio::test]
async fn v2_is_not_read_unless_the_policy_allows_it() {
    let fake = FakeS3::start().await;
    put(&fake.builder(v2_cipher(aes()).build()).build().unwrap(), "k", b"a cat").await;
    let error = get_error(&fake.client(), "k").await;
    assert!(matches!(error, Error::Client(ClientError::Policy { .. })), "{error}");
}

#[tokio::test]
async fn another_key_does_not_read() {
    let fake = FakeS3::start().await;
    put(&fake.client(), "k", b"a cat").await;
    let reads = |made: S3ec| fake.builder(made).build().unwrap();
    let error = get_error(&reads(cipher(other_aes()).build()), "k").await;
    assert!(matches!(error, Error::Client(ClientError::Unwrap)), "{error}");
    for made in [cipher(rsa("rsa2048a")).build(), cipher(kms()).build()] {
        let error = get_error(&reads(made), "k").await;
        assert!(matches!(error, Error::Client(ClientError::OtherKeyring(_))), "{error}");
    }
}

#[tokio::test]
async fn the_metadata_of_another_object_does_not_read() {
    let fake = FakeS3::start().await;
    for made in [cipher(aes()).build(), v2_cipher(aes()).build()] {
        let client = fake.builder(made).build().unwrap();
        put(&client, "one", b"one cat").await;
        put(&client, "two", b"two cat").await;
        let metadata = fake.object("b/two").unwrap().metadata;
        fake.change("b/one", |object| object.metadata = metadata);
        assert!(is_rejected(&get_error(&client, "one").await));
    }
}

#[tokio::test]
async fn head_tells_the_length_of_the_content_without_a_key() {
    let fake = FakeS3::start().await;
    put(&fake.client(), "k", &content(1_000)).await;
    put(&fake.client_with_files(), "with-file", &content(1_000)).await;
    let keyless = fake.builder(cipher(other_aes()).build()).build().unwrap();
    for key in ["k", "with-file"] {
        let head = keyless.head_object().bucket("b").key(key).send().await.unwrap();
        assert_eq!(head.plaintext_len, Some(1_000));
        assert_eq!(head.stored.content_length, Some(1_016));
    }
}

#[tokio::test]
async fn head_of_a_range_or_a_part_is_refused() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    let head = || client.head_object().bucket("b").key("k");
    for head in [
        head().configure(|request| request.range("bytes=0-9")),
        head().configure(|request| request.part_number(1)),
    ] {
        assert!(matches!(head.send().await.unwrap_err(), Error::Request(_)));
    }
}

#[tokio::test]
async fn the_answer_tells_of_the_content_and_not_of_the_stored_body() {
    let fake = FakeS3::start().await;
    put(&fake.client(), "k", &content(10)).await;
    let got = fake.client().get_object().bucket("b").key("k").send().await.unwrap();
    assert_eq!(got.content_length, Some(10));
    assert!(got.checksum_crc32.is_none() && got.checksum_type.is_none());
    assert_eq!(read_all(got.body).await, (10, None));
}
