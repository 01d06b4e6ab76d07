//! Objects that are put and got again.

use std::sync::Arc;

use object_cipher_client_aws::{
    Error, HeaderStorage, S3EncryptionClient,
    aws_sdk_s3::primitives::ByteStream,
    object_cipher_client::{
        Error as ClientError,
        s3ec::{FormatVersion, KmsKeyring, S3ec},
    },
};
use object_cipher_kms::KeyName;
use object_cipher_testkit::FakeKms;

use crate::{
    fake::{FakeS3, Fault, Operation},
    setup::{
        PART_LEN, aes, cipher, content, context, get, kms, put, rsa, s3_code, stream_of, v2_cipher,
    },
};

const STORAGES: [HeaderStorage; 2] = [HeaderStorage::Metadata, HeaderStorage::InstructionFile];

fn client(fake: &FakeS3, cipher: S3ec, storage: HeaderStorage) -> S3EncryptionClient {
    fake.builder(cipher).header_storage(storage).build().unwrap()
}

#[tokio::test]
async fn what_is_put_is_got_in_either_version_by_raw_keys_wherever_the_wrapped_key_is() {
    let fake = FakeS3::start().await;
    for storage in STORAGES {
        for (version, made) in [
            (FormatVersion::V3, cipher(aes()).build()),
            (FormatVersion::V2, v2_cipher(aes()).build()),
            (FormatVersion::V3, cipher(rsa("rsa2048a")).build()),
            (FormatVersion::V2, v2_cipher(rsa("rsa2048a")).build()),
        ] {
            let client = client(&fake, made, storage);
            put(&client, "cat.jpg", b"a photo of a cat").await;
            assert_eq!(get(&client, "cat.jpg").await, b"a photo of a cat");
            let head = client.head_object().bucket("b").key("cat.jpg").send().await.unwrap();
            assert_eq!(head.version(), version);
        }
    }
}

#[tokio::test]
async fn a_kms_binds_the_encryption_context_in_either_version() {
    let fake = FakeS3::start().await;
    for storage in STORAGES {
        for made in [cipher(kms()).build(), v2_cipher(kms()).build()] {
            let client = client(&fake, made, storage);
            let body = ByteStream::from_static(b"a lion");
            let put = client.put_object().bucket("b").key("lion").body(body);
            put.encryption_context(context()).send().await.unwrap();
            let get = || client.get_object().bucket("b").key("lion");
            let body = get().encryption_context(context()).send_for_body().await.unwrap();
            assert_eq!(&body.collect().await.unwrap().to_vec(), b"a lion");
            let without = get().send().await.unwrap_err();
            assert!(matches!(without, Error::Client(ClientError::Context)), "{without}");
        }
    }
}

#[tokio::test]
async fn any_length_around_the_parts_comes_back_in_the_requests_that_it_needs() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    let all = content(2 * PART_LEN + 70_000);
    for (length, parts) in [
        (0, 0),
        (1, 0),
        (65_535, 0),
        (65_536, 0),
        (PART_LEN - 1, 0),
        (PART_LEN, 2),
        (PART_LEN + 1, 2),
        (2 * PART_LEN - 1, 2),
        (2 * PART_LEN, 3),
        (2 * PART_LEN + 70_000, 3),
    ] {
        put(&client, "k", &all[..length]).await;
        let stored = fake.object("b/k").unwrap();
        assert_eq!((stored.body.len(), stored.parts), (length + 16, parts), "{length}");
        assert!(get(&client, "k").await == all[..length], "{length}");
    }
    assert_eq!(fake.open_uploads(), 0);
}

#[tokio::test]
async fn content_may_come_in_pieces_of_any_length_and_its_length_need_not_be_known() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    let all = content(PART_LEN + 99_991);
    for piece_len in [4_093, 65_536, 1_000_003, all.len()] {
        let body = stream_of(&all, piece_len, false);
        client.put_object().bucket("b").key("k").body(body).send().await.unwrap();
        assert!(get(&client, "k").await == all, "{piece_len}");
    }
}

