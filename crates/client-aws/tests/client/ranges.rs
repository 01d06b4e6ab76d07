//! Ranges, of which nothing is authenticated.

use object_cipher_client_aws::{
    Error, S3EncryptionClient, UnauthenticatedRangeOutput,
    object_cipher_client::{Error as ClientError, s3ec::S3ec},
};
use object_cipher_core::{Error as CoreError, ReadRange};

use crate::{
    fake::{FakeS3, Fault, Operation},
    setup::{PART_LEN, aes, cipher, content, context, kms, put, rsa, v2_cipher},
};

const LENGTH: u64 = 1_000;

fn client(fake: &FakeS3, cipher: S3ec) -> S3EncryptionClient {
    fake.builder(cipher).build().unwrap()
}

async fn with_an_object(fake: &FakeS3) -> S3EncryptionClient {
    let client = client(fake, cipher(aes()).enable_legacy_unauthenticated_modes().build());
    put(&client, "k", &content(1_000)).await;
    client
}

async fn read(
    client: &S3EncryptionClient,
    range: ReadRange,
) -> Result<UnauthenticatedRangeOutput, Error> {
    client.get_unauthenticated_range().bucket("b").key("k").range(range).send().await
}

fn not_satisfiable(error: &Error) -> Option<u64> {
    match error {
        Error::Client(ClientError::Core(CoreError::RangeNotSatisfiable { length })) => {
            Some(*length)
        }
        _ => None,
    }
}

#[tokio::test]
async fn any_range_gives_the_bytes_that_slicing_the_content_gives() {
    let fake = FakeS3::start().await;
    let content = content(1_000);
    for made in [cipher(aes()), v2_cipher(aes())] {
        let client = client(&fake, made.enable_legacy_unauthenticated_modes().build());
        put(&client, "k", &content).await;
        for range in [
            ReadRange::Bytes(0..1),
            ReadRange::Bytes(0..16),
            ReadRange::Bytes(15..17),
            ReadRange::Bytes(16..32),
            ReadRange::Bytes(33..999),
            ReadRange::Bytes(999..1_000),
            ReadRange::Bytes(990..u64::MAX),
            ReadRange::From(0),
            ReadRange::From(17),
            ReadRange::From(999),
            ReadRange::Last(1),
            ReadRange::Last(17),
            ReadRange::Last(1_000),
            ReadRange::Last(u64::MAX),
        ] {
            let read = read(&client, range.clone()).await.unwrap();
            let wanted = range.resolve(LENGTH).unwrap();
            let wanted =
                usize::try_from(wanted.start).unwrap()..usize::try_from(wanted.end).unwrap();
            assert!(read.unauthenticated == content[wanted], "{range:?}");
            assert_eq!(read.stored_len, LENGTH + 16);
        }
    }
}

#[tokio::test]
async fn a_range_behind_the_end_is_not_satisfiable_and_tells_the_length() {
    let fake = FakeS3::start().await;
    let client = with_an_object(&fake).await;
    for range in [
        ReadRange::Bytes(1_000..1_001),
        ReadRange::Bytes(1_010..2_000),
        ReadRange::Bytes(5_000..6_000),
        ReadRange::From(1_000),
        ReadRange::From(5_000),
        ReadRange::From(u64::MAX),
        ReadRange::Last(0),
    ] {
        let error = read(&client, range.clone()).await.unwrap_err();
        assert_eq!(not_satisfiable(&error), Some(LENGTH), "{range:?} {error}");
    }
}

#[tokio::test]
async fn nothing_of_an_object_of_nothing_can_be_selected() {
    let fake = FakeS3::start().await;
    let client = with_an_object(&fake).await;
    put(&client, "k", b"").await;
    for range in [ReadRange::Bytes(0..1), ReadRange::From(0), ReadRange::Last(1)] {
        assert_eq!(not_satisfiable(&read(&client, range).await.unwrap_err()), Some(0));
    }
}

#[tokio::test]
async fn a_range_behind_the_end_of_no_object_is_a_missing_object() {
    let fake = FakeS3::start().await;
    let client = with_an_object(&fake).await;
    fake.fault_of(Operation::GetObject, Fault::Refuse(416, "InvalidRange"));
    fake.remove("b/k");
    assert!(matches!(read(&client, ReadRange::From(1)).await.unwrap_err(), Error::S3 { .. }));
}

#[tokio::test]
async fn ranges_need_legacy_unauthenticated_modes_before_anything_is_sent() {
    let fake = FakeS3::start().await;
    let error = read(&fake.client(), ReadRange::From(0)).await.unwrap_err();
    assert!(matches!(error, Error::Client(ClientError::LegacyRange)), "{error}");
    assert!(fake.asked().is_empty());
}

