//! The mode as an answer names it: [`SseAlgorithm`].

use std::{convert::Infallible, fmt, str::FromStr};

use object_cipher_core::Mode;

/// The value of `x-amz-server-side-encryption` in an answer, for programs that read answers.
///
/// S3 goes on to learn new values: `aws:fsx` and `aws:backup` cannot be asked for, and may stand in
/// an answer. So every text is one.
///
/// ```
/// use object_cipher_core::Mode;
/// use object_cipher_s3::SseAlgorithm;
///
/// assert_eq!(SseAlgorithm::from("aws:kms").mode(), Some(Mode::SseKms));
/// let other = SseAlgorithm::from("aws:fsx");
/// assert_eq!(other, SseAlgorithm::Other("aws:fsx".to_owned()));
/// assert_eq!((other.mode(), other.to_string()), (None, "aws:fsx".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SseAlgorithm {
    /// `AES256`: SSE-S3.
    Aes256,
    /// `aws:kms`: SSE-KMS.
    AwsKms,
    /// `aws:kms:dsse`: DSSE-KMS.
    AwsKmsDsse,
    /// What this crate does not know.
    Other(String),
}

impl SseAlgorithm {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Aes256 => "AES256",
            Self::AwsKms => "aws:kms",
            Self::AwsKmsDsse => "aws:kms:dsse",
            Self::Other(text) => text,
        }
    }

    /// The mode, if it is one of ours.
    pub const fn mode(&self) -> Option<Mode> {
        match self {
            Self::Aes256 => Some(Mode::SseS3),
            Self::AwsKms => Some(Mode::SseKms),
            Self::AwsKmsDsse => Some(Mode::DsseKms),
            Self::Other(_) => None,
        }
    }
}

impl From<&str> for SseAlgorithm {
    fn from(text: &str) -> Self {
        let known = [Self::Aes256, Self::AwsKms, Self::AwsKmsDsse];
        let found = known.into_iter().find(|known| known.as_str() == text);
        found.unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

impl FromStr for SseAlgorithm {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for SseAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_read_and_written_back() {
        let rows = [
            ("AES256", Some(Mode::SseS3)),
            ("aws:kms", Some(Mode::SseKms)),
            ("aws:kms:dsse", Some(Mode::DsseKms)),
            ("aws:fsx", None),
            ("aws:backup", None),
            ("aes256", None),
            ("", None),
        ];
        for (text, mode) in rows {
            let parsed = SseAlgorithm::from(text);
            assert_eq!((parsed.mode(), parsed.as_str()), (mode, text));
        }
    }
}
