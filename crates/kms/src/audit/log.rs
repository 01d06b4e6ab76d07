//! Events in a file whose lines hang together: [`AuditLog`].

use std::{
    fmt,
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::UNIX_EPOCH,
};

use object_cipher_core::{CryptoBackend, MasterKeyRef};
use object_cipher_keyring::{PrivateFile, VersionedKeys};
use serde::{Deserialize, Serialize};

use super::{
    AuditEvent, AuditLost, AuditOutcome, AuditSink,
    chain::{AuditFault, AuditReport, ChainKey, MAC_LEN, Mac, same, split},
    head::{End, Head},
};
use crate::{Error, Result, master_key_ref};

const FORMAT: u8 = 1;
/// No line is longer: a context of 8 KiB, and names.
const MAX_LINE_LEN: u64 = 256 * 1024;

/// A sink that writes each event as a line of JSON, with a MAC over it and all lines before it, and
/// keeps the number of lines, sealed, in `<file>.head`. So a line that was edited, removed, put in or
/// cut off shows: [`AuditLogBuilder::verify`].
///
/// The MACs are under a key that is derived from a master keyring, so who has the file and not the
/// keyring can forge nothing. Who can put back both files as they were at an earlier time, or empty or
/// remove both, can hide what came after it; and who can write them can always hide the very last event,
/// as that looks like a crash while it was written. Keep the number that [`AuditLog::events`] tells, or
/// copies of the head, elsewhere.
///
/// Lines are written to the operating system at once, and survive the end of the process; they are
/// synced to disk by [`AuditLog::sync`], which a host calls every second or so. After a power cut a log
/// may lack lines that its head tells of, and is refused then as cut off: move both files aside, and
/// begin another. One writer at a time has a log: another is refused.
pub struct AuditLog<B> {
    path: PathBuf,
    key: ChainKey<B>,
    state: Mutex<State>,
}

struct State {
    file: File,
    head: Head,
    end: End,
    /// Bytes of the lines that the head tells of.
    length: u64,
    /// Whether a line behind them was not written whole. It goes before the next is written.
    broken: bool,
}

/// Opens an [`AuditLog`], or verifies it.
#[derive(Clone)]
pub struct AuditLogBuilder<'a, B> {
    path: PathBuf,
    keys: &'a dyn VersionedKeys,
    backend: B,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    audit_log: u8,
    id: String,
    #[serde(with = "master_key_ref")]
    master: MasterKeyRef,
}

impl<B: CryptoBackend> AuditLog<B> {
    /// The log at a path, under a keyring: the version that was enabled when the log was begun.
    ///
    /// ```
    /// # use object_cipher_core::KeyringId;
    /// # use object_cipher_keyring::{KeyringFile, Unlock};
    /// use object_cipher_kms::AuditLog;
    /// # use object_cipher_rustcrypto::RustCrypto;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let (path, file) = (directory.path().join("keyring"), directory.path().join("audit"));
    /// # let id = KeyringId::parse("main").ok_or("not a keyring id")?;
    /// # let unlock = Unlock::passphrase("correct horse battery staple")?;
    /// let keyring = KeyringFile::create(path, &id, &unlock, RustCrypto)?;
    ///
    /// let log = AuditLog::at(&file, &keyring, RustCrypto).open()?;
    /// assert_eq!(log.events(), 0);
    /// assert_eq!(AuditLog::at(&file, &keyring, RustCrypto).verify()?.events, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn at(
        path: impl Into<PathBuf>,
        keys: &dyn VersionedKeys,
        backend: B,
    ) -> AuditLogBuilder<'_, B> {
        AuditLogBuilder { path: path.into(), keys, backend }
    }

    /// How many events were written.
    pub fn events(&self) -> u64 {
        self.state().end.events
    }

    /// Syncs what was written to disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&self) -> Result<()> {
        let io = |source| io_error(&self.path, "sync", source);
        // Events go on being written meanwhile.
        let (lines, head) = {
            let state = self.state();
            (state.file.try_clone().map_err(io)?, state.head.handle().map_err(io)?)
        };
        lines.sync_data().and_then(|()| head.sync_data()).map_err(io)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, event: &AuditEvent<'_>) -> io::Result<()> {
        let mut state = self.state();
        let events = state.end.events + 1;
        let text = serde_json::to_vec(&line(events, event)).map_err(io::Error::other)?;
        let last = self.key.line(&state.end.last, &text).map_err(io::Error::other)?;
        let end = End { events, last };
        let line = whole_line(&text, &last);
        let length = line.len() as u64;
        // No reader would take it, nor any line behind it.
        if length > MAX_LINE_LEN {
            return Err(io::Error::other("the event is longer than a line may be"));
        }
        if state.broken {
            let written = state.length;
            state.file.set_len(written)?;
            state.file.seek(SeekFrom::Start(written))?;
        }
        // A line that the head does not tell of yet is one that was cut off by a crash: the head
        // comes last, so that it never tells of a line that is not there.
        state.broken = true;
        state.file.write_all(&line)?;
        state.head.write(&end, &self.key)?;
        state.end = end;
        state.length += length;
        state.broken = false;
        Ok(())
    }
}

