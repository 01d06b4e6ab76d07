//! How far a log was written: [`Head`], in a file of its own.
//!
//! Two slots are written in turn, so that one is whole whenever the other is being written:
//!
//! ```text
//! slot = events u64 ‖ mac of the last line[64] ‖ HMAC-SHA-512(key, "head" 00 ‖ events ‖ mac)[64]
//! ```

use std::{
    fs::{File, TryLockError},
    io::{self, Read as _},
};

use object_cipher_core::CryptoBackend;

use super::chain::{ChainKey, MAC_LEN, Mac, same};

const SLOT_LEN: usize = 8 + 2 * MAC_LEN;

/// The file of a log's head.
pub(super) struct Head {
    file: File,
}

/// The end of a log, as its head tells it.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) events: u64,
    pub(super) last: Mac,
}

impl Head {
    /// Takes the file for this writer alone, for as long as it is open.
    pub(super) fn locked(file: File) -> io::Result<Self> {
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::WouldBlock, "another writer has the log")
            }
            TryLockError::Error(error) => error,
        })?;
        Ok(Self { file })
    }

    /// All bytes that one may have, of its file.
    pub(super) fn bytes(file: File) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(2 * SLOT_LEN);
        file.take(2 * SLOT_LEN as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether it was written once, whole. The first slot is.
    pub(super) fn is_written(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() >= SLOT_LEN as u64)
    }

    /// Reads it, and tells the newer of its whole slots.
    pub(super) fn read<B: CryptoBackend>(
        bytes: &[u8],
        key: &ChainKey<B>,
    ) -> Result<Option<End>, object_cipher_core::Error> {
        let mut newest: Option<End> = None;
        for slot in bytes.chunks_exact(SLOT_LEN).take(2) {
            let (Some((events, rest)), Some(mac)) =
                (slot.split_first_chunk::<8>(), slot.last_chunk::<MAC_LEN>())
            else {
                continue;
            };
            let events = u64::from_be_bytes(*events);
            let Some(last) = rest.first_chunk::<MAC_LEN>() else { continue };
            if same(&key.head(events, last)?, mac)
                && newest.is_none_or(|known| known.events < events)
            {
                newest = Some(End { events, last: *last });
            }
        }
        Ok(newest)
    }

    pub(super) fn write<B: CryptoBackend>(&self, end: &End, key: &ChainKey<B>) -> io::Result<()> {
        let mac = key.head(end.events, &end.last).map_err(io::Error::other)?;
        let mut slot = [0; SLOT_LEN];
        slot[..8].copy_from_slice(&end.events.to_be_bytes());
        slot[8..8 + MAC_LEN].copy_from_slice(&end.last);
        slot[8 + MAC_LEN..].copy_from_slice(&mac);
        let at = (end.events % 2) * SLOT_LEN as u64;
        write_at(&self.file, &slot, at)
    }

    /// Another handle of the file, to sync it.
    pub(super) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    use io::{Seek as _, Write as _};
    file.seek(io::SeekFrom::Start(at))?;
    file.write_all(bytes)
}
