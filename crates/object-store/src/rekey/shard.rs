//! Parts of the work that processes share without talking: [`Shard`].

use std::{fmt, num::NonZeroU32, str::FromStr};

use object_store::path::Path;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::RekeyFault;

/// One of N parts of all paths, numbered from 0 as the indices of a Kubernetes Indexed Job and of an AWS
/// Batch array are. Written `I/N`.
///
/// A path is in the part whose number is the first 8 bytes of its SHA-256, as a big-endian number, modulo
/// N. That never changes, so that every path is in exactly one of N parts, whoever computes it.
///
/// ```
/// use object_cipher_object_store::rekey::Shard;
/// use object_store::path::Path;
///
/// let shard: Shard = "2/3".parse()?;
/// assert!(shard.has(&Path::from("2026/cats.csv")));
/// # Ok::<(), object_cipher_object_store::rekey::RekeyFault>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    index: u32,
    of: NonZeroU32,
}

/// Each missing one is named in a report.
const MOST: u32 = 1 << 20;

impl Shard {
    /// All paths: part 0 of 1.
    pub const ALL: Self = Self { index: 0, of: NonZeroU32::MIN };

    /// Part `index` of `of`.
    ///
    /// # Errors
    /// [`RekeyFault::Shard`] unless `index` is less than `of`, and that at most 1,048,576.
    pub fn new(index: u32, of: u32) -> Result<Self, RekeyFault> {
        match NonZeroU32::new(of) {
            Some(of) if index < of.get() && of.get() <= MOST => Ok(Self { index, of }),
            _ => Err(RekeyFault::Shard),
        }
    }

    /// Which part it is, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many parts there are.
    pub fn of(self) -> u32 {
        self.of.get()
    }

    /// Whether a path is in this part.
    pub fn has(self, path: &Path) -> bool {
        let digest: [u8; 32] = Sha256::digest(path.as_ref()).into();
        let (first, _) = digest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        u64::from_be_bytes(*first) % u64::from(self.of()) == u64::from(self.index)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for Shard {
    type Err = RekeyFault;

    fn from_str(text: &str) -> Result<Self, RekeyFault> {
        let (index, of) = text.split_once('/').ok_or(RekeyFault::Shard)?;
        let number = |digits: &str| digits.parse().map_err(|_| RekeyFault::Shard);
        Self::new(number(index)?, number(of)?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = RekeyFault;

    fn try_from(text: String) -> Result<Self, RekeyFault> {
        text.parse()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test stops")]
mod tests {
    use object_store::path::Path;
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    use super::Shard;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn every_path_is_in_exactly_one_shard(path in any::<String>(), of in 1_u32..40) {
            let path = Path::from(path);
            let having = (0..of).filter(|index| Shard::new(*index, of).unwrap().has(&path));
            prop_assert_eq!(having.count(), 1);
        }
    }

    #[test]
    fn the_function_is_the_one_that_is_documented() {
        // printf a/b | sha256sum | head -c 16: c14cddc033f64b9d
        let number = 0xc14c_ddc0_33f6_4b9d_u64;
        for of in 1..100 {
            let index = u32::try_from(number % u64::from(of)).unwrap();
            assert!(Shard::new(index, of).unwrap().has(&Path::from("a/b")), "{of}");
        }
    }

    #[test]
    fn shards_share_the_paths_evenly() {
        let paths: Vec<_> = (0..8_000).map(|number| Path::from(format!("x/{number}"))).collect();
        for index in 0..8 {
            let shard = Shard::new(index, 8).unwrap();
            let count = paths.iter().filter(|path| shard.has(path)).count();
            assert!((850..1_150).contains(&count), "{count}");
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        assert_eq!("2/8".parse::<Shard>().unwrap().to_string(), "2/8");
        for wrong in ["", "1", "8/8", "0/0", "-1/2", "1/2/3", "a/b", "1 /2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
