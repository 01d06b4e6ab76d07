//! What a KMS, or who stands between, can do to objects.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::HashSet, sync::Arc};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, BoxFuture, Call, EncryptionContext, Error, KeyErrorKind, KeyringId, ObjectCipher,
    ObjectContext, ReadRange, SourceKey, Step,
};
use object_cipher_keyring::{Keyring, SharedKeyring};
use object_cipher_kms::{
    BucketKeyPolicy, BucketKeys, Capabilities, DataKey, Describe, Encrypt, Generate, KeyInfo,
    KeyName, Kms, KmsResult, LocalKms, Operation, Rewrap, Scope, Stack, TokioTimer, Unwrap,
    Unwrapped, WrappedKey, bucket_arn, effective_context, object_arn, rewrap_blobs,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_kms::SseKms;
use object_cipher_sse_s3::SseS3;
use object_cipher_testkit::{FakeKms, KmsFault, StoredObject, drive, now};

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn key() -> KeyName {
    KeyName::parse(KEY).unwrap()
}

fn fake() -> Arc<FakeKms> {
    Arc::new(FakeKms::new().with_key(KEY))
}

fn cipher(fake: &Arc<FakeKms>) -> SseKms {
    SseKms::new(Arc::clone(fake) as _, key(), RustCrypto)
}

fn under_bucket_keys(fake: &Arc<FakeKms>) -> SseKms {
    let kms: Arc<dyn Kms> = Arc::clone(fake) as _;
    let timer = Arc::new(TokioTimer::new());
    let keys = BucketKeys::new(Arc::clone(&kms), timer, BucketKeyPolicy::default());
    SseKms::with_bucket_keys(kms, key(), Arc::new(keys), RustCrypto)
}

fn seal(cipher: &dyn ObjectCipher, cx: &ObjectContext<'_>) -> Result<StoredObject, Error> {
    StoredObject::seal(cipher, cx, b"content", &Attributes::default())
}

fn read(
    cipher: &dyn ObjectCipher,
    stored: &StoredObject,
    cx: &ObjectContext<'_>,
) -> Result<Vec<u8>, Error> {
    stored.read(cipher, cx, &ReadRange::Whole)
}

fn kind(error: &Error) -> KeyErrorKind {
    match error {
        Error::Key(error) => error.kind(),
        other => panic!("not an error of a KMS: {other}"),
    }
}

#[test]
fn k1_a_kms_that_answers_for_another_key_is_not_believed() {
    let (fake, cx) = (fake(), ObjectContext::new("r", "b", "k"));
    let cipher = cipher(&fake);
    let stored = seal(&cipher, &cx).unwrap();
    fake.fail_key(KEY, Some(KmsFault::OtherKey));
    assert_eq!(kind(&seal(&cipher, &cx).err().unwrap()), KeyErrorKind::WrongKey);
    assert_eq!(kind(&read(&cipher, &stored, &cx).unwrap_err()), KeyErrorKind::WrongKey);
}

#[test]
fn k3_a_kms_that_draws_the_same_key_each_time_makes_no_two_bodies_alike() {
    let (fake, cx) = (fake(), ObjectContext::new("r", "b", "k"));
    fake.fail_key(KEY, Some(KmsFault::SameDataKey));
    let cipher = cipher(&fake);
    let mut windows = HashSet::new();
    for _ in 0..50 {
        let stored = seal(&cipher, &cx).unwrap();
        for window in stored.bodies[&0].chunks_exact(16) {
            assert!(windows.insert(window.to_vec()), "two bodies have 16 bytes in common");
        }
        assert_eq!(read(&cipher, &stored, &cx).unwrap(), b"content");
    }
}

#[test]
fn k4_no_object_is_written_when_the_kms_fails() {
    let (fake, cx) = (fake(), ObjectContext::new("r", "b", "k"));
    let cipher = cipher(&fake);
    let stored = seal(&cipher, &cx).unwrap();
    for failure in [
        KeyErrorKind::Unavailable,
        KeyErrorKind::Throttled,
        KeyErrorKind::Denied,
        KeyErrorKind::Disabled,
        KeyErrorKind::Internal,
    ] {
        fake.fail_key(KEY, Some(KmsFault::Fail(failure)));
        assert_eq!(kind(&seal(&cipher, &cx).err().unwrap()), failure);
        assert_eq!(kind(&read(&cipher, &stored, &cx).unwrap_err()), failure);
    }
}

#[test]
fn k5_one_call_to_write_and_one_to_read_and_with_a_bucket_key_next_to_none() {
    let (fake, cx) = (fake(), ObjectContext::new("r", "b", "k"));
    let cipher = cipher(&fake);
    for _ in 0..10 {
        let stored = seal(&cipher, &cx).unwrap();
        read(&cipher, &stored, &cx).unwrap();
    }
    assert_eq!(fake.calls(), 20);
    let cipher = under_bucket_keys(&fake);
    for _ in 0..10 {
        seal(&cipher, &cx).unwrap();
    }
    assert_eq!((fake.calls_of(Operation::Generate), fake.calls()), (11, 21));
}

#[tokio::test]
async fn ten_thousand_puts_and_gets_make_two_calls_with_bucket_keys_and_twenty_thousand_without() {
    const OBJECTS: usize = 10_000;
    for (bucket_keys, calls) in [(true, 2), (false, 20_000)] {
        let fake = fake();
        let timer = Arc::new(TokioTimer::new());
        let kms = Stack::new(Arc::clone(&fake), Arc::clone(&timer) as _).build().kms();
        let name = KeyName::parse(&Scope::default().arn(KEY)).unwrap();
        let cipher = if bucket_keys {
            let keys = BucketKeys::new(Arc::clone(&kms), timer, BucketKeyPolicy::default());
            SseKms::with_bucket_keys(kms, name, Arc::new(keys), AwsLc)
        } else {
            SseKms::new(kms, name, AwsLc)
        };
        let call = Call { principal: Some("me"), ..Call::default() };
        let mut envelopes = Vec::with_capacity(OBJECTS);
        for number in 0..OBJECTS {
            let key = format!("key {number}");
            let cx = ObjectContext::new("r", "b", &key).with_call(call.clone());
            let mut stream = cipher.seal(&cx).await.unwrap().into_stream();
            drive(&mut stream, b"content", usize::MAX).complete().unwrap();
            envelopes.push((key.clone(), stream.finish(&Attributes::default()).unwrap()));
        }
        for (key, envelope) in envelopes {
            let cx = ObjectContext::new("r", "b", &key).with_call(call.clone());
            cipher.open(&cx, &envelope).await.unwrap();
        }
        assert_eq!(fake.calls(), calls);
    }
}

#[test]
fn k2_b14_the_context_is_bound_at_the_kms_and_under_a_bucket_key_by_the_wrap() {
    let fake = fake();
    let mut callers = EncryptionContext::new();
    callers.insert("team", "red").unwrap();
    let object = effective_context(&callers, &object_arn("b", "k")).unwrap();
    let bucket = effective_context(&callers, &bucket_arn("b")).unwrap();
    let other = effective_context(&EncryptionContext::new(), &bucket_arn("b")).unwrap();
    let place = || ObjectContext::new("r", "b", "k");
    let rows: [(SseKms, &EncryptionContext); 2] =
        [(cipher(&fake), &object), (under_bucket_keys(&fake), &bucket)];
    for (cipher, context) in rows {
        let cx = place().with_encryption_context(context);
        let stored = seal(&cipher, &cx).unwrap();
        assert_eq!(read(&cipher, &stored, &cx).unwrap(), b"content");
        let wrong = place().with_encryption_context(&other);
        for wrong in [wrong, place()] {
            match read(&cipher, &stored, &wrong).unwrap_err() {
                Error::Key(error) => assert_eq!(error.kind(), KeyErrorKind::Integrity),
                Error::Rejected { step: Step::KeyWrap, .. } | Error::Identity { .. } => {}
                error => panic!("{error}"),
            }
        }
    }
}

#[test]
fn b12_a_blob_of_another_object_or_key_opens_nothing() {
    let (fake, cx) = (fake(), ObjectContext::new("r", "b", "k"));
    let cipher = cipher(&fake);
    let (one, two) = (seal(&cipher, &cx).unwrap(), seal(&cipher, &cx).unwrap());
    let blob = two.envelope.layers().next().unwrap().blob().clone();
    let mixed = one.envelope.with_blobs(&[blob]).unwrap();
    let error = now(cipher.open(&cx, &mixed)).err().unwrap();
    assert!(matches!(error, Error::Rejected { step: Step::KeyWrap, .. }), "{error}");
    assert!(one.envelope.with_blobs(&[]).is_err());
}

fn local(versions: &[u32]) -> LocalKms<RustCrypto> {
    let text: Vec<_> = versions
        .iter()
        .map(|version| {
            format!("{KEY}/{version}:{version}hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=")
        })
        .collect();
    LocalKms::from_text(&text.join(","), Scope::default(), RustCrypto).unwrap()
}

#[test]
fn rotation_changes_the_blobs_and_nothing_else() {
    let cx = ObjectContext::new("r", "b", "k");
    let old: Arc<dyn Kms> = Arc::new(local(&[5]));
    let timer = Arc::new(TokioTimer::new());
    let keys = Arc::new(BucketKeys::new(Arc::clone(&old), timer, BucketKeyPolicy::default()));
    let ciphers = [
        SseKms::new(Arc::clone(&old), key(), AwsLc),
        SseKms::with_bucket_keys(old, key(), keys, AwsLc),
    ];
    let new = local(&[6, 5]);
    for cipher in ciphers {
        let stored = seal(&cipher, &cx).unwrap();
        let envelope = &stored.envelope;
        let rewrapped = now(rewrap_blobs(&new, &cx, envelope)).unwrap().unwrap();
        let (before, after) = (envelope.layers().next(), rewrapped.layers().next());
        let (before, after) = (before.unwrap(), after.unwrap());
        assert_eq!(after.key_ref(), before.key_ref());
        assert_eq!(after.blob().kms_parts().unwrap().0, "v6");
        assert_eq!(now(rewrap_blobs(&new, &cx, &rewrapped)).unwrap(), None, "nothing to do");
        // The old version is not needed any more.
        let newest = SseKms::new(Arc::new(local(&[6])), key(), AwsLc);
        assert!(now(newest.open(&cx, envelope)).is_err());
        let opener = now(newest.open(&cx, &rewrapped)).unwrap();
        assert_eq!(opener.plaintext_len(), 7);
        let elsewhere = ObjectContext::new("r", "b2", "k");
        assert!(now(newest.open(&elsewhere, &rewrapped)).is_err());
    }
}

#[test]
fn objects_change_between_modes_without_their_bodies() {
    let fake = fake();
    let keyring = Keyring::builder(KeyringId::parse("main").unwrap())
        .enabled(1, SourceKey::from_bytes(&std::array::from_fn(|i| i.to_le_bytes()[0])))
        .build(&RustCrypto);
    let sse_s3 = SseS3::new(Arc::new(SharedKeyring::new(keyring.unwrap())), RustCrypto);
    let sse_kms = cipher(&fake);
    let bucket_key = under_bucket_keys(&fake);
    let plain = ObjectContext::new("r", "b", "k");
    let context = effective_context(&EncryptionContext::new(), &object_arn("b", "k")).unwrap();
    let with_context = plain.clone().with_encryption_context(&context);
    let all: [(&dyn ObjectCipher, &ObjectContext<'_>); 3] =
        [(&sse_s3, &plain), (&sse_kms, &with_context), (&bucket_key, &plain)];
    for (from, from_cx) in all {
        let stored = seal(from, from_cx).unwrap();
        for (to, to_cx) in all {
            let opener = now(from.open(from_cx, &stored.envelope)).unwrap();
            let envelope = now(to.rewrap(&opener, to_cx)).unwrap();
            let moved = StoredObject { envelope, ..stored.clone() };
            assert_eq!(read(to, &moved, to_cx).unwrap(), b"content");
        }
    }
}

/// Draws keys of one byte, as one whose random generator is broken.
struct Undrawn(FakeKms);

impl Kms for Undrawn {
    fn provider(&self) -> &str {
        self.0.provider()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        Box::pin(async move {
            let made = self.0.generate(rq).await?;
            Ok(DataKey { key: SourceKey::from_bytes(&[0; 32]), ..made })
        })
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        self.0.unwrap(rq)
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        self.0.rewrap(rq)
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        self.0.describe(rq)
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        self.0.encrypt(rq)
    }
}

#[test]
fn k1_nothing_is_sealed_under_a_key_that_was_not_drawn() {
    let kms = Arc::new(Undrawn(FakeKms::new().with_key(KEY)));
    let cipher = SseKms::new(kms, key(), RustCrypto);
    let cx = ObjectContext::new("realm", "photos", "cat.jpg");
    assert_eq!(kind(&seal(&cipher, &cx).err().unwrap()), KeyErrorKind::Internal);
}
