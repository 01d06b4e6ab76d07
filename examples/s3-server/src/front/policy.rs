//! Bucket policies: the part of Amazon's language that speaks of access keys and encryption.
//!
//! What is not understood is refused when the policy is put, and never passed over: a condition
//! that is ignored would let through what it was to keep out.

use std::{collections::BTreeMap, fmt};

use http::StatusCode;
use object_cipher_s3::ConditionKeys;
use serde::{Deserialize, Deserializer, de};

use super::{Refusal, Result};

/// Under which a bucket's settings hold its policy.
pub(super) const POLICY: &str = "policy";
/// Bytes of a policy.
const MAX_LEN: usize = 20 * 1024;
const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];
const SECURE_TRANSPORT: &str = "aws:SecureTransport";

/// A bucket's policy.
#[derive(Debug)]
pub(super) struct Policy {
    statements: Vec<Statement>,
}

/// What a policy says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed,
    Denied,
    /// Nothing.
    Silent,
}

/// What a policy is asked about.
pub(super) struct Call<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) access_key: Option<&'a str>,
    pub(super) secure: bool,
    pub(super) encryption: &'a ConditionKeys<'a>,
    /// Whether it goes on with an upload, whose mode was judged when it was created: its requests
    /// do not say the mode again. They do bring the customer's key.
    pub(super) of_upload: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Text {
    version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMany<Statement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: Effect,
    principal: Principal,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
    #[serde(default, deserialize_with = "unique")]
    condition: BTreeMap<Operator, Tests>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Principal {
    Text(String),
    Kinds(Kinds),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kinds {
    #[serde(rename = "AWS")]
    aws: OneOrMany<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Operator {
    StringEquals,
    StringNotEquals,
    StringLike,
    Null,
    Bool,
}

/// The keys that an operator looks at, each with the values it compares with.
#[derive(Debug, Deserialize)]
struct Tests(#[serde(deserialize_with = "unique")] BTreeMap<String, OneOrMany<Value>>);

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Truth(bool),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl Policy {
    /// A policy as a client puts it on a bucket.
    pub(super) fn parse(text: &str, bucket: &str) -> Result<Self> {
        if text.len() > MAX_LEN {
            return Err(malformed("The policy is longer than 20 KB"));
        }
        let text: Text = serde_json::from_str(text).map_err(|_| {
            malformed("The policy is not JSON, or has an element that is not supported")
        })?;
        if text.version.is_some_and(|version| !VERSIONS.contains(&version.as_str())) {
            return Err(malformed("The policy must contain a valid version string"));
        }
        let statements = match text.statement {
            OneOrMany::One(statement) => vec![statement],
            OneOrMany::Many(statements) => statements,
        };
        if statements.is_empty() {
            return Err(malformed("Could not parse the policy: Statement is empty!"));
        }
        statements.iter().try_for_each(|statement| statement.check(bucket))?;
        Ok(Self { statements })
    }

    /// Whether any condition looks at the KMS key that will be used.
    pub(super) fn asks_for_the_kms_key(&self) -> bool {
        let keys = self.statements.iter().flat_map(|statement| statement.condition.values());
        keys.flat_map(|tests| tests.0.keys())
            .any(|key| key.eq_ignore_ascii_case(ConditionKeys::KMS_KEY_ID))
    }

    /// What the policy says of a call: one denial outweighs whatever else it says.
    pub(super) fn decide(&self, call: &Call<'_>) -> Decision {
        let effects = self.statements.iter().filter(|statement| statement.applies(call));
        effects.fold(Decision::Silent, |so_far, statement| match (so_far, statement.effect) {
            (Decision::Denied, _) | (_, Effect::Deny) => Decision::Denied,
            (_, Effect::Allow) => Decision::Allowed,
        })
    }
}

impl Statement {
    fn check(&self, bucket: &str) -> Result<()> {
        let is_principal = |name: &String| name == "*" || is_access_key(name);
        if !self.principal.all(is_principal) {
            return Err(malformed("Invalid principal in policy"));
        }
        let is_action = |action: &String| action == "*" || starts_with_s3(action);
        if self.action.is_empty() || !self.action.all(is_action) {
            return Err(malformed("Policy has invalid action"));
        }
        let own = format!("arn:aws:s3:::{bucket}");
        let is_own = |resource: &String| {
            let rest = resource.strip_prefix(&own);
            rest.is_some_and(|rest| rest.is_empty() || rest == "*" || rest.starts_with('/'))
        };
        if self.resource.is_empty() || !self.resource.all(is_own) {
            return Err(malformed("Policy has invalid resource"));
        }
        let known = |(operator, tests): (&Operator, &Tests)| {
            !tests.0.is_empty() && tests.0.iter().all(|(key, values)| operator.takes(key, values))
        };
        if self.condition.iter().all(known) {
            Ok(())
        } else {
            Err(malformed("Policy has an invalid condition key or value"))
        }
    }

    fn applies(&self, call: &Call<'_>) -> bool {
        self.principal.any(|name| name == "*" || Some(name.as_str()) == call.access_key)
            && self.action.any(|action| {
                is_like(&action.to_ascii_lowercase(), &call.action.to_ascii_lowercase())
            })
            && self.resource.any(|resource| is_like(resource, call.resource))
            && self.condition.iter().all(|(operator, tests)| {
                tests.0.iter().all(|(key, values)| operator.holds(key, values, call))
            })
    }
}

impl Principal {
    fn all(&self, test: impl Fn(&String) -> bool) -> bool {
        match self {
            // As a text there is only everybody.
            Self::Text(name) => name == "*",
            Self::Kinds(Kinds { aws }) => !aws.is_empty() && aws.all(test),
        }
    }

    fn any(&self, test: impl Fn(&String) -> bool) -> bool {
        match self {
            Self::Text(name) => test(name),
            Self::Kinds(Kinds { aws }) => aws.any(test),
        }
    }
}

impl Operator {
    /// Whether it can be asked of a key, with these values.
    fn takes(self, key: &str, values: &OneOrMany<Value>) -> bool {
        let secure = key.eq_ignore_ascii_case(SECURE_TRANSPORT);
        let known = secure || ConditionKeys::contains(key);
        let truths = || values.all(|value| value.truth().is_some());
        let fits = match self {
            Self::Bool => secure && truths(),
            Self::Null => truths(),
            Self::StringEquals | Self::StringNotEquals | Self::StringLike => true,
        };
        known && fits && !values.is_empty()
    }

    fn holds(self, key: &str, values: &OneOrMany<Value>, call: &Call<'_>) -> bool {
        let secure = key.eq_ignore_ascii_case(SECURE_TRANSPORT);
        if call.of_upload && !secure && !key.eq_ignore_ascii_case(ConditionKeys::CUSTOMER_ALGORITHM)
        {
            return false;
        }
        let found = if secure { Some(truth_text(call.secure)) } else { call.encryption.get(key) };
        match self {
            Self::StringEquals => found.is_some_and(|found| values.any(|value| value.is(found))),
            Self::StringNotEquals => found.is_none_or(|found| !values.any(|value| value.is(found))),
            Self::StringLike => {
                found.is_some_and(|found| values.any(|value| is_like(value.text(), found)))
            }
            Self::Null => values.any(|value| value.truth() == Some(found.is_none())),
            Self::Bool => values.any(|value| value.truth() == Some(call.secure)),
        }
    }
}

impl Value {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Truth(truth) => truth_text(*truth),
        }
    }

    fn truth(&self) -> Option<bool> {
        match self.text().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    fn is(&self, found: &str) -> bool {
        self.text() == found
    }
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    fn all(&self, test: impl Fn(&T) -> bool) -> bool {
        self.as_slice().iter().all(test)
    }

    fn any(&self, test: impl Fn(&T) -> bool) -> bool {
        self.as_slice().iter().any(test)
    }
}

/// Whether a text is like a pattern, in which `*` is any text and `?` any character.
///
/// Takes time in proportion to both lengths: only the last `*` is gone back to.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                read = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

fn is_access_key(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn starts_with_s3(action: &str) -> bool {
    let begin = action.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case("s3:"));
    begin && action.len() > 3
}

const fn truth_text(truth: bool) -> &'static str {
    if truth { "true" } else { "false" }
}

fn malformed(message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "MalformedPolicy", message)
}

/// A JSON object whose names occur once. A second one would hide the first.
fn unique<'de, D, K, V>(from: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
{
    struct Unique<K, V>(std::marker::PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> de::Visitor<'de> for Unique<K, V> {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object whose names occur once")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = BTreeMap::new();
            while let Some((name, value)) = map.next_entry()? {
                if found.insert(name, value).is_some() {
                    return Err(de::Error::custom("a name occurs twice"));
                }
            }
            Ok(found)
        }
    }

    from.deserialize_map(Unique(std::marker::PhantomData))
}

#[cfg(test)]
mod tests;
