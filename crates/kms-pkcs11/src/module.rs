//! A PKCS#11 module and a token in it: [`LoggedIn`].

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as Fault, RvError},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session as Handle, SessionState, UserType},
    slot::Slot,
    types::RawAuthPin,
};
use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_kms::KmsResult;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    Error, Pin, Result, TokenName,
    blob::IV_LEN,
    fault,
    token::{Facts, Found, Key, Session, Token},
};

/// A process initialises a module once, and never ends it: others may use it.
static MODULES: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

struct Module {
    context: Pkcs11,
    /// PINs that tokens refused, by the token's serial.
    refused: Mutex<Vec<(String, Zeroizing<Vec<u8>>)>>,
}

/// A token that is logged in to when a session is opened, and from then on.
pub(crate) struct LoggedIn {
    module: Arc<Module>,
    name: TokenName,
    pin: Arc<Pin>,
    /// Where the token was last.
    slot: Mutex<Option<Slot>>,
    /// The session that logged in. While it is open, the login holds.
    login: Mutex<Option<Handle>>,
}

struct TokenSession(Rc<Handle>);

struct TokenKey {
    session: Rc<Handle>,
    key: ObjectHandle,
}

impl Module {
    fn load(path: &Path) -> Result<Arc<Self>> {
        // A name without a folder is for the system's loader to find.
        let file = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(&file) {
            return Ok(Arc::clone(module));
        }
        let failed = |fault: Fault| match fault {
            Fault::Pkcs11(RvError::CryptokiAlreadyInitialized, _) => {
                Error::ModuleTaken { file: file.clone() }
            }
            fault => Error::Module { file: file.clone(), source: fault.into() },
        };
        let context = Pkcs11::new(&file).map_err(failed)?;
        let threads = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        context.initialize(threads).map_err(failed)?;
        let module = Arc::new(Self { context, refused: Mutex::default() });
        modules.insert(file, Arc::clone(&module));
        Ok(module)
    }
}

impl LoggedIn {
    pub(crate) fn new(module: &Path, name: TokenName, pin: Arc<Pin>) -> Result<Self> {
        let module = Module::load(module)?;
        Ok(Self { module, name, pin, slot: Mutex::default(), login: Mutex::default() })
    }

    /// Where the token is now: where it was, unless slots were renumbered.
    fn slot(&self) -> KmsResult<Slot> {
        let known = || self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let last = *known();
        let slot = match last {
            Some(slot) if self.is_in(slot).is_ok_and(|is_in| is_in) => slot,
            _ => self.find_slot()?,
        };
        *known() = Some(slot);
        Ok(slot)
    }

    fn find_slot(&self) -> KmsResult<Slot> {
        let slots = self.module.context.get_slots_with_token();
        let (mut found, mut failed) = (Vec::new(), None);
        for slot in slots.map_err(|error| fault::meaning(&error))? {
            match self.is_in(slot) {
                Ok(is_in) => found.extend(is_in.then_some(slot)),
                // It may be another token.
                Err(error) => failed = Some(error),
            }
        }
        let TokenName { label, serial } = &self.name;
        match found[..] {
            [slot] => Ok(slot),
            [] => {
                let message = format!("no token with the label {label} and the serial {serial}");
                let error = KeyError::new(KeyErrorKind::Unavailable, message);
                let code = failed.and_then(|failed| failed.code().map(str::to_owned));
                Err(code.into_iter().fold(error, KeyError::with_code))
            }
            _ => {
                let message = format!("several tokens have the label {label}, serial {serial}");
                Err(KeyError::new(KeyErrorKind::InvalidState, message))
            }
        }
    }

    fn is_in(&self, slot: Slot) -> KmsResult<bool> {
        let info = self.module.context.get_token_info(slot);
        let info = info.map_err(|error| fault::meaning(&error))?;
        Ok(info.label() == self.name.label && info.serial_number() == self.name.serial)
    }

    fn session(&self) -> KmsResult<Handle> {
        let opened = self.module.context.open_ro_session(self.slot()?);
        opened.map_err(|error| fault::meaning(&error))
    }