#[tokio::test]
async fn a_length_of_parts_that_is_no_multiple_of_anything_holds_too() {
    let fake = FakeS3::start().await;
    let builder = fake.builder(cipher(aes()).build()).part_len(PART_LEN + 4_321);
    let client = builder.build().unwrap();
    let all = content(2 * PART_LEN + 200_000);
    put(&client, "k", &all).await;
    assert!(get(&client, "k").await == all);
}

#[tokio::test]
async fn user_metadata_and_the_media_type_are_kept() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    for length in [3, PART_LEN] {
        let body = ByteStream::from(content(length));
        let put = client.put_object().bucket("b").key("k").body(body);
        put.metadata("owner", "zoo").content_type("image/jpeg").send().await.unwrap();
        let got = client.get_object().bucket("b").key("k").send().await.unwrap();
        assert_eq!(got.metadata.unwrap()["owner"], "zoo");
        assert_eq!(got.content_type.as_deref(), Some("image/jpeg"));
        assert_eq!(got.content_length, i64::try_from(length).ok());
    }
}

#[tokio::test]
async fn user_metadata_of_the_formats_names_is_refused_before_anything_is_sent() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    let names =
        ["x-amz-key", "X-Amz-Key-V2", "x-amz-d", "x-amz-meta-x-amz-i", "x-amz-crypto-instr-file"];
    for name in names {
        let put = client.put_object().bucket("b").key("k").metadata(name, "mine").send().await;
        assert!(matches!(put.unwrap_err(), Error::Request(_)), "{name}");
        let upload = client.create_upload().bucket("b").key("k").metadata(name, "mine");
        assert!(matches!(upload.send().await.unwrap_err(), Error::Request(_)), "{name}");
    }
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn user_metadata_cannot_bring_headers_of_its_own() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    let put = client.put_object().bucket("b").key("k");
    let put = put.metadata("a", "b\r\nx-amz-meta-x-amz-key: c").send().await;
    assert!(matches!(put.unwrap_err(), Error::S3 { .. }));
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_put_that_names_no_object_is_refused_before_anything_is_sent() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    for put in [
        client.put_object().key("k"),
        client.put_object().bucket("b"),
        client.put_object().bucket("b").key(""),
    ] {
        assert!(matches!(put.send().await.unwrap_err(), Error::Request(_)));
    }
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_put_that_is_tried_again_sends_the_same_bytes() {
    let fake = FakeS3::start().await;
    fake.fault_of(Operation::PutObject, Fault::Refuse(500, "InternalError"));
    let client = fake.client();
    put(&client, "k", b"a cat").await;
    let puts = fake.asked_of(Operation::PutObject);
    assert_eq!(puts.len(), 2);
    assert_eq!(puts[0].body, puts[1].body);
    assert_eq!(puts[0].metadata(), puts[1].metadata());
    assert_eq!(get(&client, "k").await, b"a cat");
}

#[tokio::test]
async fn every_put_has_keys_of_its_own() {
    let fake = FakeS3::start().await;
    let client = fake.client();
    put(&client, "one", b"the same content").await;
    put(&client, "two", b"the same content").await;
    let (one, two) = (fake.object("b/one").unwrap(), fake.object("b/two").unwrap());
    assert_ne!(one.body, two.body);
    for name in ["x-amz-3", "x-amz-d", "x-amz-i"] {
        assert_ne!(one.metadata[name], two.metadata[name], "{name}");
    }
}

#[tokio::test]
async fn a_source_that_fails_leaves_nothing_behind() {
    let fake = FakeS3::start().await;
    for client in [fake.client(), fake.client_with_files()] {
        for length in [1_000, PART_LEN + 1_000] {
            let body = stream_of(&content(length), 65_536, true);
            let put = client.put_object().bucket("b").key("k").body(body).send().await;
            assert!(matches!(put.unwrap_err(), Error::Body(_)));
            assert!(fake.names().is_empty(), "{length}");
            assert_eq!(fake.open_uploads(), 0, "{length}");
        }
    }
    assert_eq!(fake.asked_of(Operation::AbortUpload).len(), 2);
}

