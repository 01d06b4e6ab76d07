//! Where an object's Envelope stands, as the object's metadata tells: [`StoredEnvelope`].

use object_cipher_core::{ENVELOPE_PAIR_NAME, Envelope, Layout, ObjectId, Suite};

use super::{
    CompanionName, OwnFormatError, check,
    companion_name::{check_key, object_id},
};

/// The name of the metadata pair that leads to an object's companion; its value is the object id as
/// 32 lower-case hexadecimal digits.
pub const COMPANION_PAIR_NAME: &str = "object-cipher-companion";
/// Bytes that an Envelope's pair may have, name and value: all that S3 keeps of user metadata.
pub const MAX_PAIR_LEN: usize = 2_048;

const HEADER_PREFIX: &str = "x-amz-meta-";

/// Where an object's Envelope stands: in the object's metadata, or, as S3 fixes the metadata of an
/// upload before its first part, in a companion object.
///
/// Writers make one, and add its [`pair`](Self::pair) to the metadata they send. Readers
/// [`parse`](Self::parse) one from the metadata that HEAD or GET answered with.
///
/// ```
/// use object_cipher_client::{COMPANION_PAIR_NAME, StoredEnvelope};
///
/// # fn main() -> Result<(), object_cipher_client::OwnFormatError> {
/// let metadata = [("X-Amz-Meta-Object-Cipher-Companion", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a")];
/// let Some(StoredEnvelope::Companion(name)) = StoredEnvelope::parse("cat.jpg", metadata)? else {
///     panic!("names a companion")
/// };
/// assert_eq!(name.as_str(), "cat.jpg.5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a.object-cipher");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredEnvelope {
    /// In the metadata of an object in one piece.
    Metadata(Box<Envelope>),
    /// In the companion of an object that came in parts: one GET. Delete it with the object, after
    /// it, unless another version of the object names it too.
    Companion(CompanionName),
}

impl StoredEnvelope {
    /// Of an object in one piece.
    ///
    /// # Errors
    /// [`OwnFormatError::ReservedKey`] for a key that no object may have,
    /// [`OwnFormatError::MetadataTooLong`] when S3 could not keep it, and as
    /// [`parse`](Self::parse) for an Envelope that is not one of such an object.
    pub fn in_metadata(object_key: &str, envelope: Envelope) -> Result<Self, OwnFormatError> {
        let text_len = envelope.as_bytes().len().div_ceil(3) * 4;
        if ENVELOPE_PAIR_NAME.len() + text_len > MAX_PAIR_LEN {
            return Err(OwnFormatError::MetadataTooLong);
        }
        Self::of_one_piece(object_key, envelope)
    }

    /// Of an object that comes in parts, by the id of its
    /// [`Uploader`](object_cipher_core::Uploader).
    ///
    /// # Errors
    /// Those of [`CompanionName::new`].
    pub fn in_companion(object_key: &str, object: ObjectId) -> Result<Self, OwnFormatError> {
        CompanionName::new(object_key, object).map(Self::Companion)
    }

