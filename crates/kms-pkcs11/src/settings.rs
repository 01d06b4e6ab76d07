//! What a KMS over PKCS#11 is started with: [`Settings`].

use std::{collections::BTreeSet, fmt, path::PathBuf, sync::Arc, time::Duration};

use object_cipher_kms::{KeyName, KeyNameKind};

use crate::{Error, Pin, ProcessCounter, Result, WrapCounter};

const MAX_TIMEOUT: Duration = Duration::from_secs(3_600);

/// Which module, token and keys a [`Pkcs11Kms`](crate::Pkcs11Kms) uses, and how.
///
/// ```
/// use object_cipher_kms_pkcs11::{Pin, Settings, TokenName};
///
/// let token = TokenName { label: "sse".into(), serial: "c6092ff1fdc8d5c3".into() };
/// let settings = Settings::new("/usr/lib/softhsm/libsofthsm2.so", token, Pin::file("/run/pin"))
///     .key("photos")
///     .key("films");
/// ```
pub struct Settings {
    pub(crate) module: PathBuf,
    pub(crate) token: TokenName,
    pub(crate) pin: Arc<Pin>,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) imported_keys: bool,
    pub(crate) iv_from_token: bool,
    pub(crate) workers: usize,
    pub(crate) queue: usize,
    pub(crate) timeout: Duration,
    pub(crate) refresh: Duration,
    pub(crate) counter: Arc<dyn WrapCounter>,
}

/// Which token of a module: both have to be right, as labels are not unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName {
    /// `CK_TOKEN_INFO.label`, without the blanks at its end.
    pub label: String,
    /// `CK_TOKEN_INFO.serialNumber`, without the blanks at its end.
    pub serial: String,
}

impl Settings {
    /// A token of the module at a path. At least one [`key`](Self::key) has to be named.
    pub fn new(module: impl Into<PathBuf>, token: TokenName, pin: Pin) -> Self {
        Self {
            module: module.into(),
            token,
            pin: Arc::new(pin),
            labels: BTreeSet::new(),
            imported_keys: false,
            iv_from_token: false,
            workers: 4,
            queue: 64,
            timeout: Duration::from_secs(2),
            refresh: Duration::from_secs(60),
            counter: Arc::new(ProcessCounter::default()),
        }
    }

    /// Names a key by its label. No other key of the token is used, whatever a request asks for.
    #[must_use]
    pub fn key(mut self, label: impl Into<String>) -> Self {
        self.labels.insert(label.into());
        self
    }

    /// Takes keys, too, that were made elsewhere and imported, or that could be extracted once: there
    /// may be copies of them.
    ///
    /// A key that can be extracted now is refused all the same.
    #[must_use]
    pub fn imported_keys(mut self) -> Self {
        self.imported_keys = true;
        self
    }

    /// Lets the token make the IVs, as HSMs in FIPS mode may insist on: it is given zeros and has to
    /// write the IV in their place.
    #[must_use]
    pub fn iv_from_token(mut self) -> Self {
        self.iv_from_token = true;
        self
    }

    /// How many threads call the module, each with a session of its own; 4 by default.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// How many calls may wait for a thread; 64 by default. The next one is refused at once.
    #[must_use]
    pub fn queue(mut self, queue: usize) -> Self {
        self.queue = queue;
        self
    }

    /// How long a call may take, waiting included; 2 seconds by default.
    ///
    /// A call into a module cannot be taken back: the thread is lost until the module returns.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How old what is known of a key may be when it wraps; a minute by default. So long after a new
    /// version was made, the one before may still wrap.
    #[must_use]
    pub fn refresh(mut self, refresh: Duration) -> Self {
        self.refresh = refresh;
        self
    }

    /// Where wraps are counted; a [`ProcessCounter`] by default.
    #[must_use]
    pub fn counter(mut self, counter: Arc<dyn WrapCounter>) -> Self {
        self.counter = counter;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.labels.is_empty() {
            return Err(Error::NoKey);
        }
        let named = |label: &&String| {
            KeyName::parse(label).is_ok_and(|name| name.kind() == KeyNameKind::Own)
        };
        if let Some(label) = self.labels.iter().find(|label| !named(label)) {
            return Err(Error::Label(label.clone()));
        }
        let timeout = Duration::from_nanos(1)..=MAX_TIMEOUT;
        if self.workers == 0 || self.queue == 0 || !timeout.contains(&self.timeout) {
            return Err(Error::Limits);
        }
        Ok(())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("module", &self.module)
            .field("token", &self.token)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let token = TokenName { label: "sse".into(), serial: "1".into() };
        Settings::new("module.so", token, Pin::given("8765"))
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        assert!(settings().key("photos").check().is_ok());
        assert!(matches!(settings().check(), Err(Error::NoKey)));
        for label in ["", "a/b", "alias/a", "1234abcd-12ab-34cd-56ef-1234567890ab"] {
            assert!(matches!(settings().key(label).check(), Err(Error::Label(_))), "{label}");
        }
        let limits = [
            settings().workers(0),
            settings().queue(0),
            settings().timeout(Duration::ZERO),
            settings().timeout(Duration::MAX),
        ];
        for settings in limits {
            assert!(matches!(settings.key("photos").check(), Err(Error::Limits)));
        }
    }

    #[test]
    fn settings_never_print_a_pin() {
        assert!(!format!("{:?}", settings()).contains("8765"));
    }
}
