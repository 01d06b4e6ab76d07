//! Rows of an inventory in CSV.

use std::io::{self, Read};

use csv::StringRecord;
use percent_encoding::percent_decode_str;

use super::{Columns, Row, failure};
use crate::rekey::Failure;

/// A key has at most 1,024 bytes, of which each may be written as three.
const MAX_LINE_LEN: usize = 65_536;

/// The rows of a file. What is none comes as a [`Failure`] in its place; one that cannot be read on ends.
pub(super) fn rows(
    data: impl Read + Send + 'static,
    columns: Columns,
) -> impl Iterator<Item = Result<Row, Failure>> + Send + 'static {
    let data = Lines { data, length: 0 };
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(data);
    let mut is_over = false;
    let records = reader.into_records().take_while(move |record| {
        let ends = record.as_ref().is_err_and(csv::Error::is_io_error);
        !std::mem::replace(&mut is_over, ends)
    });
    records.map(move |record| match record {
        Ok(record) => read(&record, columns),
        Err(error) => Err(failure("the manifest", error.to_string())),
    })
}

/// Data whose lines are not longer than any of an inventory, so that none fills the memory.
struct Lines<R> {
    data: R,
    /// Of the line that was begun.
    length: usize,
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.data.read(buffer)?;
        for line in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
            self.length += line.len();
            if self.length > MAX_LINE_LEN {
                return Err(io::Error::other("a line has more than 65,536 bytes"));
            }
            if line.ends_with(b"\n") {
                self.length = 0;
            }
        }
        Ok(count)
    }
}

fn read(record: &StringRecord, columns: Columns) -> Result<Row, Failure> {
    let says = |column: Option<usize>, word: &str| {
        column.and_then(|at| record.get(at)).is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    let Some(text) = record.get(columns.key) else {
        let line = record.position().map_or(0, csv::Position::line);
        return Err(failure("the manifest", format!("its line {line} has no key")));
    };
    let is_object = !says(columns.is_latest, "false") && !says(columns.is_delete_marker, "true");
    let bucket = columns.bucket.and_then(|at| record.get(at)).map(String::from);
    let key = decode(text).ok_or_else(|| failure(text, "it is not URL-encoded".into()))?;
    Ok(Row { bucket, key, is_object })
}

/// A key, as forms are encoded: S3 writes a space as `+`.
fn decode(text: &str) -> Option<String> {
    let is_encoded = text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !is_encoded {
        return None;
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(String::from)
}
