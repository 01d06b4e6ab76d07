//! The ETags that clients see: [`ObjectETag`], the rule that makes them, and lists of them.

use std::fmt;

use http::HeaderValue;
use md5::{Digest as _, Md5};
use object_cipher_core::{CryptoBackend, ETag, Error, MAX_PARTS, Mode, Result};

use crate::{Digests, checksum::parse_part_count};

/// What the ETag of an object that came in one piece, or of a part, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ETagRule {
    /// The MD5 of the plaintext.
    Md5,
    /// 16 random bytes, so that nothing tells of the plaintext, and no two are the same.
    Random,
}

/// An object's ETag as clients see it.
///
/// `Display` writes it without quotes: 32 hexadecimal digits and, for an object of parts, their
/// number. The two cannot be taken for each other, whatever the bytes.
///
/// ```
/// use object_cipher_core::ETag;
/// use object_cipher_s3::ObjectETag;
///
/// let parts = [ETag([1; 16]), ETag([2; 16])];
/// let etag = ObjectETag::of_parts(parts).ok_or("no parts")?;
/// assert_eq!(etag.to_string(), "a2178117d5e9ed5f7660ab3e6719c6a2-2");
/// assert_eq!(ObjectETag::parse(b"\"a2178117d5e9ed5f7660ab3e6719c6a2-2\""), Some(etag));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectETag {
    /// Of an object that came in one piece.
    Single(ETag),
    /// Of an object that came in parts.
    Multipart {
        /// The MD5 of the ETags of the parts.
        digest: ETag,
        /// The number of parts.
        parts: u32,
    },
}

/// The ETags of `If-Match`, `If-None-Match` and their kin for the source of a copy.
///
/// What is no ETag of S3's matches nothing. ETags without quotes are taken, as S3 does.
///
/// ```
/// use object_cipher_s3::{ETagList, ObjectETag};
///
/// let etag = ObjectETag::parse(b"d41d8cd98f00b204e9800998ecf8427e").ok_or("no ETag")?;
/// assert!(ETagList::parse(b"\"other\", \"d41d8cd98f00b204e9800998ecf8427e\"").matches(&etag));
/// assert!(!ETagList::parse(b"W/\"d41d8cd98f00b204e9800998ecf8427e\"").matches(&etag));
/// assert!(ETagList::parse(b"*").matches(&etag));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETagList {
    any: bool,
    etags: Vec<Listed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Listed {
    etag: ObjectETag,
    weak: bool,
}

impl ETagRule {
    /// The rule of a mode.
    pub const fn of(mode: Mode) -> Self {
        match mode {
            Mode::SseS3 => Self::Md5,
            _ => Self::Random,
        }
    }

    /// The ETag of a content that came in one piece, or of a part.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the rule is MD5 and the digests have none; [`Error::Backend`] when
    /// there is no entropy.
    pub fn etag<B: CryptoBackend>(self, content: &Digests, backend: &B) -> Result<ETag> {
        match self {
            Self::Md5 => content.md5().ok_or(Error::Misuse("the ETag needs the MD5")),
            Self::Random => {
                let mut bytes = [0; 16];
                backend.random(&mut bytes)?;
                Ok(ETag(bytes))
            }
        }
    }
}

impl ObjectETag {
    /// The ETag of an object of these parts, in order and by their ETags: in every mode
    /// `md5(etag 1 ‖ etag 2 ‖ …)-N`. None without parts, and for more than 10,000.
    pub fn of_parts(parts: impl IntoIterator<Item = ETag>) -> Option<Self> {
        let mut digest = Md5::new();
        let mut count = 0;
        for ETag(bytes) in parts.into_iter().take(MAX_PARTS as usize + 1) {
            digest.update(bytes);
            count += 1;
        }
        let digest = ETag(digest.finalize().into());
        (1..=MAX_PARTS).contains(&count).then_some(Self::Multipart { digest, parts: count })
    }

