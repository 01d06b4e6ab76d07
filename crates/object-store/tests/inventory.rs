//! Inventories in Parquet, as pyarrow wrote them.

#![allow(clippy::unwrap_used, reason = "a failed test stops")]
#![cfg(feature = "parquet")]

use std::{fs, io::Cursor, path::PathBuf};

use object_cipher_object_store::{
    Error,
    rekey::{Failure, Manifest, RekeyFault},
};

fn file(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/inventory");
    fs::read(folder.join(name)).unwrap()
}

fn read(data: Vec<u8>) -> Result<Vec<Result<String, Failure>>, Error> {
    let manifest = Manifest::default().of_bucket("lake");
    let paths = manifest.paths(Cursor::new(data))?;
    Ok(paths.map(|path| path.map(String::from)).collect())
}

/// What every file has, if it tells versions apart or not.
fn expected(versions: bool) -> Vec<String> {
    let mut paths = vec!["2026/cats and dogs+%2B.csv".to_owned(), "naïve/日本".to_owned()];
    if !versions {
        paths.extend(["replaced", "deleted"].map(String::from));
    }
    paths.extend((0..1_000).map(|number| format!("many/{number:04}")));
    paths
}

#[test]
fn keys_are_read_as_they_are_and_only_those_of_objects() {
    for (name, versions) in [
        ("versions-snappy.parquet", true),
        ("versions-gzip.parquet", true),
        ("current-plain.parquet", false),
    ] {
        let (paths, failures): (Vec<_>, Vec<_>) =
            read(file(name)).unwrap().into_iter().partition(Result::is_ok);
        let paths: Vec<_> = paths.into_iter().map(Result::unwrap).collect();
        assert_eq!(paths, expected(versions), "{name}");
        let failures: Vec<_> = failures.into_iter().map(Result::unwrap_err).collect();
        assert_eq!(failures.len(), 2, "{name}: {failures:?}");
        assert_eq!(failures[0].path, "folder/", "{name}");
        assert!(failures[1].reason.contains("bucket sea"), "{name}: {failures:?}");
    }
}

#[test]
fn a_manifest_of_parquet_names_its_files() {
    let json = br#"{
        "sourceBucket": "lake", "fileFormat": "Parquet", "files": [{"key": "inv/data/1.parquet"}],
        "fileSchema": "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); }"
    }"#;
    let manifest = Manifest::parse(json).unwrap();
    assert_eq!(manifest.files(), ["inv/data/1.parquet"]);
    let paths = manifest.paths(Cursor::new(file("current-plain.parquet"))).unwrap();
    assert_eq!(paths.flatten().count(), 1_004);
}

#[test]
fn what_cannot_be_read_is_said_and_never_passed_over() {
    for name in ["no-key.parquet", "brotli.parquet"] {
        let found = read(file(name));
        let is_refused = matches!(found, Err(Error::Rekey(RekeyFault::Manifest(_))));
        let is_failed = found.is_ok_and(|paths| paths.iter().any(Result::is_err));
        assert!(is_refused || is_failed, "{name}");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let whole = file("versions-snappy.parquet");
    for length in (4..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let found = read(whole[..length].to_vec());
        assert!(matches!(found, Err(Error::Rekey(RekeyFault::Manifest(_)))), "{length}: {found:?}");
    }
}

#[test]
fn no_altered_byte_makes_it_panic_or_go_on_for_ever() {
    for name in ["versions-snappy.parquet", "versions-gzip.parquet", "current-plain.parquet"] {
        let whole = file(name);
        // The headers of the first pages, and all that stands at the end.
        let ends = (4..400).chain(whole.len().saturating_sub(2_000)..whole.len());
        for at in ends.step_by(5) {
            for flip in [0x80, 0xff] {
                let mut altered = whole.clone();
                altered[at] ^= flip;
                if let Ok(paths) = read(altered) {
                    assert!(paths.len() < 10_000, "{name}, byte {at}");
                }
            }
        }
    }
}
