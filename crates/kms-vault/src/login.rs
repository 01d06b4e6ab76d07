//! How to log in: [`Login`].

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_kms::KmsResult;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Result,
    client::Client,
    path,
    question::Question,
    refusal::{login_refusal, nonsense},
    token::{FileStamp, Lease, Token},
};

/// Where Kubernetes puts the token of a pod's account.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// How a client comes by its token.
///
/// All but a token file are renewed when two thirds of their time are over. `AppRole` and
/// `Kubernetes` log in anew where that does not help. White space around a secret is not part of it.
#[non_exhaustive]
pub enum Login {
    /// A token as it is.
    Token(Zeroizing<String>),
    /// A file with a token, read again whenever it changes: what an agent keeps fresh.
    TokenFile(PathBuf),
    /// A role and its secret.
    AppRole {
        /// Where the method is mounted under `auth/`.
        mount: String,
        /// The role.
        role_id: String,
        /// Its secret.
        secret_id: Zeroizing<String>,
    },
    /// The account of a pod.
    Kubernetes {
        /// Where the method is mounted under `auth/`.
        mount: String,
        /// The role.
        role: String,
        /// The file with the account's token, read at each login.
        jwt_file: PathBuf,
    },
}

#[derive(Serialize)]
struct AppRoleQuestion<'a> {
    role_id: &'a str,
    secret_id: &'a str,
}

#[derive(Serialize)]
struct KubernetesQuestion<'a> {
    role: &'a str,
    jwt: &'a str,
}

#[derive(Deserialize)]
struct LoginAnswer<'a> {
    #[serde(borrow)]
    auth: Auth<'a>,
}

#[derive(Deserialize)]
struct Auth<'a> {
    client_token: &'a str,
    lease_duration: u64,
    renewable: bool,
}

#[derive(Deserialize)]
struct Known {
    ttl: u64,
    renewable: bool,
}

impl Login {
    /// A role and its secret, at `auth/approle`.
    pub fn app_role(role_id: impl Into<String>, secret_id: impl Into<String>) -> Self {
        let secret_id = Zeroizing::new(secret_id.into());
        Self::AppRole { mount: "approle".to_owned(), role_id: role_id.into(), secret_id }
    }

    /// The account of the pod that this program runs in, at `auth/kubernetes`.
    pub fn kubernetes(role: impl Into<String>) -> Self {
        let jwt_file = PathBuf::from(POD_TOKEN);
        Self::Kubernetes { mount: "kubernetes".to_owned(), role: role.into(), jwt_file }
    }

    /// With paths that cannot lead elsewhere.
    pub(crate) fn checked(mut self) -> Result<Self> {
        if let Self::AppRole { mount, .. } | Self::Kubernetes { mount, .. } = &mut self {
            *mount = path::checked(mount)?;
        }
        Ok(self)
    }

    /// A token of the server's, or of the file.
    pub(crate) async fn perform(&self, client: &Client) -> KmsResult<Token> {
        match self {
            Self::Token(text) => known(text, client).await,
            Self::TokenFile(file) => {
                // First, so that a change between the two is seen at the next call.
                let stamp = stamp(file).await;
                let text = read(file).await?;
                let mut token = given(&text)?;
                token.file = stamp;
                Ok(token)
            }
            Self::AppRole { mount, role_id, secret_id } => {
                let body = AppRoleQuestion { role_id, secret_id: secret_id.trim() };
                log_in(client, mount, &body).await
            }
            Self::Kubernetes { mount, role, jwt_file } => {
                let jwt = read(jwt_file).await?;
                let jwt = std::str::from_utf8(jwt.trim_ascii())
                    .map_err(|_| unreadable(jwt_file, None))?;
                log_in(client, mount, &KubernetesQuestion { role, jwt }).await
            }
        }
    }

    /// Whether a token is still the one that there is.
    pub(crate) async fn is_current(&self, token: &Token) -> bool {
        match self {
            Self::TokenFile(file) => stamp(file).await.is_none_or(|now| token.file == Some(now)),
            _ => true,
        }
    }

    /// Whether there are new tokens to be had.
    pub(crate) fn gives_new_tokens(&self) -> bool {
        matches!(self, Self::AppRole { .. } | Self::Kubernetes { .. })
    }
}

/// Secrets are not shown.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.debug_tuple("Token").finish_non_exhaustive(),
            Self::TokenFile(file) => f.debug_tuple("TokenFile").field(file).finish(),
            Self::AppRole { mount, role_id, .. } => f
                .debug_struct("AppRole")
                .field("mount", mount)
                .field("role_id", role_id)
                .finish_non_exhaustive(),
            Self::Kubernetes { mount, role, jwt_file } => f
                .debug_struct("Kubernetes")
                .field("mount", mount)
                .field("role", role)
                .field("jwt_file", jwt_file)
                .finish(),
        }
    }
}

/// Makes a token hold for longer.
pub(crate) async fn renew(client: &Client, token: &Token) -> KmsResult<Option<Lease>> {
    let question = Question::post("auth/token/renew-self".to_owned(), &serde_json::json!({}))?;
    let answer = client.send(&question, Some(token)).await?;
    let LoginAnswer { auth } = answer.whole().map_err(login_refusal)?;
    Ok(Lease::new(auth.lease_duration, auth.renewable))
}

async fn log_in(client: &Client, mount: &str, body: &impl Serialize) -> KmsResult<Token> {
    let question = Question::post(format!("auth/{mount}/login"), body)?;
    let answer = client.send(&question, None).await?;
    let LoginAnswer { auth } = answer.whole().map_err(login_refusal)?;
    let text = Zeroizing::new(auth.client_token.as_bytes().to_vec());
    let lease = Lease::new(auth.lease_duration, auth.renewable);
    Token::new(text, lease).ok_or_else(|| nonsense("the server's token is none"))
}

fn given(text: &[u8]) -> KmsResult<Token> {
    Token::new(Zeroizing::new(text.trim_ascii().to_vec()), None).ok_or_else(|| {
        KeyError::new(KeyErrorKind::Denied, "cannot log in: the token that was given is none")
    })
}

/// A token with the lease that the server knows of, where it lets the token ask.
async fn known(text: &Zeroizing<String>, client: &Client) -> KmsResult<Token> {
    let mut token = given(text.as_bytes())?;
    let question = Question::get("auth/token/lookup-self".to_owned());
    match client.send(&question, Some(&token)).await?.data::<Known>() {
        Ok(Known { ttl, renewable: true }) => token.lease = Lease::new(ttl, true),
        Err(error) if error.is_retryable() => return Err(error),
        Ok(_) | Err(_) => {}
    }
    Ok(token)
}

async fn stamp(file: &Path) -> Option<FileStamp> {
    let metadata = tokio::fs::metadata(file).await.ok()?;
    Some(FileStamp { modified: metadata.modified().ok(), len: metadata.len() })
}

async fn read(file: &Path) -> KmsResult<Zeroizing<Vec<u8>>> {
    let bytes = tokio::fs::read(file).await.map_err(|error| unreadable(file, Some(&error)))?;
    Ok(Zeroizing::new(bytes))
}

fn unreadable(file: &Path, error: Option<&io::Error>) -> KeyError {
    let why = error.map_or_else(|| "it is not text".to_owned(), ToString::to_string);
    let message = format!("cannot log in: {}: {why}", file.display());
    KeyError::new(KeyErrorKind::Denied, message)
}