    /// An ETag as a client sends it, with or without quotes. None for what is none of S3's.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let unquoted = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
        let text = unquoted.unwrap_or(text);
        let (digest, rest) = text.split_first_chunk::<32>()?;
        let mut bytes = [0; 16];
        for (byte, &[high, low]) in bytes.iter_mut().zip(digest.as_chunks::<2>().0) {
            *byte = hex(high)? << 4 | hex(low)?;
        }
        match rest {
            [] => Some(Self::Single(ETag(bytes))),
            [b'-', parts @ ..] => {
                Some(Self::Multipart { digest: ETag(bytes), parts: parse_part_count(parts)? })
            }
            _ => None,
        }
    }

    /// The value of the header `ETag`, with quotes.
    pub fn header_value(&self) -> HeaderValue {
        // Digits, a dash and quotes may stand in a header.
        HeaderValue::from_str(&format!("\"{self}\"")).unwrap_or(HeaderValue::from_static(""))
    }
}

impl ETagList {
    /// The value of a header.
    pub fn parse(value: &[u8]) -> Self {
        let mut etags = Vec::new();
        let mut rest = value.trim_ascii();
        let any = rest == b"*";
        while !rest.is_empty() {
            let (entry, after) = first_entry(rest);
            let entry = entry.trim_ascii();
            let strong = entry.strip_prefix(b"W/");
            let etag = ObjectETag::parse(strong.unwrap_or(entry));
            etags.extend(etag.map(|etag| Listed { etag, weak: strong.is_some() }));
            rest = after;
        }
        Self { any, etags }
    }

    /// Whether it is `*` or has this ETag, for `If-Match`: weak ones match nothing.
    pub fn matches(&self, etag: &ObjectETag) -> bool {
        self.any || self.etags.iter().any(|listed| !listed.weak && listed.etag == *etag)
    }

    /// Whether it is `*` or has this ETag, weak or not, for `If-None-Match`.
    pub fn matches_weakly(&self, etag: &ObjectETag) -> bool {
        self.any || self.etags.iter().any(|listed| listed.etag == *etag)
    }

    /// Whether it is `*`, which matches whatever there is.
    pub fn is_any(&self) -> bool {
        self.any
    }
}

impl fmt::Display for ObjectETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(etag) => write!(f, "{etag}"),
            Self::Multipart { digest, parts } => write!(f, "{digest}-{parts}"),
        }
    }
}

/// Up to the first comma that is not within quotes, and what follows it.
fn first_entry(list: &[u8]) -> (&[u8], &[u8]) {
    let mut quoted = false;
    let comma = list.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    });
    let (entry, after) = list.split_at(comma.unwrap_or(list.len()));
    (entry, after.get(1..).unwrap_or_default())
}

