//! Changes of key of many objects.

#![cfg(feature = "rekey")]
#![allow(clippy::unwrap_used, reason = "a failed test stops")]

mod setup;

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use object_cipher_core::{KeyRef, Mode};
use object_cipher_object_store::{
    CipherTable, EncryptedStore, Error,
    rekey::{Failure, Goal, Journal, Progress, Rekey, RekeyFault, Report, Shard, Walk, Watch},
};
use object_store::{ObjectStoreExt as _, path::Path};
use setup::{
    KEY, Probe, client, dsse_kms,
    lake::{Lake, OBJECTS, OTHER_KEY, arn, beneath, changed, goal, path, plain, under, walk_of},
    read, sse_c, sse_s3, store,
};
use tempfile::TempDir;

#[tokio::test]
async fn all_come_under_another_key_without_a_look_at_a_body_and_then_are_left_alone() {
    let lake = Lake::new().await;
    let report = lake.rekey().run(Walk::list(None)).await.unwrap();
    assert_eq!((report.objects, changed(&report)), (OBJECTS as u64, OBJECTS as u64));
    assert!(report.is_complete(), "{report}");
    assert_eq!(under(&report), [(arn(OTHER_KEY), OBJECTS as u64)]);
    let whole = report.keys.iter().filter(|needed| needed.key.version.is_none());
    let needed: Vec<_> = whole.map(|needed| (needed.key.name.clone(), needed.objects)).collect();
    assert_eq!(needed, [(arn(KEY), 0), (arn(OTHER_KEY), OBJECTS as u64)]);
    assert!(lake.probe.bytes() < OBJECTS as u64 * 1_000, "{} bytes", lake.probe.bytes());
    lake.expect_all_under(OTHER_KEY, path).await;

    let (before, calls) = (beneath(&lake.probe).await, lake.kms.calls());
    lake.probe.reset();
    let again = lake.rekey().run(Walk::list(None)).await.unwrap();
    assert_eq!((again.left_alone, changed(&again)), (OBJECTS as u64, 0));
    assert_eq!(under(&again), under(&report));
    assert_eq!(lake.probe.calls(), 1 + OBJECTS as u64, "a list, and a record an object");
    assert_eq!((beneath(&lake.probe).await, lake.kms.calls()), (before, calls));
}

#[tokio::test]
async fn a_run_goes_on_from_its_journal_without_a_request_for_what_is_done() {
    let lake = Lake::new().await;
    let first = lake.rekey().journal(Journal::open(lake.journal()).unwrap());
    let first = first.run(Walk::list(Some(Path::from("a/1")))).await.unwrap();
    assert!(first.objects > 5);
    lake.probe.reset();
    let second = lake.rekey().journal(Journal::open(lake.journal()).unwrap());
    let second = second.run(Walk::list(Some(Path::from("a/1")))).await.unwrap();
    assert_eq!(lake.probe.calls(), 1, "the list");
    assert_eq!((&second.changes, &second.census), (&first.changes, &first.census));
    assert_eq!((first.by_journal, second.by_journal), (0, first.objects));

    // One that was written meanwhile has another ETag.
    lake.store(KEY).put(&path(1), plain(1).into()).await.unwrap();
    let third = lake.rekey().journal(Journal::open(lake.journal()).unwrap());
    let third = third.run(Walk::list(None)).await.unwrap();
    assert_eq!(third.by_journal, first.objects - 1);
    lake.expect_all_under(OTHER_KEY, path).await;

    let other = Rekey::new(lake.store(KEY), goal(KEY)).named("lake");
    let other = other.journal(Journal::open(lake.journal()).unwrap());
    let refused = other.run(Walk::list(None)).await;
    assert!(matches!(refused, Err(Error::Rekey(RekeyFault::JournalOfOther { .. }))));
}

