//! What one request says of encryption, in the `extensions` of `object_store`'s options.

use std::{fmt, sync::Arc};

use http::Extensions;
use object_cipher_core::{Call, EncryptionContext, Mode, ObjectCipher, ObjectContext};
use object_store::path::Path;

use crate::{Error, Result};

/// The cipher of one request, in place of what the store's [`Ciphers`](crate::Ciphers) say: a customer's
/// key (SSE-C), or another mode than the default.
///
/// ```
/// use std::sync::Arc;
///
/// use object_cipher_core::{EkSource, LayeredCipher};
/// use object_cipher_object_store::RequestCipher;
/// use object_cipher_rustcrypto::RustCrypto;
/// use object_store::GetOptions;
///
/// # let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]);
/// let cipher = LayeredCipher::sse_c(keys, RustCrypto);
/// let mut options = GetOptions::new();
/// options.extensions.insert(RequestCipher(Arc::new(cipher)));
/// ```
#[derive(Clone)]
pub struct RequestCipher(pub Arc<dyn ObjectCipher>);

/// The encryption context of a new object, in modes whose keys may be a KMS's;
/// SSE-S3 and SSE-C refuse it, but keep what an object has when its
/// record is wrapped anew in such a mode. It is kept in the record, in clear, and
/// given again on every read.
#[derive(Clone, Debug, Default)]
pub struct RequestContext(pub EncryptionContext);

/// On whose behalf a request is made: for the audit of keys.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Who asks, in the host's own terms.
    pub principal: Option<String>,
    /// The request's id, for tracing.
    pub request_id: Option<String>,
}

/// Who an object is, as its Envelope binds it.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) realm: String,
    pub(crate) bucket: String,
}

impl Identity {
    /// The context of an object, and of a request's caller.
    pub(crate) fn context<'a>(
        &'a self,
        location: &'a Path,
        context: &'a EncryptionContext,
        extensions: &'a Extensions,
    ) -> ObjectContext<'a> {
        let object = ObjectContext::new(&self.realm, &self.bucket, location.as_ref());
        let object =
            if context.is_empty() { object } else { object.with_encryption_context(context) };
        match extensions.get::<Caller>() {
            Some(caller) => object.with_call(Call {
                principal: caller.principal.as_deref(),
                request_id: caller.request_id.as_deref(),
                ..Call::default()
            }),
            None => object,
        }
    }
}

/// The context that a request gives a new object.
///
/// # Errors
/// [`Error::Context`] for a mode that has none.
pub(crate) fn new_context(
    location: &Path,
    mode: Mode,
    extensions: &Extensions,
) -> Result<EncryptionContext> {
    let context = extensions.get::<RequestContext>();
    let context = context.map(|context| context.0.clone()).unwrap_or_default();
    if context.is_empty() || has_context(mode) {
        return Ok(context);
    }
    Err(Error::Context { path: location.clone(), mode })
}

/// Whether a mode's keys may be a KMS's, to which a context is told.
pub(crate) fn has_context(mode: Mode) -> bool {
    !matches!(mode, Mode::SseS3 | Mode::SseC)
}

/// What the store beneath is given of a request's extensions: all but ours, which hold keys.
pub(crate) fn for_store(extensions: &Extensions) -> Extensions {
    let mut extensions = extensions.clone();
    extensions.remove::<RequestCipher>();
    extensions.remove::<RequestContext>();
    extensions.remove::<Caller>();
    extensions
}

impl fmt::Debug for RequestCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestCipher").field(&self.0.mode()).finish()
    }
}
