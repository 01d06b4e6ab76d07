//! Metadata, and where they say that an Envelope stands.

use object_cipher_testkit::vectors::{
    Base64, MetadataPairVector, Verdict,
    VerdictStep::{self, EnvelopeText, Metadata, Mode, ObjectKey, Place, State},
};

use super::{
    CLIENT_KMS, COMPANION_PAIR, ENVELOPE_PAIR, companion_key, one_piece, small_parts, small_piece,
};
use crate::generate::{
    envelope::RawEnvelope,
    kinds::{CLIENT, SSE_C},
    objects::single,
    samples::text,
    uploads,
};

const ID: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

type Pairs = Vec<(String, String)>;

pub(in crate::generate) fn all() -> Vec<MetadataPairVector> {
    [envelopes(), companions(), nowhere(), repeated(), values(), kinds(), keys()].concat()
}

fn pairs(metadata: &[(&str, &str)]) -> Pairs {
    metadata.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn small_text() -> String {
    text(&small_piece().sample.raw.to_bytes())
}

fn accept(words: &str, metadata: Pairs) -> MetadataPairVector {
    MetadataPairVector {
        name: words.into(),
        key: "cat.jpg".into(),
        metadata,
        envelope: None,
        companion: None,
        too_long: false,
        verdict: Verdict::accept(),
    }
}

fn refuse(step: VerdictStep, reason: &str, metadata: Pairs) -> MetadataPairVector {
    MetadataPairVector { verdict: Verdict::reject(step, reason), ..accept(reason, metadata) }
}

fn envelopes() -> Vec<MetadataPairVector> {
    let in_metadata = |words: &str, name: &str, raw: &RawEnvelope| {
        let bytes = raw.to_bytes();
        let metadata = pairs(&[("team", "red"), (name, &text(&bytes))]);
        MetadataPairVector { envelope: Some(Base64(bytes)), ..accept(words, metadata) }
    };
    let small = small_piece().sample.raw;
    let of_length = |length: usize| {
        let mut raw = one_piece(CLIENT_KMS, "pair, a long Envelope", b"content").raw;
        let more = length - raw.to_bytes().len();
        raw.layers[0].blob.extend(vec![0; more]);
        raw
    };
    let too_long = |words: &str, length: usize| {
        let vector = in_metadata(words, ENVELOPE_PAIR, &of_length(length));
        MetadataPairVector { too_long: true, ..vector }
    };
    vec![
        in_metadata("an Envelope", ENVELOPE_PAIR, &small),
        in_metadata("an Envelope, the name in another case", "Object-Cipher-ENVELOPE", &small),
        in_metadata(
            "an Envelope, the name a header's",
            "x-amz-meta-object-cipher-envelope",
            &small,
        ),
        in_metadata("an Envelope of 1,518 bytes", ENVELOPE_PAIR, &of_length(1_518)),
        too_long("an Envelope of 1,519 bytes", 1_519),
        too_long("an Envelope of 6,000 bytes", 6_000),
    ]
}

fn companions() -> Vec<MetadataPairVector> {
    let named = |words: &str, name: &str, id: &str| {
        let metadata = pairs(&[(name, id), ("object-cipher-companions", ID)]);
        let companion = Some(companion_key("cat.jpg", id));
        MetadataPairVector { companion, ..accept(words, metadata) }
    };
    let long = "k".repeat(977);
    let at_the_limit = MetadataPairVector {
        companion: Some(companion_key(&long, ID)),
        key: long,
        ..accept("a companion of a key of 977 bytes", pairs(&[(COMPANION_PAIR, ID)]))
    };
    vec![
        named("a companion", COMPANION_PAIR, ID),
        named("a companion of all digits", COMPANION_PAIR, "0123456789abcdef0123456789abcdef"),
        named("a companion, the name in another case", "Object-Cipher-Companion", ID),
        named("a companion, the name a header's", "X-AMZ-META-OBJECT-CIPHER-COMPANION", ID),
        at_the_limit,
    ]
}

/// Objects that are not of the format.
fn nowhere() -> Vec<MetadataPairVector> {
    let other = |name: &str| accept(&format!("the name {name:?}"), pairs(&[(name, ID)]));
    let mut vectors = vec![accept("no metadata", Vec::new())];
    vectors.extend(
        [
            "",
            "x-amz-meta-",
            "object-cipher",
            "object-cipher-companion ",
            "object-cipher-companions",
            "object_cipher_companion",
            "x-amz-object-cipher-companion",
            "x-amz-meta-x-amz-meta-object-cipher-companion",
            "x-amz-meta-x-amz-meta-object-cipher-envelope",
            "object-cıpher-companion",
            "object-cipher-envelopes",
        ]
        .map(other),
    );
    vectors
}

fn repeated() -> Vec<MetadataPairVector> {
    let envelope = &small_text();
    let twice = |reason: &str, one: (&str, &str), other: (&str, &str)| {
        refuse(Metadata, reason, pairs(&[one, other]))
    };
    let companion = (COMPANION_PAIR, ID);
    vec![
        twice("the companion's pair twice", companion, companion),
        twice(
            "the companion's pair twice, with other digits",
            companion,
            (COMPANION_PAIR, "00000000000000000000000000000000"),
        ),
        twice(
            "the companion's pair twice, in another case",
            companion,
            ("OBJECT-CIPHER-COMPANION", ID),
        ),
        twice(
            "the companion's pair twice, once a header's",
            companion,
            ("x-amz-meta-object-cipher-companion", ID),
        ),
        twice("the Envelope's pair twice", (ENVELOPE_PAIR, envelope), (ENVELOPE_PAIR, envelope)),
        twice("an Envelope and a companion", (ENVELOPE_PAIR, envelope), companion),
    ]
}

fn values() -> Vec<MetadataPairVector> {
    let id = |reason: &str, id: &str| {
        refuse(Metadata, &format!("the companion's value {reason}"), pairs(&[(COMPANION_PAIR, id)]))
    };
    let value = |reason: &str, value: &str| {
        refuse(
            EnvelopeText,
            &format!("the Envelope's text {reason}"),
            pairs(&[(ENVELOPE_PAIR, value)]),
        )
    };
    let small = small_text();
    vec![
        id("empty", ""),
        id("of 31 digits", &ID[1..]),
        id("of 33 digits", &format!("{ID}0")),
        id("in upper case", &ID.to_uppercase()),
        id("with a space behind it", &format!("{ID} ")),
        id("with a sign", &format!("+{}", &ID[1..])),
        id("of a folder above", "../secret"),
        id("a companion's key", &companion_key("cat.jpg", ID)),
        value("not base64", "object-cipher"),
        value("with a space behind it", &format!("{small} ")),
        value("without its last character", &small[..small.len() - 1]),
        refuse(VerdictStep::Envelope, "an empty Envelope", pairs(&[(ENVELOPE_PAIR, "")])),
    ]
}

/// Envelopes of other objects in the metadata.
fn kinds() -> Vec<MetadataPairVector> {
    let of = |step, reason: &str, raw: &RawEnvelope| {
        refuse(step, reason, pairs(&[(ENVELOPE_PAIR, &text(&raw.to_bytes()))]))
    };
    vec![
        of(Place, "the Envelope of an object in parts", &small_parts().sample.raw),
        of(Mode, "the Envelope of another mode", &single(SSE_C).raw),
        of(State, "the Envelope of an upload", &uploads::two_parts(CLIENT).raw),
    ]
}

fn keys() -> Vec<MetadataPairVector> {
    let under = |reason: &str, key: &str, name: &str, value: &str| MetadataPairVector {
        key: key.into(),
        ..refuse(ObjectKey, reason, pairs(&[(name, value)]))
    };
    let envelope = &small_text();
    let companion = &companion_key("cat.jpg", ID);
    vec![
        under("an Envelope under an empty key", "", ENVELOPE_PAIR, envelope),
        under("a companion under an empty key", "", COMPANION_PAIR, ID),
        under("an Envelope under a companion's key", companion, ENVELOPE_PAIR, envelope),
        under("a companion under a companion's key", companion, COMPANION_PAIR, ID),
        under("a companion under a key of 978 bytes", &"k".repeat(978), COMPANION_PAIR, ID),
    ]
}