#[tokio::test]
async fn under_a_key_without_a_name_only_the_journal_tells_what_is_done() {
    let probe = Probe::default();
    let folder = TempDir::new().unwrap();
    let old = store(probe.clone(), sse_s3());
    for number in 0..OBJECTS {
        old.put(&path(number), plain(number).into()).await.unwrap();
    }
    let run = async |journal: &str, walk: Walk| {
        let ciphers = CipherTable::new(sse_c(8)).also_open(sse_s3());
        let store = EncryptedStore::builder(probe.clone(), "lake", ciphers).build();
        let rekey = Rekey::new(store, Goal::new(Mode::SseC).under(KeyRef::Customer));
        let rekey = rekey.journal(Journal::open(folder.path().join(journal)).unwrap());
        rekey.run(walk).await
    };
    let fault = Failure { path: "a".into(), reason: "it is no path".into() };
    let some = (0..9).map(|number| Ok(path(number))).chain([Err(fault)]);
    let first = run("journal", walk_of(some.collect())).await.unwrap();
    assert_eq!((changed(&first), first.failed), (9, 1));
    let before = beneath(&probe).await;
    let second = run("journal", Walk::list(None)).await.unwrap();
    assert_eq!((second.by_journal, changed(&second)), (9, OBJECTS as u64));
    let after = beneath(&probe).await;
    let untouched = after.iter().filter(|record| before.contains(record)).count();
    assert_eq!(untouched, after.len() - (OBJECTS - 9), "what was done is not done again");
    // It ended well. A run with the same journal may be to the next key, which nothing tells apart.
    let third = run("journal", Walk::list(None)).await;
    assert!(matches!(third, Err(Error::Rekey(RekeyFault::JournalEnded(_)))), "{third:?}");
    assert_eq!(beneath(&probe).await, after);
    run("another", Walk::list(None)).await.unwrap();
    assert_ne!(beneath(&probe).await, before);
    assert_eq!(read(&store(probe, sse_c(8)), &path(1)).await.unwrap(), plain(1));
}

#[tokio::test]
async fn what_a_mode_cannot_be_made_of_or_no_record_is_reported_and_the_rest_is_done() {
    let probe = Probe::default();
    let ciphers = CipherTable::new(sse_s3()).under("two", dsse_kms());
    let old = EncryptedStore::builder(probe.clone(), "lake", ciphers).build();
    for name in ["a", "two/b", "c"] {
        old.put(&Path::from(name), "meow".into()).await.unwrap();
    }
    probe.memory().put(&Path::from("b"), "no record".into()).await.unwrap();
    let ciphers = CipherTable::new(client()).also_open(sse_s3());
    let store = EncryptedStore::builder(probe.clone(), "lake", ciphers).build();
    let seen = Arc::new(Seen::default());
    let rekey = Rekey::new(store, Goal::new(Mode::Client)).watch(Arc::clone(&seen));
    let report = rekey.run(Walk::list(None)).await.unwrap();
    assert_eq!((report.objects, changed(&report), report.failed, report.unknown), (4, 2, 2, 1));
    let mut failed: Vec<_> = report.failures.iter().map(|failure| &*failure.path).collect();
    failed.sort_unstable();
    assert_eq!(failed, ["b", "two/b"]);
    assert!(report.to_string().contains("layers"), "{report}");
    assert!(report.census.iter().any(|counted| counted.under.mode == "DSSE-KMS"), "{report}");
    assert!(!report.is_complete());
    let seen = seen.0.lock().unwrap();
    assert_eq!((seen.0, seen.1.len()), (4, 2));
}

#[derive(Default)]
struct Seen(Mutex<(u64, Vec<String>)>);

impl Watch for Seen {
    fn progress(&self, progress: &Progress) {
        let mut seen = self.0.lock().unwrap();
        seen.0 += 1;
        assert_eq!(progress.done, seen.0);
    }

    fn failed(&self, path: &str, _: &Error) {
        self.0.lock().unwrap().1.push(path.into());
    }
}

