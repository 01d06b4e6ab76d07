//! Who an object is, and on whose behalf a call is made: [`ObjectContext`].

use alloc::vec::Vec;
use core::{fmt, time::Duration};

use crate::{EncryptionContext, Error, IdentityFault, IdentityItem, ObjectId, Result};

/// The identity of an object, bound by its key wrap, and the call it is used in.
///
/// Identity items are the host's own bytes, taken as they are: no normalisation, no path joining.
/// An item that is not set is empty. What was bound when an object was sealed must be given again
/// to open it.
///
/// The call (principal, request id, deadline) is for audit and time-outs and never part of the
/// identity.
///
/// ```
/// use object_cipher_core::ObjectContext;
///
/// let cx = ObjectContext::new("prod", "photos", "2026/cat.jpg").with_version_id("3sL4kq");
/// ```
#[derive(Clone, Debug, Default)]
pub struct ObjectContext<'a> {
    realm: &'a [u8],
    bucket: &'a [u8],
    key: &'a [u8],
    version_id: &'a [u8],
    upload_id: &'a [u8],
    encryption_context: Option<&'a EncryptionContext>,
    extra: &'a [u8],
    part_index: Option<&'a [u8]>,
    required: &'a [IdentityItem],
    call: Call<'a>,
}

/// On whose behalf a key is asked for.
#[derive(Clone, Debug, Default)]
pub struct Call<'a> {
    /// Who asks, in the host's own terms.
    pub principal: Option<&'a str>,
    /// The request's id, for tracing.
    pub request_id: Option<&'a str>,
    /// When the call must have ended: time since the Unix epoch.
    pub deadline: Option<Duration>,
}

/// Which identity items an Envelope binds, beside realm, bucket and key.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Bound(u8);

/// An identity as the wrap binds it, owned.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// enc(realm) ‖ enc(bucket) ‖ enc(key)
    place: Vec<u8>,
    version_id: Vec<u8>,
    upload_id: Vec<u8>,
    encryption_context: Vec<u8>,
    extra: Vec<u8>,
}

impl<'a> ObjectContext<'a> {
    /// An object by deployment or tenant (`realm`, chosen once), bucket and key.
    pub fn new<R, B, K>(realm: &'a R, bucket: &'a B, key: &'a K) -> Self
    where
        R: AsRef<[u8]> + ?Sized,
        B: AsRef<[u8]> + ?Sized,
        K: AsRef<[u8]> + ?Sized,
    {
        Self {
            realm: realm.as_ref(),
            bucket: bucket.as_ref(),
            key: key.as_ref(),
            ..Self::default()
        }
    }

    /// The version id, if the host knows it before it writes the Envelope. S3's `null` counts as
    /// none.
    #[must_use]
    pub fn with_version_id(mut self, id: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.version_id = version_id(id.as_ref());
        self
    }

    /// The upload id of a multipart upload.
    #[must_use]
    pub fn with_upload_id(mut self, id: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.upload_id = id.as_ref();
        self
    }

    /// The full effective encryption context.
    #[must_use]
    pub fn with_encryption_context(mut self, context: &'a EncryptionContext) -> Self {
        self.encryption_context = Some(context);
        self
    }

    /// One more item of the host's, such as a generation. Objects have it, uploads do not.
    #[must_use]
    pub fn with_extra(mut self, extra: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.extra = extra.as_ref();
        self
    }

    /// The index of the object's part table, which reads of a multipart object need.
    #[must_use]
    pub fn with_part_index(mut self, index: &'a [u8]) -> Self {
        self.part_index = Some(index);
        self
    }

    /// Refuses to open an object whose Envelope does not bind these items, and to seal one without
    /// them. A host that binds version ids requires them, and so notices an old Envelope that was
    /// put back. Uploads bind neither version id nor extra item, and are not held to it.
    #[must_use]
    pub fn with_required(mut self, items: &'a [IdentityItem]) -> Self {
        self.required = items;
        self
    }

    /// On whose behalf keys are asked for.
    #[must_use]
    pub fn with_call(mut self, call: Call<'a>) -> Self {
        self.call = call;
        self
    }

    /// The realm.
    pub fn realm(&self) -> &'a [u8] {
        self.realm
    }

