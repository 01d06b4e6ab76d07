//! A bucket's encryption in the JSON of the AWS SDKs and the AWS CLI.

use super::Rule;
use crate::{Error, Result, xml::MAX_LEN};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    #[serde(rename = "Rules")]
    rules: Vec<Rule>,
}

pub(super) fn parse(text: &str) -> Result<Vec<Rule>> {
    if text.len() > MAX_LEN {
        return Err(Error::MalformedJson);
    }
    let configuration = serde_json::from_str::<Configuration>(text);
    configuration.map(|parsed| parsed.rules).map_err(|_| Error::MalformedJson)
}

pub(super) fn write(rule: Rule) -> String {
    // Strings, flags and lists of them are JSON.
    serde_json::to_string(&Configuration { rules: vec![rule] }).unwrap_or_default()
}
