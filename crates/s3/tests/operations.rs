//! Which operation hears and shows which headers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod sent;

use http::HeaderMap;
use object_cipher_core::{EncryptionContext, Mode};
use object_cipher_s3::{
    BucketEncryption, CustomerKey, DefaultEncryption, Error, Operation, PartKey, Profile, ReadKey,
    ShownEncryption, SseRequest,
};
use sent::{ARRIVAL, Sent, headers};

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SSE: Sent<'_> = ("x-amz-server-side-encryption", "AES256");
const KMS: Sent<'_> = ("x-amz-server-side-encryption", "aws:kms");
const DSSE: Sent<'_> = ("x-amz-server-side-encryption", "aws:kms:dsse");
const KEY_ARN: Sent<'_> = ("x-amz-server-side-encryption-aws-kms-key-id", ARN);
const BUCKET_KEY: Sent<'_> = ("x-amz-server-side-encryption-bucket-key-enabled", "true");
/// Base64 of `{"a":"1"}`.
const CONTEXT: Sent<'_> = ("x-amz-server-side-encryption-context", "eyJhIjoiMSJ9");
const ALGORITHM: Sent<'_> = ("x-amz-server-side-encryption-customer-algorithm", "AES256");
const SOURCE_ALGORITHM: Sent<'_> =
    ("x-amz-copy-source-server-side-encryption-customer-algorithm", "AES256");

/// What becomes of a header: the operation takes it, refuses it, or passes over it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Heard {
    Taken,
    Refused,
    PassedOver,
}

/// An operation of section 1: its requests' mode, KMS key, context, Bucket Key, customer's key and
/// copy source's key; and whether its answers show the mode, the customer's key and the context.
struct Row(Operation, [Heard; 6], [bool; 3]);

const ROWS: [Row; 12] = {
    use Heard::{PassedOver as O, Refused as X, Taken as T};
    [
        Row(Operation::PutObject, [T, T, T, T, T, O], [true, true, true]),
        Row(Operation::CreateMultipartUpload, [T, T, T, T, T, O], [true, true, true]),
        Row(Operation::CopyObject, [T, T, T, T, T, T], [true, true, true]),
        Row(Operation::UploadPart, [X, O, O, O, T, O], [true, true, false]),
        Row(Operation::UploadPartCopy, [X, O, O, O, T, T], [true, true, false]),
        Row(Operation::CompleteMultipartUpload, [X, O, O, O, T, O], [true, false, false]),
        Row(Operation::ListParts, [X, O, O, O, T, O], [false, false, false]),
        Row(Operation::GetObject, [X, O, O, O, T, O], [true, true, false]),
        Row(Operation::HeadObject, [X, O, O, O, T, O], [true, true, false]),
        Row(Operation::GetObjectAttributes, [X, O, O, O, T, O], [false, false, false]),
        Row(Operation::SelectObjectContent, [X, O, O, O, T, O], [false, false, false]),
        Row(Operation::PostObject, [T, T, T, T, T, O], [true, true, true]),
    ]
};