    /// Finds it among an object's metadata. Names count in any case, with or without `x-amz-meta-`,
    /// and other pairs do not matter. None if no pair is ours: such an object is not to be taken
    /// for one of ours, nor for one in clear where ours are expected.
    ///
    /// # Errors
    /// [`OwnFormatError::RepeatedPair`] and [`OwnFormatError::TwoPlaces`] for more pairs of ours
    /// than one, [`OwnFormatError::CompanionId`] and [`OwnFormatError::Core`] for values that are
    /// not canonical, [`OwnFormatError::OtherPlace`] for the Envelope of an object in parts, and
    /// those of [`CompanionName::new`].
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        object_key: &str,
        metadata: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Option<Self>, OwnFormatError> {
        let (mut text, mut id) = (None, None);
        for (name, value) in metadata {
            let (name, place) = match our_name(name.as_ref()) {
                Some(name) if name == ENVELOPE_PAIR_NAME => (name, &mut text),
                Some(name) => (name, &mut id),
                None => continue,
            };
            if place.replace(value).is_some() {
                return Err(OwnFormatError::RepeatedPair(name));
            }
        }
        match (text, id) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(OwnFormatError::TwoPlaces),
            (Some(text), None) => {
                Self::of_one_piece(object_key, Envelope::from_text(text.as_ref())?).map(Some)
            }
            (None, Some(id)) => {
                let id = object_id(id.as_ref()).ok_or(OwnFormatError::CompanionId)?;
                Self::in_companion(object_key, id).map(Some)
            }
        }
    }

    /// Whether a metadata name is one of ours, to hide it from the user and to refuse it from one.
    pub fn is_pair_name(name: &str) -> bool {
        our_name(name).is_some()
    }

    /// The metadata pair that says so, its name without `x-amz-meta-`.
    pub fn pair(&self) -> (&'static str, String) {
        match self {
            Self::Metadata(envelope) => (ENVELOPE_PAIR_NAME, envelope.to_text()),
            Self::Companion(name) => (COMPANION_PAIR_NAME, name.object_id().to_string()),
        }
    }

    /// The plaintext's length in bytes by the stored length that HEAD tells; none if only the
    /// companion knows it. It needs no key.
    ///
    /// # Security
    /// Nobody vouches for it: whoever controls the store can cut a body. The length that counts is
    /// that of an [`Opener`](object_cipher_core::Opener).
    ///
    /// # Errors
    /// [`OwnFormatError::Core`] when no body has this length.
    pub fn plaintext_len(&self, stored_len: u64) -> Result<Option<u64>, OwnFormatError> {
        match self {
            Self::Metadata(_) => Ok(Some(Layout::new(Suite::OneLayer).plaintext_len(stored_len)?)),
            Self::Companion(_) => Ok(None),
        }
    }

    fn of_one_piece(object_key: &str, envelope: Envelope) -> Result<Self, OwnFormatError> {
        check_key(object_key)?;
        check(&envelope, false)?;
        Ok(Self::Metadata(Box::new(envelope)))
    }
}

/// Which of our names a metadata name is.
fn our_name(name: &str) -> Option<&'static str> {
    let prefix = name.get(..HEADER_PREFIX.len());
    let plain = match prefix {
        Some(prefix) if prefix.eq_ignore_ascii_case(HEADER_PREFIX) => &name[HEADER_PREFIX.len()..],
        _ => name,
    };
    [ENVELOPE_PAIR_NAME, COMPANION_PAIR_NAME]
        .into_iter()
        .find(|ours| plain.eq_ignore_ascii_case(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

    fn parse(pairs: &[(&str, &str)]) -> Result<Option<StoredEnvelope>, OwnFormatError> {
        StoredEnvelope::parse("cat.jpg", pairs.iter().copied())
    }

    #[test]
    fn names_count_in_any_case_with_and_without_the_prefix_of_headers() {
        let expected = parse(&[(COMPANION_PAIR_NAME, ID)]).unwrap();
        assert!(expected.is_some());
        for name in [
            "Object-Cipher-Companion",
            "x-amz-meta-object-cipher-companion",
            "X-AMZ-META-OBJECT-CIPHER-COMPANION",
        ] {
            assert!(StoredEnvelope::is_pair_name(name));
            assert_eq!(parse(&[("a", "b"), (name, ID)]).unwrap(), expected);
            let twice = [(name, ID), (COMPANION_PAIR_NAME, ID)];
            assert_eq!(
                parse(&twice),
                Err(OwnFormatError::RepeatedPair(COMPANION_PAIR_NAME)),
                "{name}"
            );
        }
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in [
            "",
            "x-amz-meta-",
            "object-cipher",
            "object-cipher-companion ",
            "object-cipher-companions",
            "x-amz-meta-x-amz-meta-object-cipher-companion",
            "x-amz-object-cipher-companion",
            "x-amz-mét-object-cipher-companion",
        ] {
            assert!(!StoredEnvelope::is_pair_name(name), "{name}");
            assert_eq!(parse(&[(name, ID)]), Ok(None));
        }
    }

    #[test]
    fn a_companion_is_named_by_an_object_id_and_nothing_else() {
        for id in ["", " ", &ID[1..], &ID.to_uppercase(), &format!("{ID}0"), "../secret"] {
            assert_eq!(parse(&[(COMPANION_PAIR_NAME, id)]), Err(OwnFormatError::CompanionId));
        }
        let companion = parse(&[(COMPANION_PAIR_NAME, ID)]).unwrap().unwrap();
        assert_eq!(companion.pair(), (COMPANION_PAIR_NAME, ID.to_owned()));
        assert_eq!(companion.plaintext_len(72), Ok(None));
    }
}
