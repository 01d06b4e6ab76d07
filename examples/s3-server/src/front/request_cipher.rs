//! A cipher on behalf of one request: [`RequestCipher`].

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use object_cipher_core::{
    Attributes, BoxFuture, Call, CompletedUpload, Completion, EncryptionContext, Envelope, Mode,
    ObjectCipher, ObjectContext, Opener, PartReceipt, Result, Sealer, Uploader,
};
use s3s::S3Request;

use super::service::RequestId;

/// Who asks, and by which request: for the KMS, its audit log, and Bucket Keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    pub(super) principal: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Caller {
    /// On whose behalf a request comes.
    pub(super) fn of<T>(request: &S3Request<T>) -> Self {
        let request_id = request.extensions.get::<RequestId>();
        Self {
            principal: request.credentials.as_ref().map(|who| who.access_key.clone()),
            request_id: request_id.map(|RequestId(id)| id.clone()),
        }
    }
}

/// A request waits so long for the KMS, whoever asked it first.
const KEY_TIME: Duration = Duration::from_secs(10);

/// A cipher that adds the caller, and the object's whole encryption context, to what the store tells
/// of an object. The store knows neither.
pub(super) struct RequestCipher {
    cipher: Arc<dyn ObjectCipher>,
    context: Option<EncryptionContext>,
    caller: Caller,
}

impl RequestCipher {
    pub(super) fn new(
        cipher: Arc<dyn ObjectCipher>,
        context: Option<EncryptionContext>,
        caller: Caller,
    ) -> Self {
        Self { cipher, context, caller }
    }

    fn with<'a>(&'a self, cx: &ObjectContext<'a>) -> ObjectContext<'a> {
        let call = Call {
            principal: self.caller.principal.as_deref(),
            request_id: self.caller.request_id.as_deref(),
            deadline: Some(key_deadline()),
        };
        let cx = cx.clone().with_call(call);
        match &self.context {
            Some(context) => cx.with_encryption_context(context),
            None => cx,
        }
    }
}

/// When the KMS must have answered: time since the Unix epoch.
fn key_deadline() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(KEY_TIME)
}

impl ObjectCipher for RequestCipher {
    fn mode(&self) -> Mode {
        self.cipher.mode()
    }

    fn seal<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<Sealer>> {
        Box::pin(async move { self.cipher.seal(&self.with(cx)).await })
    }

    fn open<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        envelope: &'a Envelope,
    ) -> BoxFuture<'a, Result<Opener>> {
        Box::pin(async move { self.cipher.open(&self.with(cx), envelope).await })
    }

    fn rewrap<'a>(
        &'a self,
        from: &'a Opener,
        to: &'a ObjectContext<'a>,
    ) -> BoxFuture<'a, Result<Envelope>> {
        Box::pin(async move { self.cipher.rewrap(from, &self.with(to)).await })
    }

    fn create_upload<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        completion: Completion,
    ) -> BoxFuture<'a, Result<Uploader>> {
        Box::pin(async move { self.cipher.create_upload(&self.with(cx), completion).await })
    }

    fn resume_upload<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        envelope: &'a Envelope,
    ) -> BoxFuture<'a, Result<Uploader>> {
        Box::pin(async move { self.cipher.resume_upload(&self.with(cx), envelope).await })
    }

    fn resume_keyless_upload<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        envelope: &'a Envelope,
    ) -> BoxFuture<'a, Result<Uploader>> {
        Box::pin(async move { self.cipher.resume_keyless_upload(&self.with(cx), envelope).await })
    }

    fn complete_upload<'a>(
        &'a self,
        from: &'a Uploader,
        to: &'a ObjectContext<'a>,
        parts: &'a [PartReceipt],
        attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<CompletedUpload>> {
        Box::pin(async move {
            self.cipher.complete_upload(from, &self.with(to), parts, attributes).await
        })
    }

    fn rewrap_upload<'a>(
        &'a self,
        from: &'a Uploader,
        to: &'a ObjectContext<'a>,
    ) -> BoxFuture<'a, Result<Envelope>> {
        Box::pin(async move { self.cipher.rewrap_upload(from, &self.with(to)).await })
    }
}
