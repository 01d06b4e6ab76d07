//! `Parallel`.

use std::io::{self, Cursor};

use object_cipher_core::{Attributes, Error as CoreError, ReadRange, Sealer};
use object_cipher_io::{Error, Parallel, open_all};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::fixture::{
    CHUNK, Cuts, Faulty, Fixture, HEADER, Object, Random, STRIDE, content, sizes,
};

fn pools() -> impl Iterator<Item = ThreadPool> {
    (1..=3).map(pool)
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Windows that the content fits exactly, just not, and many times over.
const WINDOWS: [usize; 4] = [1, 2, 5, 64];

fn seal(
    parallel: Parallel<'_>,
    sealer: Sealer,
    plaintext: &[u8],
) -> (Vec<u8>, object_cipher_core::Envelope) {
    let mut body = Vec::new();
    let mut source = Faulty::cut(plaintext, Cuts::Random(2));
    let sealed = parallel.seal_all(sealer, &mut source, &mut body).unwrap();
    assert_eq!(sealed.plaintext_len(), plaintext.len() as u64);
    (body, sealed.finish(&Attributes::default()).unwrap())
}

fn open(parallel: Parallel<'_>, object: &Object, body: &[u8]) -> (Vec<u8>, Result<u64, Error>) {
    let mut opened = Vec::new();
    let mut source = Faulty::cut(body, Cuts::Random(2));
    let result = parallel.open_all(&object.opener, &mut source, &mut opened);
    (opened, result)
}

#[test]
fn parallel_and_sequential_open_what_the_other_sealed() {
    for fixture in Fixture::both() {
        for pool in pools() {
            for length in sizes() {
                for window in WINDOWS {
                    let parallel = Parallel::new().with_pool(&pool).with_window(window);
                    let plaintext = content(length);
                    let (body, envelope) = seal(parallel, fixture.sealer(), &plaintext);
                    let mut opened = Vec::new();
                    let opener = fixture.opener(&envelope);
                    open_all(&opener, &mut &body[..], &mut opened).unwrap();
                    assert!(opened == plaintext, "{length} bytes, {parallel:?}");

                    let object = Object { plaintext, body, opener };
                    let (opened, result) = open(parallel, &object, &object.body);
                    assert_eq!(result.unwrap(), length as u64);
                    assert!(opened == object.plaintext, "{length} bytes, {parallel:?}");
                }
            }
        }
    }
}

#[test]
fn in_place_equals_sequential_and_keeps_the_layout() {
    for fixture in Fixture::both() {
        for pool in pools() {
            for length in sizes() {
                let parallel = Parallel::new().with_pool(&pool);
                let plaintext = content(length);
                let sealer = fixture.sealer();
                let mut body = laid_out(&sealer, &plaintext);
                let sealed = parallel.seal_in_place(sealer, &mut body).unwrap();
                assert_eq!(sealed.plaintext_len(), length as u64);
                let opener = fixture.opener(&sealed.finish(&Attributes::default()).unwrap());
                let mut opened = Vec::new();
                open_all(&opener, &mut &body[..], &mut opened).unwrap();
                assert!(opened == plaintext, "{length} bytes");

                let object = Object { plaintext, body, opener };
                let segment = object.segment();
                let mut fetched = object.body.clone();
                let pieces = parallel.open_in_place(&object.opener, &segment, &mut fetched);
                assert!(pieces.unwrap().flatten().eq(&object.plaintext), "{length} bytes");
            }
        }
    }
}

/// A plaintext with room for headers and tags.
fn laid_out(sealer: &Sealer, plaintext: &[u8]) -> Vec<u8> {
    use object_cipher_core::BodySealer;

    let layout = sealer.layout();
    let mut body = vec![0; layout.header_len()];
    let room = vec![0; layout.overhead()];
    for chunk in plaintext.chunks(CHUNK) {
        body.extend(chunk);
        body.extend(&room);
    }
    if plaintext.len().is_multiple_of(CHUNK) {
        body.extend(&room);
    }
    body
}

#[test]
fn ranges_come_out_as_they_lie_in_the_plaintext() {
    let object = Fixture::one_layer().object(9 * CHUNK + 100);
    let length = object.plaintext.len();
    let mut random = Random::new(5);
    for pool in pools() {
        let parallel = Parallel::new().with_pool(&pool).with_window(3);
        for _ in 0..40 {
            let start = random.below(length);
            let end = start + 1 + random.below(length - start);
            let range = ReadRange::Bytes(start as u64..end as u64);
            let mut out = Vec::new();
            let mut body = Cursor::new(&object.body);
            let count = parallel.open_range(&object.opener, &range, &mut body, &mut out);
            assert_eq!(count.unwrap(), (end - start) as u64);
            assert!(out == object.plaintext[start..end]);

            let segment = object.segment_of(&range);
            let mut fetched = object.fetch(&segment).to_vec();
            let pieces = parallel.open_in_place(&object.opener, &segment, &mut fetched);
            assert!(pieces.unwrap().flatten().eq(&object.plaintext[start..end]));
        }
    }
}

#[test]
fn the_first_bad_chunk_decides_and_nothing_behind_it_comes_out() {
    let object = Fixture::one_layer().object(12 * CHUNK + 9);
    for pool in pools() {
        for window in WINDOWS {
            let parallel = Parallel::new().with_pool(&pool).with_window(window);
            for bad in 0..13 {
                let mut body = object.with_bad_chunk(bad);
                // Worse things behind it change nothing.
                body[HEADER + 12 * STRIDE] ^= 1;
                body.truncate(object.body.len() - 1);
                let (opened, result) = open(parallel, &object, &body);
                if bad < 12 {
                    assert!(matches!(result, Err(Error::Cipher(CoreError::Rejected { .. }))));
                }
                assert!(result.is_err());
                assert!(opened == object.plaintext[..bad.min(12) * CHUNK], "{bad}, {parallel:?}");
            }
        }
    }
}

#[test]
fn a_cut_or_longer_body_ends_in_an_error_and_gives_whole_chunks_only() {
    for length in [0, 1, 5 * CHUNK, 6 * CHUNK + 7] {
        let object = Fixture::one_layer().object(length);
        for pool in pools() {
            for window in WINDOWS {
                let parallel = Parallel::new().with_pool(&pool).with_window(window);
                let edges = (0..8).map(|n| HEADER + n * STRIDE).chain([0, object.body.len()]);
                for cut in edges.flat_map(|edge| [edge.saturating_sub(1), edge, edge + 1]) {
                    if cut >= object.body.len() {
                        continue;
                    }
                    let (opened, result) = open(parallel, &object, &object.body[..cut]);
                    assert!(matches!(result, Err(Error::Cipher(CoreError::Truncated { .. }))));
                    let whole = cut.saturating_sub(HEADER) / STRIDE * CHUNK;
                    assert!(opened == object.plaintext[..whole], "{length} bytes cut at {cut}");
                }
                let mut body = object.body.clone();
                body.push(0);
                let (opened, result) = open(parallel, &object, &body);
                assert!(matches!(result, Err(Error::Cipher(CoreError::TrailingBytes { .. }))));
                assert!(opened == object.plaintext);
            }
        }
    }
}

#[test]
fn a_failed_open_in_place_wipes_everything() {
    let object = Fixture::one_layer().object(5 * CHUNK + 9);
    let segment = object.segment();
    for pool in pools() {
        let parallel = Parallel::new().with_pool(&pool);
        let mut other_headers = object.body.clone();
        other_headers[3] ^= 1;
        let short = object.body[..object.body.len() - 1].to_vec();
        let long = [&object.body[..], &[0]].concat();
        for mut fetched in [object.with_bad_chunk(2), other_headers, short, long] {
            assert!(parallel.open_in_place(&object.opener, &segment, &mut fetched).is_err());
            assert!(fetched.iter().all(|byte| *byte == 0));
        }
    }
}

#[test]
fn x1_every_failed_read_or_write_surfaces() {
    let fixture = Fixture::one_layer();
    let object = fixture.object(5 * CHUNK + 10);
    for pool in pools() {
        let parallel = Parallel::new().with_pool(&pool).with_window(2);
        let opened = |n, m| {
            let mut source = Faulty::failing(&object.body[..], n);
            let mut sink = Faulty::failing(Vec::new(), m);
            parallel.open_all(&object.opener, &mut source, &mut sink).map(|_| ())
        };
        let sealed = |n, m| {
            let mut source = Faulty::failing(&object.plaintext[..], n);
            let mut sink = Faulty::failing(Vec::new(), m);
            parallel.seal_all(fixture.sealer(), &mut source, &mut sink).map(|_| ())
        };
        for run in [&opened as &dyn Fn(usize, usize) -> Result<(), Error>, &sealed] {
            let reads = (0..).map(|n| run(n, usize::MAX)).take_while(Result::is_err);
            assert!(reads.inspect(is_io).count() >= 4);
            let writes = (0..).map(|n| run(usize::MAX, n)).take_while(Result::is_err);
            assert!(writes.inspect(is_io).count() >= 4);
        }
    }
}

fn is_io(result: &Result<(), Error>) {
    assert!(matches!(result, Err(Error::Io(error)) if error.kind() == io::ErrorKind::Other));
}

#[test]
fn announced_content_of_another_length_is_refused() {
    let fixture = Fixture::one_layer();
    let plaintext = content(3 * CHUNK + 5);
    for pool in pools() {
        let parallel = Parallel::new().with_pool(&pool).with_window(2);
        for announced in [plaintext.len() - 1, plaintext.len(), plaintext.len() + 1] {
            let announce = || {
                let sealer = fixture.sealer();
                let body = laid_out(&sealer, &plaintext);
                let announced = sealer.announce(announced as u64, &Attributes::default()).unwrap();
                (announced.1, body)
            };
            let (sealer, mut body) = announce();
            let in_place = parallel.seal_in_place(sealer, &mut body);
            let (sealer, _) = announce();
            let piped = parallel.seal_all(sealer, &mut &plaintext[..], &mut io::sink());
            assert_eq!(in_place.is_ok(), announced == plaintext.len());
            assert_eq!(piped.is_ok(), announced == plaintext.len());
        }
    }
}

#[test]
fn the_current_pool_serves_when_none_is_given() {
    let fixture = Fixture::one_layer();
    let plaintext = content(40 * CHUNK);
    let (body, envelope) = seal(Parallel::new(), fixture.sealer(), &plaintext);
    let object = Object { plaintext, body, opener: fixture.opener(&envelope) };
    let pool = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let (opened, result) = pool.install(|| open(Parallel::new(), &object, &object.body));
    result.unwrap();
    assert!(opened == object.plaintext);
}

/// Notes how long each write is.
struct Writes(Vec<usize>);

impl io::Write for Writes {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.push(buf.len());
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn alone_a_body_is_written_in_pieces_of_a_quarter_of_a_window() {
    let fixture = Fixture::one_layer();
    let plaintext = content(40 * CHUNK + 1);
    let mut writes = Writes(Vec::new());
    let sealed = Parallel::alone().seal_all(fixture.sealer(), &mut &plaintext[..], &mut writes);
    assert_eq!(sealed.unwrap().plaintext_len(), plaintext.len() as u64);
    assert_eq!(writes.0, [HEADER, 16 * STRIDE, 16 * STRIDE, 8 * STRIDE + 1 + STRIDE - CHUNK]);

    let parallel = Parallel::alone().with_window(12);
    let (body, envelope) = seal(parallel, fixture.sealer(), &plaintext);
    let object = Object { plaintext, body, opener: fixture.opener(&envelope) };
    let (opened, result) = open(parallel, &object, &object.body);
    result.unwrap();
    assert!(opened == object.plaintext);
}

#[test]
fn idle_sources_hold_no_thread_of_the_pool() {
    use std::{
        io::{self, Read},
        sync::mpsc::channel,
        time::Duration,
    };

    /// Waits for the other end, and then ends.
    struct Waiting(std::sync::mpsc::Receiver<()>);

    impl Read for Waiting {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(0)
        }
    }

    let pool = pool(2);
    let object = Fixture::one_layer();
    std::thread::scope(|scope| {
        let mut ends = Vec::new();
        for _ in 0..4 {
            let (end, source) = channel();
            let (pool, object) = (&pool, &object);
            scope.spawn(move || {
                let parallel = Parallel::new().with_pool(pool);
                let sealed =
                    parallel.seal_all(object.sealer(), &mut Waiting(source), &mut Vec::new());
                assert_eq!(sealed.unwrap().plaintext_len(), 0);
            });
            ends.push(end);
        }
        // Four streams wait; a fifth goes through.
        let (done, finished) = channel();
        let (pool, object) = (&pool, &object);
        scope.spawn(move || {
            let content = vec![7; 40 * CHUNK];
            let parallel = Parallel::new().with_pool(pool);
            let sealed = parallel.seal_all(object.sealer(), &mut &content[..], &mut Vec::new());
            done.send(sealed.unwrap().plaintext_len()).unwrap();
        });
        let length = finished.recv_timeout(Duration::from_secs(20));
        drop(ends);
        assert_eq!(length, Ok(40 * CHUNK as u64));
    });
}

#[test]
fn two_runs_joined_by_a_pipe_share_a_pool() {
    let pool = pool(2);
    let fixture = Fixture::one_layer();
    let object = fixture.object(30 * CHUNK + 5);
    for _ in 0..20 {
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        let mut body = Vec::new();
        let sealed = std::thread::scope(|scope| {
            let parallel = Parallel::new().with_pool(&pool).with_window(4);
            let object = &object;
            let opening = scope.spawn(move || {
                parallel.open_all(&object.opener, &mut &object.body[..], &mut writer)
            });
            let sealed = parallel.seal_all(fixture.sealer(), &mut reader, &mut body).unwrap();
            assert_eq!(opening.join().unwrap().unwrap(), object.plaintext.len() as u64);
            sealed
        });
        assert_eq!(sealed.plaintext_len(), object.plaintext.len() as u64);
    }
}

#[test]
fn a_thread_of_the_pool_seals_without_the_others() {
    let pool = pool(2);
    let fixture = Fixture::one_layer();
    let content = vec![7; 10 * CHUNK];
    let length = pool.install(|| {
        let parallel = Parallel::new().with_pool(&pool).with_window(usize::MAX);
        let sealed = parallel.seal_all(fixture.sealer(), &mut &content[..], &mut Vec::new());
        sealed.unwrap().plaintext_len()
    });
    assert_eq!(length, 10 * CHUNK as u64);
}

#[test]
fn a_pool_whose_threads_are_all_taken_holds_up_nobody() {
    use std::{sync::mpsc::channel, time::Duration};

    let pool = pool(2);
    let fixture = Fixture::one_layer();
    let object = fixture.object(50 * CHUNK);
    let (release, taken): (Vec<_>, Vec<_>) = (0..2).map(|_| channel::<()>()).unzip();
    for wait in taken {
        pool.spawn(move || wait.recv().unwrap_or_default());
    }
    let (done, finished) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let parallel = Parallel::new().with_pool(&pool).with_window(4);
            let mut body = Vec::new();
            let sealed = parallel.seal_all(fixture.sealer(), &mut &object.plaintext[..], &mut body);
            let (opened, result) = open(parallel, &object, &object.body);
            let whole = result.is_ok() && opened == object.plaintext;
            done.send((sealed.unwrap().plaintext_len(), whole)).unwrap();
        });
        let through = finished.recv_timeout(Duration::from_secs(20));
        drop(release);
        assert_eq!(through, Ok((50 * CHUNK as u64, true)));
    });
}
