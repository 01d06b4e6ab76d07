//! A bar for long work, on a terminal only.

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

/// Shorter work is done before a bar could be read.
const WORTH_A_BAR: u64 = 64 << 20;

/// A bar over `length` bytes, or a count of bytes when the length is not known. It draws on
/// standard error, and not at all when that is no terminal or nothing is to be said.
pub(crate) fn bar(verb: &'static str, length: Option<u64>, quiet: bool) -> ProgressBar {
    let (bar, template) = match length {
        _ if quiet => return ProgressBar::hidden(),
        Some(length) if length < WORTH_A_BAR => return ProgressBar::hidden(),
        Some(length) => (
            ProgressBar::new(length),
            "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ),
        None => (ProgressBar::no_length(), "{prefix} {bytes} {bytes_per_sec}"),
    };
    drawn(bar, verb, template)
}

/// A bar over so many objects, or a count of them when it is not known how many there are. It draws
/// where [`bar`] does.
pub(crate) fn objects(verb: &'static str, total: Option<u64>, quiet: bool) -> ProgressBar {
    match total {
        _ if quiet => ProgressBar::hidden(),
        Some(total) => {
            let template = "{prefix} {bar:30} {human_pos}/{human_len} {per_sec} {eta}";
            drawn(ProgressBar::new(total), verb, template)
        }
        None => drawn(ProgressBar::no_length(), verb, "{prefix} {human_pos} {per_sec}"),
    }
}

fn drawn(bar: ProgressBar, verb: &'static str, template: &str) -> ProgressBar {
    let bar = bar.with_finish(ProgressFinish::AndClear).with_prefix(verb);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
