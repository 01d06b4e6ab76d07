//! Objects that must not open, with one fault each.

mod bodies;
mod fields;
mod forms;
mod heads;
mod identities;
mod info_blocks;
mod sealed_tables;
mod tables;

use object_cipher_testkit::vectors::ObjectVector;

pub(crate) fn all() -> Vec<ObjectVector> {
    [
        heads::all(),
        fields::all(),
        forms::all(),
        identities::all(),
        info_blocks::all(),
        tables::all(),
        sealed_tables::all(),
        bodies::all(),
    ]
    .concat()
}
