//! Versions of a key: [`Version`].

use std::{cmp::Ordering, fmt};

/// No token's `CKA_ID` of a key for data keys is longer.
const MAX_LEN: usize = 64;

/// A version of a key: its `CKA_ID`, which is a number and rises. Written as `v` and hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version(Vec<u8>);

impl Version {
    /// None for an id that is empty or too long.
    pub(crate) fn new(id: Vec<u8>) -> Option<Self> {
        (1..=MAX_LEN).contains(&id.len()).then_some(Self(id))
    }

    /// What [`Display`](fmt::Display) wrote, and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let version = Self::new(hex::decode(text.strip_prefix('v')?).ok()?)?;
        (version.to_string() == text).then_some(version)
    }

    /// `01` and `0001` are one number.
    pub(crate) fn number(&self) -> &[u8] {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        &self.0[zeros..]
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = (self.number(), other.number());
        one.len().cmp(&two.len()).then_with(|| one.cmp(two)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", hex::encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_rise_as_numbers_do() {
        let rising = ["v00", "v01", "v02", "v0a", "v0010", "vff", "v0100", "v010000"];
        let versions: Vec<_> = rising.iter().map(|text| Version::parse(text).unwrap()).collect();
        assert!(versions.is_sorted_by(|one, two| one < two));
        for (text, version) in rising.iter().zip(&versions) {
            assert_eq!(version.to_string(), *text);
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let long = format!("v{}", "00".repeat(MAX_LEN + 1));
        for text in ["", "v", "01", "v1", "vzz", "v0A", "V01", "v01 ", &long] {
            assert!(Version::parse(text).is_none(), "{text:?}");
        }
        assert!(Version::new(Vec::new()).is_none());
    }
}
