//! A backend that watches what is done with it.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use object_cipher_core::{
    Aes256Gcm, BackendError, CryptoBackend, HkdfExpander, Lineage, MessageBackend,
    MessageDecryptor, MessageEncryptor,
};

/// A backend over another that counts its work, notices a repeated key and nonce, fails a chosen
/// random draw, and tells the keys if it is asked to.
#[derive(Clone, Debug)]
pub struct Watched<B> {
    backend: B,
    watch: Arc<Watch>,
    tell: Option<fn(&[u8])>,
}

/// What is derived for a message: its key, and then base and commitment, which is stored in clear.
const MESSAGE_OKM_LEN: usize = 76;
/// The commitment of the S3 Encryption Client, which is stored in clear.
const S3EC_COMMITMENT_LEN: usize = 28;

/// What a [`Watched`] backend saw.
#[derive(Debug, Default)]
pub struct Watch {
    seals: AtomicU64,
    opens: AtomicU64,
    draws: AtomicU64,
    macs: AtomicU64,
    expands: AtomicU64,
    key_setups: AtomicU64,
    /// The draw that fails, counted from 1; 0 for none.
    failing_draw: AtomicU64,
    used: Mutex<HashSet<([u8; 32], [u8; 12])>>,
    repeats: AtomicU64,
}

/// AES-256-GCM of a [`Watched`] backend.
#[derive(Debug)]
pub struct WatchedAead<A> {
    aead: A,
    key_digest: [u8; 32],
    watch: Arc<Watch>,
}

/// HKDF-Expand of a [`Watched`] backend.
#[derive(Debug)]
pub struct WatchedExpander<E> {
    expander: E,
    watch: Arc<Watch>,
    tell: Option<fn(&[u8])>,
}

impl<B: CryptoBackend> Watched<B> {
    /// Watches a backend.
    pub fn new(backend: B) -> Self {
        Self { backend, watch: Arc::default(), tell: None }
    }

    /// Tells every key that the backend works with: AES keys, and what goes into and comes out of
    /// HKDF-Expand, in pieces of 32 bytes.
    #[must_use]
    pub fn telling(mut self, tell: fn(&[u8])) -> Self {
        self.tell = Some(tell);
        self
    }

    /// What was seen so far, by this handle and all its clones.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    fn tell(&self, secret: &[u8]) {
        tell_pieces(self.tell, secret);
    }
}

impl Watch {
    /// Calls that encrypted something.
    pub fn seals(&self) -> u64 {
        self.seals.load(Ordering::Relaxed)
    }

    /// Calls that decrypted something, or tried.
    pub fn opens(&self) -> u64 {
        self.opens.load(Ordering::Relaxed)
    }

    /// Random draws.
    pub fn draws(&self) -> u64 {
        self.draws.load(Ordering::Relaxed)
    }

    /// HMACs for themselves; HKDF's extraction is one.
    pub fn macs(&self) -> u64 {
        self.macs.load(Ordering::Relaxed)
    }

    /// HKDF expansions.
    pub fn expands(&self) -> u64 {
        self.expands.load(Ordering::Relaxed)
    }

    /// AES-256-GCM keys that were set up.
    pub fn key_setups(&self) -> u64 {
        self.key_setups.load(Ordering::Relaxed)
    }

    /// How often something was encrypted under a key and nonce that were used before.
    pub fn repeats(&self) -> u64 {
        self.repeats.load(Ordering::Relaxed)
    }

    /// Lets the `n`-th draw from now on fail, counted from 1.
    pub fn fail_draw(&self, n: u64) {
        self.failing_draw.store(self.draws() + n, Ordering::Relaxed);
    }

    fn used(&self) -> MutexGuard<'_, HashSet<([u8; 32], [u8; 12])>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: CryptoBackend> CryptoBackend for Watched<B> {
    type Aead = WatchedAead<B::Aead>;
    type Expander = WatchedExpander<B::Expander>;

    const LINEAGE: Lineage = B::LINEAGE;

    fn aead(&self, key: &[u8; 32]) -> Result<Self::Aead, BackendError> {
        self.watch.key_setups.fetch_add(1, Ordering::Relaxed);
        self.tell(key);
        Ok(WatchedAead {
            aead: self.backend.aead(key)?,
            key_digest: self.backend.sha256(&[key]),
            watch: Arc::clone(&self.watch),
        })
    }

    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError> {
        self.watch.macs.fetch_add(1, Ordering::Relaxed);
        self.backend.hmac_sha512(key, data, mac)
    }

    fn expander(&self, prk: &[u8]) -> Result<Self::Expander, BackendError> {
        self.tell(prk);
        let expander = self.backend.expander(prk)?;
        Ok(WatchedExpander { expander, watch: Arc::clone(&self.watch), tell: self.tell })
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        self.backend.sha256(data)
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        self.backend.sha512(data)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        let draw = self.watch.draws.fetch_add(1, Ordering::Relaxed) + 1;
        if draw == self.watch.failing_draw.load(Ordering::Relaxed) {
            return Err(BackendError::Unavailable);
        }
        self.backend.random(out)
    }
}

impl<B: MessageBackend> MessageBackend for Watched<B> {
    fn message_encryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageEncryptor>, BackendError> {
        self.tell(key);
        self.backend.message_encryptor(key, nonce, aad)
    }

    fn message_decryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageDecryptor>, BackendError> {
        self.tell(key);
        self.backend.message_decryptor(key, nonce, aad)
    }
}

impl<A: Aes256Gcm> Aes256Gcm for WatchedAead<A> {
    fn seal(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), BackendError> {
        self.watch.seals.fetch_add(1, Ordering::Relaxed);
        if !self.watch.used().insert((self.key_digest, *nonce)) {
            self.watch.repeats.fetch_add(1, Ordering::Relaxed);
        }
        self.aead.seal(nonce, aad, buf, tag)
    }

    fn open(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), BackendError> {
        self.watch.opens.fetch_add(1, Ordering::Relaxed);
        self.aead.open(nonce, aad, buf, tag)
    }
}

impl<E: HkdfExpander> HkdfExpander for WatchedExpander<E> {
    fn block(&self, input: &[u8], block: &mut [u8; 64]) -> Result<(), BackendError> {
        self.expander.block(input, block)
    }

    fn expand(&self, info: &[&[u8]], okm: &mut [u8]) -> Result<(), BackendError> {
        self.watch.expands.fetch_add(1, Ordering::Relaxed);
        self.expander.expand(info, okm)?;
        tell_pieces(
            self.tell,
            match okm.len() {
                MESSAGE_OKM_LEN => &okm[..32],
                S3EC_COMMITMENT_LEN => &[],
                _ => okm,
            },
        );
        Ok(())
    }
}

/// Tells a secret, if anyone is to be told.
fn tell_pieces(tell: Option<fn(&[u8])>, secret: &[u8]) {
    if let Some(tell) = tell {
        secret.chunks(32).for_each(tell);
    }
}