/// Asks of a request all that the operation asks, in a bucket under a KMS.
fn ask(operation: Operation, sent: &[Sent<'_>]) -> Result<(), Error> {
    let sent = headers(sent);
    let bucket =
        BucketEncryption::with_default(DefaultEncryption::SseKms { key: None, bucket_key: false });
    if operation.copies() {
        let source = ReadKey::parse_copy_source(&sent, ARRIVAL)?;
        refused_or_absent(source.for_object(Mode::SseC))?;
    }
    if operation.reads() {
        let key = ReadKey::parse(&sent, ARRIVAL)?;
        refused_or_absent(key.for_object(Mode::SseC))
    } else if operation.chooses_mode() {
        SseRequest::parse(&sent, ARRIVAL, &bucket, Profile::Aws).map(drop)
    } else {
        PartKey::parse(operation, &sent, ARRIVAL, &bucket, Profile::Aws).map(drop)
    }
}

/// A key that is not there was not heard.
fn refused_or_absent(key: Result<Option<CustomerKey>, Error>) -> Result<(), Error> {
    match key {
        Err(Error::CustomerKeyRequired) => Ok(()),
        other => other.map(drop),
    }
}

#[test]
fn every_operation_takes_the_headers_that_s3_takes() {
    // Each is wrong by itself, so that whoever takes it tells its own fault.
    let sse = ("x-amz-server-side-encryption", "other");
    let context = ("x-amz-server-side-encryption-context", "?");
    let bucket_key = ("x-amz-server-side-encryption-bucket-key-enabled", "?");
    let columns = [
        (sse, Error::UnknownMethod { method: "other".into() }),
        (KEY_ARN, Error::KmsKeyWithoutMethod),
        (context, Error::ContextMalformed),
        (bucket_key, Error::BucketKeyMalformed { value: "?".into() }),
        (ALGORITHM, Error::CustomerKeyMissing),
        (SOURCE_ALGORITHM, Error::CustomerKeyMissing),
    ];
    let refused = Error::MethodNotTaken { method: "other".into() };
    for Row(operation, wanted, _) in ROWS {
        for ((sent, fault), wanted) in columns.iter().zip(wanted) {
            let expected = match wanted {
                Heard::Taken => Err(fault.clone()),
                Heard::Refused => Err(refused.clone()),
                Heard::PassedOver => Ok(()),
            };
            assert_eq!(ask(operation, &[*sent]), expected, "1 {operation:?} {sent:?}");
        }
    }
}

fn shown(
    encryption: &ShownEncryption<'_>,
    operation: Operation,
    profile: Profile,
) -> Vec<(String, String)> {
    let mut headers = HeaderMap::new();
    encryption.write(operation, profile, &mut headers);
    let mut shown: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
        .collect();
    shown.sort();
    shown
}

fn sorted(expected: &[Sent<'_>]) -> Vec<(String, String)> {
    let mut expected: Vec<_> =
        expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    expected.sort();
    expected
}

#[test]
fn every_operation_shows_what_s3_shows() {
    let mut context = EncryptionContext::new();
    context.insert("a", "1").unwrap();
    let none = EncryptionContext::new();
    let key = CustomerKey::from_bytes(&[1; 32]);
    let md5 = key.md5().header_value();
    let key_md5 = ("x-amz-server-side-encryption-customer-key-md5", md5.to_str().unwrap());
    let kms = |bucket_key, context| ShownEncryption::SseKms { key_arn: ARN, bucket_key, context };
    let dsse = ShownEncryption::DsseKms { key_arn: ARN, context: &context };
    let customer = ShownEncryption::SseC { key_md5: key.md5() };
    // What is shown with the mode, and what besides with the context.
    let of_mode: [(_, &[_], &[_]); 5] = [
        (ShownEncryption::SseS3, &[SSE], &[]),
        (kms(false, &context), &[KMS, KEY_ARN], &[CONTEXT]),
        (kms(true, &context), &[KMS, KEY_ARN, BUCKET_KEY], &[CONTEXT]),
        (kms(true, &none), &[KMS, KEY_ARN, BUCKET_KEY], &[]),
        (dsse, &[DSSE, KEY_ARN], &[CONTEXT]),
    ];
    for Row(operation, _, [shows_mode, shows_customer, shows_context]) in ROWS {
        let when = |shown: bool, headers| if shown { headers } else { &[][..] };
        for (encryption, mode, context) in of_mode {
            let expected = [when(shows_mode, mode), when(shows_context, context)].concat();
            for profile in [Profile::Aws, Profile::Ceph] {
                let found = shown(&encryption, operation, profile);
                assert_eq!(found, sorted(&expected), "1 {operation:?} {encryption:?}");
            }
        }
        let of_customer = [ALGORITHM, key_md5];
        let found = shown(&customer, operation, Profile::Aws);
        assert_eq!(found, sorted(when(shows_customer, &of_customer)), "1 {operation:?}");
        let completes = operation == Operation::CompleteMultipartUpload;
        let found = shown(&customer, operation, Profile::Ceph);
        let expected = when(shows_customer || completes, &of_customer);
        assert_eq!(found, sorted(expected), "7 {operation:?}");
    }
}

#[test]
fn c8_the_digest_of_a_customers_key_is_marked_as_sensitive() {
    let key = CustomerKey::from_bytes(&[1; 32]);
    let mut headers = HeaderMap::new();
    let customer = ShownEncryption::SseC { key_md5: key.md5() };
    customer.write(Operation::PutObject, Profile::Aws, &mut headers);
    let digest = key.md5().header_value();
    assert!(!format!("{headers:?}").contains(digest.to_str().unwrap()));
}
