//! Looks in stored bytes for traces of what must not be told.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use md5::{Digest as _, Md5};
use object_cipher_core::ChecksumAlgorithm;
use object_cipher_s3::checksum;
use object_store::path::Path;

use crate::host;

/// A trace is found by so many bytes at its beginning: none is shorter.
const HEAD: usize = 8;

/// What is looked for.
#[derive(Default)]
pub(crate) struct Scanner {
    traces: HashMap<[u8; HEAD], Vec<Vec<u8>>>,
}

impl Scanner {
    /// Looks for 16 bytes of a content in a row, and for its digests.
    pub(crate) fn add_content(&mut self, content: &[u8]) {
        assert!(content.len() >= 16);
        for window in content.windows(16) {
            self.add(window.to_vec());
        }
        for digest in digests(content) {
            self.add_forms(&digest);
        }
    }

    /// Looks for a key, and for its digests.
    pub(crate) fn add_key(&mut self, key: &[u8]) {
        self.add_forms(key);
        for digest in digests(key) {
            self.add_forms(&digest);
        }
    }

    /// Looks for bytes as they are, in hex and in base64. Four bytes as they are come by chance in
    /// what is random, and records are text.
    pub(crate) fn add_forms(&mut self, bytes: &[u8]) {
        forms(bytes).into_iter().filter(|form| form.len() >= HEAD).for_each(|form| self.add(form));
    }

    fn add(&mut self, trace: Vec<u8>) {
        let head = *trace.first_chunk().unwrap();
        self.traces.entry(head).or_default().push(trace);
    }

    /// Where there are traces, and of what.
    pub(crate) fn hits(&self, kept: &[(Path, Bytes)]) -> Vec<(Path, String)> {
        let mut hits = Vec::new();
        for (path, bytes) in kept {
            let decoded = decoded(bytes);
            let texts = std::iter::once(&bytes[..]).chain(decoded.iter().map(|text| &text[..]));
            let found = texts.filter_map(|bytes| self.find(bytes));
            hits.extend(found.map(|trace| (path.clone(), hex::encode(trace))));
        }
        hits
    }

    fn find(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        (0..bytes.len()).find_map(|at| {
            let traces = self.traces.get(bytes[at..].first_chunk()?)?;
            traces.iter().find(|trace| bytes[at..].starts_with(trace)).cloned()
        })
    }
}

/// The digests that S3 knows.
pub(crate) fn digests(content: &[u8]) -> Vec<Vec<u8>> {
    let digests = host::digests(content);
    let algorithms = checksum::ALGORITHMS.into_iter().chain([ChecksumAlgorithm::Md5]);
    algorithms.map(|algorithm| digests.get(algorithm).unwrap().digest().to_vec()).collect()
}

/// The ETag's bytes of an object of these parts, had they their MD5.
pub(crate) fn md5_of_md5s(parts: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let md5s: Vec<u8> = parts.iter().flat_map(|(_, body)| Md5::digest(body)).collect();
    Md5::digest(&md5s).to_vec()
}

/// How bytes may be written down.
pub(crate) fn forms(bytes: &[u8]) -> [Vec<u8>; 4] {
    [
        bytes.to_vec(),
        hex::encode(bytes).into(),
        hex::encode_upper(bytes).into(),
        STANDARD.encode(bytes).into(),
    ]
}

/// What stands in base64 or in hex in a record; nothing if it is none.
pub(crate) fn decoded(record: &[u8]) -> Vec<Vec<u8>> {
    if serde_json::from_slice::<serde_json::Value>(record).is_err() {
        return Vec::new();
    }
    let texts = record.split(|byte| *byte == b'"').filter(|text| text.len() >= HEAD);
    texts.flat_map(|text| [STANDARD.decode(text).ok(), hex::decode(text).ok()]).flatten().collect()
}
