//! What can go wrong between a cipher and the reader, writer or stream below it.

use std::{error::Error as StdError, io};

use object_cipher_core::{BackendError, Error as CoreError, PartTableFault};

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why content did not go through. `E` is the error of what lies below: [`io::Error`], or that of
/// a stream.
///
/// Through [`Read`](io::Read), [`Write`](io::Write) and their async twins it travels as an
/// [`io::Error`]; both ways convert, and the cipher's error stays what it is:
///
/// ```
/// use object_cipher_core::Error as CoreError;
/// use object_cipher_io::Error;
/// use std::io;
///
/// let wire: io::Error = Error::from(CoreError::Misuse("an example")).into();
/// assert_eq!(wire.kind(), io::ErrorKind::InvalidInput);
/// assert!(matches!(Error::from(wire), Error::Cipher(CoreError::Misuse(_))));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E = io::Error> {
    /// The cipher refused: what came in does not verify, ends early, or breaks a rule.
    #[error(transparent)]
    Cipher(#[from] CoreError),
    /// The reader, writer or stream below failed.
    #[error(transparent)]
    Io(E),
}

/// Takes a cipher's error back out of the [`io::Error`] that carries it.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.downcast::<CoreError>() {
            Ok(cipher) => Self::Cipher(cipher),
            Err(error) => Self::Io(error),
        }
    }
}

/// Failed authentication and wrong form become [`InvalidData`](io::ErrorKind::InvalidData), a body
/// that ends early [`UnexpectedEof`](io::ErrorKind::UnexpectedEof), a broken rule
/// [`InvalidInput`](io::ErrorKind::InvalidInput).
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Cipher(cipher) => carry(cipher),
            Error::Io(error) => error,
        }
    }
}

/// The cipher's error that an error carries, however deep: as itself, in an [`io::Error`], or
/// among the sources of either.
///
/// ```
/// use object_cipher_core::Error as CoreError;
/// use object_cipher_io::{Error, cipher_error};
/// use std::io;
///
/// let wire: io::Error = Error::from(CoreError::Misuse("an example")).into();
/// let wrapped = io::Error::other(wire);
/// assert_eq!(cipher_error(&wrapped), Some(&CoreError::Misuse("an example")));
/// assert_eq!(cipher_error(&io::Error::other("a disk")), None);
/// ```
pub fn cipher_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a CoreError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(cipher) = error.downcast_ref::<CoreError>() {
            return Some(cipher);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    None
}

/// A cipher's error as an [`io::Error`].
pub(crate) fn carry(error: CoreError) -> io::Error {
    io::Error::new(kind(&error), error)
}

fn kind(error: &CoreError) -> io::ErrorKind {
    match error {
        CoreError::Truncated { .. } => io::ErrorKind::UnexpectedEof,
        CoreError::Rejected { .. }
        | CoreError::Malformed { .. }
        | CoreError::TrailingBytes { .. }
        | CoreError::PartTable { fault: PartTableFault::Rejected, .. }
        | CoreError::Backend(BackendError::Rejected) => io::ErrorKind::InvalidData,
        CoreError::Misuse(_) | CoreError::RangeNotSatisfiable { .. } => io::ErrorKind::InvalidInput,
        CoreError::Limit(_) => io::ErrorKind::FileTooLarge,
        _ => io::ErrorKind::Other,
    }
}

/// Whether the reader or writer below failed for good. What it did before cannot be told, so the
/// adapter fails with it: content that was cut short never looks whole.
#[derive(Debug, Default)]
pub(crate) struct Fault(Option<io::ErrorKind>);

impl Fault {
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.0 {
            Some(kind) => Err(io::Error::new(kind, "an earlier read or write failed")),
            None => Ok(()),
        }
    }

    /// Makes an error final, unless the same call may be made again.
    pub(crate) fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};

        if let Err(error) = &result
            && !matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
        {
            self.0 = Some(error.kind());
        }
        result
    }
}

/// Makes a call again as long as a signal interrupts it.
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
