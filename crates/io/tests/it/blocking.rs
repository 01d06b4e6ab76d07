//! `Read`, `Write` and the functions between them.

use std::io::{self, BufRead, Cursor, Read, Write};

use object_cipher_core::{Attributes, ETag, Error as CoreError, ReadRange, SealStream, Sealer};
use object_cipher_io::{
    BodyWriter, Error, OpenReader, OpenWriter, SealReader, SealWriter, cipher_error, open_all,
    open_range, seal_all,
};

use crate::fixture::{
    CHUNK, Cuts, Faulty, Fixture, HEADER, Object, Random, STRIDE, content, sizes,
};

type Sealed = (Vec<u8>, SealStream<Sealer>);
type Opened = (Vec<u8>, io::Result<()>);
type SealFn = fn(Sealer, &[u8], Cuts) -> Sealed;
type OpenFn = fn(&Object, &[u8], Cuts) -> Opened;

fn seal_by_reader(sealer: Sealer, plaintext: &[u8], cuts: Cuts) -> Sealed {
    let mut reader = SealReader::new(sealer.into_stream(), Faulty::cut(plaintext, cuts));
    let mut body = Vec::new();
    reader.read_to_end(&mut body).unwrap();
    (body, reader.into_parts().1)
}

fn seal_by_writer(sealer: Sealer, plaintext: &[u8], cuts: Cuts) -> Sealed {
    let mut writer = SealWriter::new(sealer.into_stream(), Faulty::cut(Vec::new(), cuts));
    for piece in cuts.of(plaintext) {
        writer.write_all(piece).unwrap();
    }
    let (body, stream) = writer.finish().unwrap();
    (body.into_inner(), stream)
}

fn seal_by_function(sealer: Sealer, plaintext: &[u8], cuts: Cuts) -> Sealed {
    let mut body = Faulty::cut(Vec::new(), cuts);
    let stream =
        seal_all(sealer.into_stream(), &mut Faulty::cut(plaintext, cuts), &mut body).unwrap();
    (body.into_inner(), stream)
}

fn open_by_reader(object: &Object, body: &[u8], cuts: Cuts) -> Opened {
    let mut reader = OpenReader::new(object.stream(), Faulty::cut(body, cuts));
    let mut plaintext = Vec::new();
    let result = reader.read_to_end(&mut plaintext).map(|_| ());
    if let Err(error) = &result {
        let again = reader.read(&mut [0]).unwrap_err();
        assert_eq!(cipher_error(&again), cipher_error(error), "an error is final");
        assert!(reader.fill_buf().is_err());
    }
    (plaintext, result)
}

fn open_by_writer(object: &Object, body: &[u8], cuts: Cuts) -> Opened {
    let mut plaintext = Faulty::cut(Vec::new(), cuts);
    let mut writer = OpenWriter::new(object.stream(), &mut plaintext);
    let result = write_and_close(&mut writer, &cuts.of(body));
    if let Err(error) = &result {
        let again = writer.write(&[0]).unwrap_err();
        assert_eq!(cipher_error(&again), cipher_error(error), "an error is final");
        assert!(writer.close().is_err());
        assert!(writer.into_parts().is_err());
    }
    (plaintext.into_inner(), result)
}

fn write_and_close<W: Write>(writer: &mut OpenWriter<W>, pieces: &[&[u8]]) -> io::Result<()> {
    pieces.iter().try_for_each(|piece| writer.write_all(piece))?;
    Ok(writer.close()?)
}

fn open_by_function(object: &Object, body: &[u8], cuts: Cuts) -> Opened {
    let mut plaintext = Faulty::cut(Vec::new(), cuts);
    let result = open_all(&object.opener, &mut Faulty::cut(body, cuts), &mut plaintext);
    (plaintext.into_inner(), result.map(|_| ()).map_err(io::Error::from))
}

const SEAL: [SealFn; 3] = [seal_by_reader, seal_by_writer, seal_by_function];
const OPEN: [OpenFn; 3] = [open_by_reader, open_by_writer, open_by_function];

#[test]
fn what_one_way_seals_every_way_opens() {
    for fixture in Fixture::both() {
        for length in sizes() {
            let plaintext = content(length);
            for seal in SEAL {
                let (body, stream) = seal(fixture.sealer(), &plaintext, Cuts::Whole);
                let opener = fixture.opener(&stream.finish(&Attributes::default()).unwrap());
                assert_eq!(opener.plaintext_len(), length as u64);
                assert_eq!(opener.layout().sealed_len(length as u64), Ok(body.len() as u64));
                let object = Object { plaintext: plaintext.clone(), body, opener };
                for open in OPEN {
                    let (opened, result) = open(&object, &object.body, Cuts::Whole);
                    result.unwrap();
                    assert!(opened == plaintext, "{length} bytes");
                }
            }
        }
    }
}

