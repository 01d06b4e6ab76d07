//! `inspect`: what a pair says without a key.

use std::path::Path;

use object_cipher_core::{Envelope, IdentityItem, KeyRef, LayerKey, Layout, State};
use serde_json::{Value, json};

use crate::{
    args::InspectArgs,
    console::{self, say},
    describe::{self, hex},
    error::{Error, Result},
    record::Record,
    sealed::{Found, REALM},
};

pub(crate) fn run(args: &InspectArgs) -> Result<()> {
    let Found { pair, record, body } = Found::look(&args.file)?;
    let metadata = body.metadata().map_err(Error::io("read", pair.body_path()))?;
    if args.json {
        console::json(&to_json(&record, pair.body_path(), metadata.len()))
    } else {
        print(&record, pair.body_path(), metadata.len())
    }
}

fn print(record: &Record, path: &Path, stored: u64) -> Result<()> {
    let envelope = &record.envelope;
    say!("file       {}, {stored} bytes", path.display())?;
    match claimed_length(envelope, stored) {
        Some(length) => say!("content    {length} bytes by the file's size; `verify` proves it")?,
        None => say!("content    unknown: no whole body has this size")?,
    }
    say!("object id  {}", envelope.object_id())?;
    say!("mode       {}", envelope.mode())?;
    say!("state      {}", envelope.state())?;
    let words: &[&str] = match envelope.layers().count() {
        1 => &["key       "],
        _ => &["inner key ", "outer key "],
    };
    for (word, layer) in words.iter().zip(envelope.layers()) {
        say!("{word} {}", describe::layer_key(layer))?;
        if let KeyRef::Master(key) = layer.key_ref() {
            say!("key check  {}", hex(key.check()))?;
        }
    }
    say!("realm      {REALM:?}")?;
    say!("name       {}", describe::name(&record.name))?;
    for item in bound_items(envelope) {
        say!("bound too  {item}")?;
    }
    say!("envelope   version 1, {} bytes", envelope.as_bytes().len())
}

fn to_json(record: &Record, path: &Path, stored: u64) -> Value {
    let envelope = &record.envelope;
    json!({
        "file": path.to_string_lossy(),
        "file_length": stored,
        "content_length_claimed": claimed_length(envelope, stored),
        "object_id": envelope.object_id().to_string(),
        "mode": envelope.mode().to_string(),
        "state": match envelope.state() {
            State::Finished => "finished",
            State::Upload => "upload",
            State::KeylessUpload => "keyless-upload",
            _ => "unknown",
        },
        "multipart": envelope.is_multipart(),
        "layers": layers_json(envelope),
        "realm": REALM,
        "name": record.name,
        "also_bound": bound_items(envelope),
        "envelope_version": 1,
        "envelope_length": envelope.as_bytes().len(),
    })
}

fn layers_json(envelope: &Envelope) -> Vec<Value> {
    let names: &[&str] = match envelope.layers().count() {
        1 => &["only"],
        _ => &["inner", "outer"],
    };
    let layers = names.iter().zip(envelope.layers());
    layers
        .map(|(name, layer)| {
            let mut told = layer_json(layer);
            told["layer"] = json!(name);
            told
        })
        .collect()
}

fn layer_json(layer: &LayerKey) -> Value {
    let blob = layer.blob().as_bytes().len();
    let version = layer.blob().kms_parts().map(|(version, _)| version);
    match layer.key_ref() {
        KeyRef::Master(key) => json!({
            "source": "master-key",
            "keyring": key.keyring().as_str(),
            "version": key.version(),
            "check": hex(key.check()),
        }),
        KeyRef::Kms(id) => {
            json!({ "source": "kms", "key_id": id, "version": version, "blob_length": blob })
        }
        KeyRef::BucketKey(id) => {
            json!({ "source": "bucket-key", "key_id": id, "version": version, "blob_length": blob })
        }
        KeyRef::Customer => json!({ "source": "customer-key" }),
        KeyRef::Client(name) => {
            json!({ "source": "client-key", "name": name, "blob_length": blob })
        }
        _ => json!({ "source": "unknown" }),
    }
}

/// The content's length, as the stored size tells it: whoever can write the file can change it.
fn claimed_length(envelope: &Envelope, stored: u64) -> Option<u64> {
    let layout = Layout::new(envelope.mode().suite());
    (!envelope.is_multipart()).then(|| layout.plaintext_len(stored).ok()).flatten()
}

/// What the seal binds beside realm and name. This program binds none of them.
fn bound_items(envelope: &Envelope) -> Vec<String> {
    let items = [
        IdentityItem::VersionId,
        IdentityItem::UploadId,
        IdentityItem::EncryptionContext,
        IdentityItem::Extra,
    ];
    let bound = items.into_iter().filter(|item| envelope.bound().has(*item));
    bound.map(|item| item.to_string()).collect()
}
