//! Futures dropped while they wait for a key (X3).

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll, Waker},
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, BoxFuture, Completion, EkSource, FreshKey, KeyBlob, KeyRef, KeySource,
    LayeredCipher, ObjectCipher, ObjectContext, ReadRange, Result, SourceKey,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, TestKeys, cx, drive, now, plaintext, upload_cx};

/// Keys that keep each caller waiting twice, and remember who holds one.
struct Slow {
    keys: TestKeys,
    issued: Mutex<Vec<Weak<SourceKey>>>,
}

/// Is pending twice.
struct Wait(u8);

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        cx.waker().wake_by_ref();
        self.0 += 1;
        if self.0 > 2 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Slow {
    fn new() -> Arc<Self> {
        let keys = TestKeys::new(EkSource::Kms, [0x51; 32]);
        Arc::new(Self { keys, issued: Mutex::default() })
    }

    fn note(&self, key: &Arc<SourceKey>) {
        self.issued.lock().unwrap().push(Arc::downgrade(key));
    }

    /// Keys that are still in memory.
    fn alive(&self) -> usize {
        self.issued.lock().unwrap().iter().filter(|key| key.strong_count() > 0).count()
    }
}

impl KeySource for Slow {
    fn fresh<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(async move {
            Wait(0).await;
            let fresh = self.keys.fresh(cx).await?;
            self.note(&fresh.key);
            Wait(0).await;
            Ok(fresh)
        })
    }

    fn renewed<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<Option<FreshKey>>> {
        Box::pin(async { self.fresh(cx).await.map(Some) })
    }

    fn recover<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        blob: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(async move {
            Wait(0).await;
            let key = self.keys.recover(cx, key_ref, blob).await?;
            self.note(&key);
            Wait(0).await;
            Ok(key)
        })
    }
}

/// Polls `n` times; what came, if it came.
fn poll<T>(future: impl Future<Output = T>, n: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..n).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    })
}

/// Drops the future of `begin` at every await point, until it runs to its end.
fn drop_everywhere<F: Future<Output = Result<T>>, T>(keys: &Slow, begin: impl Fn() -> F) -> T {
    let before = keys.alive();
    for polls in 0.. {
        if let Some(done) = poll(begin(), polls) {
            assert!(polls > 4, "it waited for the key");
            return done.unwrap();
        }
        assert_eq!(keys.alive(), before, "a dropped call keeps no key");
    }
    unreachable!()
}

#[test]
fn x3_a_dropped_call_leaves_no_key_and_spoils_nothing() {
    let keys = Slow::new();
    x3(&keys, &LayeredCipher::sse_kms(Arc::clone(&keys), AwsLc));
    let keys = Slow::new();
    x3(&keys, &LayeredCipher::dsse_kms(Arc::clone(&keys), RustCrypto, AwsLc));
}

fn x3(keys: &Slow, cipher: &dyn ObjectCipher) {
    let (content, attributes) = (plaintext(100), Attributes::default());
    let cx = &cx();
    let mut stream = drop_everywhere(keys, || cipher.seal(cx)).into_stream();
    let body = drive(&mut stream, &content, 7).complete().unwrap();
    let envelope = stream.finish(&attributes).unwrap();
    assert_eq!(keys.alive(), 0, "what is finished keeps no source key");
    let opener = drop_everywhere(keys, || cipher.open(cx, &envelope));
    let envelope = drop_everywhere(keys, || cipher.rewrap(&opener, cx));
    let stored = StoredObject { envelope, bodies: [(0, body)].into(), table: None };
    assert_eq!(stored.read(cipher, cx, &ReadRange::Whole).unwrap(), content);
}

#[test]
fn x3_a_dropped_call_spoils_no_upload() {
    let keys = Slow::new();
    upload_x3(&keys, &LayeredCipher::sse_kms(Arc::clone(&keys), AwsLc));
    let keys = Slow::new();
    upload_x3(&keys, &LayeredCipher::dsse_kms(Arc::clone(&keys), RustCrypto, AwsLc));
}

fn upload_x3(keys: &Slow, cipher: &dyn ObjectCipher) {
    let (content, attributes) = (plaintext(100), Attributes::default());
    let cx = &upload_cx();
    let uploader = drop_everywhere(keys, || cipher.create_upload(cx, Completion::WithKey));
    let resumed = drop_everywhere(keys, || cipher.resume_upload(cx, uploader.envelope()));
    let envelope = drop_everywhere(keys, || cipher.rewrap_upload(&resumed, cx));
    let uploader = now(cipher.resume_upload(cx, &envelope)).unwrap();
    let (body, receipt) = StoredObject::seal_part(&uploader, 1, &content).unwrap();
    let part = StoredObject::stored_part(&uploader, 1, &receipt, &body);
    let parts = [uploader.open_receipt(&part).unwrap()];
    let complete = || cipher.complete_upload(&uploader, cx, &parts, &attributes);
    let completed = drop_everywhere(keys, complete);
    let stored = StoredObject {
        envelope: completed.envelope,
        bodies: [(1, body)].into(),
        table: Some(completed.part_table),
    };
    assert_eq!(stored.read(cipher, cx, &ReadRange::Whole).unwrap(), content);
}