/// Lower case only: ETags are compared as they were given.
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use object_cipher_core::ChecksumAlgorithm;
    use object_cipher_rustcrypto::RustCrypto;

    use super::*;
    use crate::Digester;

    const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";

    fn digests(content: &[u8]) -> Digests {
        let mut digester = Digester::new([ChecksumAlgorithm::Md5]).unwrap();
        digester.update(content);
        digester.finish()
    }

    fn etag(text: &str) -> ObjectETag {
        ObjectETag::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn sse_s3_shows_the_md5_of_the_plaintext() {
        let rule = ETagRule::of(Mode::SseS3);
        let found = rule.etag(&digests(b""), &RustCrypto).unwrap();
        assert_eq!(ObjectETag::Single(found).to_string(), EMPTY);
        assert_eq!(ObjectETag::Single(found).header_value(), format!("\"{EMPTY}\""));

        let without = Digester::new([]).unwrap().finish();
        assert!(matches!(rule.etag(&without, &RustCrypto), Err(Error::Misuse(_))));
    }

    #[test]
    fn i2_the_other_modes_show_random_bytes_that_never_repeat() {
        for mode in [Mode::SseKms, Mode::DsseKms, Mode::SseC, Mode::Client] {
            let rule = ETagRule::of(mode);
            assert_eq!(rule, ETagRule::Random, "3 {mode}");
            let found = [0; 3].map(|_| rule.etag(&digests(b""), &RustCrypto).unwrap());
            assert!(found[0] != found[1] && found[1] != found[2] && found[0] != found[2]);
            assert!(!found.contains(&digests(b"").md5().unwrap()), "{mode}");
        }
    }

    #[test]
    fn i3_no_bytes_of_an_etag_look_like_an_object_of_parts() {
        for byte in 0..=u8::MAX {
            let single = ObjectETag::Single(ETag([byte; 16]));
            let text = single.to_string();
            assert!(text.len() == 32 && !text.contains('-'), "{text}");
            assert_eq!(ObjectETag::parse(text.as_bytes()), Some(single));
            for parts in [1, 10_000] {
                let several = ObjectETag::Multipart { digest: ETag([byte; 16]), parts };
                assert_eq!(ObjectETag::parse(several.to_string().as_bytes()), Some(several));
            }
        }
    }

    #[test]
    fn the_etag_of_parts_is_the_md5_of_their_etags_and_their_number() {
        let one = digests(b"one").md5().unwrap();
        let two = digests(b"two").md5().unwrap();
        let joined = [one.0, two.0].concat();
        let wanted = format!("{}-2", digests(&joined).md5().unwrap());
        assert_eq!(ObjectETag::of_parts([one, two]).map(|etag| etag.to_string()), Some(wanted));
        assert_ne!(ObjectETag::of_parts([one, two]), ObjectETag::of_parts([two, one]));
        assert_eq!(ObjectETag::of_parts([]), None);
        assert!(ObjectETag::of_parts(vec![one; 10_000]).is_some());
        assert_eq!(ObjectETag::of_parts(vec![one; 10_001]), None);
    }

    #[test]
    fn the_etag_of_parts_is_the_one_that_s3_gave() {
        // 3: an upload of three equal parts, recorded from Amazon S3.
        let ObjectETag::Single(part) = etag("c4c753e69bb853187f5854c46cf801c6") else {
            panic!("an ETag of one piece");
        };
        let whole = ObjectETag::of_parts([part; 3]).unwrap();
        assert_eq!(whole, etag("c7cb0938a47e31f70cf07028d22e6913-3"));
        assert_eq!(whole.header_value(), "\"c7cb0938a47e31f70cf07028d22e6913-3\"");
    }

    #[test]
    fn only_the_form_of_s3_is_an_etag() {
        let bad = [
            String::new(),
            "\"\"".into(),
            EMPTY[1..].into(),
            format!("{EMPTY}0"),
            EMPTY.to_uppercase(),
            format!("\"{EMPTY}"),
            format!("{EMPTY}\""),
            format!("\"\"{EMPTY}\"\""),
            format!("{EMPTY}-"),
            format!("{EMPTY}-0"),
            format!("{EMPTY}-01"),
            format!("{EMPTY}-+1"),
            format!("{EMPTY}-10001"),
            format!("{EMPTY}-1-1"),
            format!(" {EMPTY}"),
            EMPTY.replace('d', "g"),
        ];
        for text in bad {
            assert_eq!(ObjectETag::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn lists_match_as_the_header_asks() {
        let (single, several) = (etag(EMPTY), etag(&format!("{EMPTY}-2")));
        let rows = [
            (format!("\"{EMPTY}\""), true, true, false),
            (EMPTY.to_owned(), true, true, false),
            (format!(" \"{EMPTY}\" "), true, true, false),
            (format!("\"a,b\",\"{EMPTY}\""), true, true, false),
            (format!("\"x\" , {EMPTY} ,\"y\""), true, true, false),
            (format!("\"{EMPTY}-2\", \"{EMPTY}\""), true, true, true),
            (format!("W/\"{EMPTY}\""), false, true, false),
            ("*".to_owned(), true, true, true),
            (" * ".to_owned(), true, true, true),
            ("\"*\"".to_owned(), false, false, false),
            (String::new(), false, false, false),
            (",,".to_owned(), false, false, false),
            (format!("\"a, {EMPTY}"), false, false, false),
            (format!("\"{EMPTY},{EMPTY}\""), false, false, false),
        ];
        for (list, strong, weak, other) in rows {
            let parsed = ETagList::parse(list.as_bytes());
            assert_eq!(parsed.matches(&single), strong, "{list}");
            assert_eq!(parsed.matches_weakly(&single), weak, "{list}");
            assert_eq!(parsed.matches(&several), other, "{list}");
        }
    }
}