#[test]
fn x2_cuts_and_interruptions_change_nothing() {
    let fixture = Fixture::one_layer();
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5] {
        let plaintext = content(length);
        for cuts in Cuts::ALL {
            for seal in SEAL {
                let (body, stream) = seal(fixture.sealer(), &plaintext, cuts);
                let opener = fixture.opener(&stream.finish(&Attributes::default()).unwrap());
                let object = Object { plaintext: plaintext.clone(), body, opener };
                for open in OPEN {
                    let (opened, result) = open(&object, &object.body, cuts);
                    result.unwrap();
                    assert!(opened == plaintext, "{length} bytes, {cuts:?}");
                }
            }
        }
    }
}

#[test]
fn x1_a_failed_read_or_write_gives_no_envelope() {
    let fixture = Fixture::one_layer();
    let plaintext = content(2 * CHUNK + 10);
    let sealed_by_reader = |n| {
        let inner = Faulty::failing(&plaintext[..], n);
        let mut reader = SealReader::new(fixture.sealer().into_stream(), inner);
        let result = io::copy(&mut reader, &mut io::sink()).map(|_| ());
        // A caller that does not look at the first error.
        let again = io::copy(&mut reader, &mut io::sink()).map(|_| ());
        assert_eq!(result.is_ok(), again.is_ok(), "an error is final");
        let (inner, stream) = reader.into_parts();
        (inner.calls(), result, stream.finish(&Attributes::default()).is_ok())
    };
    let sealed_by_writer = |n| {
        let mut body = Faulty::failing(Vec::new(), n);
        let stream = fixture.sealer().into_stream();
        let mut writer = BodyWriter::new(stream, &mut body);
        let result = writer.write_all(&plaintext);
        let finished = writer.finish();
        let result =
            result.and(finished.as_ref().map(|_| ()).map_err(|e| io::Error::other(e.to_string())));
        let committed =
            finished.is_ok_and(|(_, stream)| stream.finish(&Attributes::default()).is_ok());
        (body.calls(), result, committed)
    };
    let (reads, result, committed) = sealed_by_reader(usize::MAX);
    assert!(result.is_ok() && committed && reads >= 4);
    for n in 0..reads {
        let (_, result, committed) = sealed_by_reader(n);
        assert!(result.is_err() && !committed, "read {n}");
    }
    let (writes, result, committed) = sealed_by_writer(usize::MAX);
    assert!(result.is_ok() && committed && writes >= 4);
    for n in 0..writes {
        let (_, result, committed) = sealed_by_writer(n);
        assert!(result.is_err() && !committed, "write {n}");
    }
}

#[test]
fn x1_every_failed_read_or_write_surfaces_from_the_functions() {
    let fixture = Fixture::one_layer();
    let object = fixture.object(2 * CHUNK + 10);
    let run = |reads_fail_at, writes_fail_at| {
        let mut source = Faulty::failing(&object.body[..], reads_fail_at);
        let mut sink = Faulty::failing(Vec::new(), writes_fail_at);
        let result = open_all(&object.opener, &mut source, &mut sink);
        (source.calls(), sink.calls(), result)
    };
    let (reads, writes, result) = run(usize::MAX, usize::MAX);
    assert_eq!(result.unwrap(), object.plaintext.len() as u64);
    for n in 0..reads {
        assert!(matches!(run(n, usize::MAX).2, Err(Error::Io(_))), "read {n}");
    }
    for n in 0..writes {
        assert!(matches!(run(usize::MAX, n).2, Err(Error::Io(_))), "write {n}");
    }
}

#[test]
fn a_cut_body_ends_in_an_error_and_gives_whole_chunks_only() {
    for length in [0, 1, 2 * CHUNK, 2 * CHUNK + 7] {
        let object = Fixture::one_layer().object(length);
        let edges = (0..4).map(|n| HEADER + n * STRIDE).chain([0, object.body.len()]);
        for cut in edges.flat_map(|edge| [edge.saturating_sub(1), edge, edge + 1]) {
            if cut >= object.body.len() {
                continue;
            }
            let whole = cut.saturating_sub(HEADER) / STRIDE * CHUNK;
            for open in OPEN {
                let (opened, result) = open(&object, &object.body[..cut], Cuts::Whole);
                let error = result.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
                assert!(matches!(cipher_error(&error), Some(CoreError::Truncated { .. })));
                assert!(opened == object.plaintext[..whole], "{length} bytes cut at {cut}");
            }
        }
    }
}

#[test]
fn bytes_behind_the_end_are_an_error() {
    for length in [0, 1, CHUNK, 2 * CHUNK + 7] {
        let object = Fixture::one_layer().object(length);
        for extra in [1, STRIDE, 3 * STRIDE] {
            let mut body = object.body.clone();
            body.extend(vec![0; extra]);
            for open in OPEN {
                let (opened, result) = open(&object, &body, Cuts::Whole);
                let error = result.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                assert!(matches!(cipher_error(&error), Some(CoreError::TrailingBytes { .. })));
                assert!(opened == object.plaintext);
            }
        }
    }
}

