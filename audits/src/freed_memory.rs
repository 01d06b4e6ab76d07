//! [`FreedMemory`]: searches what is given back.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::SeqCst};

/// Bytes of a secret that are looked for.
const LENGTH: usize = 16;
/// Secrets that can be told; a ring, so that the last ones are known.
const SECRETS: usize = 512;

/// Searches every block of memory for secrets before it is freed, whoever allocated it. A block that
/// grows is copied and the old one freed, so growing is searched as well.
///
/// It allocates nothing and takes no lock. A search that runs while a secret is told may miss that
/// one; searches after it do not.
pub struct FreedMemory {
    secrets: [[AtomicU8; LENGTH]; SECRETS],
    told: AtomicUsize,
    /// One bit for each pair of bytes that a secret begins with.
    beginnings: [AtomicU64; 1 << 10],
    found: AtomicUsize,
    searched: AtomicUsize,
    largest_hit: AtomicUsize,
}

impl FreedMemory {
    pub(crate) const fn new() -> Self {
        Self {
            secrets: [const { [const { AtomicU8::new(0) }; LENGTH] }; SECRETS],
            told: AtomicUsize::new(0),
            beginnings: [const { AtomicU64::new(0) }; 1 << 10],
            found: AtomicUsize::new(0),
            searched: AtomicUsize::new(0),
            largest_hit: AtomicUsize::new(0),
        }
    }

    /// Looks for the first 16 bytes of `secret` from now on. Fewer bytes, and zeroes, are no secret.
    pub fn tell(&self, secret: &[u8]) {
        let Some(secret) = secret.first_chunk::<LENGTH>() else { return };
        if secret.iter().all(|byte| *byte == 0) || self.knows(secret) {
            return;
        }
        let slot = &self.secrets[self.told.fetch_add(1, SeqCst) % SECRETS];
        for (to, from) in slot.iter().zip(secret) {
            to.store(*from, SeqCst);
        }
        let (word, bit) = beginning(secret);
        self.beginnings[word].fetch_or(bit, SeqCst);
    }

    /// How often a secret was found in a freed block.
    pub fn found(&self) -> usize {
        self.found.load(SeqCst)
    }

    /// The size of the largest block in which one was found, in bytes.
    pub fn largest_hit(&self) -> usize {
        self.largest_hit.load(SeqCst)
    }

    /// Bytes that were searched.
    pub fn searched(&self) -> usize {
        self.searched.load(SeqCst)
    }

    /// Secrets that were told.
    pub fn told(&self) -> usize {
        self.told.load(SeqCst)
    }

    pub(crate) fn search(&self, block: &[u8]) {
        if self.told() == 0 {
            return;
        }
        self.searched.fetch_add(block.len(), SeqCst);
        for window in block.windows(LENGTH) {
            let (word, bit) = beginning(window);
            if self.beginnings[word].load(SeqCst) & bit != 0 && self.knows(window) {
                self.found.fetch_add(1, SeqCst);
                self.largest_hit.fetch_max(block.len(), SeqCst);
            }
        }
    }

    fn knows(&self, window: &[u8]) -> bool {
        let known = self.told().min(SECRETS);
        self.secrets[..known]
            .iter()
            .any(|secret| secret.iter().zip(window).all(|(ours, byte)| ours.load(SeqCst) == *byte))
    }
}

fn beginning(window: &[u8]) -> (usize, u64) {
    let pair = usize::from(window[0]) << 8 | usize::from(window[1]);
    (pair / 64, 1 << (pair % 64))
}
