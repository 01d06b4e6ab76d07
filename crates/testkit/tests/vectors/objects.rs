//! Objects, read as a host reads them.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    CryptoBackend, Envelope, Error, KeySource, LayeredCipher, Mode, ObjectCipher, Opener,
    PartTableFault, ReadRange, Result,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{
    drive, now,
    vectors::{GivenKeys, ObjectVector},
};

use crate::{FROZEN, verdicts::judge};

/// The library of the only or inner layer; the other one serves the outer layer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backends {
    RustCryptoInside,
    AwsLcInside,
}

pub(crate) const BACKENDS: [Backends; 2] = [Backends::RustCryptoInside, Backends::AwsLcInside];

#[test]
fn every_object_opens_or_is_refused_on_both_backends() {
    for vector in &FROZEN.objects.vectors {
        for backends in BACKENDS {
            let opened = open(vector, backends);
            let read = opened.and_then(|opener| {
                let content = read(vector, &opener, &ReadRange::Whole)?;
                Ok((opener, content))
            });
            if let Some((opener, content)) = judge(&vector.name, &vector.verdict, read) {
                check(vector, &opener, &content);
            }
        }
    }
}

/// What an opened object tells: attributes, content, and ranges of it.
fn check(vector: &ObjectVector, opener: &Opener, content: &[u8]) {
    let name = &vector.name;
    assert!(vector.plaintext.as_ref().unwrap().is(&RustCrypto, content), "{name}: content");
    assert_eq!(vector.attributes, Some(opener.attributes().into()), "{name}: attributes");
    let length = content.len() as u64;
    assert_eq!(opener.plaintext_len(), length, "{name}");
    let edges = [0, 1, 2, length / 2, 16_383, 16_384, 16_385, length - length.min(1), length];
    for start in edges.into_iter().filter(|start| *start < length) {
        for end in edges.into_iter().filter(|end| start < *end && *end <= length) {
            let range = read(vector, opener, &ReadRange::Bytes(start..end)).unwrap();
            let at = |at: u64| usize::try_from(at).unwrap();
            assert!(range == content[at(start)..at(end)], "{name}: {start}..{end}");
        }
    }
}

pub(crate) fn open(vector: &ObjectVector, backends: Backends) -> Result<Opener> {
    let envelope = Envelope::from_text(&vector.envelope)?;
    let context = vector.identity.encryption_context()?;
    let required = vector.required_items();
    let mut cx = vector.identity.object_context(&context).with_required(&required);
    if let Some(index) = &vector.part_index {
        cx = cx.with_part_index(index);
    }
    let keys = GivenKeys::new(&vector.source_keys);
    now(cipher(vector.mode, keys, backends).open(&cx, &envelope))
}

pub(crate) fn read(vector: &ObjectVector, opener: &Opener, range: &ReadRange) -> Result<Vec<u8>> {
    let plan = opener.plan(range)?;
    let mut segments: Vec<_> = plan.body().cloned().into_iter().collect();
    for number in plan.pages() {
        let missing =
            Error::PartTable { object: opener.object_id(), fault: PartTableFault::Missing };
        let page = vector.part_pages.get(number as usize).ok_or(missing)?;
        let page = opener.page(number, page)?;
        for segment in plan.segments(opener.layout(), &page) {
            segments.push(segment?);
        }
    }
    let mut content = Vec::new();
    for segment in segments {
        let body = vector.bodies.get(&segment.part()).map_or(&[][..], |body| body);
        let clamp = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(body.len());
        let fetch = clamp(segment.fetch().start)..clamp(segment.fetch().end);
        // A whole read takes whatever is stored, so that trailing bytes are noticed.
        let fetched = if *range == ReadRange::Whole { body } else { &body[fetch] };
        let mut stream = opener.open_segment(&segment)?;
        content.extend(drive(&mut stream, fetched, 4_096).complete()?);
    }
    Ok(content)
}

pub(crate) fn cipher<S: KeySource + 'static>(
    mode: Mode,
    keys: S,
    backends: Backends,
) -> Box<dyn ObjectCipher> {
    match backends {
        Backends::RustCryptoInside if mode == Mode::DsseKms => {
            Box::new(LayeredCipher::dsse_kms(keys, RustCrypto, AwsLc))
        }
        Backends::AwsLcInside if mode == Mode::DsseKms => {
            Box::new(LayeredCipher::dsse_kms(keys, AwsLc, RustCrypto))
        }
        Backends::RustCryptoInside => one_layer(mode, keys, RustCrypto),
        Backends::AwsLcInside => one_layer(mode, keys, AwsLc),
    }
}

fn one_layer<S: KeySource + 'static, B: CryptoBackend>(
    mode: Mode,
    keys: S,
    backend: B,
) -> Box<dyn ObjectCipher> {
    Box::new(match mode {
        Mode::SseS3 => LayeredCipher::sse_s3(keys, backend),
        Mode::SseKms => LayeredCipher::sse_kms(keys, backend),
        Mode::SseC => LayeredCipher::sse_c(keys, backend),
        _ => LayeredCipher::client(keys, backend),
    })
}
