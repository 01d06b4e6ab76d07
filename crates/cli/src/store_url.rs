//! Stores by their URLs: [`StoreUrl`].

use std::{
    fmt, fs,
    path::{Path as FilePath, PathBuf},
    str::FromStr,
    sync::Arc,
};

use object_store::{ObjectStore, local::LocalFileSystem, path::Path};
use url::Url;

use crate::{
    error::{Error, Result},
    output::folder_of,
};

/// Where objects are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    Files(PathBuf),
    S3 { bucket: String, prefix: Path },
}

impl StoreUrl {
    /// The bucket's name, where the URL has one.
    pub(crate) fn bucket(&self) -> Option<&str> {
        match self {
            Self::Files(_) => None,
            Self::S3 { bucket, .. } => Some(bucket),
        }
    }

    /// Where in its bucket the store begins.
    pub(crate) fn prefix(&self) -> Path {
        match self {
            Self::Files(_) => Path::default(),
            Self::S3 { prefix, .. } => prefix.clone(),
        }
    }

    /// Whether it can put on condition that nobody else did.
    pub(crate) fn has_conditions(&self) -> bool {
        matches!(self, Self::S3 { .. })
    }

    /// Refuses a file that lies among the store's own, where it would be taken for an object.
    pub(crate) fn expect_outside(&self, file: &FilePath) -> Result<()> {
        let Self::Files(folder) = self else { return Ok(()) };
        let place = (fs::canonicalize(folder), fs::canonicalize(folder_of(file)));
        match place {
            (Ok(folder), Ok(place)) if place.starts_with(&folder) => {
                Err(Error::InStore(file.to_path_buf()))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn open(&self) -> Result<Arc<dyn ObjectStore>> {
        match self {
            Self::Files(folder) if !folder.is_dir() => Err(Error::NoFolder(folder.clone())),
            Self::Files(folder) => {
                let files = LocalFileSystem::new_with_prefix(folder);
                Ok(Arc::new(files.map_err(object_cipher_object_store::Error::from)?))
            }
            Self::S3 { bucket, prefix } => open_s3(bucket, prefix),
        }
    }
}

/// As it is said in reports, in one spelling.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(folder) => write!(f, "file://{}", folder.display()),
            Self::S3 { bucket, prefix } if prefix.as_ref().is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| FORMS)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(
                "a store's URL has neither ? nor # (in the path of a file they are %3F and %23)",
            );
        }
        match url.scheme() {
            "file" => url.to_file_path().map(Self::Files).map_err(|()| FORMS),
            "s3" => {
                let bucket = url.host_str().filter(|_| url.port().is_none()).ok_or(FORMS)?;
                let prefix = Path::from_url_path(url.path()).map_err(|_| FORMS)?;
                Ok(Self::S3 { bucket: bucket.into(), prefix })
            }
            "memory" => Err("nothing is in a memory that begins with this process"),
            _ => Err(FORMS),
        }
    }
}

const FORMS: &str = "a store is file:///path, s3://bucket or s3://bucket/prefix";

#[cfg(feature = "s3")]
fn open_s3(bucket: &str, prefix: &Path) -> Result<Arc<dyn ObjectStore>> {
    use object_store::{aws::AmazonS3Builder, prefix::PrefixStore};

    let s3 = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
    let s3 = s3.map_err(object_cipher_object_store::Error::from)?;
    if prefix.as_ref().is_empty() {
        return Ok(Arc::new(s3));
    }
    Ok(Arc::new(PrefixStore::new(s3, prefix.clone())))
}

#[cfg(not(feature = "s3"))]
fn open_s3(_: &str, _: &Path) -> Result<Arc<dyn ObjectStore>> {
    Err(Error::Usage("this program was built without its feature `s3`, which s3:// needs"))
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;

    use super::StoreUrl;

    #[test]
    fn a_store_has_a_url_of_a_few_forms() {
        let s3 = |bucket: &str, prefix| StoreUrl::S3 { bucket: bucket.into(), prefix };
        for (text, store) in [
            ("file:///data/my%20lake", StoreUrl::Files("/data/my lake".into())),
            ("s3://lake", s3("lake", Path::default())),
            ("s3://lake/raw/2026/", s3("lake", Path::from("raw/2026"))),
        ] {
            assert_eq!(text.parse(), Ok(store), "{text}");
        }
        for text in
            ["", "/data", "lake", "memory:", "memory:///", "gs://lake", "s3:///x", "s3://a?b"]
        {
            assert!(text.parse::<StoreUrl>().is_err(), "{text}");
        }
    }
}
