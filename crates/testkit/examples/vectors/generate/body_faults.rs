//! Bodies that must not open, with one fault each.

use object_cipher_testkit::{
    plaintext,
    vectors::{BodyVector, Hex, Verdict, VerdictStep},
};

use super::{
    bodies::{layer_keys, single},
    kinds::{DSSE_KMS, SSE_C},
    message::{self, CHUNK, LayerKey, array},
};

pub(crate) fn all() -> Vec<BodyVector> {
    let kinds = [SSE_C, DSSE_KMS].into_iter();
    let each_layer_count = kinds.flat_map(|kind| {
        let small = single(kind, 100);
        let three_chunks = single(kind, 2 * CHUNK + 100);
        [
            flipped_bits(&small),
            cut_and_extended(&small),
            wrong_keys(&small),
            moved_chunks(&three_chunks),
            wrong_last_chunk(&single(kind, CHUNK)),
            wrongly_sealed(&small),
        ]
        .concat()
    });
    let two_layers = two_layer_faults(&single(DSSE_KMS, 100));
    let resealed = resealed_outer(&single(DSSE_KMS, 2 * CHUNK + 100));
    each_layer_count.chain(two_layers).chain(resealed).collect()
}

/// The vector as one to be refused.
fn refuse(vector: &BodyVector, reason: &str) -> BodyVector {
    BodyVector {
        name: format!("{}: {reason}", vector.name),
        verdict: Verdict::reject(VerdictStep::Body, reason),
        ..vector.clone()
    }
}

/// The vector with another body.
fn with_body(vector: &BodyVector, reason: &str, body: impl Into<Vec<u8>>) -> BodyVector {
    let body = body.into();
    assert_ne!(*body, *vector.body, "{reason}");
    BodyVector { body: body.as_slice().into(), ..refuse(vector, reason) }
}

fn flip(vector: &BodyVector, what: &str, at: usize, bit: u8) -> BodyVector {
    let mut body = vector.body.0.clone();
    body[at] ^= 1 << bit;
    with_body(vector, &format!("bit {bit} of {what} flipped"), body)
}

fn flipped_bits(vector: &BodyVector) -> Vec<BodyVector> {
    let fields: &[(&str, usize, usize)] = match vector.layers {
        1 => &[
            ("the salt", 0, 24),
            ("the commitment", 24, 56),
            ("the ciphertext", 56, 156),
            ("the tag", 156, 172),
        ],
        _ => &[
            ("the outer salt", 0, 24),
            ("the outer commitment", 24, 56),
            ("the inner salt", 56, 80),
            ("the inner commitment", 80, 112),
            ("the ciphertext", 112, 212),
            ("the inner tag, as the outer layer covers it", 212, 228),
            ("the outer tag", 228, 244),
        ],
    };
    let flips = fields.iter().flat_map(|(field, start, end)| {
        [(0, 0), (7, 3), (end - start - 1, 7)]
            .map(|(at, bit)| flip(vector, &format!("byte {at} of {field}"), start + at, bit))
    });
    flips.collect()
}

fn cut_and_extended(vector: &BodyVector) -> Vec<BodyVector> {
    let body = &vector.body.0;
    let (layers, length) = (usize::from(vector.layers), body.len());
    let headers = 56 * layers;
    let mut cuts = vec![0, 1, 24, headers - 1, headers, headers + 15];
    cuts.extend([headers + 16 * layers - 1, length - 16 * layers, length - 16, length - 1]);
    cuts.sort_unstable();
    cuts.dedup();
    let cut = |length: &usize| {
        with_body(vector, &format!("cut to its first {length} bytes"), &body[..*length])
    };
    let longer = |reason: &str, tail: &[u8]| with_body(vector, reason, [body, tail].concat());
    let mut faults: Vec<_> = cuts.iter().map(cut).collect();
    faults.extend([
        longer("one zero byte appended", &[0]),
        longer("16 zero bytes appended", &[0; 16]),
        longer("its last 16 bytes repeated", &body[length - 16..]),
        longer("its chunk repeated", &body[headers..]),
        longer("the whole body repeated", body),
        with_body(vector, "its first byte dropped", &body[1..]),
        with_body(vector, "one zero byte put before it", [&[0], &body[..]].concat()),
    ]);
    faults
}

