//! Which keys are fit to wrap with: what is seen of a key before its first use.

use base64ct::{Base64, Encoding as _};
use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_kms::{KmsCall, KmsResult};

use crate::{
    VaultKms,
    answer::{CiphertextAnswer, KeyAnswer},
    path::TransitKey,
    question::{CiphertextQuestion, EncryptQuestion, Question},
};

const CIPHERS: [&str; 2] = ["aes256-gcm96", "xchacha20-poly1305"];

/// Two contexts that no data key is under.
const CANARY: &[u8] = b"object-cipher/v1/kms-canary\0one";
const OTHER_CANARY: &[u8] = b"object-cipher/v1/kms-canary\0two";

impl VaultKms {
    /// Refuses a key that would not bind contexts, or that leaves the server: by what the server
    /// tells of it, and by a canary that another context must not open. Once for each key.
    pub(crate) async fn check(&self, key: &TransitKey, call: &KmsCall<'_>) -> KmsResult<()> {
        if self.is_checked(key) {
            return Ok(());
        }
        let told = self.look_up(key, call).await?;
        if told.soft_deleted {
            let message = format!("the Transit key {} is soft-deleted", key.name);
            return Err(KeyError::new(KeyErrorKind::Disabled, message));
        }
        self.send_canary(key, call).await?;
        self.set_checked(key);
        Ok(())
    }

    /// What the server tells of a key that is fit.
    pub(crate) async fn look_up(
        &self,
        key: &TransitKey,
        call: &KmsCall<'_>,
    ) -> KmsResult<KeyAnswer> {
        let question = Question::get(self.mount.path("keys", key));
        let told = self.session.ask(call, &question).await?.data::<KeyAnswer>()?;
        if told.name != key.name {
            let message = "the server answered for another key";
            return Err(KeyError::new(KeyErrorKind::WrongKey, message));
        }
        let fault = if !told.derived {
            "is not derived: it binds no context"
        } else if !CIPHERS.contains(&told.cipher.as_str()) {
            "is not of type aes256-gcm96 or xchacha20-poly1305"
        } else if told.exportable {
            "is exportable"
        } else if told.allow_plaintext_backup {
            "may be backed up in plaintext"
        } else {
            return Ok(told);
        };
        Err(unfit(key, fault))
    }

    async fn send_canary(&self, key: &TransitKey, call: &KmsCall<'_>) -> KmsResult<()> {
        let [context, other] = [CANARY, OTHER_CANARY].map(Base64::encode_string);
        let body = EncryptQuestion { context: &context, plaintext: &context };
        let question = Question::post(self.mount.path("encrypt", key), &body)?;
        let wrapped = self.session.ask(call, &question).await?;
        let ciphertext = wrapped.data::<CiphertextAnswer<'_>>()?.ciphertext()?.text;
        let body = CiphertextQuestion { context: other, ciphertext };
        let question = Question::post(self.mount.path("decrypt", key), &body)?;
        match self.session.ask(call, &question).await?.data::<serde::de::IgnoredAny>() {
            Err(error) if error.kind() == KeyErrorKind::Integrity => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(unfit(key, "opened a canary under another context")),
        }
    }
}

/// S3 knows this code, and answers with it that the key cannot be used so.
fn unfit(key: &TransitKey, fault: &str) -> KeyError {
    let message = format!("the Transit key {} {fault}", key.name);
    KeyError::new(KeyErrorKind::Invalid, message).with_code("InvalidKeyUsageException")
}
