//! The generator of the vectors. Deterministic: every random byte follows from a vector's name, so
//! a new vector changes no other.
//!
//! Core writes what must be accepted, with test keys in place of a KMS or a customer. What must be
//! refused is made from it with one fault each; where only an honest key holder could make the
//! fault, a second writer ([`message`], [`envelope`]) seals it.

#![allow(clippy::unwrap_used, reason = "a generator that cannot go on ends by panicking")]

pub(crate) mod bodies;
mod body_faults;
mod buckets;
mod encryption_contexts;
pub(crate) mod envelope;
pub(crate) mod kinds;
pub(crate) mod message;
mod object_faults;
pub(crate) mod objects;
pub(crate) mod samples;
mod sizes;
pub(crate) mod tlv;
mod upload_faults;
mod uploads;
mod wraps;

use object_cipher_testkit::vectors::{VectorFile, Vectors};

/// All vectors, from nothing.
pub(crate) fn vectors() -> Vectors {
    Vectors {
        bodies: VectorFile::new(
            "Bodies by data key and context: one Cobblestone-256 message, or two layers composed per chunk.",
            [bodies::all(), body_faults::all()].concat(),
        ),
        wraps: VectorFile::new(
            "Wrapped data keys, with each step of their derivation from the source key.",
            wraps::all(),
        ),
        objects: VectorFile::new(
            "Stored objects: Envelope, bodies and part table, with what opens them.",
            [objects::all(), object_faults::all()].concat(),
        ),
        uploads: VectorFile::new(
            "Multipart uploads in progress or completed without their key: Envelope, parts, receipts.",
            [uploads::all(), upload_faults::all()].concat(),
        ),
        encryption_contexts: VectorFile::new(
            "Encryption contexts and their canonical forms.",
            encryption_contexts::all(),
        ),
        sizes: VectorFile::new(
            "Plaintext length and stored length of a body, and stored lengths that no body has.",
            sizes::all(),
        ),
        metadata_pairs: VectorFile::new(
            "Metadata of S3 objects, and where they say that an Envelope stands.",
            buckets::pairs::all(),
        ),
        companion_names: VectorFile::new(
            "Keys of companion objects, keys that are none, and objects' keys that allow none.",
            buckets::names::all(),
        ),
        bucket_objects: VectorFile::new(
            "Client-side objects in a plain bucket: metadata, content and companions, with what opens them.",
            buckets::all(),
        ),
    }
}
