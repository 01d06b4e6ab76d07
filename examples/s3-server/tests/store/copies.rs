//! Copies, which encrypt anew, and rewraps, which never touch the body.

use std::collections::HashSet;

use bytes::Bytes;
use object_cipher_core::ReadRange;
use object_store::path::Path;
use s3_server::store::Error;

use crate::{
    host::{self, Host},
    writes::{KEYS, Write},
};

#[tokio::test]
async fn b5_an_objects_key_changes_without_its_body() {
    for host in Host::all().await {
        for write in [Write::Rewrap, Write::RewrapOfParts] {
            for (from, to) in host.strangers().filter(|(from, to)| write.fits(*from, *to)) {
                write.prepare(&host, from).await.unwrap();
                let count = write.parts().len() + 1;
                let (before, old) = (host.bodies(count).await, host.json(&host::record("a")).await);
                write.act(&host, from, to).await.unwrap();
                assert!(write.is_done(&host, from, to).await);
                assert!(matches!(host.open("a", from).await, Err(Error::Cipher(_))));
                assert!(host.bodies(count).await == before, "no body changed");
                let new = host.json(&host::record("a")).await;
                assert_ne!(new["envelope"], old["envelope"]);
                for kept in ["content", "size", "etag", "modified", "metadata"] {
                    assert_eq!(new[kept], old[kept], "{kept}");
                }
                assert!(host.cleared(&KEYS).await.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn b8_a_copy_to_any_mode_has_nothing_of_its_source() {
    for host in Host::all().await {
        for (from, to) in host.pairs() {
            Write::Copy.prepare(&host, from).await.unwrap();
            Write::Copy.act(&host, from, to).await.unwrap();
            assert!(Write::Copy.is_done(&host, from, to).await);
            expect_nothing_shared(&host, 2).await;
            let [copy, source] = [host::key("a"), host::key("source")];
            let copy = host.store.head(&host.bucket, &copy).await.unwrap();
            let source = host.store.head(&host.bucket, &source).await.unwrap();
            assert_eq!(copy.envelope.mode(), to.mode());
            assert_ne!(copy.envelope.object_id(), source.envelope.object_id());
            // Data keys are new, whatever they are wrapped by.
            let layers = source.envelope.layers().zip(copy.envelope.layers());
            for (source, copy) in layers {
                assert!(source.blob().as_bytes().is_empty() || source.blob() != copy.blob());
            }
            let record = host.get(&host::record("a")).await;
            let id = source.envelope.object_id().to_string();
            assert!(!String::from_utf8_lossy(&record).contains(&id));
            assert!(host.cleared(&KEYS).await.is_empty());
        }
    }
}

#[tokio::test]
async fn b8_an_object_copied_onto_itself_is_another_one() {
    for host in Host::all().await {
        for (from, to) in host.pairs() {
            Write::Rewrap.prepare(&host, from).await.unwrap();
            let before = host.bodies(1).await.remove(0);
            let old = host.store.head(&host.bucket, &host::key("a")).await.unwrap();
            let source = host.open("a", from).await.unwrap().read(&ReadRange::Whole).unwrap();
            let key = host::key("a");
            let staged = host.store.stage(&host.bucket, &key, to, Box::pin(source)).await.unwrap();
            let digests = host::digests(&Write::Rewrap.after().unwrap());
            let algorithm = object_cipher_core::ChecksumAlgorithm::Crc32C;
            let new = host::commit(staged, to.mode(), &digests, algorithm).await.unwrap();
            assert!(Write::Rewrap.is_done(&host, from, to).await);
            assert_ne!(new.envelope.object_id(), old.envelope.object_id());
            assert_eq!(new.envelope.mode(), to.mode());
            let after = host.bodies(1).await.remove(0);
            assert_no_shared_window(&before, &after);
            assert!(host.cleared(&KEYS).await.is_empty());
        }
    }
}

#[tokio::test]
async fn m11_a_part_copied_from_an_object_is_encrypted_anew() {
    for host in Host::all().await {
        for (from, to) in host.pairs() {
            Write::PartCopy.prepare(&host, from).await.unwrap();
            Write::PartCopy.act(&host, from, to).await.unwrap();
            assert!(Write::PartCopy.is_done(&host, from, to).await);
            // The source, two parts and their table.
            expect_nothing_shared(&host, 4).await;
            assert!(host.cleared(&KEYS).await.is_empty());
        }
    }
}

/// No body shares 16 bytes with another.
async fn expect_nothing_shared(host: &Host, count: usize) {
    let bodies = host.bodies(count).await;
    for (at, one) in bodies.iter().enumerate() {
        bodies[at + 1..].iter().for_each(|other| assert_no_shared_window(one, other));
    }
}

fn assert_no_shared_window((name, one): &(Path, Bytes), (other_name, other): &(Path, Bytes)) {
    let windows: HashSet<_> = one.windows(16).collect();
    let shared = other.windows(16).any(|window| windows.contains(window));
    assert!(!shared, "{name} and {other_name}");
}
