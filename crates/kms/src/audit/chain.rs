//! How lines hang together.
//!
//! ```text
//! key   = HKDF-SHA-512(salt = "object-cipher/v1/kms/audit", ikm = master key version, info = log id)
//! mac_n = HMAC-SHA-512(key, "line" 00 ‖ mac_{n-1} ‖ the line's text), mac_0 of 64 zero bytes
//! line  = text, a tabulator, mac_n in hexadecimal digits, a line end
//! ```
//!
//! The text of line 0 says the log's id and the master key version; the text of line n begins with
//! the number n.

use object_cipher_core::{CryptoBackend, Error};
use object_cipher_keyring::MasterKey;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const SALT: &[u8] = b"object-cipher/v1/kms/audit";
/// Bytes of a MAC.
pub(super) const MAC_LEN: usize = 64;

/// The MAC of the last line.
pub(super) type Mac = [u8; MAC_LEN];

/// What a log was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditReport {
    /// How many events it holds, each verified.
    pub events: u64,
}

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditFault {
    /// It does not begin as a log does.
    #[error("it does not begin as an audit log does")]
    Header,
    /// A line is not the one that was written, or one before it was removed or put in.
    #[error("line {0} is not what was written there, or one before it is missing")]
    Line(u64),
    /// Lines at its end are missing.
    #[error(
        "it ends after event {found}, and {written} were written; if a power cut took the last of \
         them, move the log and its head aside, and begin another"
    )]
    CutOff {
        /// Events that are there.
        found: u64,
        /// Events that were written.
        written: u64,
    },
    /// What tells how many were written is not there, or was altered.
    #[error("its head file is missing or altered")]
    Head,
}

/// The key of one log's chain.
pub(super) struct ChainKey<B> {
    key: Zeroizing<[u8; 64]>,
    backend: B,
}

impl<B: CryptoBackend> ChainKey<B> {
    pub(super) fn new(master: &MasterKey, log_id: &str, backend: B) -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; 64]);
        let ikm = master.key().expose_bytes();
        backend.hkdf_sha512(SALT, ikm, &[log_id.as_bytes()], key.as_mut_slice())?;
        Ok(Self { key, backend })
    }

    /// The MAC of a line behind one.
    pub(super) fn line(&self, before: &Mac, text: &[u8]) -> Result<Mac, Error> {
        self.mac(&[b"line\0", before, text])
    }

    /// The MAC of the head.
    pub(super) fn head(&self, events: u64, last: &Mac) -> Result<Mac, Error> {
        self.mac(&[b"head\0", &events.to_be_bytes(), last])
    }

    fn mac(&self, data: &[&[u8]]) -> Result<Mac, Error> {
        let mut mac = [0; MAC_LEN];
        self.backend.hmac_sha512(self.key.as_slice(), data, &mut mac)?;
        Ok(mac)
    }
}

pub(super) fn same(one: &Mac, other: &Mac) -> bool {
    one.ct_eq(other).into()
}

/// The text of a line and its MAC.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], Mac)> {
    let at = line.iter().rposition(|byte| *byte == b'\t')?;
    let digits = &line[at + 1..];
    let mut mac = [0; MAC_LEN];
    hex::decode_to_slice(digits, &mut mac).ok()?;
    // One line has one form.
    if digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    Some((&line[..at], mac))
}
