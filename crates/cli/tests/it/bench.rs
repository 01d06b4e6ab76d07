//! A folder with a keyring in it, and the binary.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

pub(crate) const DONE: i32 = 0;
pub(crate) const SYSTEM: i32 = 1;
pub(crate) const USAGE: i32 = 2;
pub(crate) const REFUSED: i32 = 3;
pub(crate) const KEY: i32 = 4;

/// A folder of its own for one test.
pub(crate) struct Bench {
    folder: TempDir,
    program: PathBuf,
    /// Who runs the binary, if another than who runs the test.
    user: Option<u32>,
}

/// The user to whom nothing belongs but what a test gives him.
pub(crate) const NOBODY: u32 = 65_534;

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
        let bench = Self::without_keyring();
        bench.plain(&["keyring", "init", "--new-key-file", "unlock.key"]).expect(DONE);
        bench
    }

    pub(crate) fn without_keyring() -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_object-cipher"));
        Self { folder: TempDir::new().unwrap(), program, user: None }
    }

    /// From now on the binary runs as a user whom permission bits hold back, as they do not root.
    /// The folder and all in it are his.
    pub(crate) fn unprivileged(mut self) -> Self {
        if is_root() {
            // The build's folder may be closed to others. Not copied by this process: another
            // thread's child would hold the file open for writing, and it could not be run.
            let program = self.path("object-cipher");
            Command::new("cp").arg(&self.program).arg(&program).status().unwrap();
            self.program = program;
            for name in self.names().iter().map(String::as_str).chain([""]) {
                chown(self.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
            }
            self.user = Some(NOBODY);
        }
        self
    }

    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Permission bits, with those beyond the nine.
    pub(crate) fn mode(&self, name: &str) -> u32 {
        self.path(name).symlink_metadata().unwrap().permissions().mode() & 0o7777
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
        let mut command = Command::new(&self.program);
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    /// The binary with a terminal of its own as standard input and error.
    pub(crate) fn command_on(&self, terminal: &Path, arguments: &[&str]) -> Command {
        let open = || fs::OpenOptions::new().read(true).write(true).open(terminal).unwrap();
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(&self.program).args(arguments);
        self.prepare(&mut command);
        command.stdin(open()).stderr(open());
        command
    }

    fn prepare(&self, command: &mut Command) {
        command
            .current_dir(&self.folder)
            .env("OBJECT_CIPHER_KEYRING", "keyring")
            .env_remove("OBJECT_CIPHER_KEY_FILE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
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

    /// Checks that standard error does not hold a text.
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.stderr.contains(text), "{self:?}");
        self
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

/// Whether permission bits do not hold this process back.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Bytes that differ from place to place.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0_u32..).flat_map(|n| n.wrapping_mul(0x9E37_79B9).to_le_bytes()).take(length).collect()
}