impl<B: CryptoBackend> AuditLogBuilder<'_, B> {
    /// Begins the log, or goes on with it after verifying it whole.
    ///
    /// A last line that a crash cut off, or that came into the file and not into the head, is
    /// dropped: its call was not answered. A log that a crash cut off while it was begun is begun
    /// anew.
    ///
    /// # Errors
    /// [`Error::Audit`] when it was altered; [`Error::Keyring`] for links and files that others can
    /// write; [`Error::Io`]; those of the keyring.
    pub fn open(self) -> Result<AuditLog<B>> {
        let io = |source| io_error(&self.path, "open", source);
        let head = head_path(&self.path);
        if self.path.exists() && !head.exists() {
            return Err(fault(AuditFault::Head));
        }
        // Locked before the end is looked for: another writer would move it.
        let head = Head::locked(PrivateFile::new(head).open_log()?).map_err(io)?;
        let mut file = PrivateFile::new(&self.path).open_log()?;
        if !head.is_written().map_err(io)? && !self.has_events().map_err(io)? {
            return self.begin(file, head);
        }
        let (key, end, length) = self.read()?;
        file.set_len(length).and_then(|()| file.seek(SeekFrom::End(0))).map_err(io)?;
        let state = Mutex::new(State { file, head, end, length, broken: false });
        Ok(AuditLog { path: self.path, key, state })
    }

    /// Reads the whole log and its head, and tells what is there. A log that is being written is
    /// verified as far as its head told at the start.
    ///
    /// # Errors
    /// [`Error::Audit`] with what is wrong; [`Error::Io`]; those of the keyring.
    pub fn verify(&self) -> Result<AuditReport> {
        let (_, end, _) = self.read()?;
        Ok(AuditReport { events: end.events })
    }

    /// Whether there is more than the first line.
    fn has_events(&self) -> io::Result<bool> {
        let mut lines = Lines(BufReader::new(File::open(&self.path)?));
        Ok(lines.next()?.is_some() && lines.next()?.is_some())
    }

    /// Begins the log in files without one.
    fn begin(self, mut file: File, head: Head) -> Result<AuditLog<B>> {
        let master = self.keys.wrap_key()?;
        let mut id = [0; 16];
        self.backend.random(&mut id).map_err(object_cipher_core::Error::from)?;
        let master_ref = master.key_ref().clone();
        let header = Header { audit_log: FORMAT, id: hex::encode(id), master: master_ref };
        let key = ChainKey::new(&master, &header.id, self.backend)?;
        let text = serde_json::to_vec(&header).map_err(|_| fault(AuditFault::Header))?;
        let last = key.line(&[0; MAC_LEN], &text)?;
        let end = End { events: 0, last };
        let io = |source| io_error(&self.path, "begin", source);
        let line = whole_line(&text, &last);
        file.set_len(0).and_then(|()| file.write_all(&line)).map_err(io)?;
        // Last, so that a crash before it leaves a log that was not begun.
        head.write(&end, &key).map_err(io)?;
        let length = line.len() as u64;
        let state = Mutex::new(State { file, head, end, length, broken: false });
        Ok(AuditLog { path: self.path, key, state })
    }

    /// The log's key, its end, and how many bytes of the file are verified.
    fn read(&self) -> Result<(ChainKey<B>, End, u64)> {
        let io = |source| io_error(&self.path, "read", source);
        let mut lines = Lines(BufReader::new(open_regular(&self.path).map_err(io)?));
        let first = lines.next().map_err(io)?.ok_or(fault(AuditFault::Header))?;
        let (text, mac) = split(&first.text).ok_or(fault(AuditFault::Header))?;
        let header: Header = serde_json::from_slice(text).map_err(|_| fault(AuditFault::Header))?;
        if header.audit_log != FORMAT {
            return Err(fault(AuditFault::Header));
        }
        let master = self.keys.unwrap_key(&header.master);
        let master =
            master.map_err(|source| Error::AuditKey { file: self.path.clone(), source })?;
        let key = ChainKey::new(&master, &header.id, self.backend.clone())?;
        if !same(&key.line(&[0; MAC_LEN], text)?, &mac) {
            return Err(fault(AuditFault::Header));
        }
        let head = self.head(&key)?;
        let mut end = End { events: 0, last: mac };
        let mut length = first.length;
        while end.events < head.events {
            let cut = || AuditFault::CutOff { found: end.events, written: head.events };
            let line = lines.next().map_err(io)?.ok_or_else(|| fault(cut()))?;
            end = next(&key, &end, &line.text)?;
            length += line.length;
        }
        if !same(&end.last, &head.last) {
            return Err(fault(AuditFault::Line(end.events)));
        }
        // At most one line was under way when the process ended.
        if let Some(line) = lines.next().map_err(io)? {
            let more = lines.next().map_err(io)?.is_some();
            let next = next(&key, &end, &line.text).map(drop);
            let is_odd = more || (line.whole && next.is_err());
            // Unless a writer goes on meanwhile: what it added is verified by who looks next.
            if is_odd && self.head(&key)?.events == head.events {
                return Err(fault(AuditFault::Line(end.events + 1)));
            }
        }
        Ok((key, end, length))
    }

    fn head(&self, key: &ChainKey<B>) -> Result<End> {
        let bytes = open_regular(&head_path(&self.path)).and_then(Head::bytes);
        let bytes = bytes.map_err(|_| fault(AuditFault::Head))?;
        Head::read(&bytes, key)?.ok_or(fault(AuditFault::Head))
    }
}

