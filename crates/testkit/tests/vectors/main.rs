//! V5: our reader judges every frozen vector on both backends, and the vectors still follow from
//! the generator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bodies;
mod carriers;
#[path = "../../examples/vectors/generate/mod.rs"]
mod generate;
mod objects;
mod small;
mod uploads;
mod verdicts;

use std::{collections::BTreeSet, path::Path, sync::LazyLock};

use object_cipher_testkit::vectors::{Vectors, Verdict};

/// Where the vectors are kept.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors");

/// The frozen vectors.
static FROZEN: LazyLock<Vectors> = LazyLock::new(|| Vectors::load(Path::new(FOLDER)).unwrap());

#[test]
fn the_generator_gives_exactly_the_frozen_files() {
    for (file, text) in generate::vectors().to_texts().unwrap() {
        let frozen = std::fs::read_to_string(Path::new(FOLDER).join(file)).unwrap();
        assert!(frozen == text, "{file} is not what is generated");
    }
}

#[test]
fn there_are_at_least_300_vectors_and_200_rejects_each_with_a_name_step_and_reason() {
    let files = [
        names(&FROZEN.bodies.vectors, |vector| (&vector.name, &vector.verdict)),
        names(&FROZEN.wraps.vectors, |vector| (&vector.name, &vector.verdict)),
        names(&FROZEN.objects.vectors, |vector| (&vector.name, &vector.verdict)),
        names(&FROZEN.uploads.vectors, |vector| (&vector.name, &vector.verdict)),
        names(&FROZEN.encryption_contexts.vectors, |vector| (&vector.name, &vector.verdict)),
        names(&FROZEN.sizes.vectors, |vector| (&vector.name, &vector.verdict)),
        names(&FROZEN.metadata_pairs.vectors, |vector| (&vector.name, &vector.verdict)),
        names(&FROZEN.companion_names.vectors, |vector| (&vector.name, &vector.verdict)),
        names(&FROZEN.bucket_objects.vectors, |vector| (&vector.name, &vector.verdict)),
    ];
    let (vectors, rejects) =
        files.iter().fold((0, 0), |sum, (vectors, rejects)| (sum.0 + vectors, sum.1 + rejects));
    assert!(vectors >= 300 && rejects >= 200, "{vectors} vectors, {rejects} rejects");
}

/// How many vectors and rejects a file has; every name once, every reject with step and reason.
fn names<V>(vectors: &[V], of: impl Fn(&V) -> (&String, &Verdict)) -> (usize, usize) {
    let names: BTreeSet<&String> = vectors.iter().map(|vector| of(vector).0).collect();
    assert_eq!(names.len(), vectors.len(), "a name occurs twice");
    let rejects = vectors.iter().map(|vector| of(vector).1).filter(|verdict| verdict.reject);
    let rejects = rejects.inspect(|verdict| {
        assert!(verdict.step.is_some() && verdict.reason.is_some());
    });
    (vectors.len(), rejects.count())
}
