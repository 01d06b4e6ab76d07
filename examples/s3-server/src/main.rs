//! Starts the server.

use std::process::ExitCode;

use clap::Parser as _;
use s3_server::{args::Args, start};
use tracing::Level;
use tracing_subscriber::{
    EnvFilter, filter::LevelFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

fn main() -> ExitCode {
    let args = Args::parse();
    log();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(start::serve(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs by `RUST_LOG`, and less of s3s, whatever is asked for.
fn log() {
    let wanted =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let quiet =
        tracing_subscriber::filter::filter_fn(|meta| is_for_logs(meta.target(), *meta.level()));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(wanted).with(quiet).with(lines).init();
}

/// s3s would log requests with their customers' keys, and is held at warnings. Bodies that it cannot
/// parse it logs as errors, from anybody and in full.
fn is_for_logs(target: &str, level: Level) -> bool {
    if target == "s3s::http::de" {
        return false;
    }
    !target.starts_with("s3s") || level <= Level::WARN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_requests_nor_their_bodies_are_logged() {
        assert!(is_for_logs("s3_server::front", Level::TRACE));
        assert!(is_for_logs("s3s::ops", Level::ERROR));
        assert!(!is_for_logs("s3s::ops", Level::INFO));
        assert!(!is_for_logs("s3s::http::de", Level::ERROR));
    }
}
