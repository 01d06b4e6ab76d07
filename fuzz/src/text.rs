//! Metadata as a text that a fuzzer can alter: a line `name: value` a pair.

/// What is before and behind the first zero byte.
pub(crate) fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    (&data[..at], data.get(at + 1..).unwrap_or_default())
}

/// The pairs of those lines that are text.
pub(crate) fn pairs(lines: &[u8]) -> Vec<(&str, &str)> {
    let lines =
        lines.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.filter_map(|line| line.split_once(": ")).collect()
}

/// The other way.
pub(crate) fn lines<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let lines = pairs.into_iter().map(|(name, value)| format!("{name}: {value}\n"));
    lines.collect::<String>().into_bytes()
}
