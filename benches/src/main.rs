//! Measures object-cipher against the goals it has, as ratios taken in one run, and writes the
//! table of the README.

#![allow(clippy::unwrap_used, reason = "a measurement that fails stops")]

mod bare;
mod goals;
mod machine;
mod measure;
mod peer;
mod plot;
mod raw;
mod report;
mod subject;
mod table;

use std::{fs, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use goals::{Peers, Servers};
use report::Report;

/// Speed of object-cipher, as ratios taken in one run.
#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, and print a table.
    Run(Box<RunArgs>),
    /// Write the table of a JSON file between the marks of a Markdown file, or print it.
    Table {
        /// What `run --json` wrote.
        json: PathBuf,
        /// The Markdown file with the lines `<!-- benches:begin -->` and `<!-- benches:end -->`; the first may
        /// name what it wants, as `<!-- benches:begin goals 1,2 -->` or `<!-- benches:begin origin -->`.
        #[arg(long)]
        into: Option<PathBuf>,
    },
    /// Draw the results of a JSON file as SVG, one file a picture.
    Plot {
        /// What `run --json` wrote.
        json: PathBuf,
        /// The folder to write to.
        folder: PathBuf,
    },
}

#[derive(Args)]
struct RunArgs {
    /// Rounds of each comparison; the median counts.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Only these goals.
    #[arg(long, value_delimiter = ',')]
    goals: Vec<u64>,
    /// Also write what was measured to this file, as JSON. With `--goals`, results of other
    /// goals that it holds are kept, if this machine made them.
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    peers: Peers,
    #[command(flatten)]
    servers: Servers,
}

fn main() {
    match Program::parse().command {
        Command::Run(args) => measure_all(&args),
        Command::Table { json, into } => {
            let results = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
            match into {
                Some(path) => {
                    let text = fs::read_to_string(&path).unwrap();
                    fs::write(path, table::insert(&text, &results)).unwrap();
                }
                None => print!("{}", table::markdown(&results)),
            }
        }
        Command::Plot { json, folder } => {
            let results = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
            fs::create_dir_all(&folder).unwrap();
            for plot in &plot::PLOTS {
                if let Some(svg) = plot::svg(&results, plot) {
                    fs::write(folder.join(plot.name).with_extension("svg"), svg).unwrap();
                }
            }
        }
    }
}

fn measure_all(args: &RunArgs) {
    let RunArgs { rounds, goals, json, peers, servers } = args;
    let mut report = Report::new(usize::from(*rounds), goals.clone());
    if let Some(kept) = json.as_ref().and_then(|path| fs::read(path).ok()) {
        report.keep(&serde_json::from_slice(&kept).unwrap());
    }
    goals::run(&mut report, peers, servers);
    let results = report.into_json();
    print!("\n{}", table::markdown(&results));
    if let Some(path) = json {
        fs::write(path, format!("{results:#}\n")).unwrap();
    }
}
