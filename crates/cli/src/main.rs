//! The command `object-cipher`: seals files the way S3 encrypts objects, and opens them again.

mod args;
mod commands;
mod console;
mod describe;
mod error;
mod files;
mod output;
mod pair;
mod progress;
mod record;
mod sealed;
mod transfer;
mod unlock;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use crate::error::Error;

fn main() -> ExitCode {
    match commands::run(&args::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn report(error: &Error) -> ExitCode {
    if !matches!(error, Error::Closed) {
        let mut stderr = io::stderr();
        let _ = writeln!(stderr, "error: {error}");
        if let Some(help) = error.help() {
            let _ = writeln!(stderr, "help: {help}");
        }
    }
    error.exit_code()
}
