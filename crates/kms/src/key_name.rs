//! Names of KMS keys: [`KeyName`] as people write them, [`KeyId`] as a KMS resolved them.

use std::fmt;

use object_cipher_core::{KeyError, KeyErrorKind, MAX_KEY_REF_LEN};

/// A key as people name it: an id, an ARN, an alias, or a provider's own name.
///
/// ```
/// use object_cipher_kms::{KeyName, KeyNameKind};
///
/// let name = KeyName::parse("alias/photos")?;
/// assert_eq!(name.kind(), KeyNameKind::Alias);
/// assert!(KeyName::parse("../photos").is_err());
/// # Ok::<(), object_cipher_core::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName {
    text: String,
    kind: KeyNameKind,
}

/// What kind of name it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyNameKind {
    /// A UUID, or `mrk-` and 32 hexadecimal digits.
    Id,
    /// `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
    Arn,
    /// `alias/NAME`.
    Alias,
    /// `arn:PARTITION:kms:REGION:ACCOUNT:alias/NAME`.
    AliasArn,
    /// A provider's own name, such as `photos`, or the id that it resolves to, such as
    /// `vault:transit/photos`: words of 1 to 255 of `A-Z a-z 0-9 _ . -`, each beginning with a letter
    /// or digit, with `:` behind the first and `/` between the others.
    Own,
}

/// A key as its KMS resolved it: what Envelopes store. Never an alias, which may come to name
/// another key, and never a version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

/// The parts of an ARN of a key or of an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// Such as `aws`.
    pub partition: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// `key/ID` or `alias/NAME`.
    pub resource: &'a str,
}

impl KeyName {
    /// The key that S3 takes when neither request nor bucket names one.
    pub const AWS_S3: &'static str = "alias/aws/s3";

    /// A name.
    ///
    /// # Errors
    /// [`KeyErrorKind::NotFound`], as a KMS has no key of such a name: for what is of no kind, longer
    /// than 1,024 bytes, or fit to lead a path elsewhere.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let kind = kind_of(text).filter(|_| text.len() <= MAX_KEY_REF_LEN);
        let kind = kind.ok_or_else(|| invalid(text))?;
        Ok(Self { text: text.to_owned(), kind })
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What kind of name it is.
    pub fn kind(&self) -> KeyNameKind {
        self.kind
    }

    /// The parts of an ARN.
    pub fn arn(&self) -> Option<Arn<'_>> {
        Arn::parse(&self.text)
    }

    /// Whether a KMS that was asked for this key may answer with that one: the same ARN, or for an
    /// id one that ends in it. An alias may lead anywhere.
    pub fn admits(&self, answered: &KeyId) -> bool {
        match self.kind {
            KeyNameKind::Arn => self.text == answered.0,
            KeyNameKind::Alias | KeyNameKind::AliasArn => true,
            // `vault:transit/photos` for `photos`; `arn:…:key/ID` for an id.
            KeyNameKind::Id | KeyNameKind::Own => {
                let last = answered.0.rsplit(['/', ':']).next();
                self.text == answered.0 || last == Some(&self.text)
            }
        }
    }
}

impl KeyId {
    /// An id that a KMS gave.
    ///
    /// # Errors
    /// [`KeyErrorKind::Internal`] for an alias, and for one that no Envelope can hold: empty, or longer
    /// than 1,024 bytes, or with a control character.
    pub fn new(id: impl Into<String>) -> Result<Self, KeyError> {
        let id = id.into();
        if id.is_empty() || id.len() > MAX_KEY_REF_LEN || id.chars().any(char::is_control) {
            let message = "the KMS answered with a key id that cannot be stored";
            return Err(KeyError::new(KeyErrorKind::Internal, message));
        }
        if let Some(KeyNameKind::Alias | KeyNameKind::AliasArn) = kind_of(&id) {
            let message = "the KMS answered with an alias in place of a key's id";
            return Err(KeyError::new(KeyErrorKind::Internal, message));
        }
        Ok(Self(id))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts of an ARN, if it is one.
    pub fn arn(&self) -> Option<Arn<'_>> {
        Arn::parse(&self.0)
    }
}

impl<'a> Arn<'a> {
    /// The parts of a KMS key's or alias's ARN.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        if next()? != "arn" {
            return None;
        }
        let partition = next().filter(|partition| is_word(partition))?;
        if next()? != "kms" {
            return None;
        }
        let region = next().filter(|region| is_word(region))?;
        let digits = |account: &&str| {
            account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
        };
        let account = next().filter(digits)?;
        let resource = next()?;
        let known = match resource.split_once('/')? {
            ("key", id) => is_id(id),
            ("alias", name) => is_alias(name),
            _ => false,
        };
        known.then_some(Self { partition, region, account, resource })
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A resolved key can be asked for.
impl From<&KeyId> for KeyName {
    fn from(id: &KeyId) -> Self {
        Self { text: id.0.clone(), kind: kind_of(&id.0).unwrap_or(KeyNameKind::Arn) }
    }
}

