//! `ObjectReader`: `Read` and `Seek` over the plaintext.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use object_cipher_core::Error as CoreError;
use object_cipher_io::{ObjectReader, cipher_error};

use crate::fixture::{CHUNK, Faulty, Fixture, HEADER, Random, STRIDE, sizes};

/// Notes which bytes are read.
struct Noted<R> {
    inner: R,
    seeks: usize,
    bytes: u64,
}

impl<R: Read> Read for Noted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

impl<R: Seek> Seek for Noted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.seeks += 1;
        self.inner.seek(to)
    }
}

#[test]
fn a_reader_of_the_object_behaves_as_a_cursor_over_its_plaintext() {
    for fixture in Fixture::both() {
        for length in sizes() {
            let object = fixture.object(length);
            let mut reader = ObjectReader::new(&object.opener, Cursor::new(&object.body)).unwrap();
            assert_eq!(reader.plaintext_len(), length as u64);
            let mut oracle = Cursor::new(&object.plaintext);
            let mut random = Random::new(length as u64);
            for _ in 0..50 {
                let most = length as u64 + 20;
                let offset = random.next().unwrap() % most;
                let signed = i64::try_from(offset).unwrap();
                let to = match random.below(4) {
                    0 => SeekFrom::Start(offset),
                    1 => SeekFrom::End(10 - signed),
                    2 => SeekFrom::Current(signed / 8 - 1_000),
                    _ => SeekFrom::Current(0),
                };
                let (got, expected) = (reader.seek(to), oracle.seek(to));
                assert_eq!(got.as_ref().ok(), expected.as_ref().ok(), "{to:?}");
                if let Err(error) = got {
                    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
                }
                let mut buf = vec![0; random.below(3 * CHUNK)];
                let mut expected = vec![0; buf.len()];
                let count = read_full(&mut reader, &mut buf).unwrap();
                assert_eq!(count, read_full(&mut oracle, &mut expected).unwrap());
                assert!(buf[..count] == expected[..count]);
                assert_eq!(reader.stream_position().unwrap(), oracle.stream_position().unwrap());
            }
        }
    }
}

fn read_full(reader: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < buf.len() {
        match reader.read(&mut buf[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

#[test]
fn reads_take_the_covering_chunks_each_once_and_seek_only_when_they_jump() {
    let object = Fixture::one_layer().object(10 * CHUNK + 5);
    let body = Noted { inner: Cursor::new(&object.body), seeks: 0, bytes: 0 };
    let mut reader = ObjectReader::new(&object.opener, body).unwrap();
    reader.seek(SeekFrom::Start(2 * CHUNK as u64 + 7)).unwrap();
    let mut buf = vec![0; 3 * CHUNK];
    reader.read_exact(&mut buf).unwrap();
    // Within the chunk it holds, back and forth.
    for step in [-5, 3, 100] {
        reader.seek(SeekFrom::Current(step)).unwrap();
        reader.read_exact(&mut [0]).unwrap();
    }
    let body = reader.into_inner();
    assert_eq!((body.bytes, body.seeks), (4 * STRIDE as u64, 1));
}

#[test]
fn reading_at_and_behind_the_end_gives_nothing() {
    let object = Fixture::one_layer().object(CHUNK);
    let mut reader = ObjectReader::new(&object.opener, Cursor::new(&object.body)).unwrap();
    for to in [SeekFrom::End(0), SeekFrom::End(1), SeekFrom::Start(u64::MAX)] {
        reader.seek(to).unwrap();
        assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
    }
    assert!(reader.seek(SeekFrom::Current(1)).is_err(), "2^64 is no offset");
    assert_eq!(reader.stream_position().unwrap(), u64::MAX);
}

#[test]
fn a_bad_chunk_fails_the_reader_for_good() {
    let object = Fixture::one_layer().object(3 * CHUNK);
    let body = object.with_bad_chunk(1);
    let mut reader = ObjectReader::new(&object.opener, Cursor::new(body)).unwrap();
    let mut opened = Vec::new();
    let error = reader.read_to_end(&mut opened).unwrap_err();
    assert!(opened == object.plaintext[..CHUNK]);
    assert!(matches!(cipher_error(&error), Some(CoreError::Rejected { .. })));
    for offset in [0, CHUNK as u64, 3 * CHUNK as u64] {
        reader.seek(SeekFrom::Start(offset)).unwrap();
        let again = reader.read(&mut [0]).unwrap_err();
        assert_eq!(cipher_error(&again), cipher_error(&error));
    }
}

#[test]
fn a_cut_body_fails_where_it_is_cut() {
    let object = Fixture::one_layer().object(2 * CHUNK + 7);
    for (cut, whole) in [(HEADER, 0), (HEADER + STRIDE - 1, 0), (HEADER + STRIDE, 1)] {
        let body = Cursor::new(&object.body[..cut]);
        let mut reader = ObjectReader::new(&object.opener, body).unwrap();
        let mut opened = Vec::new();
        let error = reader.read_to_end(&mut opened).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(matches!(cipher_error(&error), Some(CoreError::Truncated { .. })));
        assert!(opened == object.plaintext[..whole * CHUNK]);
    }
}

#[test]
fn a_failed_read_may_be_made_again() {
    let object = Fixture::one_layer().object(CHUNK + 7);
    let calls = 4;
    for n in 0..calls {
        let body = Faulty::failing(Cursor::new(&object.body), n);
        let mut reader = ObjectReader::new(&object.opener, body).unwrap();
        let mut opened = Vec::new();
        let failed = reader.read_to_end(&mut opened);
        assert!(failed.is_err() || reader.into_inner().calls() <= n);
    }
    let body = Faulty::failing(Cursor::new(&object.body), 1);
    let mut reader = ObjectReader::new(&object.opener, body).unwrap();
    let mut opened = Vec::new();
    while reader.read_to_end(&mut opened).is_err() {}
    assert!(opened == object.plaintext);
}
