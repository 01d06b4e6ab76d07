//! The token's PIN: [`Pin`].

use std::{fmt, path::PathBuf};

use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_keyring::PrivateFile;
use object_cipher_kms::KmsResult;
use zeroize::Zeroizing;

/// Longer than any token's PIN.
const MAX_PIN: usize = 256;

/// The PIN of a token's user. Wiped on drop, and never printed.
///
/// There is no PIN from an argument or a variable of the environment: others can read those.
pub struct Pin(Source);

enum Source {
    File(PrivateFile),
    Given(Zeroizing<Vec<u8>>),
}

impl Pin {
    /// A PIN in a file of this user's alone, such as a systemd credential. It is read at each login;
    /// one line end is no part of it.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(PrivateFile::new(path)))
    }

    /// A PIN that the program has from elsewhere. It takes over the bytes.
    pub fn given(pin: impl Into<Vec<u8>>) -> Self {
        Self(Source::Given(Zeroizing::new(pin.into())))
    }

    pub(crate) fn read(&self) -> KmsResult<Zeroizing<Vec<u8>>> {
        let pin = match &self.0 {
            Source::Given(pin) => pin.clone(),
            Source::File(file) => {
                let mut pin = file.read(MAX_PIN).map_err(KeyError::from)?;
                if pin.ends_with(b"\n") {
                    pin.pop();
                }
                if pin.ends_with(b"\r") {
                    pin.pop();
                }
                pin
            }
        };
        if pin.is_empty() {
            return Err(KeyError::new(KeyErrorKind::Denied, "the PIN is empty"));
        }
        Ok(pin)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::File(file) => f.debug_tuple("Pin").field(&file.path()).finish(),
            Source::Given(_) => f.write_str("Pin([redacted])"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_no_part_of_a_pin() {
        let folder = tempfile::tempdir().unwrap();
        for (index, (text, pin)) in
            [("87 65\n", "87 65"), ("8765\r\n", "8765"), ("8765\n\n", "8765\n"), ("8765", "8765")]
                .into_iter()
                .enumerate()
        {
            let file = PrivateFile::new(folder.path().join(index.to_string()));
            file.create(text.as_bytes()).unwrap();
            assert_eq!(*Pin::file(file.path()).read().unwrap(), pin.as_bytes());
        }
    }

    #[test]
    fn an_empty_and_an_absent_pin_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = PrivateFile::new(folder.path().join("pin"));
        assert_eq!(
            Pin::file(file.path()).read().unwrap_err().kind(),
            KeyErrorKind::Unavailable,
            "absent"
        );
        file.create(b"\n").unwrap();
        for pin in [Pin::file(file.path()), Pin::given("")] {
            assert_eq!(pin.read().unwrap_err().kind(), KeyErrorKind::Denied);
        }
    }

    #[test]
    fn a_pin_is_never_printed() {
        assert!(!format!("{:?}", Pin::given("8765")).contains("8765"));
    }
}
