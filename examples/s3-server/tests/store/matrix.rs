//! Every way to read what came by every way to write.

use std::ops::Range;

use object_cipher_core::{ChecksumAlgorithm, ObjectCipher, ReadRange};
use s3_server::store::{Listed, Query};

use crate::{
    host::{self, CHUNK, Host, bytes},
    writes::{KEYS, Write},
};

/// A way to read, what of the object it is to give, and what it gave.
type Seen = (String, Range<usize>, Vec<u8>);

#[tokio::test]
async fn p6_every_read_gives_what_any_write_put_whatever_the_modes_and_libraries() {
    let mut cells = 0;
    for host in Host::all().await {
        for write in Write::ALL {
            for (from, to) in host.pairs().filter(|(from, to)| write.fits(*from, *to)) {
                let Some(content) = write.after() else { continue };
                write.prepare(&host, from).await.unwrap();
                write.act(&host, from, to).await.unwrap();
                for reader in host.ciphers().filter(|reader| reader.mode() == to.mode()) {
                    for (read, range, seen) in reads(&host, reader, write, content.len()).await {
                        assert!(seen == content[range.clone()], "{write:?}, {read}: {range:?}");
                        cells += 1;
                    }
                }
                assert!(host.cleared(&KEYS).await.is_empty());
            }
        }
    }
    assert!(cells > 5_000, "{cells}");
}

async fn reads(host: &Host, cipher: &dyn ObjectCipher, write: Write, length: usize) -> Vec<Seen> {
    let end = length as u64;
    let chunk = CHUNK as u64;
    let ranges = [
        (ReadRange::Whole, 0..length),
        (ReadRange::From(end / 2), length / 2..length),
        (ReadRange::Bytes(0..1), 0..1),
        (ReadRange::Bytes(end - 1..end), length - 1..length),
        (ReadRange::Bytes(chunk - 1..chunk + 1), CHUNK - 1..CHUNK + 1),
        (ReadRange::Bytes(chunk..end), CHUNK..length),
        (ReadRange::Last(1), length - 1..length),
        (ReadRange::Last(chunk + 1), length - CHUNK - 1..length),
        (ReadRange::Last(u64::MAX), 0..length),
    ];
    let mut seen = Vec::new();
    for (range, expected) in ranges {
        let read = host.read("a", cipher, &range).await.unwrap();
        seen.push((format!("{range:?}"), expected, read));
    }
    seen.extend(reads_of_parts(host, cipher, write, length).await);
    let after_a_restart = host.restarted().read_whole("a", cipher).await.unwrap();
    seen.push(("after a restart".into(), 0..length, after_a_restart));
    seen.push(("of a copy".into(), 0..length, copied(host, cipher).await));
    expect_sizes(host, end).await;
    seen
}

async fn reads_of_parts(
    host: &Host,
    cipher: &dyn ObjectCipher,
    write: Write,
    length: usize,
) -> Vec<Seen> {
    let mut parts: Vec<_> =
        write.parts().into_iter().map(|(part, body)| (part, body.len())).collect();
    if parts.is_empty() {
        parts.push((1, length));
    }
    let (mut seen, mut start) = (Vec::new(), 0);
    for (part, length) in parts {
        let object = host.open("a", cipher).await.unwrap();
        let range = ReadRange::Bytes(object.part(part).unwrap().unwrap());
        let read = bytes(object.read(&range).unwrap()).await.unwrap();
        seen.push((format!("part {part}"), start..start + length, read));
        start += length;
    }
    assert_eq!(start, length);
    seen
}

async fn copied(host: &Host, cipher: &dyn ObjectCipher) -> Vec<u8> {
    let source = host.open("a", cipher).await.unwrap().read(&ReadRange::Whole).unwrap();
    let key = host::key("copy");
    let staged = host.store.stage(&host.bucket, &key, cipher, Box::pin(source));
    let digests = host::digests(b"of no matter here");
    let copied =
        host::commit(staged.await.unwrap(), cipher.mode(), &digests, ChecksumAlgorithm::Crc32);
    copied.await.unwrap();
    let read = host.read_whole("copy", cipher).await.unwrap();
    host.store.delete(&host.bucket, &key).await.unwrap();
    read
}

async fn expect_sizes(host: &Host, length: u64) {
    assert_eq!(host.store.head(&host.bucket, &host::key("a")).await.unwrap().size, length);
    let query = Query { prefix: "a".into(), limit: 10, ..Query::default() };
    let page = host.store.list(&host.bucket, &query).await.unwrap();
    let [Listed::Object(_, record)] = &page.found[..] else { panic!("{page:?}") };
    assert_eq!(record.size, length);
}