/// The end after one more line.
fn next<B: CryptoBackend>(key: &ChainKey<B>, end: &End, line: &[u8]) -> Result<End> {
    let events = end.events + 1;
    let wrong = || fault(AuditFault::Line(events));
    let (text, mac) = split(line).ok_or_else(wrong)?;
    if !same(&key.line(&end.last, text)?, &mac) {
        return Err(wrong());
    }
    Ok(End { events, last: mac })
}

impl<B: CryptoBackend> AuditSink for AuditLog<B> {
    fn emit(&self, event: &AuditEvent<'_>) -> Result<(), AuditLost> {
        self.append(event).map_err(|error| AuditLost(error.to_string()))
    }
}

impl<B> fmt::Debug for AuditLog<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<B> fmt::Debug for AuditLogBuilder<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLogBuilder").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Lines of a file, none longer than allowed.
struct Lines(BufReader<File>);

struct Line {
    text: Vec<u8>,
    /// With its end.
    length: u64,
    /// Whether it has an end.
    whole: bool,
}

impl Lines {
    fn next(&mut self) -> io::Result<Option<Line>> {
        let mut text = Vec::new();
        let length = self.0.by_ref().take(MAX_LINE_LEN).read_until(b'\n', &mut text)?;
        let whole = text.pop_if(|last| *last == b'\n').is_some();
        Ok((length > 0).then_some(Line { text, length: length as u64, whole }))
    }
}