    /// Logs in, with a PIN that the token has not refused.
    fn log_in(&self, session: &Handle) -> KmsResult<()> {
        let pin = self.pin.read()?;
        // Held until the token has answered: no other thread tries the same PIN meanwhile.
        let mut refused = self.module.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |(serial, other): &(String, Zeroizing<Vec<u8>>)| {
            *serial == self.name.serial && other.ct_eq(&pin).into()
        };
        if refused.iter().any(known) {
            let message = "the token refused this PIN before: it is not tried again";
            return Err(KeyError::new(KeyErrorKind::Denied, message));
        }
        let given = RawAuthPin::new(Box::new(pin.to_vec()));
        match session.login_with_raw(UserType::User, &given) {
            Ok(()) | Err(Fault::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(error) => {
                if !fault::unjudged(&error) {
                    refused.push((self.name.serial.clone(), pin));
                }
                Err(fault::meaning(&error))
            }
        }
    }
}

impl Token for LoggedIn {
    fn present(&self) -> KmsResult<()> {
        self.slot().map(drop)
    }

    fn open(&self) -> KmsResult<Box<dyn Session>> {
        let session = self.session()?;
        let boxed = |session| Box::new(TokenSession(Rc::new(session)));
        if is_logged_in(&session)? {
            return Ok(boxed(session));
        }
        let mut login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been faster.
        if is_logged_in(&session)? {
            return Ok(boxed(session));
        }
        self.log_in(&session)?;
        *login = Some(session);
        Ok(boxed(self.session()?))
    }
}

impl Session for TokenSession {
    fn find(&self, label: &str) -> cryptoki::error::Result<Vec<Found>> {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Token(true),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        let keys = self.0.find_objects(&template)?;
        keys.into_iter().map(|key| self.found(key)).collect()
    }
}

impl TokenSession {
    fn found(&self, key: ObjectHandle) -> cryptoki::error::Result<Found> {
        let told = self.0.get_attributes(
            key,
            &[
                AttributeType::Id,
                AttributeType::KeyType,
                AttributeType::ValueLen,
                AttributeType::Private,
                AttributeType::Sensitive,
                AttributeType::Extractable,
                AttributeType::NeverExtractable,
                AttributeType::Local,
                AttributeType::Encrypt,
                AttributeType::Decrypt,
            ],
        )?;
        let (mut id, mut facts) = (Vec::new(), Facts::default());
        let (mut aes, mut length) = (false, 0);
        for attribute in told {
            match attribute {
                Attribute::Id(told) => id = told,
                Attribute::KeyType(told) => aes = told == KeyType::AES,
                Attribute::ValueLen(told) => length = *told,
                Attribute::Private(told) => facts.private = Some(told),
                Attribute::Sensitive(told) => facts.sensitive = Some(told),
                Attribute::Extractable(told) => facts.extractable = Some(told),
                Attribute::NeverExtractable(told) => facts.never_extractable = Some(told),
                Attribute::Local(told) => facts.local = Some(told),
                Attribute::Encrypt(told) => facts.encrypt = Some(told),
                Attribute::Decrypt(told) => facts.decrypt = Some(told),
                _ => {}
            }
        }
        facts.aes_256 = aes && length == 32;
        let key = Box::new(TokenKey { session: Rc::clone(&self.0), key });
        Ok(Found { id, facts, key })
    }
}

impl Key for TokenKey {
    fn encrypt(
        &self,
        iv: &mut [u8; IV_LEN],
        aad: &[u8],
        plaintext: &[u8],
    ) -> cryptoki::error::Result<Vec<u8>> {
        self.session.encrypt(&aes_gcm(iv, aad)?, self.key, plaintext)
    }

    fn decrypt(
        &self,
        mut iv: [u8; IV_LEN],
        aad: &[u8],
        sealed: &[u8],
    ) -> cryptoki::error::Result<Zeroizing<Vec<u8>>> {
        self.session.decrypt(&aes_gcm(&mut iv, aad)?, self.key, sealed).map(Zeroizing::new)
    }
}

/// AES-GCM with a tag of 128 bits.
fn aes_gcm<'a>(iv: &'a mut [u8; IV_LEN], aad: &'a [u8]) -> cryptoki::error::Result<Mechanism<'a>> {
    GcmParams::new(iv, aad, 128.into()).map(Mechanism::AesGcm)
}

fn is_logged_in(session: &Handle) -> KmsResult<bool> {
    let info = session.get_session_info().map_err(|error| fault::meaning(&error))?;
    Ok(matches!(info.session_state(), SessionState::RoUser | SessionState::RwUser))
}
