//! Ranges, and stores that serve something else than what was put.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use futures::StreamExt as _;
use object_cipher_core::{Error as CipherError, ObjectCipher, ReadRange};
use object_store::path::Path;
use s3_server::store::{Error, OpenObject};

use crate::{
    faulty::{Fate, Faulty, Operation},
    host::{self, CHUNK, Host, bytes, content},
    writes::Write,
};

#[tokio::test]
async fn g9_ranges_over_the_edges_of_parts_come_back() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let parts =
                [(1, content(70_000)), (2, content(1)), (900, content(CHUNK)), (901, Vec::new())];
            host.upload("a", cipher, &parts).await.unwrap();
            let whole: Vec<u8> = parts.iter().flat_map(|(_, body)| body.clone()).collect();
            let edges = [0, 1, CHUNK, 69_999, 70_000, 70_001, 70_002, whole.len() - 1, whole.len()];
            for start in edges {
                for end in edges.into_iter().filter(|end| *end > start) {
                    let range = ReadRange::Bytes(start as u64..end as u64);
                    let read = host.read("a", cipher, &range).await.unwrap();
                    assert_eq!(read, whole[start..end]);
                }
            }
            assert_eq!(host.open("a", cipher).await.unwrap().part(3).unwrap(), None);
        }
    }
}

#[tokio::test]
async fn g5_a_range_behind_the_end_is_refused_before_anything_is_read() {
    let host = Host::in_memory().await;
    let no_bodies = Faulty::by(&host.objects, |_, path| match path.as_ref() {
        path if path.starts_with("bodies/") => Fate::Panics,
        _ => Fate::Passes,
    });
    for cipher in host.ciphers() {
        for length in [0_u64, 100] {
            host.put("a", cipher, &content(usize::try_from(length).unwrap())).await.unwrap();
            for range in [ReadRange::From(length), ReadRange::Last(0)] {
                let object = host.through(no_bodies.clone()).open("a", cipher).await.unwrap();
                let refused = object.read(&range).map(drop).unwrap_err();
                let refused = matches!(
                    refused,
                    Error::Cipher(CipherError::RangeNotSatisfiable { length: told }) if told == length
                );
                assert!(refused);
            }
        }
    }
}

#[tokio::test]
async fn g7_only_the_chunks_of_a_range_are_fetched() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            host.put("a", cipher, &content(10 * CHUNK)).await.unwrap();
            // Were another chunk fetched than number 4, it would not open.
            let (path, layout) = (host.body("a").await, host.open("a", cipher).await.unwrap());
            let layout = layout.opener().layout();
            // A body of whole chunks ends with an empty one.
            let len = |plaintext: usize| layout.sealed_len(plaintext as u64).unwrap();
            let empty = len(0) - layout.header_len() as u64;
            let end_of = |chunks| usize::try_from(len(chunks * CHUNK) - empty).unwrap();
            let mut body = host.get(&path).await.to_vec();
            body[..end_of(4)].iter_mut().for_each(|byte| *byte ^= 1);
            body[end_of(5)..].iter_mut().for_each(|byte| *byte ^= 1);
            host.set(&path, body).await;
            let range = |from: usize, to: usize| ReadRange::Bytes(from as u64..to as u64);
            let inside = host.read("a", cipher, &range(4 * CHUNK, 5 * CHUNK)).await.unwrap();
            assert_eq!(inside, content(10 * CHUNK)[4 * CHUNK..5 * CHUNK]);
            let across = host.read("a", cipher, &range(4 * CHUNK, 5 * CHUNK + 1)).await;
            assert!(matches!(across, Err(Error::Cipher(CipherError::Rejected { .. }))));
        }
    }
}

#[tokio::test]
async fn g11_a_reader_of_a_replaced_or_deleted_object_gets_the_old_one_whole() {
    for host in Host::all().await {
        for write in [Write::Overwrite, Write::Multipart, Write::Delete] {
            let cipher = host.sse_s3();
            let parts = [(1, content(40_000)), (2, content(30_000))];
            host.upload("a", &cipher, &parts).await.unwrap();
            let old: Vec<u8> = parts.into_iter().flat_map(|(_, body)| body).collect();
            let (early, late) = (opened(&host, &cipher).await, opened(&host, &cipher).await);
            let mut early = Box::pin(early.read(&ReadRange::Whole).unwrap());
            let mut read = early.next().await.unwrap().unwrap().to_vec();
            write.act(&host, &cipher, &cipher).await.unwrap();
            read.extend(bytes(early).await.unwrap());
            assert!(read == old);
            assert!(bytes(late.read(&ReadRange::Whole).unwrap()).await.unwrap() == old);
            // What nobody reads any more goes.
            assert!(write.is_done(&host, &cipher, &cipher).await);
            let bodies = write.after().map_or(0, |_| 1 + write.parts().len());
            host.bodies(bodies).await;
            assert!(host.cleared(&["a"]).await.is_empty());
        }
    }
}

