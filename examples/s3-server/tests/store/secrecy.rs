//! What is stored tells neither the plaintext, nor a digest of it, nor a key.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use object_cipher_core::{Attributes, Completion, ETag, Mode, ObjectCipher};
use object_cipher_s3::{ETagRule, ObjectETag, checksum};
use object_store::{ObjectStoreExt as _, path::Path};
use s3_server::store::{Error, Metadata};

use crate::{
    host::{self, CHUNK, Host, SECRETS, content, source},
    scanner::{Scanner, decoded, digests, forms, md5_of_md5s},
    writes::{KEYS, Write},
};

/// Looks for all that is written in these tests, and for the keys.
fn scanner() -> Scanner {
    let mut scanner = Scanner::default();
    for write in Write::ALL {
        for content in [write.before(), write.after()].into_iter().flatten() {
            scanner.add_content(&content);
        }
        for (_, part) in write.parts() {
            scanner.add_content(&part);
        }
        if !write.parts().is_empty() {
            scanner.add_forms(&md5_of_md5s(&write.parts()));
        }
    }
    for key in SECRETS {
        scanner.add_key(key);
    }
    scanner
}

#[tokio::test]
async fn b11_i1_no_write_leaves_a_trace_of_the_plaintext_or_of_a_key() {
    let scanner = scanner();
    let mut scans = 0;
    for (host, step) in Host::all().await.into_iter().zip([3, 1]) {
        for write in Write::ALL {
            let pairs = host.pairs().step_by(step);
            for (from, to) in pairs.filter(|(from, to)| write.fits(*from, *to)) {
                write.prepare(&host, from).await.unwrap();
                expect_no_trace(&scanner, &host).await;
                write.act(&host, from, to).await.unwrap();
                expect_no_trace(&scanner, &host).await;
                // The first read seals what was completed without its key.
                assert!(write.is_done(&host, from, to).await);
                expect_no_trace(&scanner, &host).await;
                host.cleared(&KEYS).await;
                scans += 3;
            }
        }
        expect_every_planted_trace_to_be_found(&scanner, &host).await;
    }
    assert!(scans > 400, "{scans}");
}

#[tokio::test]
async fn b11_i1_nor_does_one_that_is_under_way_is_given_up_or_fails() {
    let scanner = scanner();
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let (parts, key) = (Write::Multipart.parts(), host::key("a"));
            for completion in [Completion::WithKey, Completion::Keyless] {
                if completion == Completion::Keyless && cipher.mode() != Mode::SseC {
                    continue;
                }
                let upload = host.upload_of("a", cipher, completion, &parts).await.unwrap();
                expect_no_trace(&scanner, &host).await;
                host.store.abort(&host.bucket, &key, upload.0.id()).await.unwrap();
                expect_no_trace(&scanner, &host).await;
            }
            let whole = source(&content(2 * CHUNK + 3), usize::MAX);
            let staged = host.store.stage(&host.bucket, &key, cipher, whole).await.unwrap();
            expect_no_trace(&scanner, &host).await;
            drop(staged);
            let fails = source(&content(2 * CHUNK + 3), 3);
            let failed = host.store.stage(&host.bucket, &key, cipher, fails).await;
            assert!(matches!(failed, Err(Error::Source(_))));
            expect_no_trace(&scanner, &host).await;
        }
        expect_every_planted_trace_to_be_found(&scanner, &host).await;
    }
}

#[tokio::test]
async fn i1_no_object_stores_a_checksum_by_any_algorithm() {
    let (scanner, host) = (scanner(), Host::in_memory().await);
    for cipher in host.ciphers() {
        for algorithm in checksum::ALGORITHMS {
            let body = content(2 * CHUNK + 3);
            host.put_with(algorithm, "a", cipher, &body).await.unwrap();
            let object = host.open("a", cipher).await.unwrap();
            let sealed = object.opener().checksum().unwrap().checksum;
            assert_eq!(Some(&sealed), host::digests(&body).get(algorithm));
            expect_no_trace(&scanner, &host).await;
        }
    }
    expect_every_planted_trace_to_be_found(&scanner, &host).await;
}

#[tokio::test]
async fn i1_a_sealed_etag_stays_sealed_whatever_mode_an_object_comes_to() {
    let (scanner, host, key) = (scanner(), Host::in_memory().await, host::key("a"));
    for (from, to) in host.pairs().filter(|(from, to)| Write::Rewrap.fits(*from, *to)) {
        Write::Rewrap.prepare(&host, from).await.unwrap();
        let sealed = host.open("a", from).await.unwrap().opener().etag();
        host.store.rewrap(&host.bucket, &key, from, to).await.unwrap();
        assert_eq!(host.open("a", to).await.unwrap().opener().etag(), sealed);
        expect_no_trace(&scanner, &host).await;
    }
    expect_every_planted_trace_to_be_found(&scanner, &host).await;
}

