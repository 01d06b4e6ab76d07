#![doc = include_str!("../README.md")]

mod body_reader;
mod body_writer;
mod error;
mod inspect_reader;
mod object_reader;
#[cfg(feature = "rayon")]
mod parallel;
#[cfg(any(feature = "stream", feature = "rayon"))]
mod sealed;
#[cfg(feature = "stream")]
mod stream;
#[cfg(feature = "tokio")]
mod tokio;
mod transfer;

pub use body_reader::{BodyReader, OpenReader, SealReader};
pub use body_writer::{BodyWriter, OpenWriter, SealWriter};
pub use error::{Error, Result, cipher_error};
pub use inspect_reader::InspectReader;
pub use object_reader::ObjectReader;
#[cfg(feature = "rayon")]
pub use parallel::{DEFAULT_WINDOW, Parallel};
#[cfg(any(feature = "stream", feature = "rayon"))]
pub use sealed::Sealed;
#[cfg(feature = "stream")]
pub use stream::{OpenBytes, SealBytes};
pub use transfer::{open_all, open_range, open_segment, pump, seal_all};

/// Lengths of chunks are far below any address space.
fn whole(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
