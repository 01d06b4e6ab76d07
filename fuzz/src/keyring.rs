//! Keyring files (`SPEC.md`, appendix A), forged behind a backend without security, against a second
//! reader that was written from the specification.

mod reader;

use std::fs::{self, File};

use arbitrary::{Arbitrary, Unstructured};
use object_cipher_core::SourceKey;
use object_cipher_keyring::{Keyring, Unlock, VersionState};
use object_cipher_testkit::NoSecurity;
use tempfile::TempDir;

use reader::RawKeyring;

/// A file that is as it should be, but for its faults.
#[derive(Arbitrary, Debug)]
struct Forged<'a> {
    generation: u32,
    enabled: u8,
    versions: Vec<Version>,
    faults: Vec<Fault<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Version {
    gap: u8,
    created: u16,
    wraps: u64,
    waits: bool,
    /// One of a few keys, some of them weak.
    key: u8,
}

#[derive(Arbitrary, Debug)]
enum Fault<'a> {
    Id(&'a [u8]),
    Count(i8),
    State {
        version: u8,
        state: u8,
    },
    Tail(&'a [u8]),
    /// A byte that changes.
    Alter(u16, u8),
}

/// A private file to be read.
struct Place(TempDir);

thread_local! {
    static PLACE: Place = Place::new();
}

/// Reads a forged file: accepted if and only if the second reader accepts it, with the same
/// versions. The first byte can choose to read any bytes as they are.
pub fn keyring(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    if *kind == 0 {
        read(rest);
    } else if let Ok(forged) = Unstructured::new(rest).arbitrary::<Forged<'_>>() {
        read(&forged.file());
    }
}

fn read(file: &[u8]) {
    let unlock = Unlock::key(b"any 32 bytes that nobody guesses").expect("a good key");
    let found = PLACE.with(|place| {
        fs::write(place.path(), file).expect("the file is written");
        Keyring::read(place.path(), &unlock, &NoSecurity::<false>)
    });
    let expected = RawKeyring::read(file);
    assert_eq!(found.is_ok(), expected.is_some(), "{found:?}, {expected:?}");
    if let (Ok(found), Some(expected)) = (found, expected) {
        check(&found, &expected);
    }
}

fn check(found: &Keyring, expected: &RawKeyring) {
    assert_eq!(found.generation(), expected.generation);
    assert_eq!(found.id().as_str().as_bytes(), expected.id);
    assert_eq!(found.versions().count(), expected.versions.len());
    for (info, raw) in found.versions().zip(&expected.versions) {
        assert_eq!(info.version, raw.number);
        assert_eq!(info.state, state(raw.state));
        assert_eq!(info.wraps, raw.wraps);
        let key = found.version(raw.number).ok();
        match (&key, &raw.key) {
            (Some(key), Some(raw)) => assert!(key.key().is_same(&SourceKey::from_bytes(raw))),
            (found, raw) => assert_eq!(found.is_some(), raw.is_some()),
        }
        if raw.state == 1 {
            assert_eq!(found.enabled().version(), raw.number);
        }
        if let Some(key) = key {
            assert!(found.find(key.key_ref()).is_ok());
        }
    }
}

fn state(byte: u8) -> VersionState {
    match byte {
        1 => VersionState::Enabled,
        2 => VersionState::DecryptOnly,
        3 => VersionState::Destroyed,
        _ => VersionState::Waiting,
    }
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        let file = File::create(place.path()).expect("a file");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(fs::Permissions::from_mode(0o600)).expect("a private file");
        }
        drop(file);
        place
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("keyring")
    }
}

impl Forged<'_> {
    fn file(&self) -> Vec<u8> {
        let mut file = self.header();
        let mut number = 0;
        for (at, version) in self.versions().iter().enumerate() {
            number += u32::from(version.gap % 16);
            let state = self.state_of(at);
            file.extend(number.to_be_bytes());
            file.extend(u64::from(version.created).to_be_bytes());
            file.push(state);
            file.extend(version.wraps_in(state).to_be_bytes());
            if state != 3 {
                file.extend(reader::sealed(&version.key()));
            }
        }
        for fault in &self.faults {
            match *fault {
                Fault::Tail(tail) => file.extend(tail),
                Fault::Alter(at, change) => {
                    let length = file.len();
                    file[usize::from(at) % length] ^= change;
                }
                _ => {}
            }
        }
        file.extend(reader::MAC);
        file
    }

    fn header(&self) -> Vec<u8> {
        let count = u16::try_from(self.versions().len()).unwrap_or(u16::MAX);
        let (mut id, mut count) = (&b"main"[..], count);
        for fault in &self.faults {
            match *fault {
                Fault::Id(other) => id = &other[..other.len().min(255)],
                Fault::Count(off) => count = count.wrapping_add_signed(off.into()),
                _ => {}
            }
        }
        let mut header = reader::MAGIC.to_vec();
        header.extend([0; 13]);
        header.extend([0x5A; 32]);
        header.extend(u64::from(self.generation).to_be_bytes());
        header.extend(count.to_be_bytes());
        header.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
        header.extend(id);
        header
    }

    fn versions(&self) -> &[Version] {
        self.versions.get(..1_030).unwrap_or(&self.versions)
    }

    fn state_of(&self, at: usize) -> u8 {
        let usual = match (self.is_at(self.enabled, at), self.versions()[at].waits) {
            (true, _) => 1,
            (false, true) => 4,
            (false, false) => 2,
        };
        let mut faults = self.faults.iter().rev().filter_map(|fault| match *fault {
            Fault::State { version, state } if self.is_at(version, at) => Some(state % 6),
            _ => None,
        });
        faults.next().unwrap_or(usual)
    }

    /// Whether a number means the version at this place.
    fn is_at(&self, version: u8, at: usize) -> bool {
        usize::from(version) % self.versions().len() == at
    }
}

impl Version {
    /// Up to one more than there may be; in a version that waits mostly none.
    fn wraps_in(&self, state: u8) -> u64 {
        if state == 4 && !self.wraps.is_multiple_of(16) { 0 } else { self.wraps % ((1 << 40) + 2) }
    }

    fn key(&self) -> [u8; 32] {
        let mut key = [self.key % 32; 32];
        key[31] = self.key / 128;
        key
    }
}
