//! A token that is none, in which faults can be planted: [`FakeToken`].

use std::{
    cell::Cell,
    collections::VecDeque,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering},
        mpsc::Receiver,
    },
};

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit, Payload},
};
use cryptoki::{
    context::Function,
    error::{Error, Result, RvError},
};
use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_kms::KmsResult;
use zeroize::Zeroizing;

use crate::{
    blob::IV_LEN,
    token::{Facts, Found, Key, Session, Token},
};

/// A key as it has to be.
pub(crate) const FIT: Facts = Facts {
    aes_256: true,
    private: Some(true),
    sensitive: Some(true),
    extractable: Some(false),
    never_extractable: Some(true),
    local: Some(true),
    encrypt: Some(true),
    decrypt: Some(true),
};

/// A token as strict as the strictest: a session on which something failed fails for good, and a
/// wrong tag is `CKR_GENERAL_ERROR`, as SoftHSM has it.
#[derive(Clone, Default)]
pub(crate) struct FakeToken(Arc<Shared>);

#[derive(Default)]
struct Shared {
    keys: Mutex<Vec<FakeKey>>,
    faults: Mutex<VecDeque<(Step, Fault)>>,
    iv: Mutex<IvMaker>,
    gone: Mutex<bool>,
    opened: AtomicU32,
    looked: AtomicU32,
    /// Uses of sessions on which something had failed.
    late: AtomicU32,
}

/// Where a fault is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Open,
    Find,
    Encrypt,
    Decrypt,
}

/// What happens there, once.
pub(crate) enum Fault {
    Code(RvError),
    /// Goes on when the sender is dropped.
    Hang(Receiver<()>),
    Answer(Vec<u8>),
    Panic,
}

/// Who makes IVs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IvMaker {
    #[default]
    Caller,
    /// The token, for each call another.
    Token,
    /// Nobody but the token, which keeps its own for itself.
    Hidden,
}

#[derive(Clone)]
struct FakeKey {
    label: String,
    id: Vec<u8>,
    facts: Facts,
    bytes: [u8; 32],
}

struct FakeSession {
    token: FakeToken,
    failed: Rc<Cell<bool>>,
}

struct SessionKey {
    token: FakeToken,
    failed: Rc<Cell<bool>>,
    key: FakeKey,
}

impl FakeToken {
    /// A token with these keys, each by label and `CKA_ID`.
    pub(crate) fn with(keys: &[(&str, &[u8])]) -> Self {
        let token = Self::default();
        for (label, id) in keys {
            token.add(label, id, FIT);
        }
        token
    }

    pub(crate) fn add(&self, label: &str, id: &[u8], facts: Facts) {
        let mut keys = self.0.keys.lock().unwrap();
        let bytes = [u8::try_from(keys.len()).unwrap() + 1; 32];
        keys.push(FakeKey { label: label.into(), id: id.into(), facts, bytes });
    }

    pub(crate) fn remove(&self, label: &str) {
        self.0.keys.lock().unwrap().retain(|key| key.label != label);
    }

    pub(crate) fn plant(&self, step: Step, fault: Fault) {
        self.0.faults.lock().unwrap().push_back((step, fault));
    }

    pub(crate) fn iv(&self, maker: IvMaker) {
        *self.0.iv.lock().unwrap() = maker;
    }

    /// Pulls the token out, or puts it in again.
    pub(crate) fn gone(&self, gone: bool) {
        *self.0.gone.lock().unwrap() = gone;
    }

    /// How many sessions were opened.
    pub(crate) fn opened(&self) -> u32 {
        self.0.opened.load(Ordering::Relaxed)
    }

    /// How often keys were looked for.
    pub(crate) fn looked(&self) -> u32 {
        self.0.looked.load(Ordering::Relaxed)
    }

    pub(crate) fn late(&self) -> u32 {
        self.0.late.load(Ordering::Relaxed)
    }

    /// Whether no planted fault is left.
    pub(crate) fn spent(&self) -> bool {
        self.faults().is_empty()
    }

