//! Reports: said, written and merged.

use std::{
    fs::File,
    io::{BufReader, Write as _},
    path::{Path, PathBuf},
};

use object_cipher_object_store::rekey::Report;

use crate::{
    args::{GlobalArgs, MergeArgs, ReportArgs},
    console::{self, say},
    error::{Error, Result},
    files::{KeyFiles, cannot_open, expect_ordinary_name, expect_replaceable, look_at},
    output::{Folder, Output, folder_of, staged},
    unlock,
};

/// Refuses, before anything is done, a place where no report can be put: that of anything but a report.
pub(super) fn expect_place(args: &ReportArgs, key_files: &KeyFiles) -> Result<()> {
    let Some(path) = &args.report else { return Ok(()) };
    expect_ordinary_name(path)?;
    key_files.expect_none_is(path)?;
    Folder::open(&folder_of(path))?;
    expect_report(path)
}

/// Refuses to replace anything but a report, or an empty file.
fn expect_report(path: &Path) -> Result<()> {
    expect_replaceable(path)?;
    match look_at(path)? {
        Some(there) if there.len() > 0 => match read(path) {
            Err(Error::NoReport { .. }) => Err(Error::OtherThanReport(path.to_path_buf())),
            read => read.map(drop),
        },
        _ => Ok(()),
    }
}

/// Says a report, and writes it where that is asked for.
pub(super) fn publish(report: &Report, args: &ReportArgs, global: GlobalArgs) -> Result<()> {
    let json = serde_json::to_value(report).map_err(|_| Error::Usage("the report has no JSON"))?;
    // It is said also when it cannot be written: it may be of hours.
    let write = |path: &PathBuf| write(path, &format!("{json:#}\n"));
    let written = args.report.as_ref().map_or(Ok(()), write);
    match (args.json, global.quiet && written.is_ok()) {
        (true, _) => console::json(&json),
        (false, true) => Ok(()),
        (false, false) => report.to_string().lines().try_for_each(|line| say!("{line}")),
    }?;
    written
}

pub(super) fn merge(args: &MergeArgs, global: GlobalArgs) -> Result<()> {
    expect_place(&args.report, &unlock::key_files_of_environment())?;
    let reports = args.reports.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    let report = Report::merge(reports)?;
    publish(&report, &args.report, global)?;
    if report.is_complete() {
        return Ok(());
    }
    let missing = report.missing();
    match missing.first() {
        Some(first) => Err(Error::MissingShards { count: missing.len(), first: *first }),
        None if report.failed > 0 => Err(Error::ObjectsFailed(report.failed)),
        None => Err(Error::NothingFound(report.store)),
    }
}

fn read(path: &Path) -> Result<Report> {
    let file = File::open(path).map_err(cannot_open(path))?;
    serde_json::from_reader(BufReader::new(file))
        .map_err(|source| Error::NoReport { path: path.to_path_buf(), source })
}

/// One report or the other is there at each moment, and whole.
fn write(path: &Path, text: &str) -> Result<()> {
    let folder = folder_of(path);
    let mut output = Output::new(&folder)?;
    output.write_all(text.as_bytes()).map_err(Error::write(path))?;
    let folder = Folder::open_locked(&folder)?;
    expect_report(path)?;
    folder.replace(output, &staged(path), path)
}
