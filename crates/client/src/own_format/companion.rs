//! The object beside an object that came in parts: [`Companion`].

use object_cipher_core::{
    CompletedUpload, Envelope, Error, Fault, MAX_ENVELOPE_LEN, MAX_PARTS, Opener, PAGE_PARTS,
    PartTable, StoredParts,
};

use super::{CompanionName, OwnFormatError, check};

/// The longest companion, in bytes (698,157): 10,000 parts under the longest Envelope. Refuse a
/// longer one before it is fetched.
pub const MAX_COMPANION_LEN: usize = HEAD_LEN
    + MAX_ENVELOPE_LEN
    + COUNT_LEN
    + (MAX_PARTS as usize).div_ceil(PAGE_PARTS) * PAGE_SUMMARY_LEN
    + MAX_PARTS as usize * ENTRY_LEN;

const MAGIC: [u8; 4] = [0x89, b'S', b'3', b'C'];
const VERSION: u8 = 1;
/// Magic, version, length of the Envelope.
const HEAD_LEN: usize = 9;
// The part table's own sizes, in suite 1.
const COUNT_LEN: usize = 4;
const PAGE_SUMMARY_LEN: usize = 44;
const ENTRY_LEN: usize = 68;

/// What stands beside an object that came in parts: its Envelope and its part table, in one object
/// of the key [`CompanionName`].
///
/// It is put before the upload is completed, so that no object is ever without one, and deleted if
/// the upload was aborted, but not because an answer was lost: it may have been yes. A new Envelope
/// of the same object (another key, by [`rewrap`](object_cipher_core::ObjectCipher::rewrap)) is put
/// over it with the table it has, while the object and its metadata stay.
///
/// ```
/// use object_cipher_client::{ClientKeys, ClientSide, Companion, CompanionName};
/// use object_cipher_core::{
///     Attributes, CompletedUpload, CryptoBackend, ObjectCipher, ObjectContext, SourceKey,
///     resolve_now,
/// };
/// use object_cipher_rustcrypto::RustCrypto;
/// use object_cipher_testkit::StoredObject;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = SourceKey::try_fill(|bytes| RustCrypto.random(bytes))?;
/// # let cipher = ClientSide::with_keys(ClientKeys::new("2026", key)?, RustCrypto);
/// // An upload; `StoredObject` is the testkit's, which keeps bodies in memory.
/// let cx = ObjectContext::new("prod", "photos", "cat.jpg").with_upload_id("of our own");
/// let parts: [(u32, &[u8]); 2] = [(1, b"first "), (2, b"second")];
/// let uploaded = StoredObject::upload(&cipher, &cx, &parts, &Attributes::default())?;
/// # let completed = CompletedUpload {
/// #     envelope: uploaded.envelope.clone(),
/// #     part_table: uploaded.table.clone().ok_or("an upload has one")?,
/// # };
/// let name = CompanionName::new("cat.jpg", completed.envelope.object_id())?;
/// let stored = Companion::new(completed)?.to_bytes();
///
/// let companion = Companion::parse(&name, &stored)?;
/// assert_eq!(companion.plaintext_len()?, 12);
/// let cx = cx.with_part_index(companion.part_table().index());
/// let opener = resolve_now(cipher.open(&cx, companion.envelope())).ok_or("never waits")??;
/// assert_eq!(opener.plaintext_len(), 12);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    envelope: Envelope,
    part_table: PartTable,
}

impl Companion {
    /// The companion of a completed upload.
    ///
    /// # Errors
    /// [`OwnFormatError::Core`] for the Envelope of another mode, or of an upload,
    /// [`OwnFormatError::OtherPlace`] for that of an object in one piece.
    pub fn new(completed: CompletedUpload) -> Result<Self, OwnFormatError> {
        let CompletedUpload { envelope, part_table } = completed;
        check(&envelope, true)?;
        Ok(Self { envelope, part_table })
    }

    /// Reads what was found under a companion's key. Its form is checked here; its content is when
    /// an [`Opener`] opens the Envelope and [`parts`](Self::parts) verifies the table.
    ///
    /// # Errors
    /// [`OwnFormatError::Malformed`] for bytes that are not exactly one canonical companion of
    /// version 1, [`OwnFormatError::Foreign`] for that of another object or upload, and as
    /// [`new`](Self::new).
    pub fn parse(name: &CompanionName, bytes: &[u8]) -> Result<Self, OwnFormatError> {
        let object = name.object_id();
        let malformed = |fault| OwnFormatError::Malformed { object, fault };
        if bytes.len() > MAX_COMPANION_LEN {
            return Err(malformed(Fault::TooLong));
        }
        let (head, rest) =
            bytes.split_first_chunk::<HEAD_LEN>().ok_or(malformed(Fault::TooShort))?;
        let [m0, m1, m2, m3, version, length @ ..] = *head;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(malformed(Fault::Magic));
        }
        if version != VERSION {
            return Err(malformed(Fault::Version));
        }
        let length =
            usize::try_from(u32::from_be_bytes(length)).map_err(|_| malformed(Fault::TooLong))?;
        let (envelope, table) = rest.split_at_checked(length).ok_or(malformed(Fault::TooShort))?;
        let envelope = Envelope::parse(envelope)?;
        if envelope.object_id() != object {
            return Err(OwnFormatError::Foreign { object, found: envelope.object_id() });
        }
        let part_table = PartTable::parse(envelope.mode().suite(), table)?;
        Self::new(CompletedUpload { envelope, part_table })
    }

    /// What is stored, at most [`MAX_COMPANION_LEN`] bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (envelope, table) = (self.envelope.as_bytes(), self.part_table.to_bytes());
        // An Envelope has at most 16,384 bytes.
        let length = u32::try_from(envelope.len()).unwrap_or(u32::MAX).to_be_bytes();
        [&MAGIC, &[VERSION][..], &length, envelope, &table].concat()
    }

    /// The object's Envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The object's part table. To open the object its index goes into the context
    /// ([`ObjectContext::with_part_index`](object_cipher_core::ObjectContext::with_part_index)).
    pub fn part_table(&self) -> &PartTable {
        &self.part_table
    }

    /// The plaintext's length in bytes, as the part table tells it. It needs no key.
    ///
    /// # Security
    /// Nobody vouches for it: whoever controls the store can write a table. The length that counts
    /// is that of an [`Opener`].
    ///
    /// # Errors
    /// [`OwnFormatError::Core`] when it exceeds 2^64.
    pub fn plaintext_len(&self) -> Result<u64, OwnFormatError> {
        self.part_table.index()[COUNT_LEN..]
            .chunks_exact(PAGE_SUMMARY_LEN)
            .filter_map(|page| page[4..].first_chunk())
            .try_fold(0_u64, |sum, length| sum.checked_add(u64::from_be_bytes(*length)))
            .ok_or(Error::Limit("the parts' lengths exceed 2^64 bytes").into())
    }

    /// Where the object's parts lie in the stored object, by the verified table.
    ///
    /// # Errors
    /// [`OwnFormatError::Core`] when the opener has no index, or the table is not the one that was
    /// sealed with its object.
    pub fn parts(&self, opener: &Opener) -> Result<StoredParts, OwnFormatError> {
        Ok(StoredParts::verify(opener, &self.part_table)?)
    }
}
