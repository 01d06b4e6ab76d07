//! A log of events that shows what was done to it.
#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use object_cipher_core::{EncryptionContext, KeyringId, Mode, resolve_now};
use object_cipher_keyring::{KeyringFile, Unlock};
use object_cipher_kms::{
    Audit, AuditFault, AuditLog, AuditPolicy, Error, Generate, KeyName, Kms, KmsCall, TokioTimer,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::FakeKms;
use tempfile::TempDir;

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

struct Place {
    directory: TempDir,
    keyring: KeyringFile<RustCrypto>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let unlock = Unlock::key(&std::array::from_fn(|i| i.to_le_bytes()[0])).unwrap();
        let path = directory.path().join("keyring");
        let id = KeyringId::parse("main").unwrap();
        let keyring = KeyringFile::create(path, &id, &unlock, RustCrypto).unwrap();
        Self { directory, keyring }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("audit")
    }

    fn head(&self) -> PathBuf {
        self.directory.path().join("audit.head")
    }

    fn open(&self) -> Result<AuditLog<RustCrypto>, Error> {
        AuditLog::at(self.file(), &self.keyring, RustCrypto).open()
    }

    /// So many events more.
    fn write(&self, count: usize) {
        let log = Arc::new(self.open().unwrap());
        let fake = FakeKms::new().with_key(KEY);
        let timer = Arc::new(TokioTimer::new());
        let kms = Audit::new(fake, log, AuditPolicy::Required, timer);
        let (key, mut context) = (KeyName::parse(KEY).unwrap(), EncryptionContext::new());
        context.insert("object", "a\tb\n\u{f6}").unwrap();
        for _ in 0..count {
            let call = KmsCall { principal: Some("me"), ..KmsCall::new(Mode::SseKms) };
            let made = resolve_now(kms.generate(Generate { key: &key, context: &context, call }));
            made.unwrap().unwrap();
        }
    }

    fn verify(&self) -> Result<u64, AuditFault> {
        match AuditLog::at(self.file(), &self.keyring, RustCrypto).verify() {
            Ok(report) => Ok(report.events),
            Err(Error::Audit(fault)) => Err(fault),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_log_goes_on_where_it_ended_and_verifies() {
    let place = Place::new();
    for round in 1..=3 {
        place.write(5);
        assert_eq!(place.verify(), Ok(round * 5));
    }
    assert_eq!(place.open().unwrap().events(), 15);
    // The version that began it may have retired.
    place.keyring.rotate().unwrap();
    place.write(1);
    assert_eq!(place.verify(), Ok(16));
}

#[tokio::test]
async fn of_a_log_whose_master_key_is_gone_the_file_is_told() {
    let place = Place::new();
    place.write(1);
    place.keyring.rotate().unwrap();
    place.keyring.destroy(1).unwrap();
    let told = place.open().unwrap_err();
    assert!(matches!(told, Error::AuditKey { .. }));
    assert!(told.to_string().contains("audit"), "{told}");
}

#[tokio::test]
async fn every_edited_byte_of_a_log_shows() {
    let place = Place::new();
    place.write(2);
    let honest = fs::read(place.file()).unwrap();
    for at in 0..honest.len() {
        let mut altered = honest.clone();
        altered[at] ^= 1;
        fs::write(place.file(), &altered).unwrap();
        let verified = AuditLog::at(place.file(), &place.keyring, RustCrypto).verify();
        assert!(verified.is_err(), "byte {at}");
    }
    let (text, mac) = str::from_utf8(&honest).unwrap().trim_end().rsplit_once('\t').unwrap();
    fs::write(place.file(), format!("{text}\t{}\n", mac.to_uppercase())).unwrap();
    assert_eq!(place.verify(), Err(AuditFault::Line(2)), "one line has one form");
}

#[tokio::test]
async fn removed_swapped_repeated_and_cut_lines_show() {
    let place = Place::new();
    place.write(4);
    let honest = fs::read_to_string(place.file()).unwrap();
    let lines: Vec<_> = honest.lines().collect();
    let rows: [(&[usize], AuditFault); 6] = [
        (&[0, 1, 3, 4], AuditFault::Line(2)),
        (&[0, 2, 1, 3, 4], AuditFault::Line(1)),
        (&[0, 1, 1, 2, 3, 4], AuditFault::Line(2)),
        (&[0, 1, 2, 3], AuditFault::CutOff { found: 3, written: 4 }),
        (&[0], AuditFault::CutOff { found: 0, written: 4 }),
        (&[1, 2, 3, 4], AuditFault::Header),
    ];
    for (kept, fault) in rows {
        let text: Vec<_> = kept.iter().map(|line| lines[*line]).collect();
        fs::write(place.file(), text.join("\n") + "\n").unwrap();
        assert_eq!(place.verify(), Err(fault));
    }
    fs::write(place.file(), format!("{honest}{}\n", lines[4])).unwrap();
    assert_eq!(place.verify(), Err(AuditFault::Line(5)));
    fs::write(place.file(), &honest).unwrap();
    fs::remove_file(place.head()).unwrap();
    assert_eq!(place.verify(), Err(AuditFault::Head));
    assert!(place.open().is_err());
}

#[tokio::test]
async fn a_line_that_a_crash_cut_off_is_dropped_and_the_log_goes_on() {
    let place = Place::new();
    place.write(3);
    let honest = fs::read(place.file()).unwrap();
    let head = fs::read(place.head()).unwrap();
    place.write(1);
    let longer = fs::read(place.file()).unwrap();
    for length in honest.len()..=longer.len() {
        fs::write(place.file(), &longer[..length]).unwrap();
        fs::write(place.head(), &head).unwrap();
        assert_eq!(place.verify(), Ok(3), "{length} bytes");
        place.write(1);
        assert_eq!(place.verify(), Ok(4), "{length} bytes");
    }
}

#[tokio::test]
async fn an_older_head_beside_a_newer_log_shows() {
    let place = Place::new();
    place.write(1);
    let head = fs::read(place.head()).unwrap();
    place.write(5);
    fs::write(place.head(), head).unwrap();
    assert!(place.verify().is_err());
}

#[tokio::test]
async fn a_log_tells_who_which_key_what_for_and_no_key() {
    let place = Place::new();
    place.write(1);
    let text = fs::read_to_string(place.file()).unwrap();
    for told in [
        "\"eventName\":\"GenerateDataKey\"",
        "\"principal\":\"me\"",
        "\"encryptionContext\":{\"object\":\"a\\tb\\n\u{f6}\"}",
        "\"attempts\":0",
        "\"outcome\":\"Answered\"",
        "\"error\":null",
    ] {
        assert!(text.contains(told), "{told} is not in {text}");
    }
    // The fake's data keys begin with their number, and are of this byte.
    assert!(!text.contains("d5d5d5") && !text.contains("1dXV"));
}

#[tokio::test]
async fn an_event_that_no_reader_would_take_is_refused_and_the_log_goes_on() {
    let place = Place::new();
    let log = Arc::new(place.open().unwrap());
    let timer = Arc::new(TokioTimer::new());
    let fake = FakeKms::new().with_key(KEY);
    let kms = Audit::new(fake, log, AuditPolicy::Required, timer);
    let (key, context) = (KeyName::parse(KEY).unwrap(), EncryptionContext::new());
    let long = "a".repeat(300_000);
    for (principal, kept) in [("me", true), (&*long, false), ("you", true)] {
        let call = KmsCall { principal: Some(principal), ..KmsCall::new(Mode::SseKms) };
        let made = resolve_now(kms.generate(Generate { key: &key, context: &context, call }));
        assert_eq!(made.unwrap().is_ok(), kept);
    }
    assert_eq!(place.verify(), Ok(2));
}

#[test]
fn a_log_is_verified_while_it_is_written() {
    let place = Place::new();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let log = Arc::new(place.open().unwrap());
        let writer = scope.spawn(|| {
            let timer = Arc::new(TokioTimer::new());
            let fake = FakeKms::new().with_key(KEY);
            let kms = Audit::new(fake, log, AuditPolicy::Required, timer);
            let (key, context) = (KeyName::parse(KEY).unwrap(), EncryptionContext::new());
            let mut written = 0;
            while !is_over.load(Ordering::Relaxed) {
                let call = KmsCall::new(Mode::SseKms);
                let rq = Generate { key: &key, context: &context, call };
                resolve_now(kms.generate(rq)).unwrap().unwrap();
                written += 1;
            }
            written
        });
        let mut verified = Vec::new();
        while verified.len() < 20 || verified.last() == Some(&Ok(0)) {
            thread::sleep(Duration::from_millis(2));
            verified.push(place.verify());
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(verified.iter().all(Result::is_ok), "{verified:?}");
        assert!(verified.is_sorted_by_key(|events| events.as_ref().ok().copied()));
        let written = writer.join().unwrap();
        assert_eq!(place.verify(), Ok(written));
    });
}

#[test]
fn a_log_has_one_writer_at_a_time() {
    let place = Place::new();
    let first = place.open().unwrap();
    assert!(matches!(place.open(), Err(Error::Io { .. })));
    drop(first);
    let again = place.open().unwrap();
    assert!(matches!(place.open(), Err(Error::Io { .. })));
    assert_eq!((place.verify(), again.events()), (Ok(0), 0));
}

#[tokio::test]
async fn a_log_that_a_crash_cut_off_while_it_was_begun_is_begun_anew() {
    let place = Place::new();
    drop(place.open().unwrap());
    let (log, head) = (fs::read(place.file()).unwrap(), fs::read(place.head()).unwrap());
    // First the file of the head, then the log's first line, then the head.
    let of_log = (0..=log.len()).map(|length| (Some(length), 0));
    let of_head = (0..head.len()).map(|length| (Some(log.len()), length));
    for (log_len, head_len) in [(None, 0)].into_iter().chain(of_log).chain(of_head) {
        match log_len {
            None => fs::remove_file(place.file()).unwrap(),
            Some(length) => fs::write(place.file(), &log[..length]).unwrap(),
        }
        fs::write(place.head(), &head[..head_len]).unwrap();
        place.write(1);
        assert_eq!(place.verify(), Ok(1), "{log_len:?} {head_len}");
    }
    // But not one with events.
    fs::write(place.head(), &head[..head.len() - 1]).unwrap();
    assert!(matches!(place.open(), Err(Error::Audit(AuditFault::Head))));
    fs::write(place.head(), &head).unwrap();
    fs::remove_file(place.file()).unwrap();
    assert!(matches!(place.open(), Err(Error::Audit(AuditFault::Header))), "it is gone");
}

#[cfg(unix)]
#[test]
fn links_and_files_that_others_can_write_are_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let place = Place::new();
    drop(place.open().unwrap());
    for file in [place.file(), place.head()] {
        let allow = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        allow(0o644);
        assert!(place.open().is_ok(), "others may read it");
        for mode in [0o660, 0o602] {
            allow(mode);
            assert!(matches!(place.open(), Err(Error::Keyring(_))), "{mode:o}");
        }
        allow(0o600);
        let elsewhere = place.directory.path().join("elsewhere");
        fs::rename(&file, &elsewhere).unwrap();
        symlink(&elsewhere, &file).unwrap();
        assert!(matches!(place.open(), Err(Error::Keyring(_))), "a link");
        fs::rename(&elsewhere, &file).unwrap();
    }
    assert!(place.open().is_ok());
}