#[tokio::test]
async fn a_cipher_that_gives_another_key_than_is_wanted_writes_nothing() {
    let lake = Lake::new().await;
    let before = beneath(&lake.probe).await;
    let third = "1234abcd-12ab-34cd-56ef-123456789000";
    for wrong in [
        Rekey::new(lake.store(OTHER_KEY), goal(third)),
        Rekey::new(lake.store(OTHER_KEY), goal(OTHER_KEY).of_version("7")),
        Rekey::new(lake.store(OTHER_KEY), Goal::new(Mode::SseS3)),
        Rekey::moving(lake.store(KEY), Goal::new(Mode::SseS3), "a".into(), "b".into()).unwrap(),
    ] {
        let report = wrong.run(Walk::list(Some(Path::from("a")))).await.unwrap();
        assert_eq!((report.failed, changed(&report)), (OBJECTS as u64, 0));
        assert!(report.failures[0].reason.contains("is wanted"), "{report}");
        assert_eq!(under(&report), [(arn(KEY), OBJECTS as u64)]);
    }
    assert_eq!(beneath(&lake.probe).await, before);
}

#[tokio::test]
async fn runs_side_by_side_get_in_each_others_way_and_all_is_done() {
    for seed in 1..40 {
        let lake = Lake::new().await;
        lake.probe.yield_by(seed);
        let run = || lake.rekey().attempts(20).run(Walk::list(None));
        let (one, two) = tokio::join!(run(), run());
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!((one.failed, two.failed), (0, 0), "{one}{two}");
        assert!(changed(&one) + changed(&two) >= OBJECTS as u64);
        lake.probe.yield_by(0);
        lake.expect_all_under(OTHER_KEY, path).await;
    }
}

#[tokio::test]
async fn an_object_that_changes_as_often_as_it_is_tried_is_reported() {
    let mut failed = 0;
    for seed in 1..20 {
        let lake = Lake::new().await;
        lake.probe.yield_by(seed);
        let run = || lake.rekey().attempts(1).run(Walk::list(None));
        let (one, two) = tokio::join!(run(), run());
        for report in [one.unwrap(), two.unwrap()] {
            let mut failures = report.failures.iter();
            assert!(failures.all(|failure| failure.reason.contains("changed meanwhile")));
            failed += report.failed;
        }
    }
    assert!(failed > 0);
}

