//! Starts the server.

use std::process::ExitCode;

use clap::Parser as _;
use s3_server::{args::Args, start};
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

/// Logs by `RUST_LOG`. s3s would log requests with their customers' keys, and is held at warnings
/// whatever is asked for.
fn log() {
    let wanted =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let quiet = tracing_subscriber::filter::filter_fn(|meta| {
        !meta.target().starts_with("s3s") || *meta.level() <= tracing::Level::WARN
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(wanted).with(quiet).with(lines).init();
}
