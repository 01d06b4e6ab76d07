//! Counting wraps: at most [`MAX_WRAPS`] under one version.

use std::sync::atomic::{AtomicU64, Ordering};

/// A version wraps at most this many data keys: 2^40, far below what its construction bears.
pub const MAX_WRAPS: u64 = 1 << 40;
/// Wraps are reserved in the file in blocks of this many, 2^20, unless
/// [`with_wrap_block`](crate::KeyringFile::with_wrap_block) says otherwise. A process that ends
/// loses the rest of its block, and never counts too little.
pub const WRAP_BLOCK: u64 = 1 << 20;

/// The wraps of one version, shared by all snapshots of its keyring in this process.
#[derive(Debug)]
pub(crate) struct WrapCounter {
    /// All that were ever reserved, by any process.
    reserved: AtomicU64,
    /// What is left of this process's block.
    left: AtomicU64,
}

impl WrapCounter {
    /// Counts in this process only, from `done` up to the limit.
    pub(crate) fn in_process(done: u64) -> Self {
        Self {
            reserved: AtomicU64::new(MAX_WRAPS),
            left: AtomicU64::new(MAX_WRAPS.saturating_sub(done)),
        }
    }

    /// Counts in blocks reserved in a file, where `reserved` stands; no block is drawn yet.
    pub(crate) fn in_blocks(reserved: u64) -> Self {
        Self { reserved: AtomicU64::new(reserved), left: AtomicU64::new(0) }
    }

    /// Counts one wrap, if one is left.
    pub(crate) fn take(&self) -> bool {
        let taken =
            self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        taken.is_ok()
    }

    /// What may still be taken before the next block.
    pub(crate) fn left(&self) -> u64 {
        self.left.load(Ordering::Acquire)
    }

    /// The wraps so far, never too few.
    pub(crate) fn wraps(&self) -> u64 {
        // `left` first: a block granted between the two loads only raises the result.
        let left = self.left();
        self.reserved.load(Ordering::Acquire).saturating_sub(left)
    }

    /// Adds a block that is on disk.
    pub(crate) fn grant(&self, wraps: u64) {
        self.left.fetch_add(wraps, Ordering::AcqRel);
    }

    /// Takes over the reserved total of a newer snapshot.
    pub(crate) fn follow(&self, newer: &Self) {
        self.reserved.fetch_max(newer.reserved.load(Ordering::Acquire), Ordering::AcqRel);
    }
}
