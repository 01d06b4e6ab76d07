//! Wrapped keys in instruction files.

use object_cipher_client_aws::{
    Error,
    object_cipher_client::{Error as ClientError, MetadataFault, s3ec::MAX_INSTRUCTION_FILE_LEN},
};

use crate::{
    fake::{FakeS3, Fault, Operation},
    setup::{PART_LEN, aes, cipher, content, get, get_error, put, s3_code, v2_cipher},
};

const FILE: &str = "b/k.instruction";

fn fault(error: &Error) -> Option<MetadataFault> {
    match error {
        Error::Client(ClientError::Metadata(fault)) => Some(*fault),
        _ => None,
    }
}

#[tokio::test]
async fn the_file_is_stored_before_the_object_and_read_by_clients_of_either_storage() {
    let fake = FakeS3::start().await;
    put(&fake.client_with_files(), "k", b"a cat").await;
    let puts = fake.asked_of(Operation::PutObject);
    let names: Vec<_> = puts.iter().map(|asked| asked.name.as_str()).collect();
    assert_eq!(names, [FILE, "b/k"]);
    assert_eq!(get(&fake.client(), "k").await, b"a cat");
}

#[tokio::test]
async fn v3_keeps_on_the_object_what_the_content_commits_to_and_nothing_else() {
    let fake = FakeS3::start().await;
    put(&fake.client_with_files(), "k", b"a cat").await;
    let object = fake.object("b/k").unwrap();
    assert_eq!(object.metadata.keys().collect::<Vec<_>>(), ["x-amz-c", "x-amz-d", "x-amz-i"]);
    let file: serde_json::Value = serde_json::from_slice(&fake.object(FILE).unwrap().body).unwrap();
    let keys: Vec<_> = file.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["x-amz-3", "x-amz-m", "x-amz-w"]);
}

#[tokio::test]
async fn an_upload_stores_the_file_just_before_it_is_completed() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", &content(PART_LEN)).await;
    let operations = fake.operations();
    let [.., file, complete] = operations[..] else { panic!("{operations:?}") };
    assert_eq!((file, complete), (Operation::PutObject, Operation::CompleteUpload));
    assert!(get(&client, "k").await == content(PART_LEN));
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_the_object_before_it_readable() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"before").await;
    let mut upload = client.create_upload().bucket("b").key("k").send().await.unwrap();
    upload.write(&content(PART_LEN)).await.unwrap();
    assert_eq!(get(&client, "k").await, b"before");
    upload.abort().await.unwrap();
    assert_eq!(get(&client, "k").await, b"before");
}

#[tokio::test]
async fn without_the_file_the_object_is_told_apart_from_one_that_is_missing() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    fake.remove(FILE);
    let error = get_error(&client, "k").await;
    assert_eq!(fault(&error), Some(MetadataFault::NoInstructionFile));
    let error = client.head_object().bucket("b").key("k").send().await.unwrap_err();
    assert_eq!(fault(&error), Some(MetadataFault::NoInstructionFile));
}

#[tokio::test]
async fn a_refusal_to_read_the_file_is_no_missing_file() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    fake.fault(|asked| asked.name == FILE, Fault::Refuse(403, "AccessDenied"));
    let error = get_error(&client, "k").await;
    assert_eq!(s3_code(&error).as_deref(), Some("AccessDenied"));
}

#[tokio::test]
async fn a_file_that_is_none_or_too_long_is_refused() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    let long = format!("{{\"a\":\"{}\"}}", "b".repeat(2 * MAX_INSTRUCTION_FILE_LEN));
    for body in ["", "{", "[]", "{\"x-amz-3\":1}", &long] {
        fake.change(FILE, |file| file.body = body.to_owned().into());
        let error = get_error(&client, "k").await;
        assert_eq!(fault(&error), Some(MetadataFault::InstructionFile));
    }
}

#[tokio::test]
async fn a_file_that_says_what_belongs_on_the_object_is_refused() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    let metadata = fake.object("b/k").unwrap().metadata;
    for name in ["x-amz-c", "x-amz-d", "x-amz-i"] {
        let kept = fake.object(FILE).unwrap();
        fake.change(FILE, |file| {
            let mut json: serde_json::Value = serde_json::from_slice(&file.body).unwrap();
            json[name] = metadata[name].clone().into();
            file.body = json.to_string().into();
        });
        let error = get_error(&client, "k").await;
        assert_eq!(fault(&error), Some(MetadataFault::Misplaced(name)));
        fake.store(FILE, kept);
    }
}

#[tokio::test]
async fn the_file_of_another_object_does_not_open_this_one() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    put(&client, "other", b"a dog").await;
    fake.store(FILE, fake.object("b/other.instruction").unwrap());
    let error = get_error(&client, "k").await;
    assert!(matches!(error, Error::Client(ClientError::Commitment)), "{error}");
}

#[tokio::test]
async fn a_v2_file_next_to_a_v3_object_is_refused() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    let v2 = fake.builder(v2_cipher(aes()).build());
    let storage = object_cipher_client_aws::HeaderStorage::InstructionFile;
    put(&v2.header_storage(storage).build().unwrap(), "v2", b"a cat").await;
    fake.store(FILE, fake.object("b/v2.instruction").unwrap());
    assert_eq!(fault(&get_error(&client, "k").await), Some(MetadataFault::Mixed));
}

#[tokio::test]
async fn a_suffix_that_could_name_the_object_itself_or_another_is_refused() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    for suffix in ["", ".", "partner"] {
        let get = client.get_object().bucket("b").key("k").instruction_file_suffix(suffix);
        assert!(matches!(get.send().await.unwrap_err(), Error::Request(_)));
        let rewrap = client.re_encrypt_instruction_file().bucket("b").key("k");
        let rewrap = rewrap.new_keyring(aes()).instruction_file_suffix(suffix);
        assert!(matches!(rewrap.send().await.unwrap_err(), Error::Request(_)));
    }
    let legacy = cipher(aes()).enable_legacy_unauthenticated_modes().build();
    let client = fake.builder(legacy).build().unwrap();
    let range = client.get_unauthenticated_range().bucket("b").key("k");
    let range = range.range(object_cipher_core::ReadRange::From(0)).instruction_file_suffix("");
    assert!(matches!(range.send().await.unwrap_err(), Error::Request(_)));
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn no_object_takes_the_name_of_an_instruction_file() {
    let fake = FakeS3::start().await;
    let client = fake.client_with_files();
    put(&client, "k", b"a cat").await;
    let asked = fake.operations().len();
    let name = "k.instruction";
    let put = client.put_object().bucket("b").key(name).send().await.map(|_| ());
    let upload = client.create_upload().bucket("b").key(name).send().await.map(|_| ());
    let copy = client.copy_object().source("b", "k").bucket("b").key(name).send().await;
    for refused in [put, upload, copy.map(|_| ())] {
        assert!(matches!(refused, Err(Error::Request(_))), "{refused:?}");
    }
    assert_eq!(fake.operations().len(), asked);
    assert_eq!(get(&client, "k").await, b"a cat");
}
