//! `demo`: this program's own commands on a real file, each checked.
//!
//! Every step runs this binary as a user would, in a temporary folder that is removed at the end,
//! also when a step fails.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use clap::ValueEnum;
use tempfile::TempDir;

use crate::{
    args::BackendName,
    console::say,
    error::{Error, Result},
};

const FILE: &str = "notes.txt";
const SEALED: &str = "notes.txt.sealed";
const TAMPERED: &str = "tampered.sealed";
const KEYRING: &str = "keyring";
const UNLOCK: &[&str] = &["--key-file", "unlock.key"];
const REFUSED: i32 = 3;

pub(crate) fn run(backend: BackendName) -> Result<()> {
    let folder = TempDir::with_prefix("object-cipher-demo-")
        .map_err(Error::io("create a folder in", &env::temp_dir()))?;
    let path = folder.path().to_path_buf();
    let demo = Demo {
        program: env::current_exe().map_err(Error::io("find", Path::new("this program")))?,
        backend,
        folder: path.clone(),
        content: content(),
    };
    demo.steps()?;
    folder.close().map_err(Error::io("remove", &path))?;
    say!("All is as it should be. The folder of this demonstration is removed.")
}

struct Demo {
    program: PathBuf,
    backend: BackendName,
    folder: PathBuf,
    content: Vec<u8>,
}

impl Demo {
    fn steps(&self) -> Result<()> {
        say!("In a temporary folder there is a file, {FILE} ({} bytes).", self.content.len())?;
        self.write(FILE, &self.content)?;
        say!("$ export OBJECT_CIPHER_KEYRING=keyring")?;
        self.keys_and_seal()?;
        self.read()?;
        self.refuse()?;
        self.rotate()?;
        self.open()
    }

    fn keys_and_seal(&self) -> Result<()> {
        step("1. Make master keys, and a key that unlocks them.")?;
        self.succeeds(&["keyring", "init", "--new-key-file", "unlock.key"])?;

        step("2. Seal the file: a body, and beside it an Envelope.")?;
        self.succeeds(&[&["seal", FILE], UNLOCK].concat())?;
        let body = self.read_file(SEALED)?;
        check(!contains(&body, &self.content[..32]), "the body holds no plaintext")?;
        say!("   {SEALED}: {} bytes, no plaintext in it", body.len())
    }

    fn read(&self) -> Result<()> {
        step("3. See what the Envelope says to everybody, without a key.")?;
        self.succeeds(&["inspect", SEALED])?;

        step("4. Read a range: only the chunks it lies in are fetched and opened.")?;
        let output =
            self.succeeds(&[&["cat", "--range", "70013-70064", SEALED], UNLOCK].concat())?;
        check(output.stdout == self.content[70_013..70_065], "the range is that of the file")?;

        step("5. Verify all of it.")?;
        self.succeeds(&[&["verify", SEALED], UNLOCK].concat()).map(drop)
    }

    fn refuse(&self) -> Result<()> {
        step("6. Change one bit in a copy: nothing of it is given out.")?;
        let mut body = self.read_file(SEALED)?;
        body[50_000] ^= 1;
        self.write(TAMPERED, &body)?;
        self.write(
            &format!("{TAMPERED}.envelope"),
            &self.read_file(&format!("{SEALED}.envelope"))?,
        )?;
        self.refused(&[&["open", TAMPERED], UNLOCK].concat())?;
        check(!self.folder.join("tampered").exists(), "no output file is left")
    }

    fn rotate(&self) -> Result<()> {
        step("7. Rotate the master key, and wrap the file's key anew. The body is not touched.")?;
        let body = self.read_file(SEALED)?;
        self.succeeds(&[&["keyring", "rotate"], UNLOCK].concat())?;
        self.succeeds(&[&["rewrap", SEALED], UNLOCK].concat())?;
        check(self.read_file(SEALED)? == body, "rewrap leaves the body alone")
    }

    fn open(&self) -> Result<()> {
        step("8. Open it again.")?;
        self.succeeds(&[&["open", SEALED, "--output", "opened.txt"], UNLOCK].concat())?;
        check(self.read_file("opened.txt")? == self.content, "the opened file is the sealed one")?;
        say!("   opened.txt: {} bytes, the same as {FILE}", self.content.len())?;
        say!("")
    }

    fn succeeds(&self, arguments: &[&str]) -> Result<Output> {
        let output = self.command(arguments)?;
        check(output.status.success(), &format!("`{}` succeeds", arguments.join(" ")))?;
        Ok(output)
    }

    fn refused(&self, arguments: &[&str]) -> Result<()> {
        let output = self.command(arguments)?;
        say!("   exit code {}", output.status.code().unwrap_or_default())?;
        let text = format!("`{}` ends with exit code {REFUSED}", arguments.join(" "));
        check(output.status.code() == Some(REFUSED), &text)
    }

    /// Runs this program, and shows the command and all that it said.
    fn command(&self, arguments: &[&str]) -> Result<Output> {
        say!("$ object-cipher {}", arguments.join(" "))?;
        let backend = self.backend.to_possible_value();
        let output = Command::new(&self.program)
            .arg("--backend")
            .arg(backend.as_ref().map_or("", |value| value.get_name()))
            .args(arguments)
            .current_dir(&self.folder)
            .env("OBJECT_CIPHER_KEYRING", KEYRING)
            .output()
            .map_err(Error::io("run", &self.program))?;
        for text in [&output.stdout, &output.stderr] {
            for line in String::from_utf8_lossy(text).lines() {
                say!("   {line}")?;
            }
        }
        Ok(output)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, content).map_err(Error::io("write", &path))
    }

    fn read_file(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.folder.join(name);
        fs::read(&path).map_err(Error::io("read", &path))
    }
}

/// Says what comes next.
fn step(text: &str) -> Result<()> {
    say!("")?;
    say!("{text}")
}

/// Some chunks of text.
fn content() -> Vec<u8> {
    let line = |number| format!("Line {number:>5} of notes that are nobody else's business.\n");
    (1..=2_000).map(line).collect::<String>().into_bytes()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn check(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Demo(format!("it does not hold that {what}"))) }
}
