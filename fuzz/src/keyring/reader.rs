//! A second reader of keyring files, from appendix A of the specification alone. With a backend
//! without security every MAC and every commitment is zero, and sealed keys lie open.

/// What a file begins with: magic and version.
pub(super) const MAGIC: &[u8; 9] = b"\x89OCK\r\n\x1a\n\x01";
/// What it ends with.
pub(super) const MAC: [u8; 64] = [0; 64];

/// The length of a file of 1,024 versions.
const MAX_LEN: usize = 128_193;

/// What a file tells.
#[derive(Debug)]
pub(super) struct RawKeyring {
    pub(super) generation: u64,
    pub(super) id: Vec<u8>,
    pub(super) versions: Vec<RawVersion>,
}

/// One version.
#[derive(Debug)]
pub(super) struct RawVersion {
    pub(super) number: u32,
    pub(super) state: u8,
    pub(super) wraps: u64,
    pub(super) key: Option<[u8; 32]>,
}

/// Bytes not read yet.
struct Cut<'a>(&'a [u8]);

/// A key sealed without security: any salt, a commitment of zeros, the key, any tag.
pub(super) fn sealed(key: &[u8; 32]) -> Vec<u8> {
    [&[7; 24][..], &[0; 32], key, &[9; 16]].concat()
}

impl RawKeyring {
    /// Reads a file whose secret is a key; nothing unless it keeps every rule.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let body = file.strip_suffix(&MAC).filter(|_| file.len() <= MAX_LEN)?;
        let mut cut = Cut(body);
        (cut.take(9)? == MAGIC && cut.take(13)? == [0; 13]).then_some(())?;
        cut.take(32)?;
        let generation = cut.u64().filter(|generation| *generation > 0)?;
        let count = cut.u16().filter(|count| (1..=1_024).contains(count))?;
        let id_len = cut.u8()?;
        let id = cut.take(id_len.into()).filter(|id| is_keyring_id(id))?.to_vec();
        let versions =
            (0..count).map(|_| RawVersion::read(&mut cut)).collect::<Option<Vec<_>>>()?;
        (cut.0.is_empty() && are_valid(&versions)).then_some(Self { generation, id, versions })
    }
}

impl RawVersion {
    fn read(cut: &mut Cut<'_>) -> Option<Self> {
        let number = cut.u32().filter(|number| *number > 0)?;
        cut.u64()?;
        let state = cut.u8().filter(|state| (1..=4).contains(state))?;
        let most = if state == 4 { 0 } else { 1 << 40 };
        let wraps = cut.u64().filter(|wraps| *wraps <= most)?;
        let mut key = None;
        if state != 3 {
            cut.take(24)?;
            (cut.take(32)? == [0; 32]).then_some(())?;
            key = Some(cut.array()?);
            cut.take(16)?;
        }
        Some(Self { number, state, wraps, key })
    }
}

/// The rules that are about all versions.
fn are_valid(versions: &[RawVersion]) -> bool {
    let keys: Vec<_> = versions.iter().filter_map(|version| version.key).collect();
    let repeats = |key: &[u8; 32]| key.iter().all(|byte| *byte == key[0]);
    let equal = (1..keys.len()).any(|at| keys[..at].contains(&keys[at]));
    versions.windows(2).all(|pair| pair[0].number < pair[1].number)
        && versions.iter().filter(|version| version.state == 1).count() == 1
        && !keys.iter().any(repeats)
        && !equal
}

/// Section 9.3.
fn is_keyring_id(bytes: &[u8]) -> bool {
    (1..=64).contains(&bytes.len())
        && bytes[0].is_ascii_alphanumeric()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

impl<'a> Cut<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
}