fn wrong_keys(vector: &BodyVector) -> Vec<BodyVector> {
    let mut faults = vec![
        BodyVector {
            dek: flip_bit(&vector.dek, 0),
            ..refuse(vector, "bit 0 of the data key flipped")
        },
        BodyVector { dek: [0; 32].into(), ..refuse(vector, "the data key is all zero") },
    ];
    faults.extend(other_contexts(&vector.context).into_iter().map(|(what, context)| BodyVector {
        context,
        ..refuse(vector, &format!("the context has {what}"))
    }));
    if let (Some(dek), Some(context)) = (&vector.outer_dek, &vector.outer_context) {
        faults.push(BodyVector {
            outer_dek: Some(flip_bit(dek, 31)),
            ..refuse(vector, "bit 0 of the last byte of the outer data key flipped")
        });
        faults.extend(other_contexts(context).into_iter().map(|(what, context)| BodyVector {
            outer_context: Some(context),
            ..refuse(vector, &format!("the outer context has {what}"))
        }));
    }
    faults
}

/// A body's context with one fault each.
fn other_contexts(context: &[u8]) -> Vec<(&'static str, Hex)> {
    let edit = |at: usize, mask: u8| {
        let mut edited = context.to_vec();
        edited[at] ^= mask;
        Hex(edited)
    };
    let end = context.len();
    let info = [&b"object-cipher/v1/info\0"[..], &context[22..]].concat();
    vec![
        ("another purpose", Hex(info)),
        ("another object id", edit(22, 1)),
        ("another layer number", edit(end - 5, 1)),
        ("another part number", edit(end - 1, 1)),
        ("one NUL more", Hex([context, &[0]].concat())),
        ("its last byte missing", context[..end - 1].into()),
        ("nothing in it", Hex::default()),
    ]
}

fn moved_chunks(vector: &BodyVector) -> Vec<BodyVector> {
    let (headers, chunks) = split(vector);
    let [first, second, last] = [chunks[0], chunks[1], chunks[2]];
    let tag = |chunk: &[u8]| chunk.len() - 16;
    let second_tag = headers.len() + first.len() + tag(second);
    let built = |reason: &str, chunks: &[&[u8]]| {
        with_body(vector, reason, [headers, &chunks.concat()].concat())
    };
    let stored = vector.body.len();
    vec![
        built("chunks 0 and 1 swapped", &[second, first, last]),
        built("chunk 0 put in place of chunk 1", &[first, first, last]),
        built("chunk 0 repeated", &[first, first, second, last]),
        built("chunk 0 dropped", &[second, last]),
        built("chunk 1 dropped", &[first, last]),
        built("the last chunk dropped", &[first, second]),
        built("the last chunk alone", &[last]),
        built("the last chunk repeated", &[first, second, last, last]),
        built("one byte of chunk 0 dropped", &[&first[1..], second, last]),
        flip(vector, "byte 0 of the tag of chunk 1", second_tag, 3),
        flip(vector, "the last byte of the last chunk's tag", stored - 1, 0),
        with_body(vector, "cut behind chunk 0", &vector.body[..headers.len() + first.len()]),
    ]
}

/// Faults about the empty chunk that ends content of a multiple of 16,384 bytes.
fn wrong_last_chunk(vector: &BodyVector) -> Vec<BodyVector> {
    let (headers, chunks) = split(vector);
    let built = |reason: &str, chunks: &[&[u8]]| {
        with_body(vector, reason, [headers, &chunks.concat()].concat())
    };
    vec![
        built("the empty last chunk dropped", &[chunks[0]]),
        built("the empty last chunk repeated", &[chunks[0], chunks[1], chunks[1]]),
        built("the empty last chunk first", &[chunks[1], chunks[0]]),
        built("the full chunk dropped", &[chunks[1]]),
    ]
}

