//! The customer's key of a request that reads a stored object: [`ReadKey`].

use std::fmt;

use object_cipher_core::Mode;

use crate::{
    Arrival, CustomerKey, Error, Fields, Profile, Result,
    header::{COPY_SOURCE_CUSTOMER_KEY, CUSTOMER_KEY},
    sent_key::SentKey,
    sse_request::refuse_method,
};

/// What `GetObject`, `HeadObject`, `GetObjectAttributes`, `SelectObjectContent` and the source side
/// of `CopyObject` and `UploadPartCopy` say of encryption: perhaps a customer's key.
///
/// It is looked at once the object's mode is known: [`ReadKey::for_object`].
pub struct ReadKey {
    sent: Option<SentKey>,
    arrival: Arrival,
}

impl ReadKey {
    /// What a request that reads says.
    ///
    /// # Errors
    /// [`Error::MethodNotTaken`] when it names a mode; [`Error::CustomerKeyInsecure`] when a
    /// customer's key came over a connection that others can read.
    pub fn parse<F: Fields>(fields: &F, arrival: Arrival) -> Result<Self> {
        refuse_method(fields, Profile::Aws)?;
        Ok(Self { sent: SentKey::take(fields, CUSTOMER_KEY, arrival)?, arrival })
    }

    /// What a request that copies says of its source.
    ///
    /// # Errors
    /// [`Error::CustomerKeyInsecure`], as [`ReadKey::parse`].
    pub fn parse_copy_source<F: Fields>(fields: &F, arrival: Arrival) -> Result<Self> {
        Ok(Self { sent: SentKey::take(fields, COPY_SOURCE_CUSTOMER_KEY, arrival)?, arrival })
    }

    /// The key to open an object of this mode with: one for SSE-C, none for any other. Open before
    /// looking at conditions and ranges, and tell a failure by [`Error::from_open`].
    ///
    /// # Errors
    /// [`Error::CustomerKeyRequired`] without a key for SSE-C, [`Error::CustomerKeyNotApplicable`]
    /// with one for another mode, [`Error::CustomerKeyWrong`] for a key that is none, and as
    /// [`SseRequest::parse`](crate::SseRequest::parse) for the other two headers.
    /// [`Error::KmsInsecure`] and [`Error::KmsNeedsSignatureV4`] for a KMS mode.
    pub fn for_object(&self, mode: Mode) -> Result<Option<CustomerKey>> {
        match (&self.sent, mode) {
            (Some(sent), Mode::SseC) => sent.to_read().map(Some),
            (None, Mode::SseC) => Err(Error::CustomerKeyRequired),
            (Some(_), _) => Err(Error::CustomerKeyNotApplicable),
            (None, _) => self.arrival.admit(mode).map(|()| None),
        }
    }
}

impl fmt::Debug for ReadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadKey").field("sent", &self.sent.is_some()).finish_non_exhaustive()
    }
}
