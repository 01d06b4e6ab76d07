//! Which cipher protects which object: [`Ciphers`], [`CipherTable`].

use std::{fmt, sync::Arc};

use http::Extensions;
use object_cipher_core::{Mode, ObjectCipher};
use object_store::path::Path;

use crate::{Error, RequestCipher, Result};

/// Says which cipher protects an object. [`CipherTable`] is one; a host with bucket defaults, say, writes
/// its own.
pub trait Ciphers: fmt::Debug + Send + Sync + 'static {
    /// The cipher of a new object, or of one that is rewrapped.
    ///
    /// # Errors
    /// [`Error`] when there is none: never a fallback.
    fn to_seal(&self, location: &Path, extensions: &Extensions) -> Result<Arc<dyn ObjectCipher>>;

    /// The cipher of a stored object, which is sealed in this mode.
    ///
    /// # Errors
    /// [`Error::NoCipher`] when there is none.
    fn to_open(
        &self,
        location: &Path,
        mode: Mode,
        extensions: &Extensions,
    ) -> Result<Arc<dyn ObjectCipher>>;
}

/// One cipher for all objects, others under some prefixes, and others for what was stored before. A
/// request's own, in its [`RequestCipher`], comes first.
///
/// ```
/// use object_cipher_core::{EkSource, LayeredCipher};
/// use object_cipher_object_store::CipherTable;
/// use object_cipher_rustcrypto::RustCrypto;
///
/// # let keys = || object_cipher_testkit::TestKeys::new(EkSource::Kms, [7; 32]);
/// # let (all, secret) = (LayeredCipher::sse_kms(keys(), RustCrypto), LayeredCipher::sse_kms(keys(), RustCrypto));
/// let ciphers = CipherTable::new(all).under("secret", secret);
/// ```
#[derive(Clone)]
pub struct CipherTable {
    default: Arc<dyn ObjectCipher>,
    /// The longest prefixes first.
    prefixes: Vec<(Path, Arc<dyn ObjectCipher>)>,
    earlier: Vec<Arc<dyn ObjectCipher>>,
}

impl CipherTable {
    /// One cipher for all objects.
    pub fn new(default: impl ObjectCipher + 'static) -> Self {
        Self { default: Arc::new(default), prefixes: Vec::new(), earlier: Vec::new() }
    }

    /// Another cipher for new objects under a prefix; the longest that matches counts.
    #[must_use]
    pub fn under(mut self, prefix: impl Into<Path>, cipher: impl ObjectCipher + 'static) -> Self {
        self.prefixes.push((prefix.into(), Arc::new(cipher)));
        self.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.parts().count()));
        self
    }

    /// A cipher that only opens: what is stored in its mode, and no other cipher here is for.
    #[must_use]
    pub fn also_open(mut self, cipher: impl ObjectCipher + 'static) -> Self {
        self.earlier.push(Arc::new(cipher));
        self
    }

    fn prefixed(&self, location: &Path) -> impl Iterator<Item = &Arc<dyn ObjectCipher>> {
        self.prefixes
            .iter()
            .filter(|(prefix, _)| location.prefix_matches(prefix))
            .map(|(_, cipher)| cipher)
    }
}

impl Ciphers for CipherTable {
    fn to_seal(&self, location: &Path, extensions: &Extensions) -> Result<Arc<dyn ObjectCipher>> {
        if let Some(RequestCipher(cipher)) = extensions.get() {
            return Ok(Arc::clone(cipher));
        }
        Ok(Arc::clone(self.prefixed(location).next().unwrap_or(&self.default)))
    }

    fn to_open(
        &self,
        location: &Path,
        mode: Mode,
        extensions: &Extensions,
    ) -> Result<Arc<dyn ObjectCipher>> {
        let requested = extensions.get::<RequestCipher>().map(|RequestCipher(cipher)| cipher);
        let elsewhere = self.prefixes.iter().map(|(_, cipher)| cipher);
        requested
            .into_iter()
            .chain(self.prefixed(location))
            .chain([&self.default])
            .chain(elsewhere)
            .chain(&self.earlier)
            .find(|cipher| cipher.mode() == mode)
            .map(Arc::clone)
            .ok_or_else(|| Error::NoCipher { path: location.clone(), mode })
    }
}

impl fmt::Debug for CipherTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefixes = self.prefixes.iter().map(|(prefix, cipher)| (prefix, cipher.mode()));
        f.debug_struct("CipherTable")
            .field("default", &self.default.mode())
            .field("prefixes", &prefixes.collect::<Vec<_>>())
            .field("earlier", &self.earlier.iter().map(ObjectCipher::mode).collect::<Vec<_>>())
            .finish()
    }
}