#[tokio::test]
async fn a_refusal_of_s3_is_told_with_its_code_and_the_operation() {
    let fake = FakeS3::start().await;
    fake.fault_of(Operation::PutObject, Fault::Refuse(403, "AccessDenied"));
    let put = fake.client().put_object().bucket("b").key("k").send().await.unwrap_err();
    assert_eq!(s3_code(&put).as_deref(), Some("AccessDenied"));
    assert!(put.to_string().starts_with("PutObject: "), "{put}");
}

#[tokio::test]
async fn more_metadata_than_s3_keeps_is_refused_before_anything_is_sent() {
    let fake = FakeS3::start().await;
    let (client, with_files) = (fake.client(), fake.client_with_files());
    let wrapped = too_long(put_with(&client, 2_048, b"a cat").await).1 - 2_048;
    for body in [&b"a cat"[..], &content(PART_LEN + 1_000)] {
        let (user, total) = too_long(put_with(&client, 2_049 - wrapped, body).await);
        assert_eq!((user, total), (2_049 - wrapped, 2_049));
    }
    let upload = client.create_upload().bucket("b").key("k").metadata("name", "v".repeat(2_000));
    too_long(upload.send().await.map(|_| ()));
    assert!(fake.asked().is_empty());
    put_with(&client, 2_048 - wrapped, b"a cat").await.unwrap();
    let kept = fake.object("b/k").unwrap().metadata;
    assert_eq!(kept.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>(), 2_048);
    put_with(&with_files, 2_049 - wrapped, b"a cat").await.unwrap();
}

#[tokio::test]
async fn more_metadata_than_s3_keeps_of_the_user_s_own_asks_for_no_key() {
    let fake = FakeS3::start().await;
    let no_key = KmsKeyring::new(Arc::new(FakeKms::new()), KeyName::parse("none").unwrap());
    let client = client(&fake, cipher(no_key).build(), HeaderStorage::Metadata);
    let put =
        |length: usize| client.put_object().bucket("b").key("k").metadata("é", "v".repeat(length));
    let (user, total) = too_long(put(2_047).send().await.map(|_| ()));
    assert_eq!((user, total), (2_049, 2_049));
    let asked = put(2_046).send().await.unwrap_err();
    assert!(matches!(asked, Error::Client(_)), "{asked}");
    assert!(fake.asked().is_empty());
}

/// A put with so many bytes of the user's metadata.
async fn put_with(client: &S3EncryptionClient, user: usize, body: &[u8]) -> Result<(), Error> {
    let put = client.put_object().bucket("b").key("k").body(body.to_vec().into());
    put.metadata("name", "v".repeat(user - 4)).send().await.map(|_| ())
}

/// The bytes of the user's metadata, and of all.
fn too_long(put: Result<(), Error>) -> (usize, usize) {
    let error = put.unwrap_err();
    assert!(error.to_string().contains("instruction file"), "{error}");
    let Error::MetadataTooLong { user, total } = error else { panic!("{error}") };
    (user, total)
}

#[tokio::test]
async fn a_configuration_that_contradicts_itself_is_refused() {
    let fake = FakeS3::start().await;
    let builder = || fake.builder(cipher(aes()).build());
    for wrong in [
        builder().part_len((5 << 20) - 1),
        builder().part_len(usize::MAX),
        builder().upload_concurrency(0),
        builder().max_buffered_len(1 << 20).enable_delayed_authentication(),
        builder().enable_delayed_authentication().max_buffered_len(1 << 20),
    ] {
        assert!(matches!(wrong.build().unwrap_err(), Error::Configuration(_)));
    }
}