async fn opened(host: &Host, cipher: &dyn ObjectCipher) -> OpenObject {
    host.open("a", cipher).await.unwrap()
}

#[tokio::test]
async fn g11_a_body_replaced_between_two_range_reads_is_rejected() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            host.put("a", cipher, &content(3 * CHUNK)).await.unwrap();
            host.put("b", cipher, &content(3 * CHUNK)).await.unwrap();
            let first = ReadRange::Bytes(0..10);
            let (one, two, three) =
                (opened(&host, cipher).await, opened(&host, cipher).await, opened(&host, cipher));
            let read = bytes(one.read(&first).unwrap()).await.unwrap();
            assert_eq!(read, content(3 * CHUNK)[..10]);
            let three = three.await;
            let other = host.get(&host.body("b").await).await;
            host.set(&host.body("a").await, other).await;
            for (object, range) in [(two, first), (three, ReadRange::Last(10))] {
                let read = bytes(object.read(&range).unwrap()).await;
                assert!(matches!(read, Err(Error::Cipher(CipherError::Rejected { .. }))));
            }
        }
    }
}

#[tokio::test]
async fn g11_a_part_replaced_while_the_one_before_it_is_read_is_rejected() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let parts = [(1, content(CHUNK)), (2, content(CHUNK + 1)[1..].to_vec())];
            host.upload("a", cipher, &parts).await.unwrap();
            let table = host.json(&host.body("a").await).await;
            let [first, second] =
                [0, 1].map(|at| host::body(table["parts"][at]["body"].as_str().unwrap()));
            let mut read = Box::pin(opened(&host, cipher).await.read(&ReadRange::Whole).unwrap());
            let first_piece = read.next().await.unwrap().unwrap();
            assert_eq!(first_piece, content(CHUNK));
            let other = host.get(&first).await;
            host.set(&second, other).await;
            let rest = bytes(read).await;
            assert!(matches!(rest, Err(Error::Cipher(_))), "{rest:?}");
        }
    }
}

/// A store that serves these bytes at these paths.
fn serving(host: &Host, served: &HashMap<Path, Bytes>) -> Arc<Faulty> {
    let served = served.clone();
    Faulty::by(&host.objects, move |operation, path| match served.get(path) {
        Some(bytes) if operation == Operation::Gets => Fate::Serves(bytes.clone()),
        _ => Fate::Passes,
    })
}

#[tokio::test]
async fn x8_a_stale_record_never_gives_a_mixture() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for write in [Write::Overwrite, Write::Multipart] {
                write.prepare(&host, cipher).await.unwrap();
                let (record, body) = (host::record("a"), host.body("a").await);
                let (stale_record, stale_body) = (host.get(&record).await, host.get(&body).await);
                write.act(&host, cipher, cipher).await.unwrap();
                host.bodies(1 + write.parts().len()).await;
                // Its body has gone: the store below says so, and another try may help.
                let mut served = HashMap::from([(record, stale_record)]);
                let stale = host.through(serving(&host, &served));
                let read = stale.read_whole("a", cipher).await;
                assert!(matches!(read, Err(Error::BodyGone(_))));
                // A replica that lags as a whole is the old object.
                served.insert(body, stale_body);
                let lagging = host.through(serving(&host, &served));
                assert_eq!(lagging.read_whole("a", cipher).await.unwrap(), content(20_001));
                assert!(write.is_done(&host, cipher, cipher).await);
                assert!(host.cleared(&["a"]).await.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn x8_what_is_cut_or_anothers_is_rejected_and_another_try_succeeds() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for write in [Write::Put, Write::Multipart] {
                write.act(&host, cipher, cipher).await.unwrap();
                let other = match write {
                    Write::Put => host.put("other", cipher, &content(2 * CHUNK + 3)).await,
                    _ => host.upload("other", cipher, &write.parts()).await,
                };
                other.unwrap();
                let (mut paths, mut others) =
                    (vec![host::record("a")], vec![host::record("other")]);
                for (key, paths) in [("a", &mut paths), ("other", &mut others)] {
                    let body = host.body(key).await;
                    if write == Write::Multipart {
                        let table = host.json(&body).await;
                        let part = |at: usize| table["parts"][at]["body"].as_str().map(host::body);
                        paths.extend((0..3).filter_map(part));
                    }
                    paths.push(body);
                }
                for (path, other) in paths.into_iter().zip(others) {
                    let right = host.get(&path).await;
                    let wrong = [
                        host.get(&other).await,
                        right.slice(..right.len() / 2),
                        right.slice(..right.len() - 1),
                        Bytes::new(),
                    ];
                    for wrong in wrong {
                        let faulty = serving(&host, &HashMap::from([(path.clone(), wrong)]));
                        let served = host.through(faulty.clone());
                        served.read_whole("a", cipher).await.unwrap_err();
                        faulty.mend();
                        assert!(write.is_done(&served, cipher, cipher).await);
                    }
                }
                assert!(host.cleared(&["a", "other"]).await.is_empty());
            }
        }
    }
}
