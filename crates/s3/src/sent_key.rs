//! The three headers of a customer's key, as they were sent.

use zeroize::Zeroizing;

use crate::{
    Arrival, CUSTOMER_ALGORITHM, CustomerKey, Error, Result,
    fields::{Fields, one, shown},
    header::CustomerKeyHeaders,
};

/// What a request said of a customer's key: at least one of the three headers, not looked at yet.
pub(crate) struct SentKey {
    algorithm: Option<Zeroizing<Vec<u8>>>,
    key: Option<Zeroizing<Vec<u8>>>,
    key_md5: Option<Zeroizing<Vec<u8>>>,
}

impl SentKey {
    /// Whether any of the three is there.
    pub(crate) fn is_in<F: Fields>(fields: &F, names: CustomerKeyHeaders) -> bool {
        [names.algorithm, names.key, names.key_md5]
            .into_iter()
            .any(|name| fields.values(name).next().is_some())
    }

    /// The three, if any is there.
    ///
    /// # Errors
    /// [`Error::CustomerKeyInsecure`], [`Error::Repeated`].
    pub(crate) fn take<F: Fields>(
        fields: &F,
        names: CustomerKeyHeaders,
        arrival: Arrival,
    ) -> Result<Option<Self>> {
        if !Self::is_in(fields, names) {
            return Ok(None);
        }
        if !arrival.secure {
            return Err(Error::CustomerKeyInsecure);
        }
        // Even the algorithm: a client may have taken one header for another.
        let secret = |value: &[u8]| Zeroizing::new(value.to_vec());
        Ok(Some(Self {
            algorithm: one(fields, names.algorithm)?.map(secret),
            key: one(fields, names.key)?.map(secret),
            key_md5: one(fields, names.key_md5)?.map(secret),
        }))
    }

    /// The key, looked at in the order of writes: algorithm there, key there, algorithm known, key
    /// well-formed, MD5 the key's.
    pub(crate) fn to_write(&self) -> Result<CustomerKey> {
        let algorithm = self.algorithm.as_ref().ok_or(Error::CustomerAlgorithmMissing)?;
        let key = self.key.as_ref().ok_or(Error::CustomerKeyMissing)?;
        if algorithm.as_slice() != CUSTOMER_ALGORITHM.as_bytes() {
            return Err(Error::UnsupportedCustomerAlgorithm { algorithm: shown(algorithm) });
        }
        let md5 = self.key_md5.as_ref().ok_or(Error::CustomerKeyMd5Missing)?;
        CustomerKey::parse(key, md5)
    }

    /// The key of a stored object: one that is not well-formed cannot be the object's.
    pub(crate) fn to_read(&self) -> Result<CustomerKey> {
        self.to_write().map_err(|error| match error {
            Error::CustomerKeyInvalid => Error::CustomerKeyWrong,
            error => error,
        })
    }
}
