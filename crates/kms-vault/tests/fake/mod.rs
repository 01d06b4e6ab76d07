//! Transit as it answers on the wire, strict in what it takes, with faults on demand.
//!
//! It encrypts nothing: a ciphertext opens if it is, to the last character, one that was made, with
//! the context that it was made with.

#![allow(dead_code, reason = "each test takes what it needs")]

mod transit;

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use object_cipher_kms_vault::{Login, VaultBuilder, VaultKms};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) use transit::Key;

pub(crate) const ROLE: &str = "role-of-tests";
pub(crate) const SECRET: &str = "secret-of-tests";

pub(crate) struct Fake {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) made: BTreeMap<String, transit::Made>,
    /// Tokens that are good.
    pub(crate) tokens: Vec<String>,
    /// Seconds that a token is given for.
    pub(crate) token_ttl: u64,
    /// Method and path of each request, with the namespace if there is one.
    pub(crate) seen: Vec<String>,
    /// Items of each batch.
    pub(crate) batches: Vec<usize>,
    drawn: u64,
    faults: VecDeque<(&'static str, Fault)>,
}

/// What happens to one request.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Another answer.
    Answer(u16, Value),
    /// The right answer, with other fields in `data`.
    Data(Value),
    /// A text that is no JSON.
    Text(u16, String),
    /// The right answer, late.
    Late(Duration),
    /// No answer.
    Hang,
}

impl Fake {
    /// With two keys that are fit, `photos` and `videos`.
    pub(crate) async fn start() -> Self {
        let keys = ["photos", "videos"].map(|name| (name.to_owned(), Key::fit()));
        let state = State { keys: keys.into(), token_ttl: 3_600, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, server }
    }

    pub(crate) fn builder(&self) -> VaultBuilder {
        VaultKms::builder(&self.address, Login::app_role(ROLE, SECRET))
    }

    pub(crate) fn kms(&self) -> VaultKms {
        self.builder().attempt_timeout(Duration::from_millis(500)).build().unwrap()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next request whose path has `part` in it fails so.
    pub(crate) fn fail(&self, part: &'static str, fault: Fault) {
        self.state().faults.push_back((part, fault));
    }

    pub(crate) fn refuse(&self, part: &'static str, status: u16, text: &str) {
        self.fail(part, Fault::Answer(status, json!({ "errors": [text] })));
    }

    /// How many requests had `part` in them.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.state().seen.iter().filter(|seen| seen.contains(part)).count()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    /// Bytes that were not there before.
    pub(crate) fn draw(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            self.drawn += 1;
            // The finaliser of SplitMix64.
            let mixed = self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn fault(&mut self, path: &str) -> Option<Fault> {
        let at = self.faults.iter().position(|(part, _)| path.contains(part))?;
        self.faults.remove(at).map(|(_, fault)| fault)
    }

    fn answer(&mut self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        match (method, path) {
            ("POST", "auth/approle/login") => {
                let good = *body == json!({ "role_id": ROLE, "secret_id": SECRET });
                if good { self.give_token() } else { refused(400, "invalid role or secret ID") }
            }
            ("POST", "auth/kubernetes/login") => {
                let good = *body == json!({ "role": ROLE, "jwt": SECRET });
                if good { self.give_token() } else { refused(403, "permission denied") }
            }
            _ if !self.tokens.iter().any(|good| good == token) => refused(403, "permission denied"),
            ("GET", "auth/token/lookup-self") => {
                (200, json!({ "data": { "ttl": self.token_ttl, "renewable": true } }))
            }
            ("POST", "auth/token/renew-self") => (200, self.auth(token)),
            _ => match path.strip_prefix("transit/") {
                Some(path) => self.transit(method, path, body),
                None => refused(404, "no handler for route"),
            },
        }
    }

    fn give_token(&mut self) -> (u16, Value) {
        let token = format!("s.token-of-tests-{}", self.tokens.len());
        self.tokens.push(token.clone());
        (200, self.auth(&token))
    }

    fn auth(&self, token: &str) -> Value {
        let ttl = self.token_ttl;
        json!({ "auth": { "client_token": token, "lease_duration": ttl, "renewable": true } })
    }
}

pub(crate) fn refused(status: u16, text: &str) -> (u16, Value) {
    (status, json!({ "errors": [text] }))
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let state = Arc::clone(&state);
        let service = service_fn(move |request| handle(request, Arc::clone(&state)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn handle(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        head.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!(header("x-vault-request"), "true");
    let path = head.uri.path().strip_prefix("/v1/").unwrap();
    let body = body.collect().await.unwrap().to_bytes();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    let ((status, mut answer), fault) = {
        let mut state = state.lock().unwrap();
        let namespace = header("x-vault-namespace");
        state.seen.push(format!("{} {namespace}/{path}", head.method));
        let fault = state.fault(path);
        (state.answer(head.method.as_str(), path, &header("x-vault-token"), &body), fault)
    };
    answer["request_id"] = json!("request-of-tests");
    let (status, text) = match fault {
        None => (status, answer.to_string()),
        Some(Fault::Answer(status, answer)) => (status, answer.to_string()),
        Some(Fault::Text(status, text)) => (status, text),
        Some(Fault::Data(fields)) => {
            for (name, value) in fields.as_object().unwrap() {
                answer["data"][name] = value.clone();
            }
            (status, answer.to_string())
        }
        Some(Fault::Late(delay)) => {
            tokio::time::sleep(delay).await;
            (status, answer.to_string())
        }
        Some(Fault::Hang) => std::future::pending().await,
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(response)
}
