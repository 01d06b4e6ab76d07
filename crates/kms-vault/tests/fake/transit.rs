//! The engine's own calls.

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use super::{State, refused};

/// A key.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) told: Value,
    pub(crate) latest_version: u64,
    pub(crate) min_decryption_version: u64,
    /// Whether another context opens.
    pub(crate) ignores_context: bool,
}

/// What a ciphertext is of.
#[derive(Clone)]
pub(crate) struct Made {
    key: String,
    context: String,
    plaintext: String,
}

impl Key {
    pub(crate) fn fit() -> Self {
        let told = json!({
            "type": "aes256-gcm96",
            "derived": true,
            "exportable": false,
            "allow_plaintext_backup": false,
            "soft_deleted": false,
        });
        Self { told, latest_version: 1, min_decryption_version: 1, ignores_context: false }
    }

    /// A key of which the server tells something else.
    pub(crate) fn with(field: &str, value: impl Into<Value>) -> Self {
        let mut key = Self::fit();
        key.told[field] = value.into();
        key
    }
}

impl State {
    pub(super) fn transit(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (call, name) = path.rsplit_once('/').unwrap();
        let Some(key) = self.keys.get(name).cloned() else {
            let missing = refused(400, "encryption key not found");
            return if call == "keys" { (404, json!({ "errors": [] })) } else { missing };
        };
        match (method, call) {
            ("GET", "keys") => {
                let mut told = key.told;
                told["name"] = json!(name);
                told["latest_version"] = json!(key.latest_version);
                (200, json!({ "data": told }))
            }
            ("POST", "datakey/plaintext") => {
                assert_eq!(body["bits"], 256);
                let plaintext = Base64::encode_string(&self.draw(32));
                let mut data =
                    self.wrap(name, &key, fields(body, ["context", "bits"])[0], &plaintext);
                data["plaintext"] = json!(plaintext);
                (200, json!({ "data": data }))
            }
            ("POST", "encrypt") => {
                let [context, plaintext] = fields(body, ["context", "plaintext"]);
                (200, json!({ "data": self.wrap(name, &key, context, plaintext) }))
            }
            ("POST", "decrypt") => match self.open(name, &key, body) {
                Ok(made) => (200, json!({ "data": { "plaintext": made.plaintext } })),
                Err(text) => refused(400, text),
            },
            ("POST", "rewrap") => match body["batch_input"].as_array() {
                Some(items) => self.rewrap_batch(name, &key, items),
                None => match self.rewrap(name, &key, body) {
                    Ok(data) => (200, json!({ "data": data })),
                    Err(text) => refused(400, text),
                },
            },
            _ => refused(405, "unsupported operation"),
        }
    }

    fn rewrap_batch(&mut self, name: &str, key: &Key, items: &[Value]) -> (u16, Value) {
        self.batches.push(items.len());
        if items.len() > 249 {
            return refused(400, "refused JSON input due to high complexity");
        }
        let outcome = |item: &Value| match self.rewrap(name, key, item) {
            Ok(data) => data,
            Err(text) => json!({ "error": text, "reference": "" }),
        };
        let results: Vec<Value> = items.iter().map(outcome).collect();
        (200, json!({ "data": { "batch_results": results } }))
    }

    fn rewrap(&mut self, name: &str, key: &Key, body: &Value) -> Result<Value, &'static str> {
        let made = self.open(name, key, body)?;
        Ok(self.wrap(name, key, &made.context, &made.plaintext))
    }

    fn wrap(&mut self, name: &str, key: &Key, context: &str, plaintext: &str) -> Value {
        let version = key.latest_version;
        let text = format!("vault:v{version}:{}", Base64::encode_string(&self.draw(60)));
        let [key, context, plaintext] = [name, context, plaintext].map(str::to_owned);
        let made = Made { key, context, plaintext };
        self.made.insert(text.clone(), made);
        json!({ "ciphertext": text, "key_version": version })
    }

    fn open(&self, name: &str, key: &Key, body: &Value) -> Result<Made, &'static str> {
        let [context, text] = fields(body, ["context", "ciphertext"]);
        let version: Option<u64> =
            text.split(':').nth(1).and_then(|version| version[1..].parse().ok());
        match version.ok_or("invalid ciphertext: no prefix")? {
            version if version < key.min_decryption_version => {
                return Err("ciphertext or signature version is disallowed by policy (too old)");
            }
            version if version > key.latest_version => {
                return Err("invalid ciphertext: version is too new");
            }
            _ => {}
        }
        let made = self.made.get(text).filter(|made| made.key == name);
        let made = made.filter(|made| key.ignores_context || made.context == context);
        made.cloned().ok_or("cipher: message authentication failed")
    }
}

/// A question has these fields and no others; texts are base64 where they have to be.
fn fields<'a>(body: &'a Value, names: [&str; 2]) -> [&'a str; 2] {
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    names.map(|name| {
        let text = body[name].as_str().unwrap_or_default();
        assert!(name == "ciphertext" || Base64::decode_vec(text).is_ok(), "{name} is not base64");
        text
    })
}
