//! What Transit makes of a data key: [`Ciphertext`].

use base64ct::{Base64, Encoding as _};

/// `vault:vN:` and canonical base64.
///
/// Parsed before it is sent: the server takes `v0` for `v1`, so what it opens is not always what it
/// made.
#[derive(Clone, Copy)]
pub(crate) struct Ciphertext<'a> {
    pub(crate) text: &'a str,
    pub(crate) version: u32,
}

impl<'a> Ciphertext<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (version, sealed) = text.strip_prefix("vault:v")?.split_once(':')?;
        let digits = version.bytes().all(|byte| byte.is_ascii_digit());
        let version = version.parse().ok().filter(|_| digits && !version.starts_with('0'))?;
        let sealed = Base64::decode_vec(sealed).ok()?;
        (!sealed.is_empty()).then_some(Self { text, version })
    }

    /// The key's version as it is stored and shown.
    pub(crate) fn version_name(&self) -> String {
        format!("v{}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k1_only_the_canonical_form_is_a_ciphertext() {
        let parsed = Ciphertext::parse(b"vault:v12:AAAA").unwrap();
        assert_eq!((parsed.version, parsed.version_name().as_str()), (12, "v12"));
        let rows: [&[u8]; 12] = [
            b"",
            b"vault:v0:AAAA",
            b"vault:v01:AAAA",
            b"vault:v+1:AAAA",
            b"vault:v:AAAA",
            b"vault:v4294967296:AAAA",
            b"vault:v1:",
            b"vault:v1:AAA",
            b"vault:v1:AAB=",
            b"vault:v1:AAAA\n",
            b"Vault:v1:AAAA",
            b"vault:v1:\xff",
        ];
        for row in rows {
            assert!(Ciphertext::parse(row).is_none(), "{row:?}");
        }
    }
}