    fn faults(&self) -> MutexGuard<'_, VecDeque<(Step, Fault)>> {
        self.0.faults.lock().unwrap()
    }

    /// What was planted for this step; an answer, if it is one.
    fn planted(&self, step: Step) -> Result<Option<Vec<u8>>> {
        let mut faults = self.faults();
        let due = faults.front().is_some_and(|(planted, _)| *planted == step);
        let fault = if due { faults.pop_front() } else { None };
        drop(faults);
        match fault.map(|(_, fault)| fault) {
            None => Ok(None),
            Some(Fault::Code(code)) => Err(Error::Pkcs11(code, Function::Decrypt)),
            Some(Fault::Hang(until)) => {
                let _ = until.recv();
                Ok(None)
            }
            Some(Fault::Answer(answer)) => Ok(Some(answer)),
            Some(Fault::Panic) => panic!("planted"),
        }
    }
}

impl Token for FakeToken {
    fn present(&self) -> KmsResult<()> {
        if *self.0.gone.lock().unwrap() {
            return Err(KeyError::new(KeyErrorKind::Unavailable, "no such token"));
        }
        Ok(())
    }

    fn open(&self) -> KmsResult<Box<dyn Session>> {
        self.present()?;
        self.planted(Step::Open).map_err(|error| crate::fault::meaning(&error))?;
        self.0.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(FakeSession { token: self.clone(), failed: Rc::default() }))
    }
}

impl Session for FakeSession {
    fn find(&self, label: &str) -> Result<Vec<Found>> {
        self.token.0.looked.fetch_add(1, Ordering::Relaxed);
        strict(&self.token, &self.failed, || {
            self.token.planted(Step::Find)?;
            if *self.token.0.gone.lock().unwrap() {
                return Ok(Vec::new());
            }
            let keys = self.token.0.keys.lock().unwrap();
            let found = keys.iter().filter(|key| key.label == label).map(|key| Found {
                id: key.id.clone(),
                facts: key.facts,
                key: Box::new(SessionKey {
                    token: self.token.clone(),
                    failed: Rc::clone(&self.failed),
                    key: key.clone(),
                }),
            });
            Ok(found.collect())
        })
    }
}

impl Key for SessionKey {
    fn encrypt(&self, iv: &mut [u8; IV_LEN], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
        strict(&self.token, &self.failed, || {
            self.there()?;
            if let Some(answer) = self.token.planted(Step::Encrypt)? {
                return Ok(answer);
            }
            let mut used = *iv;
            let maker = *self.token.0.iv.lock().unwrap();
            if maker != IvMaker::Caller {
                getrandom::fill(&mut used).unwrap();
            }
            if maker == IvMaker::Token {
                *iv = used;
            }
            let payload = Payload { msg: plaintext, aad };
            Ok(self.cipher().encrypt(&used.into(), payload).unwrap())
        })
    }

    fn decrypt(&self, iv: [u8; IV_LEN], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        strict(&self.token, &self.failed, || {
            self.there()?;
            if let Some(answer) = self.token.planted(Step::Decrypt)? {
                return Ok(answer.into());
            }
            let opened = self.cipher().decrypt(&iv.into(), Payload { msg: sealed, aad });
            let wrong = |_| Error::Pkcs11(RvError::GeneralError, Function::Decrypt);
            opened.map(Zeroizing::new).map_err(wrong)
        })
    }
}

impl SessionKey {
    fn there(&self) -> Result<()> {
        if *self.token.0.gone.lock().unwrap() {
            return Err(Error::Pkcs11(RvError::ObjectHandleInvalid, Function::EncryptInit));
        }
        Ok(())
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.key.bytes.into())
    }
}

/// After the first error, a session answers with errors only.
fn strict<T>(
    token: &FakeToken,
    failed: &Cell<bool>,
    step: impl FnOnce() -> Result<T>,
) -> Result<T> {
    if failed.get() {
        token.0.late.fetch_add(1, Ordering::Relaxed);
        return Err(Error::Pkcs11(RvError::OperationActive, Function::DecryptInit));
    }
    step().inspect_err(|_| failed.set(true))
}
