#![allow(clippy::unwrap_used, reason = "a failed test stops")]

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use object_store::path::Path;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, prop_assume, proptest};

use super::{Failure, Manifest};
use crate::{Error, rekey::RekeyFault};

fn read(manifest: &Manifest, data: &[u8]) -> Vec<Result<String, Failure>> {
    let data = std::io::Cursor::new(data.to_vec());
    let paths = manifest.paths(data).unwrap();
    paths.map(|path| path.map(String::from)).collect()
}

fn good(manifest: &Manifest, data: &[u8]) -> Vec<String> {
    read(manifest, data).into_iter().map(Result::unwrap).collect()
}

/// As S3 encodes keys.
fn encode(path: &str) -> String {
    let byte = |byte| match byte {
        b' ' => "+".into(),
        b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    path.bytes().map(byte).collect()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn every_path_comes_back_from_its_url_encoding(text in any::<String>()) {
        let path = Path::from(text);
        prop_assume!(!path.as_ref().is_empty());
        let data = format!("\"lake\",\"{}\"\n", encode(path.as_ref()));
        prop_assert_eq!(good(&Manifest::default(), data.as_bytes()), [path.to_string()]);
    }

    #[test]
    fn no_bytes_make_it_panic_or_go_on_for_ever(data: Vec<u8>) {
        for data in [gzip(&data), data] {
            if let Ok(paths) = Manifest::default().paths(std::io::Cursor::new(data)) {
                paths.for_each(drop);
            }
        }
    }
}

#[test]
fn a_space_is_a_plus_and_a_plus_is_encoded() {
    let found = good(&Manifest::default(), b"lake,a+b%2Bc%20d/na%C3%AFve\n");
    assert_eq!(found, ["a b+c d/naïve"]);
}

#[test]
fn what_is_no_path_is_said_and_the_rest_is_read() {
    let data =
        b"lake,a\nlake,%zz\nlake,%\nlake,%FF\nlake,a//b\nlake,folder/\nlake\nsea,b\nlake,c\n";
    let found = read(&Manifest::default().of_bucket("lake"), data);
    assert_eq!((found.first(), found.last()), (Some(&Ok("a".into())), Some(&Ok("c".into()))));
    assert_eq!(found.iter().filter(|path| path.is_err()).count(), 7, "{found:?}");
    let reasons: Vec<_> = found.into_iter().filter_map(Result::err).collect();
    assert_eq!(reasons[0].path, "%zz");
    assert!(reasons[5].reason.contains("line 7"), "{reasons:?}");
    assert!(reasons[6].reason.contains("bucket sea"), "{reasons:?}");
}

#[test]
fn the_columns_are_those_that_the_manifest_names() {
    let json = br#"{
        "sourceBucket": "lake", "destinationBucket": "arn:aws:s3:::reports", "version": "2016-11-30",
        "creationTimestamp": "1514944800000", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size",
        "files": [{"key": "inv/data/1.csv.gz", "size": 2, "MD5checksum": "x"}]
    }"#;
    let manifest = Manifest::parse(json).unwrap();
    assert_eq!(manifest.files(), ["inv/data/1.csv.gz"]);
    let data = "\"lake\",\"a\",\"v1\",\"true\",\"false\",\"7\"\n\
        \"lake\",\"b\",\"v1\",\"false\",\"false\",\"7\"\n\
        \"lake\",\"c\",\"v1\",\"true\",\"true\",\"\"\n\
        \"lake\",\"d%2Ce\",\"v1\",\"true\",\"false\",\"7\"\n";
    assert_eq!(good(&manifest, data.as_bytes()), ["a", "d,e"]);
    assert_eq!(good(&manifest, &gzip(data.as_bytes())), ["a", "d,e"]);
    let members = [gzip(&data.as_bytes()[..50]), gzip(&data.as_bytes()[50..])].concat();
    assert_eq!(good(&manifest, &members), ["a", "d,e"], "in two members");
}

#[test]
fn a_file_that_is_cut_short_is_a_failure() {
    let lines = (0..1_000).map(|number| format!("lake,{number}\n")).collect::<Vec<_>>().concat();
    let whole = gzip(lines.as_bytes());
    let found = read(&Manifest::default(), &whole[..whole.len() - 9]);
    assert_eq!(found.iter().filter(|path| path.is_err()).count(), 1);
}

#[test]
fn a_line_that_does_not_end_is_a_failure_and_not_a_full_memory() {
    let mut long = b"lake,a\nlake,".to_vec();
    long.resize(1 << 24, b'a');
    let read = read(&Manifest::default(), &gzip(&long));
    assert_eq!(read.len(), 2, "the line before it is read");
    assert_eq!(read[0], Ok("a".into()));
    let reason = &read[1].as_ref().unwrap_err().reason;
    assert!(reason.contains("more than 65,536 bytes"), "{reason}");
}

/// Gives a byte a read, as a slow pipe may.
struct Trickle(std::io::Cursor<Vec<u8>>);

impl std::io::Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

#[test]
fn a_format_is_told_however_few_bytes_come_at_once() {
    let data = gzip(b"lake,a%2Bb\n");
    let paths = Manifest::default().paths(Trickle(std::io::Cursor::new(data))).unwrap();
    let paths: Vec<_> = paths.map(|path| path.map(String::from)).collect();
    assert_eq!(paths, [Ok("a+b".into())]);
    let orc = Trickle(std::io::Cursor::new(b"ORC\x01".to_vec()));
    let refused = Manifest::default().paths(orc).map(drop);
    assert!(matches!(refused, Err(Error::Rekey(RekeyFault::ManifestFormat(_)))));
}

#[test]
fn other_formats_are_refused_by_name() {
    let parquet = (&b"PAR1 and more"[..], "Parquet");
    let is_read = cfg!(feature = "parquet");
    let refused = [(&b"ORC and more"[..], "ORC")].into_iter().chain((!is_read).then_some(parquet));
    for (first, name) in refused {
        let refused = Manifest::default().paths(first).map(|_| ());
        assert!(
            matches!(&refused, Err(Error::Rekey(RekeyFault::ManifestFormat(found))) if found == name),
            "{refused:?}"
        );
    }
    let json = br#"{"fileFormat": "ORC", "fileSchema": "struct<bucket:string>", "files": []}"#;
    let refused = Manifest::parse(json);
    assert!(
        matches!(&refused, Err(Error::Rekey(RekeyFault::ManifestFormat(name))) if name == "ORC"),
        "{refused:?}"
    );
    for wrong in [&b"{}"[..], b"", br#"{"fileFormat":"CSV","fileSchema":"Bucket","files":[]}"#] {
        let refused = Manifest::parse(wrong);
        assert!(matches!(refused, Err(Error::Rekey(RekeyFault::Manifest(_)))), "{refused:?}");
    }
}

#[test]
fn a_store_under_a_prefix_has_paths_of_its_own() {
    let manifest = Manifest::default().under(Path::from("raw/2026"));
    let data = b"lake,raw/2026/a\nlake,raw/2025/b\nlake,raw/2026\nlake,raw/20267/c\n";
    assert_eq!(good(&manifest, data), ["a"]);
}
