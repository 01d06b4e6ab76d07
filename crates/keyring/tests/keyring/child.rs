//! Runs a test of this binary in a process of its own, with an environment of its own.

use std::{
    ffi::OsStr,
    process::{Command, Stdio},
};

const MARK: &str = "child says: ";
const CHILD: &str = "KEYRING_TEST_CHILD";

/// Whether this process is such a child; a test that is only for one does nothing elsewhere.
pub(crate) fn is_here() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// What the child prints for its parent.
pub(crate) fn say(result: impl std::fmt::Debug) {
    println!("{MARK}{result:?}");
}

/// The command that runs a test as a child.
pub(crate) fn command<V: AsRef<OsStr>>(test: &str, environment: &[(&str, V)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command.env_remove("CREDENTIALS_DIRECTORY").env(CHILD, "1");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Runs a test as a child and gives what it said.
pub(crate) fn run<V: AsRef<OsStr>>(test: &str, environment: &[(&str, V)]) -> String {
    let output = command(test, environment).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let said = printed.lines().find_map(|line| line.split_once(MARK));
    said.unwrap_or_else(|| panic!("{test} said nothing: {printed}")).1.to_owned()
}
