//! Names of objects and uploads, and where they are kept.

use std::fmt;

use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::{BucketName, Error, Result};

/// A key takes at most this many bytes.
const MAX_KEY_LEN: usize = 1_024;
/// Bytes of a segment of a path, well below any file system's limit.
const SEGMENT_LEN: usize = 200;
/// What a record's last segment ends with. No segment before it does.
const RECORD: &str = ".json";

/// The key of an object: 1 to 1,024 bytes of UTF-8 without NUL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

/// The random name of an upload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UploadId(String);

impl ObjectKey {
    /// A key.
    ///
    /// # Errors
    /// [`Error::Key`] when it is empty, too long or has a NUL character.
    pub fn parse(key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        let fits = (1..=MAX_KEY_LEN).contains(&key.len()) && !key.contains('\0');
        if fits { Ok(Self(key)) } else { Err(Error::Key) }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the object's record is kept: the key, escaped and cut into segments. No two keys share
    /// a path, none leads out of the bucket, and none is another's folder. Capitals are escaped, so
    /// that keys differ where file names do not.
    pub(super) fn path(&self, bucket: &BucketName) -> Path {
        let mut escaped = String::new();
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => escaped.push(byte.into()),
                _ => {
                    escaped.push('=');
                    escaped.push_str(&hex::encode([byte]));
                }
            }
        }
        let mut segments: Vec<String> = Vec::new();
        // Escaped keys are ASCII.
        for segment in escaped.as_bytes().chunks(SEGMENT_LEN) {
            segments.push(String::from_utf8_lossy(segment).into_owned());
        }
        if let Some(last) = segments.last_mut() {
            last.push_str(RECORD);
        }
        folder(bucket).parts().chain(segments.iter().map(|part| part.as_str().into())).collect()
    }

    /// The key whose record is at a path; none if it is no record.
    pub(super) fn from_path(bucket: &BucketName, path: &Path) -> Option<Self> {
        let folder = folder(bucket);
        let mut escaped: String =
            path.prefix_match(&folder)?.map(|part| part.as_ref().to_owned()).collect();
        escaped.truncate(escaped.strip_suffix(RECORD)?.len());
        let mut key = Vec::with_capacity(escaped.len());
        let mut rest = escaped.as_bytes();
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            if *byte == b'=' {
                let (code, behind) = rest.split_at_checked(2)?;
                key.extend(hex::decode(code).ok()?);
                rest = behind;
            } else {
                key.push(*byte);
            }
        }
        Self::parse(String::from_utf8(key).ok()?).ok()
    }
}

impl UploadId {
    /// An id that nobody has guessed.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub(super) fn random() -> Result<Self> {
        random_name().map(Self)
    }

    /// An id as a client names it.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`] when no upload can have it.
    pub fn parse(id: &str) -> Result<Self> {
        if is_random_name(id) { Ok(Self(id.into())) } else { Err(Error::NoSuchUpload) }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn path(&self) -> Path {
        Path::from_iter(["uploads", &self.0, "upload.json"])
    }

    pub(super) fn part_path(&self, part: u32) -> Path {
        Path::from_iter(["uploads", &self.0, "parts", &format!("{part}.json")])
    }

    pub(super) fn folder(&self) -> Path {
        Path::from_iter(["uploads", &self.0])
    }

    pub(super) fn parts_folder(&self) -> Path {
        Path::from_iter(["uploads", &self.0, "parts"])
    }
}

/// Where all objects' records are.
pub(super) fn objects() -> Path {
    Path::from("objects")
}

/// Where the records of a bucket's objects are.
pub(super) fn folder(bucket: &BucketName) -> Path {
    Path::from_iter(["objects", bucket.as_str()])
}

/// Where all bodies are.
pub(super) fn bodies() -> Path {
    Path::from("bodies")
}

/// 32 hexadecimal digits.
pub(super) fn random_name() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(hex::encode(bytes))
}

pub(super) fn is_random_name(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn bucket() -> BucketName {
        BucketName::parse("photos").unwrap()
    }

    #[test]
    fn b2_every_key_has_a_path_of_its_own_and_comes_back_from_it() {
        let long = "ü".repeat(512);
        let keys = [
            "a",
            "A",
            "a/b",
            "a//b",
            "/a",
            "a/",
            "/",
            "//",
            ".",
            "..",
            "../a",
            "../../etc/passwd",
            "a/../b",
            "a.json",
            "a.json/b",
            "=41",
            "a=2fb",
            "%2e",
            "a b",
            "a\\b",
            "a:b",
            "a\n",
            "\u{e9}",
            "e\u{301}",
            "CON",
            "-",
            "\u{1f408}",
            &long,
        ];
        let mut seen = BTreeSet::new();
        for key in keys {
            let key = ObjectKey::parse(key).unwrap();
            let path = key.path(&bucket());
            assert_eq!(ObjectKey::from_path(&bucket(), &path), Some(key.clone()), "{path}");
            assert!(path.as_ref().starts_with("objects/photos/"), "{path}");
            assert!(path.parts().all(|part| part.as_ref().len() <= 205), "{path}");
            assert!(seen.insert(path.as_ref().to_lowercase()), "{key} has another's path");
        }
        for path in &seen {
            let inside = format!("{path}/");
            assert!(!seen.iter().any(|other| other.starts_with(&inside)), "{path} is a folder");
        }
    }

    #[test]
    fn b2_keys_that_s3_does_not_have_are_refused() {
        for key in ["", "a\0b", &"x".repeat(1_025)] {
            assert!(matches!(ObjectKey::parse(key), Err(Error::Key)));
        }
    }
}
