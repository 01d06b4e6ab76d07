//! The server that `server/run` started, as its operator sees it.

use std::{
    env, fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use object_cipher_kms_vault::{Login, VaultBuilder, VaultKms};
use serde_json::{Value, json};

/// What the README grants, for all keys.
const POLICY: &str = r#"
path "transit/keys/*"              { capabilities = ["read"] }
path "transit/datakey/plaintext/*" { capabilities = ["update"] }
path "transit/encrypt/*"           { capabilities = ["update"] }
path "transit/decrypt/*"           { capabilities = ["update"] }
path "transit/rewrap/*"            { capabilities = ["update"] }
"#;

pub(crate) struct OpenBao {
    pub(crate) address: String,
    namespace: &'static str,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// A server of a test's own, which keeps what it has in a folder.
pub(crate) struct Raft {
    pub(crate) bao: OpenBao,
    child: Child,
}

/// A setting of `server/run`.
pub(crate) fn setting(name: &str) -> String {
    let name = format!("OBJECT_CIPHER_VAULT_{name}");
    env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: run crates/kms-vault/server/run"))
}

pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(setting("FOLDER")).join(name)
}

impl OpenBao {
    pub(crate) fn shared() -> Self {
        Self::at(setting("PLAIN"), "")
    }

    pub(crate) fn in_namespace(namespace: &'static str) -> Self {
        Self::at(setting("PLAIN"), namespace)
    }

    fn at(address: String, namespace: &'static str) -> Self {
        Self { address, namespace, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Does as root.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send("POST", path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.address))
            .header("x-vault-token", "root")
            .header("x-vault-namespace", self.namespace)
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap();
        let Ok(response) = self.client.request(request).await else {
            return (0, Value::Null);
        };
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Makes a key that is fit, of a name that no other test has.
    pub(crate) async fn key(&self) -> String {
        self.key_with(json!({})).await
    }

    pub(crate) async fn key_with(&self, settings: Value) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("Key_{}.a", MADE.fetch_add(1, Ordering::Relaxed));
        let mut body = json!({ "derived": true });
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self.post(&format!("transit/keys/{name}"), body).await;
        name
    }

    pub(crate) async fn rotate(&self, key: &str) {
        self.post(&format!("transit/keys/{key}/rotate"), json!({})).await;
    }

    /// Makes a role with the README's policy and other settings, and a login for it.
    pub(crate) async fn role(&self, mount: &str, role: &str, settings: Value) -> Login {
        self.post("sys/policies/acl/storage", json!({ "policy": POLICY })).await;
        let mut body = json!({ "token_policies": ["storage"], "role_id": role });
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let path = format!("auth/{mount}/role/{role}");
        self.post(&path, body).await;
        let secret = self.post(&format!("{path}/secret-id"), json!({})).await;
        let secret_id = secret["data"]["secret_id"].as_str().unwrap().to_owned().into();
        Login::AppRole { mount: mount.to_owned(), role_id: role.to_owned(), secret_id }
    }

    pub(crate) fn builder(&self, login: Login) -> VaultBuilder {
        VaultKms::builder(&self.address, login)
    }

    /// A client with a role of its own.
    pub(crate) async fn kms(&self, role: &str) -> VaultKms {
        let login = self.role("approle", role, json!({})).await;
        self.builder(login).build().unwrap()
    }
}

impl Raft {
    pub(crate) async fn start() -> Self {
        let raft = Self { bao: OpenBao::at(setting("RAFT"), ""), child: spawn() };
        raft.wait_until_active().await;
        raft
    }

    /// Ends without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = spawn();
        self.wait_until_active().await;
    }

    async fn wait_until_active(&self) {
        for _ in 0..300 {
            // Active and past its first requests, of which the last makes the token.
            let path = "auth/token/lookup-self";
            if self.bao.send("GET", path, json!({})).await.0 == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server did not start: {}", fs::read_to_string(file("raft.log")).unwrap());
    }
}

impl Drop for Raft {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn() -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(file("raft.log")).unwrap();
    let child = Command::new(setting("BAO"))
        .args(["server", "-config"])
        .arg(file("raft.json"))
        .stdin(Stdio::null())
        .stderr(log.try_clone().unwrap())
        .stdout(log)
        .spawn()
        .unwrap();
    // For the script, should this test not come to end it.
    fs::write(file("raft.pid"), child.id().to_string()).unwrap();
    child
}