/// What a writer with the keys could do wrong.
fn wrongly_sealed(vector: &BodyVector) -> Vec<BodyVector> {
    let keys = layer_keys(vector);
    let sealed = |reason: &str, chunks: &[&[u8]], first: u64| {
        let chunks: Vec<Vec<u8>> = chunks.iter().map(|chunk| chunk.to_vec()).collect();
        with_body(vector, reason, message::seal_chunks(&keys, &chunks, first))
    };
    let content = plaintext(100);
    let full = plaintext(CHUNK);
    let other = single(if vector.layers == 1 { SSE_C } else { DSSE_KMS }, 256);
    let headers = 56 * usize::from(vector.layers);
    let mut spliced_keys = keys.clone();
    for key in &mut spliced_keys {
        key.salt = message::salt(&[&key.salt]);
    }
    let spliced = message::seal(&spliced_keys, &content);
    vec![
        sealed("chunk indices begin at 1", &[&content], 1),
        sealed("two short chunks", &[&content[..50], &content[50..]], 0),
        sealed("a full last chunk", &[&full], 0),
        sealed("an empty chunk before the last", &[&[], &content], 0),
        with_body(
            vector,
            "headers of another body under the same data key",
            [&spliced[..headers], &vector.body[headers..]].concat(),
        ),
        with_body(
            vector,
            "chunk of another body under the same data key",
            [&vector.body[..headers], &spliced[headers..]].concat(),
        ),
        with_body(vector, "body of another object", other.body.0),
    ]
}

fn two_layer_faults(vector: &BodyVector) -> Vec<BodyVector> {
    let keys = layer_keys(vector);
    let content = plaintext(100);
    let inner = message::seal(&keys[..1], &content);
    let reversed: Vec<LayerKey> = keys.iter().rev().cloned().collect();
    let whole = message::seal_outer(&keys[1], &[], &message::chunks(&inner));
    let (headers, chunks) = vector.body.split_at(112);
    let mut both_inner = keys.clone();
    both_inner[1].context.clone_from(&keys[0].context);
    vec![
        with_body(vector, "the outer layer taken off", inner),
        with_body(vector, "the layers in reverse order", message::seal(&reversed, &content)),
        with_body(vector, "the outer layer seals the inner message as a whole", whole),
        with_body(
            vector,
            "the inner header first",
            [&headers[56..], &headers[..56], chunks].concat(),
        ),
        with_body(
            vector,
            "the outer header twice",
            [&headers[..56], &headers[..56], chunks].concat(),
        ),
        with_body(
            vector,
            "the outer layer under the inner context",
            message::seal(&both_inner, &content),
        ),
        BodyVector {
            dek: keys[1].dek.into(),
            outer_dek: Some(keys[0].dek.into()),
            ..refuse(vector, "the data keys of the layers swapped")
        },
        BodyVector {
            context: Hex(keys[1].context.clone()),
            outer_context: Some(Hex(keys[0].context.clone())),
            ..refuse(vector, "the contexts of the layers swapped")
        },
    ]
}

/// D4: an attacker with the outer key alone seals the outer layer anew over an altered inner one.
fn resealed_outer(vector: &BodyVector) -> Vec<BodyVector> {
    let keys = layer_keys(vector);
    let inner = message::seal(&keys[..1], &plaintext(2 * CHUNK + 100));
    let (inner_header, inner_chunks) = inner.split_at(56);
    let chunks: Vec<Vec<u8>> = inner_chunks.chunks(CHUNK + 16).map(<[u8]>::to_vec).collect();
    let resealed = |reason: &str, edit: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut chunks = chunks.clone();
        edit(&mut chunks);
        let reason = format!("the outer layer sealed anew over {reason}");
        with_body(vector, &reason, message::seal_outer(&keys[1], inner_header, &chunks))
    };
    vec![
        resealed("an inner chunk 1 with a bit flipped", &|chunks| chunks[1][700] ^= 4),
        resealed("inner chunks 0 and 1 swapped", &|chunks| chunks.swap(0, 1)),
        resealed("an inner layer without chunk 0", &|chunks| drop(chunks.remove(0))),
    ]
}

/// The headers and the chunks of a body.
fn split(vector: &BodyVector) -> (&[u8], Vec<&[u8]>) {
    let layers = usize::from(vector.layers);
    let (headers, chunks) = vector.body.split_at(56 * layers);
    (headers, chunks.chunks(CHUNK + 16 * layers).collect())
}

fn flip_bit(key: &Hex, at: usize) -> Hex {
    let mut key: [u8; 32] = array(key);
    key[at] ^= 1;
    key.into()
}