/// AWS's answer to a name that no key can have.
pub(crate) fn invalid(name: &str) -> KeyError {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(256).collect();
    KeyError::new(KeyErrorKind::NotFound, format!("Invalid keyId '{shown}'"))
        .with_code("NotFoundException")
}

fn kind_of(text: &str) -> Option<KeyNameKind> {
    if let Some(arn) = Arn::parse(text) {
        let is_key = arn.resource.starts_with("key/");
        return Some(if is_key { KeyNameKind::Arn } else { KeyNameKind::AliasArn });
    }
    if let Some(name) = text.strip_prefix("alias/") {
        return is_alias(name).then_some(KeyNameKind::Alias);
    }
    if is_id(text) {
        return Some(KeyNameKind::Id);
    }
    is_own(text).then_some(KeyNameKind::Own)
}

fn is_id(text: &str) -> bool {
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if let Some(id) = text.strip_prefix("mrk-") {
        return hex(id, 32);
    }
    let groups: Vec<_> = text.split('-').collect();
    groups.len() == 5
        && groups.iter().zip([8, 4, 4, 4, 12]).all(|(group, length)| hex(group, length))
}

fn is_alias(name: &str) -> bool {
    (1..=250).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_own(text: &str) -> bool {
    let is_name = |name: &str| {
        (1..=255).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    match text.split_once(':') {
        None => is_name(text),
        Some((provider, path)) => is_name(provider) && path.split('/').all(is_name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn names_are_of_one_kind() {
        let rows = [
            (ID, KeyNameKind::Id),
            ("mrk-1234abcd12ab34cd56ef1234567890ab", KeyNameKind::Id),
            (ARN, KeyNameKind::Arn),
            ("alias/photos", KeyNameKind::Alias),
            (KeyName::AWS_S3, KeyNameKind::Alias),
            ("arn:aws-cn:kms:cn-north-1:111122223333:alias/photos", KeyNameKind::AliasArn),
            ("photos.2026", KeyNameKind::Own),
            ("fake-key-id", KeyNameKind::Own),
            ("vault:team/transit/photos", KeyNameKind::Own),
            ("pkcs11:0123abcd/photos", KeyNameKind::Own),
        ];
        for (text, kind) in rows {
            assert_eq!(KeyName::parse(text).unwrap().kind(), kind, "{text}");
        }
    }

    #[test]
    fn s6_names_that_lead_elsewhere_are_refused() {
        let long = "a".repeat(1_025);
        let rows = [
            "",
            "../x",
            "/etc/passwd",
            "a/b",
            "a\0b",
            "-flag",
            ".",
            "..",
            ".x",
            "a b",
            "a\nb",
            "é",
            "alias/",
            "alias/../x",
            "alias/a.b",
            "arn:aws:kms:us-east-1:1:key/x",
            "arn:aws:s3:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:us/east:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:us-east-1:111122223333:key/../x",
            "vault:",
            "vault:transit/../photos",
            "vault:/photos",
            "vault:transit//photos",
            "a:b:c",
            &long,
        ];
        for text in rows {
            let error = KeyName::parse(text).unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::NotFound, "{text:?}");
            assert!(!error.message().contains('\0'));
        }
    }

    #[test]
    fn k1_an_answer_has_to_be_the_key_that_was_asked_for() {
        let id = |text: &str| KeyId::new(text).unwrap();
        let other = "arn:aws:kms:us-east-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab";
        for name in [ID, ARN] {
            let name = KeyName::parse(name).unwrap();
            assert!(name.admits(&id(ARN)));
            assert!(!name.admits(&id(other)));
        }
        let name = KeyName::parse("photos").unwrap();
        assert!(name.admits(&id("vault:transit/photos")) && !name.admits(&id("vault:transit/x")));
        let name = KeyName::parse("vault:transit/photos").unwrap();
        let elsewhere = id("vault:other/photos");
        assert!(name.admits(&id("vault:transit/photos")) && !name.admits(&elsewhere));
        assert!(KeyName::parse("alias/photos").unwrap().admits(&id(other)));
        let alias = "arn:aws:kms:us-east-1:111122223333:alias/photos";
        for bad in ["", "a\u{7}", &"a".repeat(1_025), "alias/photos", alias] {
            assert!(KeyId::new(bad).is_err());
        }
    }
}