    /// The bucket.
    pub fn bucket(&self) -> &'a [u8] {
        self.bucket
    }

    /// The key, in S3's sense: the object's name.
    pub fn key(&self) -> &'a [u8] {
        self.key
    }

    /// The encryption context, if one is set.
    pub fn encryption_context(&self) -> Option<&'a EncryptionContext> {
        self.encryption_context
    }

    /// The call.
    pub fn call(&self) -> &Call<'a> {
        &self.call
    }

    pub(crate) fn part_index(&self) -> Option<&'a [u8]> {
        self.part_index
    }

    /// The identity of a finished object: all items but the upload id.
    pub(crate) fn object_identity(&self) -> Result<Identity> {
        let identity = self.identity(self.version_id, &[], self.canonical_context(), self.extra)?;
        let bound = identity.bound();
        if self.required.iter().any(|item| !bound.has(*item)) {
            return Err(Error::Misuse("an identity item that is required is not given"));
        }
        Ok(identity)
    }

    /// The identity of an upload: no version id and no extra item, but an upload id.
    pub(crate) fn upload_identity(&self) -> Result<Identity> {
        if self.upload_id.is_empty() {
            return Err(Error::Misuse("an upload needs an upload id in its context"));
        }
        self.identity(&[], self.upload_id, self.canonical_context(), &[])
    }

    /// The identity that a finished object's Envelope was sealed with.
    ///
    /// Items the Envelope does not bind are left out, as its writer did not know them, unless the
    /// host requires them.
    pub(crate) fn stored_identity(&self, object: ObjectId, bound: Bound) -> Result<Identity> {
        if let Some(item) = self.required.iter().find(|item| !bound.has(**item)) {
            return Err(Error::Identity { object, item: *item, fault: IdentityFault::NotBound });
        }
        let pick = |item, given| Self::pick(object, bound, item, given);
        self.identity(
            pick(IdentityItem::VersionId, self.version_id)?,
            &[],
            self.stored_context(object, bound)?,
            pick(IdentityItem::Extra, self.extra)?,
        )
    }

    /// The identity that an upload's Envelope was sealed with.
    pub(crate) fn stored_upload_identity(
        &self,
        object: ObjectId,
        bound: Bound,
    ) -> Result<Identity> {
        let upload_id = Self::pick(object, bound, IdentityItem::UploadId, self.upload_id)?;
        self.identity(&[], upload_id, self.stored_context(object, bound)?, &[])
    }

    /// An item, if the Envelope binds it.
    fn pick(
        object: ObjectId,
        bound: Bound,
        item: IdentityItem,
        given: &'a [u8],
    ) -> Result<&'a [u8]> {
        match (bound.has(item), given) {
            (true, []) => Err(Error::Identity { object, item, fault: IdentityFault::NotGiven }),
            (true, given) => Ok(given),
            (false, _) => Ok(&[]),
        }
    }

    /// The encryption context, which is the caller's claim: one that was not sealed is refused.
    fn stored_context(&self, object: ObjectId, bound: Bound) -> Result<Vec<u8>> {
        let item = IdentityItem::EncryptionContext;
        let context = self.canonical_context();
        match (bound.has(item), context.is_empty()) {
            (true, true) => Err(Error::Identity { object, item, fault: IdentityFault::NotGiven }),
            (false, false) => Err(Error::Identity { object, item, fault: IdentityFault::NotBound }),
            _ => Ok(context),
        }
    }

    fn canonical_context(&self) -> Vec<u8> {
        self.encryption_context.map(EncryptionContext::canonical).unwrap_or_default()
    }

    fn identity(
        &self,
        version_id: &[u8],
        upload_id: &[u8],
        encryption_context: Vec<u8>,
        extra: &[u8],
    ) -> Result<Identity> {
        let names = [self.realm, self.bucket, self.key];
        let mut place = Vec::with_capacity(names.iter().map(|name| name.len() + 4).sum());
        for name in names {
            encode(name, &mut place)?;
        }
        Ok(Identity {
            place,
            version_id: version_id.to_vec(),
            upload_id: upload_id.to_vec(),
            encryption_context,
            extra: extra.to_vec(),
        })
    }
}

impl Bound {
    const ALL: u8 = 0b1111;

    /// Whether the item is bound.
    pub fn has(self, item: IdentityItem) -> bool {
        self.0 & Self::bit(item) != 0
    }

    /// The byte in the Envelope.
    pub(crate) fn byte(self) -> u8 {
        self.0
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        (byte & !Self::ALL == 0).then_some(Self(byte))
    }

    fn bit(item: IdentityItem) -> u8 {
        match item {
            IdentityItem::VersionId => 1,
            IdentityItem::UploadId => 2,
            IdentityItem::EncryptionContext => 4,
            IdentityItem::Extra => 8,
        }
    }

    fn items(self) -> impl Iterator<Item = IdentityItem> {
        [
            IdentityItem::VersionId,
            IdentityItem::UploadId,
            IdentityItem::EncryptionContext,
            IdentityItem::Extra,
        ]
        .into_iter()
        .filter(move |item| self.has(*item))
    }
}

impl Identity {
    /// Which items are not empty.
    pub(crate) fn bound(&self) -> Bound {
        let items = [&self.version_id, &self.upload_id, &self.encryption_context, &self.extra];
        Bound(items.iter().enumerate().map(|(bit, item)| u8::from(!item.is_empty()) << bit).sum())
    }

    /// Sets the version id, which a host may learn only when it commits.
    pub(crate) fn set_version_id(&mut self, id: &[u8]) {
        self.version_id = version_id(id).to_vec();
    }

    /// Sets the extra item, which a host may learn only when it commits.
    pub(crate) fn set_extra(&mut self, extra: &[u8]) {
        self.extra = extra.to_vec();
    }

    /// Whether an upload with this identity becomes an object with that one.
    pub(crate) fn becomes(&self, object: &Self) -> bool {
        self.place == object.place && self.encryption_context == object.encryption_context
    }

    /// Whether both are of one upload.
    pub(crate) fn is_same_upload(&self, other: &Self) -> bool {
        self.upload_id == other.upload_id
    }

    /// Appends the byte string that the wrap binds (`SPEC.md`, "identity").
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        let items = [&self.version_id, &self.upload_id, &self.encryption_context, &self.extra];
        out.extend_from_slice(&self.place);
        items.into_iter().try_for_each(|item| encode(item, out))
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.items()).finish()
    }
}

/// S3's `null` version is an object without a version id.
fn version_id(id: &[u8]) -> &[u8] {
    if id == b"null" { &[] } else { id }
}

/// enc(x): the length as u32, then the bytes.
fn encode(bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let length = u32::try_from(bytes.len())
        .map_err(|_| Error::Limit("an identity item has at most 4 GiB"))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
