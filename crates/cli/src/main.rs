//! The command `object-cipher`: seals files the way S3 encrypts objects, and opens them again.

mod args;
mod batch;
mod ciphers;
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
mod store_url;
mod transfer;
mod unlock;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return args::report(&error),
    };
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::report(&error);
            error.exit_code()
        }
    }
}
