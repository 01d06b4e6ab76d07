//! Requests, as the wire has them: [`Asked`].

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum};
use http::request::Parts;
use percent_encoding::percent_decode_str;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    AbortUpload,
    CompleteUpload,
    CopyObject,
    CreateUpload,
    DeleteObject,
    DeleteObjects,
    GetObject,
    HeadObject,
    PutObject,
    UploadPart,
    Unknown,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) operation: Operation,
    /// `BUCKET/KEY`.
    pub(crate) name: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(super) fn new(head: &Parts, body: Bytes) -> Self {
        let pairs = head.uri.query().unwrap_or_default().split('&');
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let query: BTreeMap<_, _> =
            pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let headers: BTreeMap<_, _> = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect();
        let has = |name: &str| query.contains_key(name);
        let operation = match head.method.as_str() {
            "PUT" if has("uploadId") => Operation::UploadPart,
            "PUT" if headers.contains_key("x-amz-copy-source") => Operation::CopyObject,
            "PUT" => Operation::PutObject,
            "POST" if has("uploads") => Operation::CreateUpload,
            "POST" if has("uploadId") => Operation::CompleteUpload,
            "POST" if has("delete") => Operation::DeleteObjects,
            "GET" => Operation::GetObject,
            "HEAD" => Operation::HeadObject,
            "DELETE" if has("uploadId") => Operation::AbortUpload,
            "DELETE" => Operation::DeleteObject,
            _ => Operation::Unknown,
        };
        let name = decoded(head.uri.path().trim_start_matches('/'));
        Self { operation, name, query, headers, body }
    }

    /// Whether it is signed, and its checksum is that of its body.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if !self.headers.contains_key("authorization") {
            return Err("AccessDenied");
        }
        if self.headers.get("content-encoding").is_some_and(|encoding| encoding == "aws-chunked") {
            return Err("NotImplemented");
        }
        match self.headers.get("x-amz-checksum-crc32") {
            Some(told) if *told != self.crc32() => Err("BadDigest"),
            _ => Ok(()),
        }
    }

    /// The checksum of the body, as S3 spells it.
    pub(crate) fn crc32(&self) -> String {
        let crc = u32::try_from(checksum(CrcAlgorithm::Crc32IsoHdlc, &self.body)).unwrap();
        STANDARD.encode(crc.to_be_bytes())
    }

    pub(crate) fn part(&self) -> Option<i32> {
        self.query.get("partNumber")?.parse().ok()
    }

    pub(crate) fn range(&self) -> Option<&str> {
        self.headers.get("range").map(String::as_str)
    }

    pub(super) fn set_range(&mut self, range: Option<&str>) {
        self.headers.remove("range");
        self.headers.extend(range.map(|range| ("range".to_owned(), range.to_owned())));
    }

    /// User metadata, without the prefix.
    pub(crate) fn metadata(&self) -> BTreeMap<String, String> {
        let own = |(name, value): (&String, &String)| {
            Some((name.strip_prefix("x-amz-meta-")?.to_owned(), value.clone()))
        };
        self.headers.iter().filter_map(own).collect()
    }
}

pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