#[test]
fn nothing_comes_out_from_a_bad_chunk_on() {
    for fixture in Fixture::both() {
        let object = fixture.object(3 * CHUNK + 9);
        for bad in 0..4 {
            for open in OPEN {
                let (opened, result) = open(&object, &object.with_bad_chunk(bad), Cuts::Random(3));
                let error = result.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                assert!(matches!(cipher_error(&error), Some(CoreError::Rejected { .. })));
                assert!(opened == object.plaintext[..bad * CHUNK]);
            }
        }
        let mut body = object.body.clone();
        body[3] ^= 1;
        for open in OPEN {
            let (opened, result) = open(&object, &body, Cuts::Whole);
            assert!(result.is_err() && opened.is_empty(), "other headers");
        }
    }
}

#[test]
fn ranges_come_out_as_they_lie_in_the_plaintext() {
    for fixture in Fixture::both() {
        let object = fixture.object(4 * CHUNK + 100);
        let length = object.plaintext.len();
        let mut random = Random::new(5);
        for _ in 0..60 {
            let start = random.below(length);
            let end = start + 1 + random.below(length - start);
            let range = ReadRange::Bytes(start as u64..end as u64);
            let mut out = Vec::new();
            let count =
                open_range(&object.opener, &range, &mut Cursor::new(&object.body), &mut out);
            assert_eq!(count.unwrap(), (end - start) as u64);
            assert!(out == object.plaintext[start..end]);
        }
        let behind = ReadRange::From(length as u64);
        let error =
            open_range(&object.opener, &behind, &mut Cursor::new(&object.body), &mut Vec::new());
        assert!(matches!(error, Err(Error::Cipher(CoreError::RangeNotSatisfiable { .. }))));
    }
}

#[test]
fn a_reader_opens_what_was_fetched_for_a_range() {
    let object = Fixture::one_layer().object(4 * CHUNK + 100);
    let segment = object.segment_of(&ReadRange::Last((CHUNK + 200) as u64));
    let stream = object.opener.open_segment(&segment).unwrap();
    let mut out = Vec::new();
    OpenReader::new(stream, object.fetch(&segment)).read_to_end(&mut out).unwrap();
    assert!(out == object.plaintext[3 * CHUNK - 100..]);
}

#[test]
fn a_part_gives_a_receipt() {
    let part = Fixture::one_layer().uploader().part(3).unwrap();
    let mut writer = SealWriter::new(part.into_stream(), Vec::new());
    writer.write_all(b"part").unwrap();
    let (body, stream) = writer.finish().unwrap();
    assert_eq!(body.len(), HEADER + 4 + 16);
    assert!(!stream.finish(ETag([1; 16]), &[]).unwrap().is_empty());
}

#[test]
fn a_whole_range_looks_behind_the_body() {
    let object = Fixture::one_layer().object(10);
    let mut body = object.body.clone();
    body.push(0);
    let error =
        open_range(&object.opener, &ReadRange::Whole, &mut Cursor::new(body), &mut Vec::new());
    assert!(matches!(error, Err(Error::Cipher(CoreError::TrailingBytes { .. }))));
}

#[test]
fn a_dropped_or_unfinished_writer_leaves_no_object() {
    let fixture = Fixture::one_layer();
    let mut body = Vec::new();
    let mut writer = SealWriter::new(fixture.sealer().into_stream(), &mut body);
    writer.write_all(&content(CHUNK + 1)).unwrap();
    writer.flush().unwrap();
    let error = writer.into_parts().unwrap_err();
    assert!(matches!(error, Error::Cipher(CoreError::Misuse(_))));
    assert_eq!(body.len(), HEADER + STRIDE, "no last chunk");
}

#[test]
fn a_closed_writer_takes_nothing_more() {
    let fixture = Fixture::one_layer();
    let mut writer = SealWriter::new(fixture.sealer().into_stream(), Vec::new());
    writer.write_all(b"meow!").unwrap();
    writer.close().unwrap();
    writer.close().unwrap();
    assert_eq!(writer.write(b"more").unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let (_, stream) = writer.into_parts().unwrap();
    stream.finish(&Attributes::default()).unwrap();
}

#[test]
fn a_writer_that_blocks_goes_on_where_it_stopped() {
    /// Takes one byte, then blocks.
    struct Blocking(Vec<u8>, bool);
    impl Write for Blocking {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let count = buf.len().min(9_000);
            self.0.extend(&buf[..count]);
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let fixture = Fixture::one_layer();
    let plaintext = content(3 * CHUNK);
    let mut writer = SealWriter::new(fixture.sealer().into_stream(), Blocking(Vec::new(), false));
    let mut rest = &plaintext[..];
    while !rest.is_empty() {
        match writer.write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
    while let Err(error) = writer.close() {
        assert!(matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock));
        assert!(writer.write(b"more").is_err(), "the content has ended");
    }
    let (Blocking(body, _), stream) = writer.into_parts().unwrap();
    let opener = fixture.opener(&stream.finish(&Attributes::default()).unwrap());
    let mut opened = Vec::new();
    open_all(&opener, &mut &body[..], &mut opened).unwrap();
    assert!(opened == plaintext);
}

#[test]
fn a_reader_that_lies_about_its_count_is_refused() {
    struct Liar;
    impl Read for Liar {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            Ok(buf.len() + 1)
        }
    }
    let fixture = Fixture::one_layer();
    let mut reader = SealReader::new(fixture.sealer().into_stream(), Liar);
    assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
}
