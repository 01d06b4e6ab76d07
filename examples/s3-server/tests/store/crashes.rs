//! The store dies at its n-th operation, for every n: the old object is there or the new one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use object_cipher_core::{Completion, ObjectCipher};
use s3_server::store::{Error, NamedPart, Upload};

use crate::{
    faulty::{Fate, Faulty, Operation},
    host::{self, Host},
    writes::{KEYS, Write},
};

const REWRAPS: [Write; 3] = [Write::Rewrap, Write::RewrapOfParts, Write::RewrapOfKeyless];

#[tokio::test]
async fn b6_a_crash_at_any_step_of_a_rewrap_update_or_copy_leaves_the_old_object_or_the_new() {
    let mut runs = 0;
    // Disks are slow: they get some of the pairs.
    for (host, step) in Host::all().await.into_iter().zip([3, 1]) {
        for write in REWRAPS.into_iter().chain([Write::Copy]) {
            let pairs = host.pairs().step_by(step);
            for (from, to) in pairs.filter(|(from, to)| write.fits(*from, *to)) {
                runs += crash_at_every_step(&host.fresh().await, write, from, to).await;
            }
        }
    }
    assert!(runs >= 1_000, "{runs}");
}

#[tokio::test]
async fn a_crash_at_any_step_of_any_other_write_leaves_the_old_object_or_the_new() {
    let mut runs = 0;
    for (host, step) in Host::all().await.into_iter().zip([3, 1]) {
        let others = Write::ALL.into_iter().filter(|write| !REWRAPS.contains(write));
        for write in others.filter(|write| *write != Write::Copy) {
            for to in host.ciphers().step_by(step) {
                let from = &*host.sse_s3();
                if write.fits(from, to) {
                    runs += crash_at_every_step(&host.fresh().await, write, from, to).await;
                }
            }
        }
    }
    assert!(runs > 500, "{runs}");
}

/// How many runs there were.
async fn crash_at_every_step(
    host: &Host,
    write: Write,
    from: &dyn ObjectCipher,
    to: &dyn ObjectCipher,
) -> usize {
    let mut runs = 0;
    for last in [Fate::Fails, Fate::FailsAfterwards] {
        for n in 0.. {
            write.prepare(host, from).await.unwrap();
            let dying = Faulty::at(&host.objects, n, last.clone(), Fate::Fails);
            let acted = write.act(&host.through(dying.clone()), from, to).await;
            let steps = dying.begun();
            let host = host.restarted();
            host.store.sweep().await.unwrap();
            let done = write.is_done(&host, from, to).await;
            assert!(done || acted.is_err(), "{write:?} is told of and lost: {last:?} at {n}");
            complete_what_is_left(&host, to).await;
            let left = host.cleared(&KEYS).await;
            assert!(left.is_empty(), "{write:?}, {last:?} at {n}: {left:?}");
            runs += 1;
            if steps <= n {
                break;
            }
        }
    }
    runs
}

/// The parts of uploads that are left make objects.
async fn complete_what_is_left(host: &Host, cipher: &dyn ObjectCipher) {
    for (id, _) in host.store.uploads(&host.bucket).await.unwrap() {
        let upload = host.store.resume(&host.bucket, &host::key("a"), &id, cipher).await.unwrap();
        let named = named(host, &upload).await;
        if !named.is_empty() {
            host::complete(&upload, cipher, &named).await.unwrap();
            host.read_whole("a", cipher).await.unwrap();
        }
    }
}

/// The parts that an upload has, as a client names them.
async fn named(host: &Host, upload: &Upload) -> Vec<NamedPart> {
    let mut named = Vec::new();
    for (part, record) in host.store.parts(upload.id()).await.unwrap() {
        let etag = upload.receipt(part, &record, None).await.unwrap().etag();
        named.push(NamedPart { part, etag, checksum: None });
    }
    named
}

#[tokio::test]
async fn m12_a_crash_between_table_and_envelope_leaves_the_upload_or_the_object() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            for stands in [false, true] {
                let parts = Write::Multipart.parts();
                let upload = host.upload_of("a", cipher, Completion::WithKey, &parts);
                let (upload, named) = upload.await.unwrap();
                let (key, id) = (host::key("a"), upload.id());
                let dying = host.through(dying_at_the_record(&host, stands));
                let dying = dying.store.resume(&host.bucket, &key, id, cipher).await.unwrap();
                host::complete(&dying, cipher, &named).await.unwrap_err();
                assert_eq!(host.bodies(4).await.len(), 4, "the parts and their table");

                let host = host.restarted();
                assert_eq!(host.store.sweep().await.unwrap(), usize::from(!stands));
                let left = host.store.resume(&host.bucket, &key, id, cipher).await;
                match left {
                    Ok(upload) => drop(host::complete(&upload, cipher, &named).await.unwrap()),
                    Err(error) => assert!(stands && matches!(error, Error::NoSuchUpload)),
                }
                assert!(Write::Multipart.is_done(&host, cipher, cipher).await);
                assert!(host.cleared(&KEYS).await.is_empty());
            }
        }
    }
}

/// Dies when the record of the object is put, before or after that.
fn dying_at_the_record(host: &Host, after: bool) -> Arc<Faulty> {
    let dead = AtomicBool::new(false);
    Faulty::by(&host.objects, move |operation, path| {
        if dead.load(Ordering::Relaxed) {
            return Fate::Fails;
        }
        let dies = operation == Operation::Puts && *path == host::record("a");
        dead.store(dies, Ordering::Relaxed);
        match dies {
            true if after => Fate::FailsAfterwards,
            true => Fate::Fails,
            false => Fate::Passes,
        }
    })
}