#[tokio::test]
async fn whatever_call_fails_the_next_run_ends_it() {
    let moved = |number| Path::from(path(number).as_ref().replacen("a/", "b/c/", 1));
    for is_move in [false, true] {
        for works in [false, true] {
            for call in 1.. {
                let lake = Lake::new().await;
                let rekey = || if is_move { lake.moving("a", "b/c") } else { lake.rekey() };
                let walk = || Walk::list(Some(Path::from("a")));
                lake.probe.fail_at(call, works);
                let journal = Journal::open(lake.journal()).unwrap();
                rekey().concurrency(1).journal(journal).run(walk()).await.unwrap();
                let is_reached = lake.probe.calls() >= call;
                lake.probe.reset();
                let journal = Journal::open(lake.journal()).unwrap();
                let again = rekey().journal(journal).run(walk()).await.unwrap();
                assert!(again.is_complete(), "{is_move}, {works}, {call}: {again}");
                let at = |number| if is_move { moved(number) } else { path(number) };
                lake.expect_all_under(OTHER_KEY, at).await;
                if !is_reached {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_prefix_is_moved_and_nothing_is_replaced() {
    let lake = Lake::new().await;
    let taken = Path::from("b/0/0");
    lake.store(KEY).put(&taken, "mine".into()).await.unwrap();
    let before = beneath(&lake.probe).await;
    let dry = lake.moving("a", "b").dry_run().run(Walk::list(Some("a".into()))).await.unwrap();
    assert_eq!((changed(&dry), dry.failed), (OBJECTS as u64 - 1, 1));
    assert_eq!(beneath(&lake.probe).await, before);
    let report = lake.moving("a", "b").run(Walk::list(Some("a".into()))).await.unwrap();
    assert_eq!((&report.changes, report.failed), (&dry.changes, 1));
    assert!(report.changes[0].moved);
    assert!(report.failures[0].reason.contains("b/0/0"), "{report}");
    assert_eq!(read(&lake.store(KEY), &taken).await.unwrap(), b"mine");
    assert_eq!(read(&lake.store(KEY), &path(0)).await.unwrap(), plain(0));
    assert_eq!(read(&lake.store(KEY), &Path::from("b/1/1")).await.unwrap(), plain(1));

    for into in ["a", "a/b"] {
        let refused = Rekey::moving(lake.store(KEY), goal(KEY), "a".into(), into.into());
        assert!(matches!(refused, Err(Error::Rekey(RekeyFault::MoveInto { .. }))));
    }
    let elsewhere = lake.moving("b", "c").run(walk_of(vec![Ok(path(0))])).await.unwrap();
    assert_eq!(elsewhere.failed, 1, "what lies elsewhere is not moved");
}

#[tokio::test]
async fn a_move_to_a_parent_leaves_what_the_next_run_would_move_again() {
    let lake = Lake::new().await;
    let twice = Path::from("a/0/a/0/x");
    lake.store(KEY).put(&twice, "mine".into()).await.unwrap();
    for number in [0, 1] {
        lake.store(KEY).delete(&path(number)).await.unwrap();
    }
    let run = async || lake.moving("a/0", "").run(Walk::list(Some("a/0".into()))).await.unwrap();
    let (first, again) = (run().await, run().await);
    assert!(changed(&first) > 0);
    assert_eq!((first.failed, again.failed, changed(&again)), (1, 1, 0), "{again}");
    assert!(first.failures[0].reason.contains("which lies in it"), "{first}");
    assert_eq!(read(&lake.store(KEY), &twice).await.unwrap(), b"mine");
    assert_eq!(read(&lake.store(KEY), &Path::from("3")).await.unwrap(), plain(3));
}

#[tokio::test]
async fn a_move_goes_on_from_its_journal_and_its_report_tells_all() {
    let lake = Lake::new().await;
    let paths = || (0..OBJECTS).map(|number| Ok(path(number)));
    let run = async |walk: Walk| {
        let journal = Journal::open(lake.journal()).unwrap();
        lake.moving("a", "b").journal(journal).run(walk).await.unwrap()
    };
    run(walk_of(paths().take(9).collect())).await;
    for report in [run(Walk::list(Some("a".into()))).await, run(walk_of(paths().collect())).await] {
        assert_eq!((changed(&report), report.failed, report.gone), (OBJECTS as u64, 0, 0));
        assert_eq!(under(&report), [(arn(OTHER_KEY), OBJECTS as u64)]);
    }
}

#[tokio::test]
async fn a_dry_run_says_what_is_to_be_done_and_does_nothing() {
    let lake = Lake::new().await;
    let (before, calls) = (beneath(&lake.probe).await, lake.kms.calls());
    let journal = Journal::read(lake.journal()).unwrap();
    let dry = lake.rekey().concurrency(1).dry_run().journal(journal);
    let dry = dry.run(Walk::list(None)).await.unwrap();
    assert!(!lake.journal().exists());
    // It asked for the old key once.
    assert_eq!((beneath(&lake.probe).await, lake.kms.calls()), (before, calls + 1));
    assert_eq!(dry.census, lake.census().await.census, "what they are under now");
    // An opened journal is not written either.
    let journal = Journal::open(lake.journal()).unwrap();
    lake.rekey().dry_run().journal(journal).run(Walk::list(None)).await.unwrap();
    assert_eq!(std::fs::read(lake.journal()).unwrap(), b"");
    let done = lake.rekey().run(Walk::list(None)).await.unwrap();
    assert_eq!(dry.changes, done.changes);
}

#[tokio::test]
async fn shards_cover_all_once_and_their_reports_say_together_what_a_census_does() {
    let lake = Lake::new().await;
    let mut reports = Vec::new();
    for index in 0..4 {
        let rekey = lake.rekey().shard(Shard::new(index, 4).unwrap()).concurrency(3);
        reports.push(rekey.run(Walk::list(None)).await.unwrap());
    }
    let merged = Report::merge(reports).unwrap();
    assert!(merged.is_complete(), "{merged}");
    let all = OBJECTS as u64;
    assert_eq!((merged.objects, changed(&merged), merged.left_alone), (all, all, 0));
    assert_eq!(merged.census, lake.census().await.census);
    lake.expect_all_under(OTHER_KEY, path).await;
}

#[tokio::test]
async fn a_manifest_is_walked_and_what_is_gone_or_no_object_is_not_an_objects_failure() {
    let lake = Lake::new().await;
    let (body, _) = beneath(&lake.probe).await.swap_remove(0);
    assert!(body.as_ref().starts_with(".object-cipher"), "{body}");
    let fault = Failure { path: "%zz".into(), reason: "it is not URL-encoded".into() };
    let walk = vec![Ok(path(1)), Ok(body), Err(fault.clone()), Ok("no/where".into()), Ok(path(2))];
    let report = lake.rekey().run(walk_of(walk)).await.unwrap();
    assert_eq!((report.objects, changed(&report), report.gone), (4, 2, 1));
    assert_eq!((report.failed, report.failures), (1, vec![fault]));
}

#[tokio::test]
async fn the_rate_is_not_exceeded() {
    let lake = Lake::new().await;
    let begin = Instant::now();
    let rekey = lake.rekey().rate(NonZeroU32::new(100).unwrap());
    rekey.run(Walk::list(None)).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(10 * (OBJECTS as u64 - 1 - 5)));
}

#[tokio::test]
async fn a_move_takes_a_record_copied_beneath_for_no_move_of_its_own() {
    let lake = Lake::new().await;
    let target = Path::from("b/0/0");
    lake.probe.memory().copy(&path(0), &target).await.unwrap();
    let report = lake.moving("a", "b").run(Walk::list(Some("a".into()))).await.unwrap();
    assert_eq!((report.failed, &report.failures[0].path[..]), (1, path(0).as_ref()), "{report}");
    assert_eq!(read(&lake.store(KEY), &path(0)).await.unwrap(), plain(0));
    lake.probe.memory().delete(&target).await.unwrap();
    let again = lake.moving("a", "b").run(Walk::list(Some("a".into()))).await.unwrap();
    assert_eq!((again.failed, changed(&again)), (0, 1));
    assert_eq!(read(&lake.store(KEY), &target).await.unwrap(), plain(0));
}

#[tokio::test]
async fn a_move_that_would_come_under_another_key_moves_nothing() {
    let lake = Lake::new().await;
    let before = beneath(&lake.probe).await;
    let run = async || {
        let rekey = Rekey::moving(lake.store(KEY), goal(OTHER_KEY), "a".into(), "b".into());
        rekey.unwrap().run(Walk::list(Some("a".into()))).await.unwrap()
    };
    for report in [run().await, run().await] {
        assert_eq!((report.failed, report.objects), (OBJECTS as u64, OBJECTS as u64), "{report}");
        assert!(report.failures[0].reason.contains("was a key rotated"), "{report}");
    }
    let records = |all: Vec<(Path, Option<String>)>| {
        all.into_iter().filter(|(at, _)| !at.as_ref().contains("/shared/")).collect::<Vec<_>>()
    };
    assert_eq!(records(beneath(&lake.probe).await), records(before));
}

#[tokio::test]
async fn whatever_call_of_a_move_fails_it_is_in_a_report() {
    for (works, call) in (1..=14).flat_map(|call| [(false, call), (true, call)]) {
        let lake = Lake::new().await;
        let run = async || {
            let journal = Journal::open(lake.journal()).unwrap();
            let walk = Walk::list(Some("a/1".into()));
            lake.moving("a/1", "b").journal(journal).run(walk).await.unwrap()
        };
        for number in 2..OBJECTS {
            lake.store(KEY).delete(&path(number)).await.unwrap();
        }
        lake.probe.fail_at(call, works);
        let first = run().await;
        lake.probe.reset();
        let again = run().await;
        assert!(again.is_complete(), "{works}, {call}: {again}");
        assert_eq!(changed(&again), 1, "{works}, {call}: {first}\n{again}");
    }
}

#[tokio::test]
async fn what_was_moved_again_counts_once() {
    let lake = Lake::new().await;
    let run = async || {
        let journal = Journal::open(lake.journal()).unwrap();
        lake.moving("a", "b").journal(journal).run(Walk::list(Some("a".into()))).await.unwrap()
    };
    run().await;
    lake.store(KEY).delete(&Path::from("b/1/1")).await.unwrap();
    lake.store(KEY).put(&path(1), plain(1).into()).await.unwrap();
    assert_eq!(under(&run().await), [(arn(OTHER_KEY), OBJECTS as u64)]);
}
