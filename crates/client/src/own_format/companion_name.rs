//! The key of a companion object: [`CompanionName`].

use std::fmt;

use object_cipher_core::ObjectId;

use super::OwnFormatError;

/// The longest key, in bytes, of an object that comes in parts: S3's 1,024 less what its companion's
/// key has behind it.
pub const MAX_OBJECT_KEY_LEN: usize = MAX_KEY_LEN - 1 - DIGITS - SUFFIX.len();

const MAX_KEY_LEN: usize = 1_024;
const DIGITS: usize = 32;
const SUFFIX: &str = ".object-cipher";

/// The key of the companion of an object that came in parts:
/// `KEY.0123456789abcdef0123456789abcdef.object-cipher`, the digits its object id's.
///
/// Each upload has a random object id, so no upload ever writes another's companion. Whatever order
/// uploads of one key complete, crash or are deleted in, an object's metadata leads to its own
/// companion or to none.
///
/// ```
/// use object_cipher_client::CompanionName;
/// use object_cipher_core::ObjectId;
///
/// # fn main() -> Result<(), object_cipher_client::OwnFormatError> {
/// let name = CompanionName::new("cat.jpg", ObjectId::from_bytes([0x5a; 16]))?;
/// assert_eq!(name.as_str(), "cat.jpg.5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a.object-cipher");
///
/// // What a lister hides:
/// let listed = [name.as_str(), "cat.jpg"];
/// let shown: Vec<_> =
///     listed.into_iter().filter(|key| CompanionName::parse(key).is_none()).collect();
/// assert_eq!(shown, ["cat.jpg"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CompanionName {
    name: String,
    object: ObjectId,
}

impl CompanionName {
    /// The companion of an object by the object's key and id. Make it before the upload is created,
    /// to learn in time that the key is too long.
    ///
    /// # Errors
    /// [`OwnFormatError::KeyTooLong`] for a key of more than 977 bytes,
    /// [`OwnFormatError::ReservedKey`] for an empty one and that of a companion.
    pub fn new(object_key: &str, object: ObjectId) -> Result<Self, OwnFormatError> {
        check_key(object_key)?;
        if object_key.len() > MAX_OBJECT_KEY_LEN {
            return Err(OwnFormatError::KeyTooLong);
        }
        Ok(Self { name: format!("{object_key}.{object}{SUFFIX}"), object })
    }

    /// Takes a companion's key apart; none for any other key. Listers hide what this finds; who
    /// tidies up deletes a companion that its object's metadata, in every version, does not name and
    /// no upload under way will.
    pub fn parse(key: &str) -> Option<Self> {
        let (object_key, digits) = key.strip_suffix(SUFFIX)?.rsplit_once('.')?;
        if object_key.is_empty() || key.len() > MAX_KEY_LEN {
            return None;
        }
        Some(Self { name: key.to_owned(), object: object_id(digits)? })
    }

    /// The companion's key.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The key of the object that it belongs to.
    pub fn object_key(&self) -> &str {
        &self.name[..self.name.len() - 1 - DIGITS - SUFFIX.len()]
    }

    /// The id of the object that it belongs to.
    pub fn object_id(&self) -> ObjectId {
        self.object
    }
}

impl fmt::Display for CompanionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Whether an object may have this key.
pub(super) fn check_key(object_key: &str) -> Result<(), OwnFormatError> {
    if object_key.is_empty() || CompanionName::parse(object_key).is_some() {
        return Err(OwnFormatError::ReservedKey);
    }
    Ok(())
}

/// An object id from its 32 lower-case digits.
pub(super) fn object_id(digits: &str) -> Option<ObjectId> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digits.len() != DIGITS || !digits.bytes().all(is_digit) {
        return None;
    }
    let number = u128::from_str_radix(digits, 16).ok()?;
    Some(ObjectId::from_bytes(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ObjectId = ObjectId::from_bytes([
        0, 1, 2, 3, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0xff,
    ]);
    const ID_DIGITS: &str = "00010203456789abcdeffedcba9876ff";

    #[test]
    fn a_name_comes_apart_into_what_it_was_made_of() {
        for key in ["k", "a/b.c", ".", "..object-cipher", "naïve/猫", &"x".repeat(977)] {
            let name = CompanionName::new(key, ID).unwrap();
            assert_eq!(name.as_str(), format!("{key}.{ID_DIGITS}.object-cipher"));
            assert!(name.as_str().len() <= 1_024);
            assert_eq!((name.object_key(), name.object_id()), (key, ID));
            assert_eq!(CompanionName::parse(name.as_str()), Some(name));
        }
    }

    #[test]
    fn other_keys_are_no_companions() {
        let id = ID_DIGITS;
        for key in [
            "",
            "cat.jpg",
            ".object-cipher",
            &format!(".{id}.object-cipher"),
            &format!("{id}.object-cipher"),
            &format!("cat{id}.object-cipher"),
            &format!("cat.{}.object-cipher", id.to_uppercase()),
            &format!("cat.{}.object-cipher", &id[1..]),
            &format!("cat.0{id}.object-cipher"),
            &format!("cat.+{}.object-cipher", &id[1..]),
            &format!("cat.{id}.object-ciphe"),
            &format!("cat.{id}.OBJECT-CIPHER"),
            &format!("cat.{id}.object-cipher/"),
            &format!("{}.{id}.object-cipher", "x".repeat(978)),
        ] {
            assert_eq!(CompanionName::parse(key), None, "{key}");
        }
    }

    #[test]
    fn a_key_that_leaves_no_room_or_is_reserved_is_refused() {
        let name = CompanionName::new("cat.jpg", ID).unwrap();
        let of_it = format!("{name}.{ID_DIGITS}.object-cipher");
        for reserved in [name.as_str(), &of_it] {
            assert_eq!(CompanionName::new(reserved, ID), Err(OwnFormatError::ReservedKey));
        }
        assert_eq!(CompanionName::new("", ID), Err(OwnFormatError::ReservedKey));
        for long in ["x".repeat(978), "猫".repeat(326)] {
            assert_eq!(CompanionName::new(&long, ID), Err(OwnFormatError::KeyTooLong));
        }
    }
}
