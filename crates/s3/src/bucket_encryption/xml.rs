//! A bucket's encryption in the XML of S3's API.

use super::{Apply, Blocked, Rule};
use crate::{
    Error, Result,
    xml::{DECLARATION, Element, NAMESPACE, push_element},
};

const CONFIGURATION: &str = "ServerSideEncryptionConfiguration";
const APPLY: &str = "ApplyServerSideEncryptionByDefault";
const BUCKET_KEY_ENABLED: &str = "BucketKeyEnabled";
const BLOCKED: &str = "BlockedEncryptionTypes";

pub(super) fn parse(body: &[u8]) -> Result<Vec<Rule>> {
    let configuration = Element::parse(body, CONFIGURATION)?;
    configuration.all("Rule")?.iter().map(rule).collect()
}

pub(super) fn write(rule: &Rule) -> String {
    let mut out = format!("{DECLARATION}<{CONFIGURATION} xmlns=\"{NAMESPACE}\"><Rule>");
    if let Some(apply) = &rule.apply {
        out.extend(["<", APPLY, ">"]);
        push_element(&mut out, "SSEAlgorithm", &apply.algorithm);
        if let Some(key) = &apply.key {
            push_element(&mut out, "KMSMasterKeyID", key);
        }
        out.extend(["</", APPLY, ">"]);
    }
    if let Some(enabled) = rule.bucket_key_enabled {
        push_element(&mut out, BUCKET_KEY_ENABLED, if enabled { "true" } else { "false" });
    }
    if let Some(blocked) = &rule.blocked {
        out.extend(["<", BLOCKED, ">"]);
        for kind in &blocked.types {
            push_element(&mut out, "EncryptionType", kind);
        }
        out.extend(["</", BLOCKED, ">"]);
    }
    out.extend(["</Rule></", CONFIGURATION, ">"]);
    out
}

fn rule(rule: &Element) -> Result<Rule> {
    let [default, bucket_key, blocked] = rule.children([APPLY, BUCKET_KEY_ENABLED, BLOCKED])?;
    Ok(Rule {
        apply: default.map(apply).transpose()?,
        bucket_key_enabled: bucket_key.map(flag).transpose()?,
        blocked: blocked.map(blocked_types).transpose()?,
    })
}

fn apply(default: &Element) -> Result<Apply> {
    let [algorithm, key] = default.children(["SSEAlgorithm", "KMSMasterKeyID"])?;
    Ok(Apply {
        algorithm: algorithm.ok_or(Error::MalformedXml)?.text()?.to_owned(),
        key: key.map(Element::text).transpose()?.map(str::to_owned),
    })
}

fn flag(element: &Element) -> Result<bool> {
    element.text()?.parse().map_err(|_| Error::MalformedXml)
}

fn blocked_types(blocked: &Element) -> Result<Blocked> {
    let types = blocked.all("EncryptionType")?.iter();
    Ok(Blocked { types: types.map(|kind| kind.text().map(str::to_owned)).collect::<Result<_>>()? })
}
