#![allow(clippy::unwrap_used, reason = "a failed test stops")]

use std::{collections::HashSet, fs, path::PathBuf};

use tempfile::TempDir;

use super::{Change, Done, Journal};
use crate::{
    Error,
    rekey::{Key, RekeyFault, Under},
};

const OF: &str = "a test";

fn under(version: u32) -> Under {
    let key = Key {
        source: "master-key".into(),
        name: "main".into(),
        version: Some(version.to_string()),
        check: None,
    };
    Under { mode: "SSE-S3".into(), keys: vec![key] }
}

fn change(outcome: Done) -> Change {
    Change { outcome, from: under(1), to: under(2) }
}

fn path(number: usize) -> String {
    format!("a/{number}")
}

fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("journal");
    (folder, file)
}

/// A journal that says that so many objects are done.
async fn filled(file: &PathBuf, objects: usize) {
    let mut journal = Journal::open(file).unwrap();
    journal.begin(OF, true).unwrap();
    for number in 0..objects {
        let (e_tag, change) = (format!("tag {number}"), change(Done::Rewrapped));
        journal.writer.note(&path(number), Some(&e_tag), &change).await.unwrap();
    }
    journal.writer.sync().await.unwrap();
}

fn is_done(journal: &Journal, number: usize) -> bool {
    journal.past.done(&path(number), Some(&format!("tag {number}"))).is_some()
}

#[tokio::test]
async fn a_path_is_done_at_its_etag_only() {
    let (_folder, file) = place();
    filled(&file, 3).await;
    let journal = Journal::open(&file).unwrap();
    assert_eq!(journal.past.done(&path(1), Some("tag 1")), Some(&change(Done::Rewrapped)));
    assert_eq!(journal.past.done(&path(1), Some("tag 2")), None);
    assert_eq!(journal.past.done(&path(7), Some("tag 1")), None);
    assert_eq!(journal.past.done(&path(1), None), None, "a store without ETags");
}

#[tokio::test]
async fn a_torn_journal_says_no_more_than_its_whole_lines_and_goes_on() {
    let (_folder, file) = place();
    filled(&file, 4).await;
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let lines = whole[..length].split(|byte| *byte == b'\n').count() - 1;
        let mut journal = Journal::open(&file).unwrap();
        let said = (0..4).filter(|number| is_done(&journal, *number)).count();
        assert_eq!(said, lines.saturating_sub(1), "{length}");
        journal.begin(OF, true).unwrap();
        journal.writer.note(&path(9), Some("tag 9"), &change(Done::LeftAlone)).await.unwrap();
        journal.writer.sync().await.unwrap();
        drop(journal);
        let mut journal = Journal::open(&file).unwrap();
        journal.begin(OF, true).unwrap();
        assert!(is_done(&journal, 9), "{length}");
        let now = (0..4).filter(|number| is_done(&journal, *number)).count();
        // A line that only lost its end is whole when it is ended.
        let is_ended = whole[length] == b'\n' && lines > 0;
        assert_eq!(now, said + usize::from(is_ended), "{length}");
    }
}

#[tokio::test]
async fn a_line_that_was_altered_is_work_to_do_and_no_more() {
    let (_folder, file) = place();
    filled(&file, 3).await;
    let whole = fs::read(&file).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for at in first + 1..whole.len() {
        let mut altered = whole.clone();
        altered[at] = 0;
        fs::write(&file, &altered).unwrap();
        let journal = Journal::open(&file).unwrap();
        let said = (0..3).filter(|number| is_done(&journal, *number)).count();
        assert!((1..=2).contains(&said), "{said} at {at}");
    }
}

#[tokio::test]
async fn the_journal_of_another_run_is_refused() {
    let (_folder, file) = place();
    filled(&file, 1).await;
    let refused = Journal::open(&file).unwrap().begin("another", true);
    assert!(
        matches!(&refused, Err(Error::Rekey(RekeyFault::JournalOfOther { found, .. })) if found == OF),
        "{refused:?}"
    );
    let lines = fs::read_to_string(&file).unwrap();
    let headless = lines.split_once('\n').unwrap().1;
    fs::write(&file, headless).unwrap();
    assert!(Journal::open(&file).unwrap().begin(OF, true).is_err(), "nothing says what it is of");
    fs::write(&file, lines.replace("\"version\":1,\"of\"", "\"version\":2,\"of\"")).unwrap();
    assert!(Journal::open(&file).unwrap().begin(OF, true).is_err(), "another version");
}

#[tokio::test]
async fn a_torn_first_line_does_not_come_to_life_again() {
    let (_folder, file) = place();
    filled(&file, 0).await;
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        Journal::open(&file).unwrap().begin("another", true).unwrap();
        Journal::open(&file).unwrap().begin("another", true).unwrap();
        assert!(Journal::open(&file).unwrap().begin(OF, true).is_err(), "{length}");
    }
}

#[tokio::test]
async fn nothing_is_appended_to_another_file() {
    let (_folder, file) = place();
    for content in [
        &b"\n"[..],
        b"a keyring",
        b"{\"journal\":\"another\"}\n",
        b"{\n  \"version\": 1\n}\n",
        &[0; 64],
    ] {
        fs::write(&file, content).unwrap();
        let mut journal = Journal::open(&file).unwrap();
        let refused = journal.begin(OF, true);
        assert!(refused.is_err(), "{content:?}");
        drop(journal);
        assert_eq!(fs::read(&file).unwrap(), content);
    }
}

#[tokio::test]
async fn a_process_that_is_killed_loses_no_line() {
    let (_folder, file) = place();
    let mut journal = Journal::open(&file).unwrap();
    journal.begin(OF, true).unwrap();
    journal.writer.note(&path(1), Some("tag 1"), &change(Done::Rewrapped)).await.unwrap();
    // Neither synced nor dropped.
    assert!(is_done(&Journal::read(&file).unwrap(), 1));
    drop(journal);
}

#[tokio::test]
async fn one_process_has_a_journal_and_anybody_reads_it() {
    let (_folder, file) = place();
    assert!(Journal::read(&file).unwrap().past.done.is_empty());
    assert!(!file.exists(), "reading makes none");
    filled(&file, 1).await;
    let first = Journal::open(&file).unwrap();
    let second = Journal::open(&file);
    assert!(matches!(second, Err(Error::Rekey(RekeyFault::JournalBusy(_)))), "{second:?}");
    assert!(is_done(&Journal::read(&file).unwrap(), 0));
    drop(first);
    Journal::open(&file).unwrap();
}

#[tokio::test]
async fn a_moved_object_is_told_by_where_it_was() {
    let (_folder, file) = place();
    let mut journal = Journal::open(&file).unwrap();
    journal.begin(OF, true).unwrap();
    journal.writer.note(&path(1), Some("there"), &change(Done::Moved)).await.unwrap();
    journal.writer.sync().await.unwrap();
    drop(journal);
    let journal = Journal::open(&file).unwrap();
    assert_eq!(journal.past.moved(&path(1)), Some(&change(Done::Moved)));
    assert_eq!(journal.past.all_moved_but(&HashSet::new()).count(), 1);
    assert_eq!(
        journal.past.done(&path(1), Some("there")),
        None,
        "what is there now is another object"
    );
}
