//! The customer's key of a request within a multipart upload: [`PartKey`].

use std::fmt;

use object_cipher_core::{Completion, Mode};

use crate::{
    Arrival, BucketEncryption, CustomerKey, Error, Fields, Operation, Profile, Result,
    header::CUSTOMER_KEY, sent_key::SentKey, sse_request::refuse_method,
};

/// What `UploadPart`, `UploadPartCopy`, `CompleteMultipartUpload` and `ListParts` say of
/// encryption: perhaps the customer's key that the upload was created with. The parts of an upload
/// are listed with its key or without, so that `ListParts` asks no more than what is said here.
///
/// A key that is not the upload's shows when the upload is resumed: [`Error::from_upload`].
pub struct PartKey {
    key: Option<CustomerKey>,
    arrival: Arrival,
}

impl PartKey {
    /// What the request says.
    ///
    /// # Errors
    /// [`Error::CustomerKeyBlocked`] when it writes a part under a customer's key into a bucket
    /// that blocks them; [`Error::MethodNotTaken`] when it names a mode; and for the three headers
    /// as [`SseRequest::parse`](crate::SseRequest::parse).
    pub fn parse<F: Fields>(
        operation: Operation,
        fields: &F,
        arrival: Arrival,
        bucket: &BucketEncryption,
        profile: Profile,
    ) -> Result<Self> {
        let writes = matches!(operation, Operation::UploadPart | Operation::UploadPartCopy);
        if writes && bucket.blocks_customer_keys() && SentKey::is_in(fields, CUSTOMER_KEY) {
            return Err(Error::CustomerKeyBlocked);
        }
        let sent = SentKey::take(fields, CUSTOMER_KEY, arrival)?;
        refuse_method(fields, profile)?;
        Ok(Self { key: sent.map(|sent| sent.to_write()).transpose()?, arrival })
    }

    /// The key for a part of an upload of this mode: one for SSE-C, none for any other.
    ///
    /// # Errors
    /// [`Error::PartKeyRequired`] without a key for SSE-C, or with one for another mode;
    /// [`Error::KmsInsecure`] and [`Error::KmsNeedsSignatureV4`] for a KMS mode.
    pub fn for_part(self, upload: Mode) -> Result<Option<CustomerKey>> {
        match (self.key, upload) {
            (Some(key), Mode::SseC) => Ok(Some(key)),
            (None, Mode::SseC) | (Some(_), _) => Err(Error::PartKeyRequired),
            (None, _) => self.arrival.admit(upload).map(|()| None),
        }
    }

    /// The key to complete an upload with. None for an upload under a customer's key means that it
    /// is to be completed without: keep an Envelope of state 3.
    ///
    /// # Errors
    /// [`Error::PartKeyRequired`] without a key for SSE-C, unless the upload was created for it
    /// ([`Completion::Keyless`]) and the profile has that; and as [`PartKey::for_part`].
    pub fn for_completion(
        self,
        upload: Mode,
        completion: Completion,
        profile: Profile,
    ) -> Result<Option<CustomerKey>> {
        let keyless = completion == Completion::Keyless && profile == Profile::Aws;
        match self.key {
            None if upload == Mode::SseC && keyless => Ok(None),
            _ => self.for_part(upload),
        }
    }
}

impl fmt::Debug for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartKey").field("key", &self.key).finish_non_exhaustive()
    }
}
