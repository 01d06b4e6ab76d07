//! Whose behaviour to show where implementations of S3 disagree.

/// Whose behaviour to show where Amazon S3 and the open test-suite `ceph/s3-tests` disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Profile {
    /// Amazon S3.
    #[default]
    Aws,
    /// Ceph's object gateway, which `ceph/s3-tests` describes.
    Ceph,
}
