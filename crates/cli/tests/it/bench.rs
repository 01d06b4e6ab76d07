//! A folder with a keyring in it, and the binary.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use tempfile::TempDir;

pub(crate) const DONE: i32 = 0;
pub(crate) const USAGE: i32 = 2;
pub(crate) const REFUSED: i32 = 3;
pub(crate) const KEY: i32 = 4;

/// A folder of its own for one test.
pub(crate) struct Bench {
    folder: TempDir,
}

/// How a run ended and what it said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Bench {
    /// With a keyring that `unlock.key` unlocks.
    pub(crate) fn new() -> Self {
        let bench = Self { folder: TempDir::new().unwrap() };
        bench.plain(&["keyring", "init", "--new-key-file", "unlock.key"]).expect(DONE);
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// All names in the folder.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(&self.folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The binary, in the folder, with the keyring named.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_object-cipher"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("OBJECT_CIPHER_KEYRING", "keyring")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the binary.
    pub(crate) fn plain(&self, arguments: &[&str]) -> Run {
        self.with_input(arguments, b"")
    }

    /// Runs the binary with the key that unlocks the keyring.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.plain(&[arguments, &["--key-file", "unlock.key"]].concat())
    }

    pub(crate) fn with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A program that does not want its input closes the pipe: that is its right.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Seals content under a name of a file.
    pub(crate) fn seal(&self, name: &str, content: &[u8]) {
        self.write(name, content);
        self.run(&["seal", name]).expect(DONE);
    }

    /// A byte of a file, changed.
    pub(crate) fn flip(&self, name: &str, at: usize) {
        let mut content = self.read(name);
        content[at] ^= 1;
        self.write(name, &content);
    }
}

impl Run {
    /// Checks the exit code, and that there is an error message if and only if it failed.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stderr.contains("error: "), code != DONE, "{self:?}");
        self
    }

    /// Checks that standard error holds a text.
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{self:?}");
        self
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

/// Bytes that differ from place to place.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0_u32..).flat_map(|n| n.wrapping_mul(0x9E37_79B9).to_le_bytes()).take(length).collect()
}
