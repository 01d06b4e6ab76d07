//! What is asked on a terminal, and when.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
    thread::sleep,
    time::Duration,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::bench::{Bench, DONE, KEY, SYSTEM, USAGE};

const ASK: &str = "Passphrase for keyring: ";
const ASK_NEW: &str = "New passphrase for keyring, 8 bytes at least: ";
const AGAIN: &str = "The same passphrase again: ";
const SURE: &str = "Type `yes` to go on: ";
const WORDS: &str = "correct horse battery staple";

/// Runs the binary on a terminal, and answers each question when it comes. Gives the exit code and
/// all that the terminal showed.
fn on_terminal(bench: &Bench, arguments: &[&str], answers: &[(&str, &str)]) -> (i32, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let mut master = File::from(master);
    // The command holds the terminal open too: its end would not be seen.
    let mut child = bench.command_on(Path::new(&name), arguments).spawn().unwrap();
    let mut shown = String::new();
    let mut answers = answers.iter();
    let mut next = answers.next();
    let mut from = 0;
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = master.read(&mut buffer) {
        shown.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        if let Some((question, answer)) = next
            && let Some(at) = shown[from..].find(question)
        {
            from += at + question.len();
            next = answers.next();
            // What is typed before the echo is off would be shown.
            sleep(Duration::from_millis(400));
            master.write_all(format!("{answer}\n").as_bytes()).unwrap();
        } else {
            // It would wait for an answer for ever.
            let asks =
                ["assphrase for ", AGAIN, SURE].iter().any(|ask| shown[from..].contains(ask));
            assert!(!asks, "asked what was not expected: {shown}");
        }
    }
    let code = child.wait().unwrap().code().unwrap();
    assert!(next.is_none(), "not asked {next:?}: {code} {shown}");
    (code, shown)
}

fn with_passphrase() -> Bench {
    let bench = Bench::without_keyring();
    let init = ["keyring", "init"];
    let (code, shown) = on_terminal(&bench, &init, &[(ASK_NEW, WORDS), (AGAIN, WORDS)]);
    assert_eq!(code, DONE, "{shown}");
    assert!(!shown.contains(WORDS), "{shown}");
    bench
}

#[test]
fn a_keyring_is_unlocked_by_its_passphrase_and_no_other() {
    let bench = with_passphrase();
    bench.write("a", b"content");
    let (code, shown) = on_terminal(&bench, &["seal", "a"], &[(ASK, WORDS)]);
    assert_eq!(code, DONE, "{shown}");
    let (code, shown) = on_terminal(&bench, &["verify", "a.sealed"], &[(ASK, WORDS)]);
    assert_eq!(code, DONE, "{shown}");
    // One that is too short to be chosen is as wrong as any other, and says the same.
    let mut said = ["another passphrase", "short", ""].map(|wrong| {
        let (code, shown) = on_terminal(&bench, &["verify", "a.sealed"], &[(ASK, wrong)]);
        assert_eq!(code, KEY, "{shown}");
        assert!(shown.contains("wrong unlock key"), "{shown}");
        shown
    });
    said.sort();
    assert_eq!(said[0], said[2]);
}

#[test]
fn a_new_passphrase_is_typed_twice_and_has_8_bytes() {
    let bench = Bench::without_keyring();
    let init = ["keyring", "init"];
    let answers = [(ASK_NEW, WORDS), (AGAIN, "correct horse battery stable")];
    let (code, shown) = on_terminal(&bench, &init, &answers);
    assert_eq!(code, USAGE, "{shown}");
    assert!(shown.contains("the passphrases differ"), "{shown}");
    let (code, shown) = on_terminal(&bench, &init, &[(ASK_NEW, "7 bytes"), (AGAIN, "7 bytes")]);
    assert_eq!(code, KEY, "{shown}");
    assert!(shown.contains("8 bytes at least") && shown.contains("too short"), "{shown}");
    assert!(!bench.has("keyring"));
}