fn whole_line(text: &[u8], mac: &Mac) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len() + 2 * MAC_LEN + 2);
    line.extend_from_slice(text);
    line.push(b'\t');
    line.extend_from_slice(hex::encode(mac).as_bytes());
    line.push(b'\n');
    line
}

/// An event as it is written: names after `CloudTrail`'s.
fn line(number: u64, event: &AuditEvent<'_>) -> serde_json::Value {
    let time = event.time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros =
        |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let context: serde_json::Map<_, _> =
        event.context.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    let (outcome, error) = match &event.outcome {
        AuditOutcome::Answered => ("Answered", None),
        AuditOutcome::Failed { kind, code } => {
            ("Failed", Some(serde_json::json!({ "kind": format!("{kind:?}"), "code": code })))
        }
        AuditOutcome::Abandoned => ("Abandoned", None),
    };
    serde_json::json!({
        "number": number,
        "eventTimeMicros": micros(time),
        "eventName": event.operation.name(),
        "principal": event.principal,
        "requestID": event.request_id,
        "kmsRequestID": event.kms_request_id,
        "provider": event.provider,
        "keyNamed": event.named,
        "keyId": event.key,
        "encryptionContext": context,
        "mode": event.mode.to_string(),
        "bucketKey": event.bucket_key,
        "cacheHit": event.cache_hit,
        "attempts": event.attempts,
        "outcome": outcome,
        "error": error,
        "durationMicros": micros(event.duration),
    })
}

fn head_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".head");
    name.into()
}

/// For reading, by whom it may be, what neither blocks nor never ends.
fn open_regular(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    File::open(path)
}

fn io_error(path: &Path, action: &'static str, source: io::Error) -> Error {
    Error::Io { file: path.into(), action, source }
}

fn fault(fault: AuditFault) -> Error {
    Error::Audit(fault)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::{mem, time::Duration};

    use object_cipher_core::{KeyringId, Mode};
    use object_cipher_keyring::{KeyringFile, Unlock};
    use object_cipher_rustcrypto::RustCrypto;

    use super::*;
    use crate::Operation;

    #[test]
    fn after_a_write_that_failed_the_log_goes_on_without_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let (path, keyring) = (directory.path().join("audit"), directory.path().join("keyring"));
        let id = KeyringId::parse("main").unwrap();
        let unlock = Unlock::key(&std::array::from_fn(|at| at.to_le_bytes()[0])).unwrap();
        let keyring = KeyringFile::create(keyring, &id, &unlock, RustCrypto).unwrap();
        let log = AuditLog::at(&path, &keyring, RustCrypto).open().unwrap();
        log.emit(&event()).unwrap();
        // As a full disk: half a line comes into the file, and then an error.
        let read_only = File::open(&path).unwrap();
        let mut file = mem::replace(&mut log.state().file, read_only);
        log.emit(&event()).unwrap_err();
        file.write_all(b"half a li").unwrap();
        log.state().file = file;
        log.emit(&event()).unwrap();
        assert_eq!(AuditLog::at(&path, &keyring, RustCrypto).verify().unwrap().events, 2);
    }

    fn event() -> AuditEvent<'static> {
        AuditEvent {
            time: UNIX_EPOCH,
            operation: Operation::Unwrap,
            principal: None,
            request_id: None,
            provider: "local",
            named: "key",
            key: None,
            context: Vec::new(),
            mode: Mode::SseKms,
            bucket_key: false,
            cache_hit: false,
            attempts: 1,
            kms_request_id: None,
            outcome: AuditOutcome::Answered,
            duration: Duration::ZERO,
        }
    }
}
