//! Paths that somebody else listed: [`Manifest`].

use std::io::{BufRead, BufReader, Read};

use csv::StringRecord;
use flate2::bufread::MultiGzDecoder;
use object_store::path::Path;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::{Failure, RekeyFault};
use crate::Result;

/// How the files of an S3 Inventory are read: CSV, plain or gzip, keys URL-encoded.
///
/// Which columns there are its `manifest.json` says; without one they are bucket and key, as in the
/// manifests of S3 Batch Operations. Rows of versions that are not the latest, and of delete markers, are
/// passed over.
///
/// ```
/// use object_cipher_object_store::rekey::Manifest;
///
/// let data = "lake,2026/cats+and%20dogs.csv\n";
/// let paths: Vec<_> = Manifest::default().paths(data.as_bytes())?.collect();
/// assert_eq!(paths[0].as_ref().map(|path| path.as_ref()), Ok("2026/cats and dogs.csv"));
/// # Ok::<(), object_cipher_object_store::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Manifest {
    columns: Columns,
    files: Vec<String>,
    bucket: Option<String>,
    prefix: Path,
}

/// Where in a row things are.
#[derive(Clone, Copy, Debug)]
struct Columns {
    bucket: Option<usize>,
    key: usize,
    is_latest: Option<usize>,
    is_delete_marker: Option<usize>,
}

/// A `manifest.json`, as far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    source_bucket: Option<String>,
    file_format: String,
    file_schema: String,
    files: Vec<JsonFile>,
}

#[derive(Deserialize)]
struct JsonFile {
    key: String,
}

impl Manifest {
    /// Reads a `manifest.json`.
    ///
    /// # Errors
    /// [`RekeyFault::Manifest`] for what is none, [`RekeyFault::ManifestFormat`] when the inventory is in
    /// another format than CSV.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let json: Json = serde_json::from_slice(json)
            .map_err(|error| RekeyFault::Manifest(format!("it is no manifest.json: {error}")))?;
        if !json.file_format.eq_ignore_ascii_case("csv") {
            return Err(RekeyFault::ManifestFormat(json.file_format).into());
        }
        let names: Vec<_> = json.file_schema.split(',').map(str::trim).collect();
        let column = |name: &str| names.iter().position(|found| found.eq_ignore_ascii_case(name));
        let key = column("Key");
        let columns = Columns {
            bucket: column("Bucket"),
            key: key.ok_or_else(|| RekeyFault::Manifest("its schema has no column Key".into()))?,
            is_latest: column("IsLatest"),
            is_delete_marker: column("IsDeleteMarker"),
        };
        let files = json.files.into_iter().map(|file| file.key).collect();
        Ok(Self { columns, files, bucket: json.source_bucket, ..Self::default() })
    }

    /// Insists that every row is of this bucket.
    #[must_use]
    pub fn of_bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// Gives paths relative to this prefix, for a store that begins there, and passes over all others.
    #[must_use]
    pub fn under(mut self, prefix: Path) -> Self {
        self.prefix = prefix;
        self
    }

    /// The keys of the data files, as the `manifest.json` has them.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The paths in a data file, one after the other. What in it is no path of a store comes as a
    /// [`Failure`] in its place, which a walk reports.
    ///
    /// # Errors
    /// [`RekeyFault::ManifestFormat`] for a file of Parquet or ORC; [`RekeyFault::Manifest`] when it cannot
    /// be read.
    pub fn paths<R: Read + Send + 'static>(
        &self,
        data: R,
    ) -> Result<impl Iterator<Item = Result<Path, Failure>> + Send + 'static> {
        let mut data = BufReader::with_capacity(1 << 16, data);
        let first = data.fill_buf().map_err(|error| RekeyFault::Manifest(error.to_string()))?;
        let data: Box<dyn Read + Send> = match first {
            [b'P', b'A', b'R', b'1', ..] => return Err(format("Parquet")),
            [b'O', b'R', b'C', ..] => return Err(format("ORC")),
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(data)),
            _ => Box::new(data),
        };
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(data);
        let (manifest, mut is_over) = (self.clone(), false);
        let rows = reader.into_records().take_while(move |row| {
            let was_over = is_over;
            is_over = row.as_ref().is_err_and(csv::Error::is_io_error);
            !was_over
        });
        Ok(rows.filter_map(move |row| match row {
            Ok(row) => manifest.path(&row).transpose(),
            Err(error) => Some(Err(failure("the manifest", error.to_string()))),
        }))
    }

    /// The path in a row, if it is one that counts.
    fn path(&self, row: &StringRecord) -> Result<Option<Path>, Failure> {
        let says = |column: Option<usize>, word: &str| {
            column.and_then(|at| row.get(at)).is_some_and(|text| text.eq_ignore_ascii_case(word))
        };
        let Columns { bucket, key, is_latest, is_delete_marker } = self.columns;
        if says(is_latest, "false") || says(is_delete_marker, "true") {
            return Ok(None);
        }
        let Some(text) = row.get(key) else {
            let line = row.position().map_or(0, csv::Position::line);
            return Err(failure("the manifest", format!("its line {line} has no key")));
        };
        let found = bucket.and_then(|at| row.get(at));
        if let (Some(wanted), Some(found)) = (&self.bucket, found)
            && wanted != found
        {
            return Err(failure(text, format!("it is of the bucket {found}, not {wanted}")));
        }
        let key = decode(text).ok_or_else(|| failure(text, "it is not URL-encoded".into()))?;
        let path = Path::parse(&key).map_err(|error| failure(text, error.to_string()))?;
        if path.as_ref() != key {
            return Err(failure(text, "no path of a store is written so".into()));
        }
        Ok(path.prefix_match(&self.prefix).map(Iterator::collect).filter(|path: &Path| {
            // The prefix itself is no object of a store that begins there.
            !path.as_ref().is_empty()
        }))
    }
}

/// Bucket and key.
impl Default for Manifest {
    fn default() -> Self {
        let columns = Columns { bucket: Some(0), key: 1, is_latest: None, is_delete_marker: None };
        Self { columns, files: Vec::new(), bucket: None, prefix: Path::default() }
    }
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

fn format(name: &str) -> crate::Error {
    RekeyFault::ManifestFormat(name.into()).into()
}

fn failure(path: &str, reason: String) -> Failure {
    Failure { path: path.into(), reason }
}

#[cfg(test)]
mod tests;