#[test]
fn nothing_is_asked_for_a_command_that_cannot_be_carried_out() {
    let bench = with_passphrase();
    bench.write("a", b"content");
    let (code, shown) = on_terminal(&bench, &["seal", "a"], &[(ASK, WORDS)]);
    assert_eq!(code, DONE, "{shown}");
    fs::create_dir(bench.path("closed")).unwrap();
    let bench = bench.unprivileged();
    bench.set_mode("closed", 0o500);
    let never_asks = |arguments: &[&str], expected: i32, text: &str| {
        let (code, shown) = on_terminal(&bench, arguments, &[]);
        assert_eq!(code, expected, "{shown}");
        assert!(shown.contains(text), "{shown}");
    };
    for command in ["seal", "open", "cat", "verify", "rewrap"] {
        never_asks(&[command, "absent.sealed"], SYSTEM, "no file absent.sealed");
    }
    for command in ["cat", "verify", "rewrap"] {
        never_asks(&[command, "a.sealed", "--keyring", "absent"], KEY, "absent");
    }
    never_asks(&["seal", "a"], USAGE, "a.sealed exists already");
    never_asks(&["open", "a.sealed"], USAGE, "a exists already");
    never_asks(&["verify", "absent.sealed", "no.sealed"], SYSTEM, "2 of 2 files failed");
    never_asks(&["seal", "a", "-o", "no/folder"], SYSTEM, "no folder no");
    never_asks(&["open", "a.sealed", "-o", "no/folder"], SYSTEM, "no");
    never_asks(&["seal", "a", "-o", "closed/s"], SYSTEM, "create a file in closed");
    never_asks(&["open", "a.sealed", "-o", "closed/a"], SYSTEM, "create a file in closed");
    never_asks(&["keyring", "init"], USAGE, "keyring exists already");
    for command in [&["keyring", "reseal"][..], &["keyring", "export", "-o", "copy"]] {
        never_asks(&[command, &["--to-key-file", "absent"]].concat(), KEY, "absent");
        never_asks(&[command, &["--new-key-file", "a"]].concat(), USAGE, "a exists already");
    }
    bench.write("lost.previous", b"all that is left of a keyring");
    never_asks(&["keyring", "init", "--keyring", "lost"], USAGE, "lost.previous exists already");
    never_asks(&["keyring", "list", "--keyring", "a"], KEY, "a");
    never_asks(&["keyring", "export", "-o", "a"], USAGE, "a exists already");
}

#[test]
fn a_keyring_that_no_passphrase_unlocks_asks_for_none() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let (code, shown) = on_terminal(&bench, &["verify", "a.sealed"], &[]);
    assert_eq!(code, KEY, "{shown}");
    assert!(shown.contains("needs a key") && shown.contains("--key-file"), "{shown}");
    assert!(!shown.contains(ASK), "{shown}");
}

#[test]
fn destroying_asks_once_it_could_be_done() {
    let bench = Bench::new();
    bench.run(&["keyring", "rotate"]).expect(DONE);
    let retire = |version, answers: &[(&str, &str)]| {
        let arguments = ["keyring", "retire", version, "--destroy", "--key-file", "unlock.key"];
        on_terminal(&bench, &arguments, answers)
    };
    for version in ["2", "9"] {
        let (code, shown) = retire(version, &[]);
        assert_ne!(code, DONE, "{shown}");
        assert!(!shown.contains(SURE), "{shown}");
    }
    assert_eq!(retire("1", &[(SURE, "no")]).0, USAGE);
    assert_eq!(retire("1", &[(SURE, "yes")]).0, DONE);
}

#[test]
fn a_keyring_is_resealed_from_a_key_file_to_a_passphrase_and_back() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let reseal = ["keyring", "reseal", "--key-file", "unlock.key"];
    let (code, shown) = on_terminal(&bench, &reseal, &[(ASK_NEW, WORDS), (AGAIN, WORDS)]);
    assert_eq!(code, DONE, "{shown}");
    bench.run(&["verify", "a.sealed"]).expect(KEY).says("needs a passphrase");
    let reseal = ["keyring", "reseal", "--new-key-file", "new.key"];
    let (code, shown) = on_terminal(&bench, &reseal, &[(ASK, WORDS)]);
    assert_eq!(code, DONE, "{shown}");
    bench.run(&["verify", "a.sealed"]).expect(KEY);
    bench.plain(&["verify", "a.sealed", "--key-file", "new.key"]).expect(DONE);
}
