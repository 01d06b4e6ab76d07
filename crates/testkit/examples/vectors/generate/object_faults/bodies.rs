//! Stored bodies that are not those of the Envelope.

use object_cipher_core::Attributes;
use object_cipher_testkit::{
    plaintext,
    vectors::{Base64, ObjectVector, VerdictStep::Body},
};

use crate::generate::{
    kinds::{DSSE_KMS, Kind, SSE_C},
    message::shorten,
    objects::{multipart, single},
    samples::{Sample, identity},
    tlv::tlv,
};

pub(super) fn all() -> Vec<ObjectVector> {
    let kinds = [SSE_C, DSSE_KMS].into_iter();
    kinds
        .flat_map(|kind| [headers(kind), one_body(kind), parts(kind), sealed(kind)].concat())
        .collect()
}

fn with_body(
    sample: &Sample,
    part: u32,
    reason: &str,
    edit: impl FnOnce(&mut Vec<u8>),
) -> ObjectVector {
    let mut vector = sample.refuse(Body, reason);
    edit(&mut vector.bodies.get_mut(&part).unwrap().0);
    vector
}

/// Stored headers that differ from the sealed ones, before chunks that verify under those.
fn headers(kind: Kind) -> Vec<ObjectVector> {
    let fields = [("salt", 0), ("commitment", 24), ("inner salt", 56), ("inner commitment", 80)];
    let flip = |sample: &Sample, part: u32, field: &str, at: usize| {
        let reason = format!("bit 0 of the {field} of stored body {part} flipped");
        with_body(sample, part, &reason, |body| body[at] ^= 1)
    };
    let of_kind = fields.into_iter().take(2 * kind.layers());
    let flips = of_kind.flat_map(|(field, at)| {
        [flip(&single(kind), 0, field, at), flip(&multipart(kind), 5, field, at)]
    });
    flips.collect()
}

fn one_body(kind: Kind) -> Vec<ObjectVector> {
    let sample = single(kind);
    let name = format!("{}, another object", kind.label);
    let other = Sample::single(kind, &name, &identity(), &plaintext(100), &Attributes::default());
    let object = sample.raw.object_id();
    let again = sample.secrets.seal(object, "body", Some(0), &plaintext(100));
    let with = |reason: &str, edit: &dyn Fn(&mut Vec<u8>)| with_body(&sample, 0, reason, edit);
    vec![
        ObjectVector {
            bodies: other.vector.bodies,
            ..sample.refuse(Body, "the body of another object")
        },
        ObjectVector { bodies: [].into(), ..sample.refuse(Body, "the body is missing") },
        with("another body under the same data key", &|body| body.clone_from(&again)),
        with("the last byte of the body dropped", &shorten),
        with("one zero byte behind the body", &|body| body.push(0)),
        with("the body cut behind its headers", &|body| body.truncate(56 * kind.layers())),
        with("bit 0 of the body's last byte flipped", &|body| *body.last_mut().unwrap() ^= 1),
    ]
}

fn parts(kind: Kind) -> Vec<ObjectVector> {
    let sample = multipart(kind);
    let object = sample.raw.object_id();
    let swapped = |first: u32, second: u32, reason: &str| {
        let mut vector = sample.refuse(Body, reason);
        let (one, two) = (vector.bodies[&first].clone(), vector.bodies[&second].clone());
        vector.bodies.extend([(first, two), (second, one)]);
        vector
    };
    let attempt = sample.secrets.seal(object, "body", Some(1), &plaintext(100));
    let whole = sample.secrets.seal(object, "body", Some(0), &plaintext(100));
    let replaced = |reason: &str, body: &[u8]| {
        let mut vector = sample.refuse(Body, reason);
        vector.bodies.insert(1, Base64::from(body));
        vector
    };
    let missing = |part: u32| {
        let mut vector = sample.refuse(Body, &format!("the body of part {part} is missing"));
        vector.bodies.remove(&part);
        vector
    };
    vec![
        swapped(1, 5, "the bodies of parts 1 and 5 swapped"),
        missing(2),
        missing(5),
        replaced("another attempt of part 1", &attempt),
        replaced("a whole body in place of part 1", &whole),
        with_body(&sample, 2, "bit 0 of the tag of the empty part 2 flipped", |body| {
            *body.last_mut().unwrap() ^= 1;
        }),
        with_body(&sample, 5, "the last byte of part 5 dropped", shorten),
        with_body(&sample, 5, "one zero byte behind part 5", |body| body.push(0)),
    ]
}

/// What the info block says of the body, sealed by a key holder, against the body itself.
fn sealed(kind: Kind) -> Vec<ObjectVector> {
    let sample = single(kind);
    let with = |reason: &str, length: u64, headers: Vec<u8>| {
        let block = tlv(&[(1, length.to_be_bytes().to_vec()), (4, headers)]);
        sample.with_info(&block).refuse(Body, &format!("sealed with {reason}"))
    };
    let headers = sample.headers(0);
    let mut other = headers.clone();
    *other.last_mut().unwrap() ^= 1;
    vec![
        with("a length of one byte more", 101, headers.clone()),
        with("a length of one byte less", 99, headers.clone()),
        with("a length of 0", 0, headers.clone()),
        with("a length of a full chunk", 16_384, headers.clone()),
        with("a length of 2^46", 1 << 46, headers.clone()),
        with("a length of 2^64 - 1", u64::MAX, headers),
        with("the headers of another body", 100, other),
    ]
}
