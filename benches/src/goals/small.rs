//! Goals 14 and 15: small objects, Envelope and all, against the same primitives put together by
//! hand; and the work they cost, counted.

use std::{future::ready, hint::black_box, sync::Arc};

use object_cipher_core::{
    Attributes, BoxFuture, ChunkSealer, Envelope, FreshKey, KeyBlob, KeyRef, KeySource, KeyringId,
    LayeredCipher, MasterKeyRef, ObjectCipher, ObjectContext, ReadRange, Result, SourceKey,
};
use object_cipher_io::{open_all, seal_all};
use object_cipher_testkit::now;

use crate::{
    bare::Bare,
    measure::{Case, Clock, Prepared},
    raw::{Library, TAG, wrapping_key},
    report::{Amount, Bound, Report, Row},
    subject::HEADER,
};

/// Objects a run, so that reading the clock does not count.
const OBJECTS: u32 = 256;

const KEY: [u8; 32] = [7; 32];
const CHECK: [u8; 8] = [1; 8];
const NAMES: [&str; 3] = ["realm", "bucket", "2026/key"];

pub(crate) fn run<L: Library>(report: &mut Report) {
    if report.wants(14) {
        for (name, content) in [("0 B", &[][..]), ("1 KiB", &[0x5A; 1 << 10])] {
            speeds::<L>(report, name, content);
        }
    }
}

/// A master key in memory, its wrapping key derived once.
struct OneKey {
    key: Arc<SourceKey>,
    key_ref: KeyRef,
}

impl OneKey {
    fn new() -> Self {
        let keyring = KeyringId::parse("main").unwrap();
        let key_ref = KeyRef::Master(MasterKeyRef::new(keyring, 1, CHECK));
        Self { key: SourceKey::from_bytes(&KEY), key_ref }
    }
}

impl KeySource for OneKey {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        let (key, key_ref) = (Arc::clone(&self.key), self.key_ref.clone());
        Box::pin(ready(Ok(FreshKey { key, key_ref, blob: KeyBlob::empty() })))
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        assert_eq!(*key_ref, self.key_ref);
        Box::pin(ready(Ok(Arc::clone(&self.key))))
    }
}

fn speeds<L: Library>(report: &mut Report, name: &str, content: &[u8]) {
    let cipher = LayeredCipher::sse_s3(OneKey::new(), L::backend());
    let key_ref = [&CHECK[..], &1_u32.to_be_bytes(), b"main"].concat();
    let ek = wrapping_key(&KEY, [1, 0, 1]);
    let bare = Bare { ek: &ek, key_ref: &key_ref, names: NAMES };

    // The same work: each opens what the other sealed.
    let (body, envelope) = seal(&cipher, content);
    let (bare_body, bare_envelope) = bare.seal::<L>(content);
    assert_eq!(bare.open::<L>(&body, envelope.as_bytes()), content);
    assert_eq!(open(&cipher, &bare_body, &bare_envelope), content);
    assert_eq!(open_stream(&cipher, &bare_body, &bare_envelope), content);

    let mut compare =
        |ours: &str, mut once: Box<dyn Case + '_>, mut by_hand: Box<dyn Case + '_>| {
            let against = "the same primitives by hand";
            let row = Row { goal: 14, ours, against, library: L::NAME, bound: Bound::AtLeast(0.9) };
            let amount = Amount::Objects(OBJECTS);
            report.speed(&row, Clock::Processor, amount, &mut *once, &mut *by_hand);
        };
    compare(
        &format!("seal {name}, Envelope and all"),
        many(|| seal(&cipher, content)),
        many(|| bare.seal::<L>(content)),
    );
    compare(
        &format!("open {name}, Envelope and all"),
        many(|| open(&cipher, &bare_body, &bare_envelope)),
        many(|| bare.open::<L>(&bare_body, &bare_envelope)),
    );
    compare(
        &format!("seal {name}, Envelope and all, stream"),
        many(|| seal_stream(&cipher, content)),
        many(|| bare.seal::<L>(content)),
    );
    compare(
        &format!("open {name}, Envelope and all, stream"),
        many(|| open_stream(&cipher, &bare_body, &bare_envelope)),
        many(|| bare.open::<L>(&bare_body, &bare_envelope)),
    );
}

/// Does it for every object of a run.
fn many<'a, T>(once: impl Fn() -> T + 'a) -> Box<dyn Case + 'a> {
    Box::new(Prepared::new(|| (), move |()| (0..OBJECTS).for_each(|_| drop(black_box(once())))))
}

fn cx() -> ObjectContext<'static> {
    let [realm, bucket, key] = NAMES;
    ObjectContext::new(realm, bucket, key)
}

/// The body and the Envelope.
fn seal(cipher: &dyn ObjectCipher, content: &[u8]) -> (Vec<u8>, Envelope) {
    let chunks = now(cipher.seal(&cx())).unwrap().into_chunks();
    let mut body = Vec::with_capacity(HEADER + content.len() + TAG);
    body.extend_from_slice(chunks.headers().as_bytes());
    body.extend_from_slice(content);
    body.extend_from_slice(&[0; TAG]);
    chunks.seal(0, true, &mut body[HEADER..]).unwrap();
    (body, chunks.finish(content.len() as u64, &Attributes::default()).unwrap())
}

fn open(cipher: &dyn ObjectCipher, body: &[u8], envelope: &[u8]) -> Vec<u8> {
    let opener = now(cipher.open(&cx(), &Envelope::parse(envelope).unwrap())).unwrap();
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let segment = plan.body().unwrap();
    assert_eq!(body[..HEADER], *segment.headers().as_bytes());
    let chunks = opener.chunks(segment).unwrap();
    let mut content = body[HEADER..].to_vec();
    chunks.open(0, true, &mut content).unwrap();
    content.truncate(content.len() - TAG);
    content
}

fn seal_stream(cipher: &dyn ObjectCipher, content: &[u8]) -> (Vec<u8>, Envelope) {
    let stream = now(cipher.seal(&cx())).unwrap().into_stream();
    let mut body = Vec::with_capacity(HEADER + content.len() + TAG);
    let sealed = seal_all(stream, &mut &content[..], &mut body).unwrap();
    (body, sealed.finish(&Attributes::default()).unwrap())
}

fn open_stream(cipher: &dyn ObjectCipher, body: &[u8], envelope: &[u8]) -> Vec<u8> {
    let opener = now(cipher.open(&cx(), &Envelope::parse(envelope).unwrap())).unwrap();
    let mut content = Vec::with_capacity(body.len() - HEADER - TAG);
    open_all(&opener, &mut &body[..], &mut content).unwrap();
    content
}
