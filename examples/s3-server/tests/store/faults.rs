//! The store, or the client, fails, panics or goes, and the process lives on.

use std::{
    fmt::Debug,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt as _, StreamExt as _, poll, stream};
use object_cipher_core::{Completion, ObjectCipher};
use s3_server::store::Error;

use crate::{
    faulty::{Fate, Faulty, Linger, Operation},
    host::{self, Host, content, source},
    writes::{KEYS, Write},
};

/// Fails once, at every operation of every write.
async fn fail_everywhere(fate: Fate) {
    let mut runs = 0;
    for host in Host::all().await {
        let (from, to) = (host.sse_s3(), host.ciphers().last().unwrap());
        for write in Write::ALL.into_iter().filter(|write| write.fits(&from, to)) {
            let host = host.fresh().await;
            for n in 0.. {
                write.prepare(&host, &from).await.unwrap();
                let faulty = Faulty::at(&host.objects, n, fate.clone(), Fate::Passes);
                let host = host.through(faulty.clone());
                let acted = AssertUnwindSafe(write.act(&host, &from, to)).catch_unwind().await;
                let steps = faulty.begun();
                faulty.mend();
                expect_whole(&host, write, (&from, to), matches!(acted, Ok(Ok(())))).await;
                runs += 1;
                if steps <= n {
                    break;
                }
            }
        }
    }
    assert!(runs > 200, "{runs}");
}

/// The same process goes on: the write is done or can be, and nothing is left over.
async fn expect_whole(
    host: &Host,
    write: Write,
    (from, to): (&dyn ObjectCipher, &dyn ObjectCipher),
    told: bool,
) {
    if !write.is_done(host, from, to).await {
        assert!(!told, "{write:?} is told of and lost");
        write.act(host, from, to).await.unwrap();
        assert!(write.is_done(host, from, to).await);
    }
    let left = host.cleared(&KEYS).await;
    assert!(left.is_empty(), "{write:?}: {left:?}");
}

#[tokio::test]
async fn x1_a_failure_at_any_operation_is_told_and_leaves_the_old_object_or_the_new() {
    for fate in [Fate::Fails, Fate::FailsAfterwards] {
        fail_everywhere(fate).await;
    }
}

#[tokio::test]
async fn x5_a_panic_in_the_store_at_any_operation_leaves_the_old_object_or_the_new() {
    fail_everywhere(Fate::Panics).await;
}

#[tokio::test]
async fn x3_a_write_that_is_dropped_at_any_await_leaves_the_old_object_or_the_new() {
    for host in Host::all().await {
        let (from, to) = (host.sse_s3(), host.ciphers().last().unwrap());
        for write in Write::ALL.into_iter().filter(|write| write.fits(&from, to)) {
            let host = host.fresh().await;
            let (mut polls, mut done) = (0, false);
            while !done {
                write.prepare(&host, &from).await.unwrap();
                let host = host.through(Faulty::by(&host.objects, |_, _| Fate::Passes));
                let mut act = Box::pin(write.act(&host, &from, to));
                for _ in 0..polls {
                    done = done || poll!(&mut act).is_ready();
                    tokio::task::yield_now().await;
                }
                drop(act);
                expect_whole(&host, write, (&from, to), done).await;
                // A disk is waited for many times.
                polls += 1 + polls / 8;
            }
        }
    }
}

/// The first time that the record of the object is put, that lingers.
fn lingering(host: &Host) -> (Host, Arc<Linger>) {
    let (linger, lingered) = (Arc::new(Linger::default()), AtomicBool::new(false));
    let lingers = Arc::clone(&linger);
    let faulty = Faulty::by(&host.objects, move |operation, path| {
        let record = operation == Operation::Puts && *path == host::record("a");
        if record && !lingered.swap(true, Ordering::Relaxed) {
            Fate::Lingers(Arc::clone(&lingers))
        } else {
            Fate::Passes
        }
    });
    (host.through(faulty), linger)
}

/// Drops `first` on its way to the store, begins `second`, and then lets the store go on with both.
async fn overtake<T: Debug, U>(
    linger: &Linger,
    first: impl Future<Output = T>,
    second: impl Future<Output = U>,
) -> U {
    tokio::select! {
        told = first => panic!("{told:?}"),
        () = linger.begun.notified() => {}
    }
    let release = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        linger.released.notify_one();
    };
    let (second, ()) = tokio::join!(second, release);
    linger.ended.notified().await;
    second
}

