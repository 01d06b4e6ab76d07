//! Memory: nothing is allocated for a chunk, and no stream holds more than its few buffers.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use allocation_counter::{AllocationInfo, measure};
use object_cipher_io::{
    ObjectReader, OpenReader, OpenWriter, SealReader, SealWriter, open_all, seal_all,
};

use crate::fixture::{CHUNK, Fixture, Object};

/// Runs with few chunks and with many, and compares what was allocated.
fn assert_constant(name: &str, most_bytes: usize, run: impl Fn(&Fixture, &Object)) {
    for (layers, fixture) in Fixture::both().into_iter().enumerate() {
        let [few, many] = [3, 200].map(|chunks| {
            let object = fixture.object(chunks * CHUNK + 5);
            // What a first use sets up is not the stream's.
            run(&fixture, &object);
            measure(|| run(&fixture, &object))
        });
        assert_eq!(few.count_total, many.count_total, "{name}, {} layers", layers + 1);
        assert_eq!(peak(&few), peak(&many));
        assert!(peak(&many) <= most_bytes, "{name}: {} bytes", peak(&many));
    }
}

fn peak(info: &AllocationInfo) -> usize {
    usize::try_from(info.bytes_max).unwrap()
}

/// A chunk buffer, and what keys and plans take.
const ONE_BUFFER: usize = CHUNK + 8 * 1024;

#[test]
fn readers_allocate_one_buffer() {
    assert_constant("SealReader", ONE_BUFFER, |fixture, object| {
        let mut reader = SealReader::new(fixture.sealer().into_stream(), &object.plaintext[..]);
        drain(&mut reader);
    });
    assert_constant("OpenReader", ONE_BUFFER, |_, object| {
        drain(&mut OpenReader::new(object.stream(), &object.body[..]));
    });
    assert_constant("ObjectReader", ONE_BUFFER, |_, object| {
        let mut reader = ObjectReader::new(&object.opener, Cursor::new(&object.body)).unwrap();
        drain(&mut reader);
        reader.seek(SeekFrom::Start(CHUNK as u64)).unwrap();
        drain(&mut reader);
    });
}

/// Reads to the end without memory of its own.
fn drain(reader: &mut impl Read) {
    let mut buf = [0; 1_000];
    while reader.read(&mut buf).unwrap() > 0 {}
}

#[test]
fn writers_and_functions_allocate_one_buffer() {
    assert_constant("SealWriter", ONE_BUFFER, |fixture, object| {
        let mut writer = SealWriter::new(fixture.sealer().into_stream(), io::sink());
        writer.write_all(&object.plaintext).unwrap();
        writer.finish().unwrap();
    });
    assert_constant("OpenWriter", ONE_BUFFER, |_, object| {
        let mut writer = OpenWriter::new(object.stream(), io::sink());
        writer.write_all(&object.body).unwrap();
        writer.finish().unwrap();
    });
    assert_constant("seal_all", ONE_BUFFER, |fixture, object| {
        let stream = fixture.sealer().into_stream();
        seal_all(stream, &mut &object.plaintext[..], &mut io::sink()).unwrap();
    });
    assert_constant("open_all", ONE_BUFFER, |_, object| {
        open_all(&object.opener, &mut &object.body[..], &mut io::sink()).unwrap();
    });
}

#[cfg(feature = "stream")]
mod byte_streams {
    use bytes::Bytes;
    use futures::{Stream, StreamExt, executor::block_on, stream};
    use object_cipher_io::{Error, OpenBytes, SealBytes};

    use super::*;

    /// Four chunk buffers, and what keys and plans take.
    const FOUR_BUFFERS: usize = 4 * (CHUNK + 32) + 8 * 1024;

    /// `content` in pieces of `size` bytes, in one memory that is shared, or each in its own.
    fn pieces(content: &[u8], size: usize, shared: bool) -> Vec<Bytes> {
        let whole = Bytes::copy_from_slice(content);
        let pieces = content.chunks(size);
        if shared {
            pieces
                .map(|piece| whole.slice_ref(&whole[offset(content, piece)..][..piece.len()]))
                .collect()
        } else {
            pieces.map(Bytes::copy_from_slice).collect()
        }
    }

    fn offset(content: &[u8], piece: &[u8]) -> usize {
        piece.as_ptr().addr() - content.as_ptr().addr()
    }

    fn source(pieces: Vec<Bytes>) -> impl Stream<Item = io::Result<Bytes>> {
        stream::iter(pieces.into_iter().map(Ok))
    }

    /// Takes everything and keeps nothing.
    fn drain(stream: impl Stream<Item = Result<Bytes, Error>>) {
        block_on(stream.for_each(|item| async { drop(item.unwrap()) }));
    }

    /// What sealing and opening an object of so many chunks allocates.
    fn measured(
        fixture: &Fixture,
        chunks: usize,
        size: usize,
        shared: bool,
    ) -> [AllocationInfo; 2] {
        let object = fixture.object(chunks * CHUNK + 5);
        let (plaintext, body) =
            (pieces(&object.plaintext, size, shared), pieces(&object.body, size, shared));
        let segment = object.segment();
        drain(OpenBytes::new(&object.opener, &segment, source(body.clone())).unwrap());
        [
            measure(|| drain(SealBytes::new(fixture.sealer(), source(plaintext)))),
            measure(|| drain(OpenBytes::new(&object.opener, &segment, source(body)).unwrap())),
        ]
    }

    #[test]
    fn shared_and_small_pieces_share_four_buffers() {
        for size in [100, CHUNK, 10 * CHUNK] {
            let fixture = Fixture::one_layer();
            let few = measured(&fixture, 10, size, true);
            let many = measured(&fixture, 200, size, true);
            for (few, many) in few.iter().zip(&many) {
                assert_eq!(few.count_total, many.count_total, "pieces of {size}");
                assert!(peak(many) <= FOUR_BUFFERS, "{} bytes", peak(many));
            }
        }
    }

    #[test]
    fn pieces_of_our_own_cost_an_allocation_each_and_none_a_chunk() {
        let fixture = Fixture::one_layer();
        for size in [4 * CHUNK, 16 * CHUNK] {
            let few = measured(&fixture, 32, size, false);
            let many = measured(&fixture, 320, size, false);
            let more_pieces = (320 - 32) * CHUNK / size;
            for (few, many) in few.iter().zip(&many) {
                let more = many.count_total - few.count_total;
                assert!(more <= more_pieces as u64 + 1, "{more} for {more_pieces} pieces");
                assert!(peak(many) <= FOUR_BUFFERS, "{} bytes", peak(many));
            }
        }
    }
}

#[cfg(feature = "rayon")]
#[test]
fn in_parallel_two_windows_are_all() {
    use object_cipher_io::Parallel;

    let fixture = Fixture::one_layer();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for window in [4, 64] {
        let parallel = Parallel::new().with_pool(&pool).with_window(window);
        let [few, many] = [2, 40].map(|windows| {
            let object = fixture.object(windows * window * CHUNK);
            let sealer = fixture.sealer();
            measure(|| {
                parallel.seal_all(sealer, &mut &object.plaintext[..], &mut io::sink()).unwrap();
                parallel.open_all(&object.opener, &mut &object.body[..], &mut io::sink()).unwrap();
            })
        });
        // A piece costs a job of the pool at the most, whatever its number of chunks.
        assert!(many.count_total - few.count_total <= 2 * 2 * 4 * 38);
        assert!(peak(&many) <= 2 * window * (CHUNK + 16) + 8 * 1024, "{} bytes", peak(&many));
    }
}
