//! Rows of an inventory in Parquet.

use std::{
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use parquet::{
    file::{reader::FileReader as _, serialized_reader::SerializedFileReader},
    record::{Field, Row as Record, reader::RowIter},
    schema::types::{Type, TypePtr},
};

use super::{Row, failure};
use crate::{
    Result,
    rekey::{Failure, RekeyFault},
};

/// The columns that matter, as S3 names them.
const COLUMNS: [&str; 4] = ["bucket", "key", "is_latest", "is_delete_marker"];

/// The rows of a file. It is held in memory, since what is where in it stands at its end.
pub(super) fn rows(
    mut data: impl Read,
) -> Result<impl Iterator<Item = Result<Row, Failure>> + Send + 'static> {
    let mut file = Vec::new();
    data.read_to_end(&mut file).map_err(unreadable)?;
    let mut records = no_panic(|| open(file))??;
    let mut is_over = false;
    Ok(std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let record = no_panic(|| records.next()).transpose()?;
        let record = record.and_then(|record| record.map_err(unreadable));
        is_over = record.is_err();
        Some(match record {
            Ok(record) => read(&record),
            Err(fault) => Err(failure("the manifest", fault.to_string())),
        })
    }))
}

fn open(file: Vec<u8>) -> Result<RowIter<'static>> {
    let reader = SerializedFileReader::new(Bytes::from(file)).map_err(unreadable)?;
    let schema = projected(reader.metadata().file_metadata().schema())?;
    let records = RowIter::from_file_into(Box::new(reader)).project(Some(schema));
    Ok(records.map_err(unreadable)?)
}

/// The file's schema, without the columns that do not matter.
fn projected(schema: &Type) -> Result<Type> {
    let wanted = |column: &&TypePtr| COLUMNS.contains(&column.name());
    let fields: Vec<_> = schema.get_fields().iter().filter(wanted).map(Arc::clone).collect();
    if !fields.iter().any(|column| column.name() == "key") {
        return Err(RekeyFault::Manifest("its schema has no column key".into()).into());
    }
    let root = Type::group_type_builder(schema.name()).with_fields(fields);
    Ok(root.build().map_err(unreadable)?)
}

fn read(record: &Record) -> Result<Row, Failure> {
    let mut row = Row { bucket: None, key: String::new(), is_object: true };
    let mut key = None;
    for (name, field) in record.get_column_iter() {
        match (name.as_str(), field) {
            ("bucket", Field::Str(bucket)) => row.bucket = Some(bucket.clone()),
            ("key", Field::Str(text)) => key = Some(text.clone()),
            ("is_latest", Field::Bool(false)) | ("is_delete_marker", Field::Bool(true)) => {
                row.is_object = false;
            }
            ("is_latest" | "is_delete_marker", Field::Bool(_) | Field::Null) => {}
            (name, field) => {
                let reason = format!("a row of it has {field} as {name}");
                return Err(failure("the manifest", reason));
            }
        }
    }
    row.key = key.ok_or_else(|| failure("the manifest", "a row of it has no key".into()))?;
    Ok(row)
}

/// The library panics at some altered files. What it was at is not touched again.
fn no_panic<T>(read: impl FnOnce() -> T) -> Result<T, RekeyFault> {
    catch_unwind(AssertUnwindSafe(read))
        .map_err(|_| RekeyFault::Manifest("it is no sound Parquet file".into()))
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives it so")]
fn unreadable(error: impl ToString) -> RekeyFault {
    RekeyFault::Manifest(error.to_string())
}
