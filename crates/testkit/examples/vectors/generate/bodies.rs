//! Bodies that open: every size around the edges of chunks, parts, and contexts of other kinds.

use object_cipher_core::{Attributes, Completion, ETag};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{
    StoredObject, cx, drive, now, plaintext, upload_cx,
    vectors::{BodyVector, Hex, Plaintext, Verdict},
};

use super::{
    kinds::{DSSE_KMS, Kind, SSE_C},
    message::{self, LayerKey, array},
};

/// Around nothing, tags, headers, and the edges of one, two and three chunks, of either layer.
const SIZES: [usize; 34] = [
    0, 1, 2, 15, 16, 17, 31, 32, 33, 55, 56, 57, 71, 72, 111, 112, 113, 255, 256, 257, 1_000,
    16_351, 16_352, 16_367, 16_368, 16_369, 16_383, 16_384, 16_385, 16_400, 16_401, 32_767, 32_768,
    32_769,
];

pub(crate) fn all() -> Vec<BodyVector> {
    let layers = [SSE_C, DSSE_KMS];
    let sized = layers.iter().flat_map(|kind| SIZES.map(|size| single(*kind, size)));
    let parts = layers.iter().flat_map(|kind| {
        [(1, 0), (1, 1_000), (2, 16_384), (7, 5), (10_000, 16_385)]
            .map(|(number, size)| part(*kind, number, size))
    });
    let stripped = [0, 1, 100, 16_384].map(|size| strip(&single(DSSE_KMS, size)));
    sized.chain(parts).chain(stripped).chain(other_contexts()).collect()
}

/// A body that core seals as a whole object.
pub(crate) fn single(kind: Kind, size: usize) -> BodyVector {
    let name = format!("{}, {size} bytes", layer_words(kind.layers()));
    let seeded = kind.cipher(&name);
    let content = plaintext(size);
    let stored =
        StoredObject::seal(&*seeded.cipher, &cx(), &content, &Attributes::default()).unwrap();
    let object = stored.envelope.object_id();
    body(name, &seeded.deks(), object.as_bytes(), 0, &stored.bodies[&0], &content)
}

/// A body that core seals as a part.
pub(crate) fn part(kind: Kind, number: u32, size: usize) -> BodyVector {
    let name = format!("{}, part {number} of {size} bytes", layer_words(kind.layers()));
    let seeded = kind.cipher(&name);
    let content = plaintext(size);
    let uploader = now(seeded.cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap();
    let mut stream = uploader.part(number).unwrap().into_stream();
    let sealed = drive(&mut stream, &content, usize::MAX).complete().unwrap();
    stream.finish(ETag([0; 16]), &[]).unwrap();
    let object = uploader.object_id();
    body(name, &seeded.deks(), object.as_bytes(), number, &sealed, &content)
}

/// The key and context of each layer of a vector, with the salts in its body.
pub(crate) fn layer_keys(vector: &BodyVector) -> Vec<LayerKey> {
    let headers = 56 * usize::from(vector.layers);
    let inner = (Some(&vector.dek), Some(&vector.context), headers - 56);
    let outer = (vector.outer_dek.as_ref(), vector.outer_context.as_ref(), 0);
    [inner, outer]
        .into_iter()
        .filter_map(|(dek, context, at)| {
            let salt = array(&vector.body[at..at + 24]);
            Some(LayerKey { dek: array(dek?), context: context?.0.clone(), salt })
        })
        .collect()
}

/// The number of layers in words.
pub(crate) fn layer_words(layers: usize) -> &'static str {
    if layers == 1 { "one layer" } else { "two layers" }
}

fn body(
    name: String,
    deks: &[[u8; 32]],
    object: &[u8],
    part: u32,
    sealed: &[u8],
    content: &[u8],
) -> BodyVector {
    let context = |layer| message::context("body", object, layer, Some(part));
    BodyVector {
        name,
        layers: if deks.len() == 1 { 1 } else { 2 },
        dek: deks[0].into(),
        context: Hex(context(0)),
        outer_dek: deks.get(1).map(|dek| (*dek).into()),
        outer_context: deks.get(1).map(|_| Hex(context(1))),
        body: sealed.into(),
        plaintext: Plaintext::of(&RustCrypto, content),
        verdict: Verdict::accept(),
    }
}

/// The body of one layer that is left when the outer one is taken off.
fn strip(vector: &BodyVector) -> BodyVector {
    let keys = layer_keys(vector);
    let inner_message = |content: &[u8]| message::seal(&keys[..1], content);
    let size: usize = vector.name.split(' ').nth(2).unwrap().parse().unwrap();
    BodyVector {
        name: format!("{}, without the outer layer", vector.name),
        layers: 1,
        outer_dek: None,
        outer_context: None,
        body: inner_message(&plaintext(size)).as_slice().into(),
        ..vector.clone()
    }
}

/// Cobblestone-256 messages under contexts that no object has.
fn other_contexts() -> Vec<BodyVector> {
    let long = "context ".repeat(100);
    let contexts: [(&str, &[u8]); 7] = [
        ("an empty context", b""),
        ("a context of one NUL", b"\0"),
        ("a context with NULs", b"a\0b\0\0c"),
        ("a context that begins as the salt would", &[0xAA; 24]),
        ("a context of text", "Grüße".as_bytes()),
        ("a context of 800 bytes", long.as_bytes()),
        ("a context that lacks its last byte", b"object-cipher/v1/body"),
    ];
    let contexts = contexts.into_iter().flat_map(|context| [(context, 20), (context, 16_384)]);
    contexts
        .filter(|((_, context), size)| *size == 20 || context.len() < 2)
        .map(|((words, context), size)| {
            let name = format!("one layer, {size} bytes under {words}");
            let random = message::salt(&[name.as_bytes(), b"dek"]);
            let dek = array(&[&random[..], &random[..8]].concat());
            let salt = message::salt(&[name.as_bytes()]);
            let content = plaintext(size);
            let key = LayerKey { dek, context: context.to_vec(), salt };
            BodyVector {
                context: context.into(),
                body: message::seal(&[key], &content).as_slice().into(),
                ..body(name, &[dek], &[], 0, &[], &content)
            }
        })
        .collect()
}
