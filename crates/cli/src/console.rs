//! What is said to people: on standard output, and on standard error.

use std::{
    borrow::Cow,
    fmt::{Arguments, Write as _},
    io::{self, Write},
    path::Path,
};

use serde_json::Value;

use crate::error::{Error, Result};

/// How messages name standard output.
pub(crate) const STDOUT: &str = "standard output";

/// As `println!`, but a reader that went away is an error, not a panic, and what would command the
/// terminal is escaped.
macro_rules! say {
    ($($text:tt)*) => { $crate::console::line(format_args!($($text)*)) };
}
pub(crate) use say;

pub(crate) fn line(text: Arguments<'_>) -> Result<()> {
    write_out(&printable(&text.to_string()))
}

/// A JSON document, which stays one: what would command the terminal is written `\u….`
pub(crate) fn json(document: &Value) -> Result<()> {
    let mut text = String::new();
    for char in format!("{document:#}").chars() {
        // The rest of them serde has escaped, and outside of strings there are none.
        if char != '\n' && commands_terminal(char) {
            let _ = write!(text, "\\u{:04x}", u32::from(char));
        } else {
            text.push(char);
        }
    }
    write_out(&text)
}

/// A line on standard error.
pub(crate) fn note(text: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{}", printable(&text.to_string()));
}

/// Says what went wrong, and what to do about it. A reader that went away knows.
pub(crate) fn report(error: &Error) {
    if matches!(error, Error::Closed) {
        return;
    }
    note(format_args!("error: {error}"));
    if let Some(help) = error.help() {
        note(format_args!("help: {help}"));
    }
}

/// The text with nothing in it that commands a terminal: names and paths come from anywhere.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(commands_terminal) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if commands_terminal(char) {
            escaped.extend(char.escape_default());
        } else {
            escaped.push(char);
        }
    }
    escaped.into()
}

fn write_out(text: &str) -> Result<()> {
    writeln!(io::stdout(), "{text}").map_err(Error::write(Path::new(STDOUT)))
}

/// Control characters, and those that turn the direction of writing.
fn commands_terminal(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_that_commands_a_terminal_is_printed() {
        for (text, shown) in [
            ("plain, naïve, 漢字, e\u{301}", "plain, naïve, 漢字, e\u{301}"),
            ("a\x1b[31mb\r\n", "a\\u{1b}[31mb\\r\\n"),
            ("\u{9b}2J\u{7f}\0", "\\u{9b}2J\\u{7f}\\u{0}"),
            ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }
}
