//! What AWS KMS does, as its reference says. It wraps by remembering: a blob that it did not make
//! is none.

use std::collections::{BTreeMap, HashMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "111122223333";

/// A code and a message.
pub(super) type Refusal = (&'static str, String);
type Answer<T> = Result<T, Refusal>;

/// All keys, of all regions.
#[derive(Default)]
pub(crate) struct World {
    keys: Vec<Key>,
    aliases: HashMap<String, String>,
    wrapped: HashMap<Vec<u8>, Wrapped>,
    drawn: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Enabled,
    Disabled,
    PendingDeletion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spec {
    Symmetric,
    RsaForSignatures,
}

#[derive(Clone)]
struct Key {
    id: String,
    regions: Vec<&'static str>,
    spec: Spec,
    state: State,
    rotations: u64,
}

struct Wrapped {
    key: String,
    rotation: u64,
    context: BTreeMap<String, String>,
    plaintext: Vec<u8>,
}

impl World {
    /// Makes a key with replicas in regions.
    pub(crate) fn create(&mut self, id: &str, spec: Spec, regions: &[&'static str]) {
        let (id, regions) = (id.to_owned(), regions.to_vec());
        self.keys.push(Key { id, regions, spec, state: State::Enabled, rotations: 0 });
    }

    pub(crate) fn alias(&mut self, alias: &str, id: &str) {
        self.aliases.insert(alias.to_owned(), id.to_owned());
    }

    pub(crate) fn set_state(&mut self, id: &str, state: State) {
        self.key(id).state = state;
    }

    pub(crate) fn rotate(&mut self, id: &str) {
        self.key(id).rotations += 1;
    }

    fn key(&mut self, id: &str) -> &mut Key {
        self.keys.iter_mut().find(|key| key.id == id).unwrap()
    }

    pub(super) fn answer(&mut self, region: &str, operation: &str, rq: &Value) -> Answer<Value> {
        match operation {
            "GenerateDataKey" => self.generate_data_key(region, rq),
            "Encrypt" => self.encrypt(region, rq),
            "Decrypt" => self.decrypt(region, rq),
            "ReEncrypt" => self.re_encrypt(region, rq),
            "DescribeKey" => self.describe_key(region, rq),
            _ => Err(("UnknownOperationException", String::new())),
        }
    }

    fn generate_data_key(&mut self, region: &str, rq: &Value) -> Answer<Value> {
        known(rq, &["KeyId", "KeySpec", "NumberOfBytes", "EncryptionContext"])?;
        let length = match (rq["KeySpec"].as_str(), rq["NumberOfBytes"].as_u64()) {
            (Some("AES_256"), None) => 32,
            (Some("AES_128"), None) => 16,
            (None, Some(length @ 1..=1_024)) => usize::try_from(length).unwrap(),
            _ => return Err(invalid("one of KeySpec and NumberOfBytes")),
        };
        let key = self.usable(region, text(rq, "KeyId")?)?;
        let plaintext = self.draw(length);
        let blob = self.wrap(&key, context(rq, "EncryptionContext")?, &plaintext);
        Ok(json!({
            "CiphertextBlob": STANDARD.encode(blob),
            "Plaintext": STANDARD.encode(plaintext),
            "KeyId": key.arn(region),
            "KeyMaterialId": key.material(key.rotations),
        }))
    }

    fn encrypt(&mut self, region: &str, rq: &Value) -> Answer<Value> {
        known(rq, &["KeyId", "Plaintext", "EncryptionContext"])?;
        let plaintext = bytes(rq, "Plaintext", 4_096)?;
        let key = self.usable(region, text(rq, "KeyId")?)?;
        let blob = self.wrap(&key, context(rq, "EncryptionContext")?, &plaintext);
        Ok(json!({
            "CiphertextBlob": STANDARD.encode(blob),
            "KeyId": key.arn(region),
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }))
    }

    fn decrypt(&mut self, region: &str, rq: &Value) -> Answer<Value> {
        known(rq, &["CiphertextBlob", "KeyId", "EncryptionContext"])?;
        let (key, wrapped) = self.open(region, rq, "KeyId", "EncryptionContext")?;
        Ok(json!({
            "KeyId": key.arn(region),
            "Plaintext": STANDARD.encode(&wrapped.plaintext),
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "KeyMaterialId": key.material(wrapped.rotation),
        }))
    }

    fn re_encrypt(&mut self, region: &str, rq: &Value) -> Answer<Value> {
        let contexts = ["SourceEncryptionContext", "DestinationEncryptionContext"];
        let others = ["CiphertextBlob", "SourceKeyId", "DestinationKeyId"];
        known(rq, &[contexts.as_slice(), &others].concat())?;
        let (from, wrapped) = self.open(region, rq, "SourceKeyId", contexts[0])?;
        let (plaintext, rotation) = (wrapped.plaintext.clone(), wrapped.rotation);
        let to = self.usable(region, text(rq, "DestinationKeyId")?)?;
        let blob = self.wrap(&to, context(rq, contexts[1])?, &plaintext);
        Ok(json!({
            "CiphertextBlob": STANDARD.encode(blob),
            "SourceKeyId": from.arn(region),
            "KeyId": to.arn(region),
            "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "SourceKeyMaterialId": from.material(rotation),
            "DestinationKeyMaterialId": to.material(to.rotations),
        }))
    }

    fn describe_key(&self, region: &str, rq: &Value) -> Answer<Value> {
        known(rq, &["KeyId"])?;
        let key = self.find(region, text(rq, "KeyId")?)?;
        let symmetric = key.spec == Spec::Symmetric;
        let mut metadata = json!({
            "AWSAccountId": ACCOUNT,
            "KeyId": key.id,
            "Arn": key.arn(region),
            "CreationDate": 1_760_000_000.123,
            "Enabled": key.state == State::Enabled,
            "KeyState": format!("{:?}", key.state),
            "KeyUsage": if symmetric { "ENCRYPT_DECRYPT" } else { "SIGN_VERIFY" },
            "KeySpec": if symmetric { "SYMMETRIC_DEFAULT" } else { "RSA_2048" },
            "KeyManager": "CUSTOMER",
            "Origin": "AWS_KMS",
            "MultiRegion": key.id.starts_with("mrk-"),
        });
        if symmetric {
            metadata["CurrentKeyMaterialId"] = key.material(key.rotations).into();
        }
        if key.state == State::PendingDeletion {
            metadata["DeletionDate"] = 1_790_000_000.into();
        }
        Ok(json!({ "KeyMetadata": metadata }))
    }

    fn find(&self, region: &str, name: &str) -> Answer<&Key> {
        let not_found = |message: String| ("NotFoundException", message);
        let mut resource = name;
        if name.starts_with("arn:") {
            let parts: Vec<_> = name.splitn(6, ':').collect();
            let [_, "aws", "kms", named, account, part] = parts[..] else {
                return Err(("InvalidArnException", format!("Invalid arn {name}")));
            };
            if named != region {
                return Err(not_found(format!("Invalid arn {named}")));
            }
            if account != ACCOUNT {
                return Err(not_found(format!("Key '{name}' does not exist")));
            }
            resource = part.strip_prefix("key/").unwrap_or(part);
        }
        let missing_alias = || not_found(format!("Alias {resource} is not found."));
        let id = if resource.starts_with("alias/") {
            self.aliases.get(resource).ok_or_else(missing_alias)?
        } else {
            resource
        };
        let here = |key: &&Key| key.id == id && key.regions.contains(&region);
        let missing = || not_found(format!("Key '{id}' does not exist"));
        self.keys.iter().find(here).ok_or_else(missing)
    }

    /// A key that may wrap and unwrap.
    fn usable(&self, region: &str, name: &str) -> Answer<Key> {
        let key = self.find(region, name)?;
        let arn = key.arn(region);
        match key.state {
            _ if key.spec != Spec::Symmetric => Err(("InvalidKeyUsageException", arn)),
            State::Enabled => Ok(key.clone()),
            State::Disabled => Err(("DisabledException", format!("{arn} is disabled."))),
            State::PendingDeletion => {
                Err(("KMSInvalidStateException", format!("{arn} is pending deletion.")))
            }
        }
    }

    fn open(&self, region: &str, rq: &Value, key: &str, pairs: &str) -> Answer<(Key, &Wrapped)> {
        let blob = bytes(rq, "CiphertextBlob", 6_144)?;
        let named = rq[key].as_str().map(|name| self.usable(region, name)).transpose()?;
        let garbage = || ("InvalidCiphertextException", String::new());
        let wrapped = self.wrapped.get(&blob).ok_or_else(garbage)?;
        if named.is_some_and(|named| named.id != wrapped.key) {
            let message = "The key ID in the request does not identify a CMK that can perform this operation.";
            return Err(("IncorrectKeyException", message.to_owned()));
        }
        let key = self.usable(region, &wrapped.key)?;
        if context(rq, pairs)? != wrapped.context {
            return Err(garbage());
        }
        Ok((key, wrapped))
    }

    fn wrap(&mut self, key: &Key, context: BTreeMap<String, String>, data: &[u8]) -> Vec<u8> {
        let blob = self.draw(184);
        let (key, rotation, plaintext) = (key.id.clone(), key.rotations, data.to_vec());
        self.wrapped.insert(blob.clone(), Wrapped { key, rotation, context, plaintext });
        blob
    }

    /// Bytes that were not drawn before.
    fn draw(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            self.drawn += 1;
            let mixed = (self.drawn ^ self.drawn >> 7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9).to_be_bytes()
        };
        std::iter::from_fn(|| Some(next())).flatten().take(length).collect()
    }
}

impl Key {
    fn arn(&self, region: &str) -> String {
        format!("arn:aws:kms:{region}:{ACCOUNT}:key/{}", self.id)
    }

    /// 64 hexadecimal digits.
    fn material(&self, rotation: u64) -> String {
        let sum = self.id.bytes().map(u64::from).sum::<u64>();
        format!("{sum:032x}{rotation:032x}")
    }
}

pub(super) fn refusal(code: &str, message: &str) -> Value {
    json!({ "__type": code, "message": message })
}

fn invalid(what: &str) -> Refusal {
    ("ValidationException", format!("1 validation error detected: {what}"))
}

/// Nothing is sent that the rules do not know.
fn known(rq: &Value, members: &[&str]) -> Answer<()> {
    let object = rq.as_object().ok_or(("SerializationException", String::new()))?;
    match object.keys().find(|member| !members.contains(&member.as_str())) {
        Some(member) => Err(invalid(member)),
        None => Ok(()),
    }
}

fn text<'a>(rq: &'a Value, member: &str) -> Answer<&'a str> {
    rq[member].as_str().filter(|text| (1..=2_048).contains(&text.len())).ok_or(invalid(member))
}

fn bytes(rq: &Value, member: &str, longest: usize) -> Answer<Vec<u8>> {
    let bytes = STANDARD.decode(text_of(rq, member)?).map_err(|_| invalid(member))?;
    if (1..=longest).contains(&bytes.len()) { Ok(bytes) } else { Err(invalid(member)) }
}

fn text_of<'a>(rq: &'a Value, member: &str) -> Answer<&'a str> {
    rq[member].as_str().ok_or(invalid(member))
}

fn context(rq: &Value, member: &str) -> Answer<BTreeMap<String, String>> {
    if rq[member].is_null() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_value(rq[member].clone()).map_err(|_| invalid(member))
}
