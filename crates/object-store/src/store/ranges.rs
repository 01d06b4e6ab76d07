//! Many ranges of one object at once.

use std::ops::Range;

use bytes::Bytes;
use http::Extensions;
use object_cipher_core::{Fetch, ReadRange};
use object_cipher_io::Parallel;
use object_store::{GetOptions, ObjectStore, path::Path};
use tracing::Instrument as _;

use super::{EncryptedStore, open::OpenObject};
use crate::{
    Error, Result,
    seal::{cipher_error, whole},
};

/// Ranges closer than this touch the same chunk, or neighbours.
const CHUNK_LEN: u64 = object_cipher_core::cobblestone::CHUNK_LEN as u64;

impl<S: ObjectStore> EncryptedStore<S> {
    /// Ranges of an object, each whole. Its record is opened once, and each chunk is fetched and opened
    /// once; how requests are joined beyond that is up to the store beneath.
    pub(super) async fn read_ranges(
        &self,
        location: &Path,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>> {
        let span = tracing::debug_span!("get_ranges", %location, ranges = ranges.len());
        self.reading(location, || self.try_ranges(location, ranges)).instrument(span).await
    }

    async fn try_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let found = self.find(location, GetOptions::new()).await?;
        let object = self.open(location, found, &Extensions::new()).await?;
        for range in ranges {
            ReadRange::Bytes(range.clone()).resolve(object.plaintext_len())?;
        }
        let pieces = self.read_pieces(&object, joined(ranges)).await?;
        Ok(ranges.iter().map(|range| cut(&pieces, range)).collect())
    }

    /// Reads ranges that lie apart, in rising order.
    async fn read_pieces(
        &self,
        object: &OpenObject,
        ranges: Vec<Range<u64>>,
    ) -> Result<Vec<Piece>> {
        let mut plans = Vec::with_capacity(ranges.len());
        for range in ranges {
            let fetches = object.fetches(&ReadRange::Bytes(range.clone()))?;
            plans.push((range.start, fetches));
        }
        let wanted: Vec<_> = plans
            .iter()
            .flat_map(|(_, fetches)| fetches.iter().map(|fetch| fetch.bytes.clone()))
            .collect();
        let body = self.paths().body(object.opener.object_id());
        let fetched =
            self.inner().get_ranges(&body, &wanted).await.map_err(|error| match error {
                object_store::Error::NotFound { .. } => object.body_gone(body.clone()),
                error => error.into(),
            })?;
        let mut fetched = fetched.into_iter();
        let mut pieces = Vec::with_capacity(plans.len());
        for (start, fetches) in plans {
            let bytes: Vec<_> = fetched.by_ref().take(fetches.len()).collect();
            let content = open_all(object, &fetches, &bytes)?;
            metrics::counter!("object_cipher_store_opened_bytes_total")
                .increment(content.len() as u64);
            pieces.push(Piece { start, content });
        }
        Ok(pieces)
    }
}

/// Plaintext that begins somewhere in an object.
struct Piece {
    start: u64,
    content: Bytes,
}

/// Opens what was fetched for one range: of an object in parts it may lie in several. What was fetched is
/// often shared with the store beneath, so the plaintext has memory of its own, as much as was asked for.
fn open_all(object: &OpenObject, fetches: &[Fetch], fetched: &[Bytes]) -> Result<Bytes> {
    if fetched.len() != fetches.len() {
        return Err(Error::Altered { path: object.location.clone(), item: "number of ranges" });
    }
    let wanted = fetches.iter().map(|fetch| fetch.segment.plaintext());
    let length: u64 = wanted.map(|range| range.end - range.start).sum();
    let mut content = Vec::with_capacity(whole(length));
    for (Fetch { segment, .. }, bytes) in fetches.iter().zip(fetched) {
        Parallel::new()
            .open_segment(&object.opener, segment, &mut &bytes[..], &mut content)
            .map_err(cipher_error)?;
    }
    Ok(content.into())
}

/// The ranges in rising order, those joined that overlap or lie less than a chunk apart.
fn joined(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start < last.end.saturating_add(CHUNK_LEN) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// A range out of the piece that holds it; what lies behind the object's end is not there.
fn cut(pieces: &[Piece], range: &Range<u64>) -> Bytes {
    let after = pieces.partition_point(|piece| piece.start <= range.start);
    let Some(piece) = after.checked_sub(1).and_then(|at| pieces.get(at)) else {
        return Bytes::new();
    };
    let length = piece.content.len();
    let end = whole(range.end - piece.start).min(length);
    piece.content.slice(whole(range.start - piece.start).min(end)..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined_where_they_share_chunks_and_not_across_a_whole_one() {
        let ranges = [40_000..40_010, 0..10, 5..20, 16_403..16_500];
        assert_eq!(joined(&ranges), [0..16_500, 40_000..40_010]);
        assert_eq!(joined(&[0..10, 10 + CHUNK_LEN..20_000]).len(), 2);
        assert!(joined(&[]).is_empty());
        assert_eq!(joined(&[0..u64::MAX, 5..6]).len(), 1);
    }

    #[test]
    fn a_range_is_cut_out_of_the_piece_that_holds_it() {
        let piece = |start, text: &'static str| Piece { start, content: Bytes::from(text) };
        let pieces = [piece(0, "zero"), piece(100, "hundred")];
        assert_eq!(cut(&pieces, &(1..3)), "er");
        assert_eq!(cut(&pieces, &(103..107)), "dred");
        assert_eq!(cut(&pieces, &(103..1_000)), "dred");
        assert_eq!(cut(&pieces, &(100..100)), "");
    }
}
