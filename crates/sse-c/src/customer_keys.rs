//! The key source of SSE-C: [`CustomerKeys`].

use std::{fmt, future, sync::Arc};

use object_cipher_core::{
    BoxFuture, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef, KeySource, ObjectContext, Result,
    SourceKey,
};
use object_cipher_s3::CustomerKey;

/// The one key that a request brought. It has no name, and any other key of the customer's is
/// noticed only when it does not open the wrap.
#[derive(Clone)]
pub struct CustomerKeys {
    key: Arc<SourceKey>,
}

impl CustomerKeys {
    /// The key of a request.
    pub fn new(key: &CustomerKey) -> Self {
        Self { key: Arc::clone(key.source_key()) }
    }

    fn fresh_key(&self) -> FreshKey {
        FreshKey { key: Arc::clone(&self.key), key_ref: KeyRef::Customer, blob: KeyBlob::empty() }
    }

    fn recovered_key(&self, key_ref: &KeyRef) -> Result<Arc<SourceKey>> {
        if *key_ref == KeyRef::Customer {
            return Ok(Arc::clone(&self.key));
        }
        let message = "the object was not wrapped under a customer's key";
        Err(KeyError::new(KeyErrorKind::Invalid, message).into())
    }
}

impl KeySource for CustomerKeys {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(future::ready(Ok(self.fresh_key())))
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(future::ready(self.recovered_key(key_ref)))
    }
}

impl fmt::Debug for CustomerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKeys([redacted])")
    }
}
