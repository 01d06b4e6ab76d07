//! Paths that somebody else listed: [`Manifest`].

#[cfg(feature = "parquet")]
mod parquet;
mod text;

use std::io::{BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use object_store::path::Path;
use serde::Deserialize;

use super::{Failure, RekeyFault};
use crate::Result;

/// How the files of an S3 Inventory are read: CSV, plain or gzip, keys URL-encoded; or, with the feature
/// `parquet`, Parquet, compressed with Snappy, gzip or not.
///
/// Which columns a CSV has its `manifest.json` says; without one they are bucket and key, as in the
/// manifests of S3 Batch Operations. Parquet has its columns' names in it. Rows of versions that are not the
/// latest, and of delete markers, are passed over.
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
    /// The bucket that it is a list of, as its `manifest.json` says.
    source: Option<String>,
    /// The one that it has to be of.
    bucket: Option<String>,
    prefix: Path,
}

/// What a row says of an object.
struct Row {
    bucket: Option<String>,
    key: String,
    /// Neither an earlier version nor a delete marker.
    is_object: bool,
}

/// Where in a row of CSV things are.
#[derive(Clone, Copy, Debug)]
struct Columns {
    bucket: Option<usize>,
    key: usize,
    is_latest: Option<usize>,
    is_delete_marker: Option<usize>,
}

/// Bytes by which the formats of data files are told apart.
const MAGIC_LEN: u64 = 4;

type Rows = Box<dyn Iterator<Item = Result<Row, Failure>> + Send>;

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
    /// a format that is not read.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let json: Json = serde_json::from_slice(json)
            .map_err(|error| RekeyFault::Manifest(format!("it is no manifest.json: {error}")))?;
        let files = json.files.into_iter().map(|file| file.key).collect();
        let named = Self { files, source: json.source_bucket, ..Self::default() };
        if cfg!(feature = "parquet") && json.file_format.eq_ignore_ascii_case("parquet") {
            return Ok(named);
        }
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
        Ok(Self { columns, ..named })
    }

    /// Insists that every row is of this bucket; otherwise of the one that the `manifest.json` names, if any.
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
    /// [`Failure`] in its place, which a walk reports. A file of Parquet is held in memory.
    ///
    /// # Errors
    /// [`RekeyFault::ManifestFormat`] for a file of a format that is not read; [`RekeyFault::Manifest`]
    /// when it cannot be read.
    pub fn paths<R: Read + Send + 'static>(
        &self,
        data: R,
    ) -> Result<impl Iterator<Item = Result<Path, Failure>> + Send + 'static> {
        let mut data = BufReader::with_capacity(1 << 16, data);
        let mut first = Vec::new();
        let begin = data.by_ref().take(MAGIC_LEN).read_to_end(&mut first);
        begin.map_err(|error| RekeyFault::Manifest(error.to_string()))?;
        let data = Cursor::new(first.clone()).chain(data);
        let rows: Rows = match first[..] {
            #[cfg(feature = "parquet")]
            [b'P', b'A', b'R', b'1', ..] => Box::new(parquet::rows(data)?),
            #[cfg(not(feature = "parquet"))]
            [b'P', b'A', b'R', b'1', ..] => return Err(format("Parquet")),
            [b'O', b'R', b'C', ..] => return Err(format("ORC")),
            [0x1f, 0x8b, ..] => Box::new(text::rows(MultiGzDecoder::new(data), self.columns)),
            _ => Box::new(text::rows(data, self.columns)),
        };
        let manifest = self.clone();
        Ok(rows.filter_map(move |row| row.and_then(|row| manifest.path(row)).transpose()))
    }

    /// The path in a row, if it is one that counts.
    fn path(&self, row: Row) -> Result<Option<Path>, Failure> {
        let Row { bucket, key, is_object } = row;
        if !is_object {
            return Ok(None);
        }
        let source = self.source.as_ref();
        let (wanted, found) = (self.bucket.as_ref().or(source), bucket.as_ref().or(source));
        if let (Some(wanted), Some(found)) = (wanted, found)
            && wanted != found
        {
            return Err(failure(&key, format!("it is of the bucket {found}, not {wanted}")));
        }
        let path = Path::parse(&key).map_err(|error| failure(&key, error.to_string()))?;
        if path.as_ref() != key {
            return Err(failure(&key, "no path of a store is written so".into()));
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
        Self { columns, files: Vec::new(), source: None, bucket: None, prefix: Path::default() }
    }
}

fn format(name: &str) -> crate::Error {
    RekeyFault::ManifestFormat(name.into()).into()
}

fn failure(path: &str, reason: String) -> Failure {
    Failure { path: path.into(), reason }
}

#[cfg(test)]
mod tests;
