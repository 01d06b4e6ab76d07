//! Goals 14 and 15: small objects, Envelope and all, against the same primitives put together by
//! hand; and the work they cost, counted.

use std::hint::black_box;

use object_cipher_core::{
    Attributes, ChunkSealer, Envelope, LayeredCipher, ObjectCipher, ObjectContext, Opener,
    ReadRange, Sealer, resolve_now,
};
use object_cipher_io::{open_all, seal_all};
use object_cipher_testkit::{KeptKey, Watch, Watched};

use crate::{
    bare::Bare,
    measure::{Case, Clock, Prepared},
    raw::{Library, RawAwsLc, TAG, wrapping_key},
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

fn speeds<L: Library>(report: &mut Report, name: &str, content: &[u8]) {
    let cipher = LayeredCipher::sse_s3(KeptKey::new(&KEY, CHECK), L::backend());
    let key_ref = [&CHECK[..], &1_u32.to_be_bytes(), b"main"].concat();
    let ek = wrapping_key(&KEY, [1, 0, 1]);
    let bare = Bare { ek: &ek, key_ref: &key_ref, names: NAMES };

    // The same work: each opens what the other sealed.
    let (body, envelope) = seal(&cipher, content);
    let (bare_body, bare_envelope) = bare.seal::<L>(content);
    assert_eq!(bare.open::<L>(&body, envelope.as_bytes()), content);
    assert_eq!(open(&cipher, &bare_body, &bare_envelope), content);
    assert_eq!(open_stream(&cipher, &bare_body, &bare_envelope), content);

    let at_least = Bound::AtLeast(0.9);
    let mut compare = |ours: &str, bound, once: &mut dyn Case, by_hand: &mut dyn Case| {
        let against = "the same primitives by hand";
        let row = Row { goal: 14, ours, against, library: L::NAME, bound };
        report.speed(&row, Clock::Processor, Amount::Objects(OBJECTS), once, by_hand);
    };
    let mut by_hand = many(|| bare.seal::<L>(content));
    let ours = format!("seal {name}, Envelope and all");
    compare(&ours, at_least, &mut many(|| seal(&cipher, content)), &mut by_hand);
    let ours = format!("seal {name} as a stream, to compare");
    compare(&ours, Bound::Nothing, &mut many(|| seal_stream(&cipher, content)), &mut by_hand);

    let mut by_hand = many(|| bare.open::<L>(&body, envelope.as_bytes()));
    let ours = format!("open {name}, Envelope and all");
    let mut opening = many(|| open(&cipher, &body, envelope.as_bytes()));
    compare(&ours, at_least, &mut opening, &mut by_hand);
    let ours = format!("open {name} as a stream, to compare");
    let mut opening = many(|| open_stream(&cipher, &body, envelope.as_bytes()));
    compare(&ours, Bound::Nothing, &mut opening, &mut by_hand);
}

/// The work of one object: one draw, and a derivation and a key set-up for body, info and wrap.
pub(crate) fn count(report: &mut Report) {
    if !report.wants(15) {
        return;
    }
    let backend = Watched::new(RawAwsLc::backend());
    let cipher = LayeredCipher::sse_s3(KeptKey::new(&KEY, CHECK), backend.clone());
    let (body, envelope) = seal(&cipher, &[]);
    let mut count = |name: &str, draws: u32, act: &dyn Fn()| {
        let so_far =
            |watch: &Watch| [watch.draws(), watch.macs() + watch.expands(), watch.key_setups()];
        let before = so_far(backend.watch());
        act();
        let after = so_far(backend.watch());
        let whats = ["random draws", "HKDF extractions and expansions", "AES keys set up"];
        for (at, (what, most)) in whats.into_iter().zip([draws, 3, 3]).enumerate() {
            let ours = format!("{name} a small object: {what}");
            let bound = Bound::AtMost(most.into());
            let against = "counted, under a loaded key";
            let row = Row { goal: 15, ours: &ours, against, library: RawAwsLc::NAME, bound };
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            report.count(&row, (after[at] - before[at]) as f64);
        }
    };
    count("seal", 1, &|| drop(seal(&cipher, &[])));
    count("open", 0, &|| drop(open(&cipher, &body, envelope.as_bytes())));
}

/// Does it for every object of a run.
fn many<T>(once: impl Fn() -> T) -> impl Case {
    Prepared::new(|| (), move |()| (0..OBJECTS).for_each(|_| drop(black_box(once()))))
}

fn cx() -> ObjectContext<'static> {
    let [realm, bucket, key] = NAMES;
    ObjectContext::new(realm, bucket, key)
}

// The key is at hand, so nothing is waited for.
fn sealer(cipher: &dyn ObjectCipher) -> Sealer {
    resolve_now(cipher.seal(&cx())).unwrap().unwrap()
}

fn opener(cipher: &dyn ObjectCipher, envelope: &[u8]) -> Opener {
    resolve_now(cipher.open(&cx(), &Envelope::parse(envelope).unwrap())).unwrap().unwrap()
}

/// The body and the Envelope.
fn seal(cipher: &dyn ObjectCipher, content: &[u8]) -> (Vec<u8>, Envelope) {
    let chunks = sealer(cipher).into_chunks();
    let mut body = Vec::with_capacity(HEADER + content.len() + TAG);
    body.extend_from_slice(chunks.headers().as_bytes());
    body.extend_from_slice(content);
    body.extend_from_slice(&[0; TAG]);
    chunks.seal(0, true, &mut body[HEADER..]).unwrap();
    (body, chunks.finish(content.len() as u64, &Attributes::default()).unwrap())
}

fn open(cipher: &dyn ObjectCipher, body: &[u8], envelope: &[u8]) -> Vec<u8> {
    let opener = opener(cipher, envelope);
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
    let stream = sealer(cipher).into_stream();
    let mut body = Vec::with_capacity(HEADER + content.len() + TAG);
    let sealed = seal_all(stream, &mut &content[..], &mut body).unwrap();
    (body, sealed.finish(&Attributes::default()).unwrap())
}

fn open_stream(cipher: &dyn ObjectCipher, body: &[u8], envelope: &[u8]) -> Vec<u8> {
    let opener = opener(cipher, envelope);
    let mut content = Vec::with_capacity(body.len() - HEADER - TAG);
    open_all(&opener, &mut &body[..], &mut content).unwrap();
    content
}