#[tokio::test]
async fn x3_what_is_dropped_on_its_way_to_the_store_does_not_overtake_what_comes_after_it() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let (lingering, linger) = lingering(&host);
            let first = lingering.put("a", cipher, b"one");
            let second = lingering.put("a", cipher, b"two");
            Box::pin(overtake(&linger, first, second)).await.unwrap();
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"two");
            assert!(host.cleared(&KEYS).await.is_empty());
        }
    }
}

#[tokio::test]
async fn m12_a_completion_that_is_dropped_and_an_abort_leave_the_object_or_the_upload() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let (lingering, linger) = lingering(&host);
            let parts = Write::Multipart.parts();
            let upload = lingering.upload_of("a", cipher, Completion::WithKey, &parts);
            let (upload, named) = upload.await.unwrap();
            let complete = host::complete(&upload, cipher, &named);
            let key = host::key("a");
            let abort = lingering.store.abort(&host.bucket, &key, upload.id());
            let aborted = Box::pin(overtake(&linger, complete, abort)).await;
            // The object was on its way first.
            assert!(matches!(aborted, Err(Error::NoSuchUpload)), "{aborted:?}");
            assert!(Write::Multipart.is_done(&host, cipher, cipher).await);
            assert!(host.cleared(&KEYS).await.is_empty());
        }
    }
}

#[tokio::test]
async fn x1_x4_a_body_that_fails_leaves_nothing() {
    let host = Host::on_disk().await;
    for cipher in host.ciphers() {
        host.put("a", cipher, b"old").await.unwrap();
        // What breaks off is shorter and longer than a piece of the store's.
        for (length, fails) in [(50_000, 3), (9 << 20, 800)] {
            let failing = source(&content(length), fails);
            let staged = host.store.stage(&host.bucket, &host::key("a"), cipher, failing).await;
            assert!(matches!(staged, Err(Error::Source(_))));
        }
        // Nobody commits what was staged.
        let whole = source(b"new", usize::MAX);
        let staged = host.store.stage(&host.bucket, &host::key("a"), cipher, whole).await;
        drop(staged.unwrap());
        host.bodies(1).await;
        assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"old");
        assert!(host.cleared(&KEYS).await.is_empty());
    }
    assert_eq!(host.files().len(), 1, "nor any file but the bucket's record: {:?}", host.files());
}

#[tokio::test]
async fn x5_a_panic_in_the_source_leaves_the_old_object_or_part() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            host.put("a", cipher, b"old").await.unwrap();
            let upload = host.create("a", cipher, Completion::WithKey).await.unwrap();
            let old = host::part(&upload, 1, b"old part").await.unwrap();
            for length in [10, 50_000, 9 << 20] {
                let panics = || {
                    let panic = stream::once(async { panic!("in the source") });
                    source(&content(length), usize::MAX).chain(panic).boxed()
                };
                let key = host::key("a");
                let object = host.store.stage(&host.bucket, &key, cipher, panics());
                assert!(AssertUnwindSafe(object).catch_unwind().await.is_err());
                let part = AssertUnwindSafe(upload.stage(1, panics()));
                assert!(part.catch_unwind().await.is_err());
            }
            host.bodies(2).await;
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"old");
            host::complete(&upload, cipher, &[old]).await.unwrap();
            assert_eq!(host.read_whole("a", cipher).await.unwrap(), b"old part");
            assert!(host.cleared(&KEYS).await.is_empty());
        }
    }
}

#[tokio::test]
async fn an_upload_whose_record_cannot_be_removed_keeps_its_parts() {
    for host in Host::all().await {
        let cipher = host.sse_s3();
        let parts = Write::Multipart.parts();
        let upload = host.upload_of("a", &cipher, Completion::WithKey, &parts).await.unwrap();
        let stuck = Faulty::by(&host.objects, |operation, path| match path.filename() {
            Some("upload.json") if operation == Operation::Deletes => Fate::Fails,
            _ => Fate::Passes,
        });
        let stuck = host.through(stuck);
        let (key, id) = (host::key("a"), upload.0.id());
        let again = stuck.store.resume(&host.bucket, &key, id, &cipher).await.unwrap();
        host::complete(&again, &cipher, &upload.1).await.unwrap();
        // The upload still names them, and could be completed again.
        assert!(matches!(stuck.put("a", &cipher, b"x").await, Err(Error::Store(_))));
        assert!(matches!(stuck.store.delete(&host.bucket, &key).await, Err(Error::Store(_))));
        assert!(Write::Multipart.is_done(&host, &cipher, &cipher).await);
        let host = host.restarted();
        host.store.sweep().await.unwrap();
        assert!(host.store.uploads(&host.bucket).await.unwrap().is_empty());
        host.bodies(4).await;
        assert!(Write::Multipart.is_done(&host, &cipher, &cipher).await);
    }
}
