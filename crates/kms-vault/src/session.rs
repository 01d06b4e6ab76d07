//! A client that is logged in: [`Session`].

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use object_cipher_core::KeyError;
use object_cipher_kms::{KmsCall, KmsResult};
use tokio::time::Instant;

use crate::{
    answer::Answer,
    client::Client,
    login::{self, Login},
    question::Question,
    token::{Age, Token},
};

/// A token this young is not what is wrong with a call: the server means what it says. So a
/// forbidden path costs one login a second, and not one a call.
const YOUNG: Duration = Duration::from_secs(1);

/// A client, and the token that it has.
pub(crate) struct Session(Arc<Inner>);

struct Inner {
    client: Client,
    login: Login,
    held: Mutex<Held>,
    /// One login or renewal at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Held {
    token: Option<Arc<Token>>,
    /// The last login, if it failed: whoever waited for it fails with it, and does not wait for one
    /// of their own.
    failed: Option<(Instant, KeyError)>,
}

impl Session {
    pub(crate) fn new(client: Client, login: Login) -> Self {
        Self(Arc::new(Inner { client, login, held: Mutex::default(), turn: Arc::default() }))
    }

    /// Asks, and asks once more with a new token if the first may not be good any more: a server
    /// answers alike to a token that has ended and to one that may not.
    pub(crate) async fn ask(&self, call: &KmsCall<'_>, question: &Question) -> KmsResult<Answer> {
        let token = self.token().await?;
        let answer = self.send(call, question, &token).await?;
        if answer.status != http::StatusCode::FORBIDDEN {
            return Ok(answer);
        }
        match self.0.after_refusal(&token).await? {
            Some(token) => self.send(call, question, &token).await,
            None => Ok(answer),
        }
    }

    async fn send(
        &self,
        call: &KmsCall<'_>,
        question: &Question,
        token: &Token,
    ) -> KmsResult<Answer> {
        let answer = self.0.client.send(question, Some(token)).await?;
        if let Some(id) = answer.request_id() {
            call.note(|noted| noted.kms_request_id = Some(id));
        }
        Ok(answer)
    }

    async fn token(&self) -> KmsResult<Arc<Token>> {
        let Some(token) = self.0.held().token.clone() else {
            return self.0.log_in(None).await;
        };
        if !self.0.login.is_current(&token).await {
            // A file that is just being written: what was in it may still hold.
            return Ok(self.0.log_in(Some(&token)).await.unwrap_or(token));
        }
        match token.age(Instant::now()) {
            Age::Fresh => Ok(token),
            Age::Due => {
                self.renew_behind(&token);
                Ok(token)
            }
            Age::Ended => self.0.log_in(Some(&token)).await,
        }
    }

    /// Renews beside the call that found it due, unless that is being done.
    fn renew_behind(&self, token: &Arc<Token>) {
        if let Ok(turn) = Arc::clone(&self.0.turn).try_lock_owned() {
            let (inner, token) = (Arc::clone(&self.0), Arc::clone(token));
            tokio::spawn(async move {
                inner.renew(&token).await;
                drop(turn);
            });
        }
    }
}

impl Inner {
    /// A token in the place of `old`, by one login for all who need one.
    async fn log_in(&self, old: Option<&Arc<Token>>) -> KmsResult<Arc<Token>> {
        let asked = Instant::now();
        let _turn = self.turn.lock().await;
        {
            let held = self.held();
            if let Some(token) = held.token.as_ref().filter(|token| !is_same(token, old)) {
                return Ok(Arc::clone(token));
            }
            if let Some((_, error)) = held.failed.as_ref().filter(|(at, _)| *at >= asked) {
                return Err(error.clone());
            }
        }
        let outcome = self.login.perform(&self.client).await;
        let mut held = self.held();
        match outcome {
            Ok(token) => Ok(Arc::clone(held.token.insert(Arc::new(token)))),
            Err(error) => {
                held.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Another token after a call was forbidden, or none if that would not help.
    async fn after_refusal(&self, refused: &Arc<Token>) -> KmsResult<Option<Arc<Token>>> {
        let held = self.held().token.clone();
        if let Some(token) = held.filter(|token| !is_same(token, Some(refused))) {
            return Ok(Some(token));
        }
        let changed = !self.login.is_current(refused).await;
        let old = refused.confirmed.elapsed() >= YOUNG;
        if changed || (self.login.gives_new_tokens() && old) {
            return self.log_in(Some(refused)).await.map(Some);
        }
        Ok(None)
    }

    /// Renews the lease, or logs in anew where it cannot be renewed or nears its last end. A token
    /// that this fails for is kept: it still holds.
    async fn renew(&self, token: &Arc<Token>) {
        let is_held = is_same(token, self.held().token.as_ref());
        let Some(lease) = token.lease.filter(|_| is_held) else {
            return;
        };
        let anew = self.login.gives_new_tokens();
        let mut next = None;
        if lease.renewable {
            let granted = login::renew(&self.client, token).await.ok().flatten();
            let granted = granted.filter(|granted| !anew || granted.length >= lease.length / 2);
            next = granted.map(|granted| token.renewed(granted));
        }
        if next.is_none() && anew {
            next = self.login.perform(&self.client).await.ok();
        }
        self.held().token = Some(Arc::new(next.unwrap_or_else(|| token.postponed())));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_same(token: &Arc<Token>, other: Option<&Arc<Token>>) -> bool {
    other.is_some_and(|other| Arc::ptr_eq(token, other))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::{VaultKms, token::Lease};

    #[tokio::test]
    async fn a_renewal_that_comes_late_changes_nothing() {
        let kms = VaultKms::builder("http://127.0.0.1:9", Login::app_role("role", "secret"));
        let session = kms.build().unwrap().session;
        let token = |text: &str| {
            let text = Zeroizing::new(text.as_bytes().to_vec());
            Arc::new(Token::new(text, Lease::new(30, true)).unwrap())
        };
        let (late, current) = (token("s.late"), token("s.current"));
        session.0.held().token = Some(Arc::clone(&current));
        session.0.renew(&late).await;
        assert!(is_same(&current, session.0.held().token.as_ref()));
    }
}
