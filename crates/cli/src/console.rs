//! Standard output for people.

use std::{
    fmt::Arguments,
    io::{self, Write},
    path::Path,
};

use crate::error::{Error, Result};

/// How messages name standard output.
pub(crate) const STDOUT: &str = "standard output";

/// As `println!`, but a reader that went away is an error, not a panic.
macro_rules! say {
    ($($text:tt)*) => { $crate::console::line(format_args!($($text)*)) };
}
pub(crate) use say;

pub(crate) fn line(text: Arguments<'_>) -> Result<()> {
    writeln!(io::stdout(), "{text}").map_err(Error::write(Path::new(STDOUT)))
}
