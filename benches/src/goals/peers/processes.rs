//! Goals 4 and 20: whole processes on files, each on the processor time that the system counts for it.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

use super::{Peers, skip};
use crate::{
    measure::Clock,
    peer::{Peer, Request},
    report::{Amount, Bound, Report, Row},
};

/// Long enough that starting a process does not count.
const LENGTH: usize = 512 << 20;

pub(super) fn run(report: &mut Report, peers: &Peers) {
    if !report.wants(4) && !report.wants(20) {
        return;
    }
    let Some(cli) = &peers.cli else {
        return skip(report, 4, "--cli");
    };
    let files = Files::new(cli);
    if let (Some(dare), true) = (&peers.dare, report.wants(4)) {
        files.beside_dare(report, dare);
    }
    match &peers.rclone {
        Some(rclone) if report.wants(20) => files.beside_rclone(report, rclone),
        None if report.wants(20) => skip(report, 20, "--rclone"),
        _ => {}
    }
}

/// A folder with a file, plain and sealed.
struct Files<'a> {
    cli: &'a Path,
    folder: tempfile::TempDir,
}

impl<'a> Files<'a> {
    fn new(cli: &'a Path) -> Self {
        let files = Self { cli, folder: tempfile::tempdir().unwrap() };
        let plain = File::create(files.folder.path().join("plain")).unwrap();
        plain.set_len(LENGTH as u64).unwrap();
        files.shell(&files.ours("keyring init --new-key-file unlock.key"));
        files.shell(&files.sealing());
        files
    }

    fn beside_dare(&self, report: &mut Report, dare: &Path) {
        let against = "the same in Go: DARE 2.0 on files";
        let dare = |what: &str| format!("{} {what}", dare.display());
        let seal = dare("encrypt plain plain.dare");
        self.shell(&seal);
        let rows = [
            ("seal a file of 512 MiB, the whole process", self.sealing(), seal),
            ("open it", self.ours("cat plain.sealed"), dare("decrypt plain.dare /dev/null")),
        ];
        for (what, ours, theirs) in rows {
            let row = row(4, what, against, Bound::AtMost(0.65));
            self.compare(report, &row, &ours, &theirs);
        }
    }

    fn beside_rclone(&self, report: &mut Report, rclone: &Path) {
        let program = rclone.display();
        let against = format!("{}: XSalsa20 and Poly1305", version(rclone));
        let crypt = format!(
            "RCLONE_CONFIG=/dev/null RCLONE_CRYPT_REMOTE=$PWD/crypt \
             RCLONE_CRYPT_PASSWORD=$({program} obscure secret) {program}"
        );
        self.shell(&format!("mkdir crypt && {crypt} --quiet copyto plain :crypt:plain"));
        let row = row(20, "open a file of 512 MiB, the whole process", &against, Bound::Nothing);
        let theirs = format!("{crypt} --quiet cat :crypt:plain");
        self.compare(report, &row, &self.ours("cat plain.sealed"), &theirs);
    }

    /// Both write to nowhere, or over what they wrote before.
    fn compare(&self, report: &mut Report, row: &Row<'_>, ours: &str, theirs: &str) {
        let [mut ours, mut theirs] = [ours, theirs].map(|command| self.peer(command));
        let request = |peer| Request { peer, words: "", times: 1 };
        let [mut ours, mut theirs] = [request(&mut ours), request(&mut theirs)];
        report.speed(row, Clock::Processor, Amount::Bytes(LENGTH), &mut ours, &mut theirs);
    }

    fn peer(&self, command: &str) -> Peer {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/processes.py");
        let mut python = Command::new("python3");
        Peer::start(python.args([script, command]).current_dir(self.folder.path()))
    }

    fn shell(&self, command: &str) {
        let mut shell = Command::new("sh");
        let done = shell.args(["-ec", command]).current_dir(self.folder.path()).output().unwrap();
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn sealing(&self) -> String {
        self.ours("seal plain --force --quiet")
    }

    fn ours(&self, what: &str) -> String {
        let program = fs::canonicalize(self.cli).unwrap();
        format!(
            "OBJECT_CIPHER_KEYRING=keyring OBJECT_CIPHER_KEY_FILE=unlock.key {} {what}",
            program.display()
        )
    }
}

fn row<'a>(goal: u64, ours: &'a str, against: &'a str, bound: Bound) -> Row<'a> {
    Row { goal, ours, against, library: "aws-lc-rs", bound }
}

fn version(rclone: &Path) -> String {
    let output = Command::new(rclone).arg("version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().next().unwrap_or_default().replace("rclone", "`rclone cat`")
}
