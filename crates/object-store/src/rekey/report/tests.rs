#![allow(clippy::unwrap_used, reason = "a failed test stops")]

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use super::{Failure, Kind, Report, Subject, Tally, list};
use crate::{
    Error,
    rekey::{
        Key, RekeyFault, Shard, Under,
        journal::{Change, Done},
    },
};

fn key(version: u8) -> Key {
    let (source, name) = ("master-key".into(), "main".into());
    Key { source, name, version: Some(version.to_string()), check: None }
}

fn under(version: u8) -> Under {
    Under { mode: "SSE-S3".into(), keys: vec![key(version)] }
}

fn change(outcome: Done, from: u8, to: u8) -> Change {
    Change { outcome, from: under(from), to: under(to) }
}

fn subject() -> Subject {
    Subject { kind: Kind::Rekey, store: "lake".into(), goal: Some("version 2".into()) }
}

/// What happened to an object, by a number.
fn happen(tally: &mut Tally, what: u8) {
    let failure = || Failure { path: "a".into(), reason: "it failed".into() };
    match what % 8 {
        0 => tally.miss(),
        1 => tally.fail(failure(), None),
        2 => tally.fail(failure(), Some(under(1))),
        3 => tally.count(&change(Done::LeftAlone, 2, 2), false),
        4 => tally.count(&change(Done::Moved, 1, 2), false),
        _ => tally.count(&change(Done::Rewrapped, what % 2, 2), what > 128),
    }
}

fn report(whats: impl IntoIterator<Item = u8>, shards: Vec<Shard>) -> Report {
    let mut tally = Tally { began: 100, ..Tally::default() };
    whats.into_iter().for_each(|what| happen(&mut tally, what));
    tally.into_report(subject(), shards, 200)
}

fn shard(index: u32, of: u32) -> Shard {
    Shard::new(index, of).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn merged_reports_say_what_one_run_would(whats: Vec<u8>, of in 1_u32..9, seed in any::<usize>()) {
        let part = |index: u32| {
            let mine = |number: &usize| (number ^ seed) % of as usize == index as usize;
            let numbers = (0..whats.len()).filter(mine);
            report(numbers.map(|number| whats[number]), vec![shard(index, of)])
        };
        let merged = Report::merge((0..of).map(part)).unwrap();
        let all = (0..of).map(|index| shard(index, of)).collect();
        prop_assert_eq!(&merged, &report(whats.iter().copied(), all));
        prop_assert_eq!(merged.missing(), []);
        let counted: u64 = merged.census.iter().map(|counted| counted.objects).sum();
        prop_assert_eq!(counted + merged.gone + merged.unknown, merged.objects);
        let text = serde_json::to_string(&merged).unwrap();
        prop_assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), merged);
    }
}

#[test]
fn what_does_not_belong_together_is_not_merged() {
    let one = || report([5], vec![shard(0, 2)]);
    let refused = |others: Vec<Report>| {
        let merged = Report::merge([vec![one()], others].concat());
        assert!(matches!(merged, Err(Error::Rekey(RekeyFault::Merge(_)))), "{merged:?}");
    };
    refused(vec![one()]);
    refused(vec![report([5], vec![shard(1, 3)])]);
    refused(vec![Report { store: "sea".into(), ..report([5], vec![shard(1, 2)]) }]);
    refused(vec![Report { goal: None, ..report([5], vec![shard(1, 2)]) }]);
    refused(vec![Report { kind: Kind::Census, ..report([5], vec![shard(1, 2)]) }]);
    assert!(Report::merge([]).is_err());
}

#[test]
fn numbers_that_no_store_has_are_refused() {
    let most = |index| Report { objects: u64::MAX, ..report([5], vec![shard(index, 2)]) };
    let merged = Report::merge([most(0), most(1)]);
    assert!(matches!(merged, Err(Error::Rekey(RekeyFault::Merge(_)))), "{merged:?}");
    assert!(serde_json::from_str::<Shard>("\"0/40000000\"").is_err());
}

#[test]
fn missing_shards_are_said() {
    let merged = Report::merge([report([5], vec![shard(3, 4)]), report([5], vec![shard(0, 4)])]);
    let merged = merged.unwrap();
    assert_eq!(merged.missing(), [shard(1, 4), shard(2, 4)]);
    assert!(!merged.is_complete());
    assert!(merged.to_string().contains("missing     1-2/4"), "{merged}");
    assert!(report([5], vec![Shard::ALL]).is_complete());
    assert!(!report([1], vec![Shard::ALL]).is_complete());
}

#[test]
fn a_key_that_nothing_needs_any_more_is_named_with_none() {
    let whole = report([5, 7, 3], vec![Shard::ALL]);
    let needed: Vec<_> = whole.keys.iter().map(|needed| (&needed.key, needed.objects)).collect();
    assert_eq!(needed, [(&key(1), 0), (&key(2), 3)]);
    let said = "of keyring main, version 1 makes 0 of these objects unreadable";
    assert!(whole.to_string().contains(said), "{whole}");
}

#[test]
fn both_keys_of_two_layers_are_needed_and_one_for_both_counts_once() {
    let mut tally = Tally::default();
    tally.see(Under { mode: "DSSE-KMS".into(), keys: vec![key(1), key(2)] });
    tally.see(Under { mode: "DSSE-KMS".into(), keys: vec![key(1), key(1)] });
    let needed: Vec<_> = tally.keys().into_iter().map(|needed| needed.objects).collect();
    assert_eq!(needed, [2, 1]);
}

#[test]
fn what_is_under_a_bucket_key_needs_its_kms_key_once() {
    let key = |source: &str, version: Option<&str>| Key {
        source: source.into(),
        name: "orders".into(),
        version: version.map(Into::into),
        check: None,
    };
    let mut tally = Tally::default();
    let mut see = |keys: Vec<Key>| tally.see(Under { mode: "SSE-KMS".into(), keys });
    see(vec![key("kms", Some("1"))]);
    see(vec![key("bucket-key", Some("2"))]);
    see(vec![key("bucket-key", Some("1")), key("kms", Some("1"))]);
    see(vec![key("bucket-key", None)]);
    let needed: Vec<_> = tally.keys().into_iter().map(|it| (it.key, it.objects)).collect();
    let versions = [(None, 4), (Some("1"), 2), (Some("2"), 1)];
    assert_eq!(needed, versions.map(|(version, objects)| (key("kms", version), objects)));
}

#[test]
fn paths_where_nothing_is_are_not_covered() {
    let all_gone = report([0, 0], vec![Shard::ALL]);
    assert!(!all_gone.is_complete());
    assert!(all_gone.to_string().contains("gone        2: are the paths"), "{all_gone}");
    assert!(report([0, 3], vec![Shard::ALL]).is_complete());
    let none = report([], vec![Shard::ALL]);
    assert!(!none.is_complete() && none.to_string().contains("is it this store"), "{none}");
    let shards = [report([], vec![shard(0, 2)]), report([0, 3], vec![shard(1, 2)])];
    assert!(Report::merge(shards).unwrap().is_complete(), "a shard may be empty");
}

#[test]
fn shards_are_listed_in_ranges() {
    let shards = [0, 1, 2, 5, 7].map(|index| shard(index, 9));
    assert_eq!(list(&shards), "0-2/9, 5/9, 7/9");
    assert_eq!(list(&[Shard::ALL]), "0/1");
}