#[tokio::test]
#[allow(clippy::reversed_empty_ranges, reason = "that is the test")]
async fn no_range_and_an_empty_one_are_refused_before_anything_is_sent() {
    let fake = FakeS3::start().await;
    let client = with_an_object(&fake).await;
    fake.asked().clear();
    for range in [ReadRange::Whole, ReadRange::Bytes(5..5), ReadRange::Bytes(100..50)] {
        assert!(matches!(read(&client, range).await.unwrap_err(), Error::Request(_)));
    }
    let get = || client.get_unauthenticated_range().bucket("b").key("k").range(ReadRange::From(1));
    for get in [
        get().configure(|request| request.range("bytes=0-")),
        get().configure(|request| request.part_number(1)),
    ] {
        assert!(matches!(get.send().await.unwrap_err(), Error::Request(_)));
    }
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_server_that_ignores_the_range_is_refused() {
    let fake = FakeS3::start().await;
    let client = with_an_object(&fake).await;
    fake.fault_of(Operation::GetObject, Fault::AsIfRange(None));
    assert!(matches!(read(&client, ReadRange::From(1)).await.unwrap_err(), Error::Answer(_)));
}

#[tokio::test]
async fn a_server_that_answers_with_another_range_is_refused() {
    let fake = FakeS3::start().await;
    let client = with_an_object(&fake).await;
    for (range, answered) in [
        (ReadRange::Bytes(100..110), "bytes=0-"),
        (ReadRange::Bytes(100..110), "bytes=80-95"),
        (ReadRange::Bytes(100..110), "bytes=96-143"),
        (ReadRange::From(500), "bytes=0-"),
        (ReadRange::Last(10), "bytes=0-"),
    ] {
        fake.fault_of(Operation::GetObject, Fault::AsIfRange(Some(answered)));
        let error = read(&client, range.clone()).await.unwrap_err();
        assert!(matches!(error, Error::Answer(_)), "{range:?} {error}");
    }
}

#[tokio::test]
async fn an_open_end_is_read_as_far_as_may_be_held_in_memory() {
    let fake = FakeS3::start().await;
    let made = cipher(aes()).enable_legacy_unauthenticated_modes().build();
    let client = fake.builder(made).max_buffered_len(1_016).build().unwrap();
    put(&client, "k", &content(1_000)).await;
    assert_eq!(read(&client, ReadRange::From(0)).await.unwrap().unauthenticated.len(), 1_000);
    put(&client, "k", &content(1_001)).await;
    let error = read(&client, ReadRange::From(0)).await.unwrap_err();
    assert!(matches!(error, Error::Client(ClientError::Core(CoreError::Limit(_)))), "{error}");
    assert_eq!(
        read(&client, ReadRange::Bytes(0..1_001)).await.unwrap().unauthenticated.len(),
        1_001
    );
}

#[tokio::test]
async fn a_range_across_parts_is_as_any_other() {
    let fake = FakeS3::start().await;
    let client = with_an_object(&fake).await;
    let all = content(PART_LEN + 1_000);
    put(&client, "k", &all).await;
    let at = PART_LEN as u64;
    let read = read(&client, ReadRange::Bytes(at - 9..at + 9)).await.unwrap();
    assert!(read.unauthenticated == all[PART_LEN - 9..PART_LEN + 9]);
}

#[tokio::test]
async fn a_range_by_a_kms_needs_the_encryption_context() {
    let fake = FakeS3::start().await;
    let client = client(&fake, cipher(kms()).enable_legacy_unauthenticated_modes().build());
    let put = client.put_object().bucket("b").key("k").body(content(100).into());
    put.encryption_context(context()).send().await.unwrap();
    let error = read(&client, ReadRange::From(0)).await.unwrap_err();
    assert!(matches!(error, Error::Client(ClientError::Context)), "{error}");
    let get = client.get_unauthenticated_range().bucket("b").key("k").range(ReadRange::Last(5));
    let read = get.encryption_context(context()).send().await.unwrap();
    assert_eq!(read.unauthenticated, content(100)[95..]);
}

#[tokio::test]
async fn the_commitment_of_v3_is_verified_for_ranges_too() {
    let fake = FakeS3::start().await;
    let client = with_an_object(&fake).await;
    put(&client, "other", b"").await;
    let other = fake.object("b/other").unwrap().metadata["x-amz-d"].clone();
    fake.change("b/k", |object| {
        object.metadata.insert("x-amz-d".to_owned(), other);
    });
    let error = read(&client, ReadRange::From(0)).await.unwrap_err();
    assert!(matches!(error, Error::Client(ClientError::Commitment)), "{error}");
}

#[tokio::test]
async fn ranges_can_be_held_to_one_object_and_read_through_a_partners_file() {
    let fake = FakeS3::start().await;
    let owner = fake.client_with_files();
    put(&owner, "k", &content(100)).await;
    let rewrap = owner.re_encrypt_instruction_file().bucket("b").key("k");
    rewrap.new_keyring(rsa("rsa2048a")).instruction_file_suffix(".partner").send().await.unwrap();
    let made = cipher(rsa("rsa2048a")).enable_legacy_unauthenticated_modes().build();
    let partner = client(&fake, made);
    let get = || {
        let get = partner.get_unauthenticated_range().bucket("b").key("k");
        get.instruction_file_suffix(".partner").range(ReadRange::Last(5))
    };
    let first = get().send().await.unwrap();
    assert_eq!(first.unauthenticated, content(100)[95..]);
    let e_tag = first.e_tag.unwrap();
    let again = get().configure(|request| request.if_match(&e_tag)).send().await.unwrap();
    assert_eq!(again.unauthenticated, content(100)[95..]);
    let asked = fake.asked_of(Operation::GetObject);
    assert!(asked.iter().any(|asked| asked.headers.get("if-match") == Some(&e_tag)));
}