async fn expect_no_trace(scanner: &Scanner, host: &Host) {
    let hits = scanner.hits(&host.kept().await);
    assert!(hits.is_empty(), "{hits:?}");
}

/// Plants each kind of trace among what is stored.
async fn expect_every_planted_trace_to_be_found(scanner: &Scanner, host: &Host) {
    let (secret, random) = (content(2 * CHUNK + 3), content(1_000));
    let window = &secret[5_000..5_016];
    let text = |trace: &[u8]| [b"{\"x\":\"", trace, b"\"}"].concat();
    let mut planted = vec![
        [&random, window, &random].concat(),
        [&random, &SECRETS[1][..], &random].concat(),
        text(STANDARD.encode(&secret[..99]).as_bytes()),
        text(&forms(&md5_of_md5s(&Write::Multipart.parts()))[1]),
    ];
    for bytes in [&secret[..], &SECRETS[1][..]] {
        for digest in digests(bytes) {
            let [raw, texts @ ..] = forms(&digest);
            planted.extend(texts.iter().map(|trace| text(trace)));
            if raw.len() >= 8 {
                planted.push([&random, &raw[..], &random].concat());
            }
        }
    }
    let path = Path::from("bodies/00/planted");
    for planted in planted {
        host.set(&path, planted.clone()).await;
        let hits = scanner.hits(&host.kept().await);
        assert!(hits.iter().any(|hit| hit.0 == path), "{}", String::from_utf8_lossy(&planted));
        assert!(hits.iter().all(|hit| hit.0 == path), "{hits:?}");
    }
    host.objects.delete(&path).await.unwrap();
}

/// What is kept of an object: its Envelope, its bodies, and what its table of parts holds.
async fn sealed(host: &Host, write: Write, cipher: &dyn ObjectCipher, content: &[u8]) -> Sealed {
    let parts = [(1, content.to_vec()), (2, content.to_vec())];
    match write {
        Write::Multipart => drop(host.upload("a", cipher, &parts).await.unwrap()),
        _ => drop(host.put("a", cipher, content).await.unwrap()),
    }
    let record = host.store.head(&host.bucket, &host::key("a")).await.unwrap();
    let mut kept = host.bodies(if write == Write::Multipart { 3 } else { 1 }).await;
    kept.push((host::record("a"), Bytes::copy_from_slice(record.envelope.as_bytes())));
    let values = kept.iter().flat_map(|(_, bytes)| match decoded(bytes) {
        table if !table.is_empty() => table,
        _ => vec![bytes.to_vec()],
    });
    let windows = values.flat_map(|value| {
        let windows = value.windows(16).map(<[u8]>::to_vec);
        windows.collect::<Vec<_>>()
    });
    let etag = host.open("a", cipher).await.unwrap().opener().etag();
    Sealed { etag, shown: record.etag, windows: windows.collect() }
}

struct Sealed {
    etag: Option<ETag>,
    shown: Option<String>,
    windows: HashSet<Vec<u8>>,
}

#[tokio::test]
async fn i2_nothing_stored_tells_that_two_objects_have_one_content() {
    let host = Host::in_memory().await;
    for cipher in host.ciphers() {
        for write in [Write::Put, Write::Multipart] {
            let body = content(2 * CHUNK);
            let one = sealed(&host, write, cipher, &body).await;
            let two = sealed(&host, write, cipher, &body).await;
            let other = sealed(&host, write, cipher, &content(2 * CHUNK + 1)[1..]).await;
            let shared = one.windows.intersection(&two.windows);
            let telling: Vec<_> =
                shared.filter(|window| !other.windows.contains(*window)).collect();
            assert!(telling.is_empty(), "{telling:?}");
            if ETagRule::of(cipher.mode()) == ETagRule::Random {
                assert!(one.etag != two.etag && one.shown != two.shown);
            }
        }
    }
}

#[tokio::test]
async fn i3_no_etag_is_taken_for_that_of_an_object_of_parts() {
    let (host, key) = (Host::in_memory().await, host::key("a"));
    for cipher in host.ciphers() {
        for byte in 0..=u8::MAX {
            let etag = ETag([byte; 16]);
            let whole = source(b"content", usize::MAX);
            let staged = host.store.stage(&host.bucket, &key, cipher, whole).await.unwrap();
            let attributes = Attributes { etag: Some(etag), ..Attributes::default() };
            let shown = Some(ObjectETag::Single(etag).to_string());
            staged.commit(Metadata::default(), shown, attributes, |_| Ok(())).await.unwrap();
            let object = host.open("a", cipher).await.unwrap();
            assert_eq!((object.opener().etag(), object.opener().part_count()), (Some(etag), None));
            assert_eq!(object.record().part_count(), None);
            let shown = object.record().etag.as_ref().unwrap();
            assert_eq!(ObjectETag::parse(shown.as_bytes()), Some(ObjectETag::Single(etag)));
        }
    }
}
