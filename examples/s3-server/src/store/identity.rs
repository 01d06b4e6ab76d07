//! Who an object is.

use object_cipher_core::{IdentityItem, ObjectContext};

use super::{BodyName, BucketName, ObjectKey, UploadId};

/// An object's identity: what every Envelope binds.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) realm: String,
    pub(super) bucket: BucketName,
    pub(super) key: ObjectKey,
}

impl Identity {
    /// The context of an object. The name of its body is bound too, so that no Envelope fits a
    /// body, or a table of parts, that it was not stored with.
    pub(super) fn object<'a>(&'a self, body: &'a BodyName) -> ObjectContext<'a> {
        self.place().with_extra(body.as_str()).with_required(&[IdentityItem::Extra])
    }

    /// The context of an upload.
    pub(super) fn upload<'a>(&'a self, upload: &'a UploadId) -> ObjectContext<'a> {
        self.place().with_upload_id(upload.as_str())
    }

    fn place(&self) -> ObjectContext<'_> {
        ObjectContext::new(&self.realm, self.bucket.as_str(), self.key.as_str())
    }

    /// One name for a lock.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.bucket.as_str(), self.key)
    }
}
