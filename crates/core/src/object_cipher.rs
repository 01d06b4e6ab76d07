//! One mode, ready to use: [`ObjectCipher`].

use crate::{
    Attributes, BoxFuture, CompletedUpload, Envelope, Mode, ObjectContext, Opener, PartReceipt,
    Result, Sealer, Uploader,
};

/// Protects objects in one mode: seals new ones, opens stored ones, changes their keys.
///
/// Methods are async only because keys may come from a KMS. What they give back ([`Sealer`],
/// [`Opener`], [`Uploader`]) has its keys, is sync, does no I/O, and may be used on any thread.
/// With keys at hand the futures are ready at once: [`resolve_now`](crate::resolve_now).
pub trait ObjectCipher: Send + Sync {
    /// The mode.
    fn mode(&self) -> Mode;

    /// Begins a new object that is stored as one body.
    ///
    /// # Errors
    /// [`Error::Key`](crate::Error::Key) when there is no key to be had: never a fallback.
    fn seal<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<Sealer>>;

    /// Opens a stored object by its Envelope: verifies the wrap, and with it the identity and all
    /// of the Envelope.
    ///
    /// # Errors
    /// [`Error::Rejected`](crate::Error::Rejected) for another key, identity or Envelope than was
    /// sealed; [`Error::WrongMode`](crate::Error::WrongMode),
    /// [`Error::WrongState`](crate::Error::WrongState) for an Envelope of another mode or of an
    /// upload; [`Error::Key`](crate::Error::Key) when the key cannot be had.
    fn open<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        envelope: &'a Envelope,
    ) -> BoxFuture<'a, Result<Opener>>;

    /// The Envelope of the same body under a fresh key of this cipher and the identity in `to`:
    /// rename, key rotation, change of mode. The body is never read, and the data key stays: after
    /// a leak of it, encrypt anew.
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) to or from DSSE-KMS, which is an encryption anew;
    /// as [`seal`](ObjectCipher::seal).
    fn rewrap<'a>(
        &'a self,
        from: &'a Opener,
        to: &'a ObjectContext<'a>,
    ) -> BoxFuture<'a, Result<Envelope>>;

    /// Creates a multipart upload. The context must have an upload id.
    ///
    /// # Errors
    /// As [`seal`](ObjectCipher::seal); [`Error::Misuse`](crate::Error::Misuse) without an upload
    /// id, or for [`Completion::Keyless`] outside SSE-C.
    fn create_upload<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        completion: Completion,
    ) -> BoxFuture<'a, Result<Uploader>>;

    /// Goes on with an upload, in any process, by its Envelope.
    ///
    /// # Errors
    /// As [`open`](ObjectCipher::open).
    fn resume_upload<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        envelope: &'a Envelope,
    ) -> BoxFuture<'a, Result<Uploader>>;

    /// Takes up an SSE-C upload that was completed without its key (state 3), to finish it:
    /// [`Uploader::open_receipt`] each kept receipt, answer with the ETag recomputed from them, and
    /// store what [`complete_upload`](ObjectCipher::complete_upload) gives.
    ///
    /// # Security
    /// Whoever controls the store can present any subset of such an upload's parts and any earlier
    /// attempt of each; the recomputed ETag tells a client that remembers its own.
    ///
    /// # Errors
    /// As [`open`](ObjectCipher::open).
    fn resume_keyless_upload<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        envelope: &'a Envelope,
    ) -> BoxFuture<'a, Result<Uploader>>;

    /// Completes the object from the parts that the client named, in rising order.
    ///
    /// The context is the object's: the upload's names and encryption context, and the version id
    /// and extra item if the host knows them by now. The object's own `ETag`, computed from the
    /// parts' ([`PartReceipt::etag`]), goes into the attributes. The data keys are wrapped by the
    /// upload's keys, or by a newer one if those have retired meanwhile. Once the result is stored,
    /// delete the upload's Envelope, which still opens the parts.
    ///
    /// # Errors
    /// [`Error::Part`](crate::Error::Part) when a part is repeated, out of order or of another
    /// upload; [`Error::Misuse`](crate::Error::Misuse) when there is none or the context is another
    /// object's; as [`seal`](ObjectCipher::seal).
    fn complete_upload<'a>(
        &'a self,
        from: &'a Uploader,
        to: &'a ObjectContext<'a>,
        parts: &'a [PartReceipt],
        attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<CompletedUpload>>;

    /// The Envelope of an upload under a fresh key of this cipher; its parts and receipts stay
    /// good. Go on with [`resume_upload`](ObjectCipher::resume_upload): `from` itself may still
    /// complete under the old key.
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) when the mode or the upload id changes; as
    /// [`seal`](ObjectCipher::seal).
    fn rewrap_upload<'a>(
        &'a self,
        from: &'a Uploader,
        to: &'a ObjectContext<'a>,
    ) -> BoxFuture<'a, Result<Envelope>>;
}

/// How an upload may be completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Completion {
    /// With the key, which verifies every part.
    #[default]
    WithKey,
    /// Also without it, as S3 lets SSE-C clients do when the upload was created without a checksum
    /// algorithm. See the security note of
    /// [`ObjectCipher::resume_keyless_upload`].
    Keyless,
}

/// Implements [`ObjectCipher`] for a type by forwarding every call to the cipher inside it.
#[doc(hidden)]
#[macro_export]
macro_rules! forward_object_cipher {
    ([$($generics:tt)*] $type:ty, $self:ident => $inner:expr) => {
        impl<$($generics)*> $crate::ObjectCipher for $type {
            fn mode(&self) -> $crate::Mode {
                let $self = self;
                $crate::ObjectCipher::mode($inner)
            }
            $crate::forward_object_cipher!(@call $self => $inner, seal(cx: $crate::ObjectContext<'a>) -> $crate::Sealer);
            $crate::forward_object_cipher!(@call $self => $inner, open(cx: $crate::ObjectContext<'a>, envelope: $crate::Envelope) -> $crate::Opener);
            $crate::forward_object_cipher!(@call $self => $inner, rewrap(from: $crate::Opener, to: $crate::ObjectContext<'a>) -> $crate::Envelope);
            $crate::forward_object_cipher!(@call $self => $inner, resume_upload(cx: $crate::ObjectContext<'a>, envelope: $crate::Envelope) -> $crate::Uploader);
            $crate::forward_object_cipher!(@call $self => $inner, resume_keyless_upload(cx: $crate::ObjectContext<'a>, envelope: $crate::Envelope) -> $crate::Uploader);
            $crate::forward_object_cipher!(@call $self => $inner, rewrap_upload(from: $crate::Uploader, to: $crate::ObjectContext<'a>) -> $crate::Envelope);
            fn complete_upload<'a>(
                &'a self,
                from: &'a $crate::Uploader,
                to: &'a $crate::ObjectContext<'a>,
                parts: &'a [$crate::PartReceipt],
                attributes: &'a $crate::Attributes,
            ) -> $crate::BoxFuture<'a, $crate::Result<$crate::CompletedUpload>> {
                let $self = self;
                $crate::ObjectCipher::complete_upload($inner, from, to, parts, attributes)
            }
            fn create_upload<'a>(
                &'a self,
                cx: &'a $crate::ObjectContext<'a>,
                completion: $crate::Completion,
            ) -> $crate::BoxFuture<'a, $crate::Result<$crate::Uploader>> {
                let $self = self;
                $crate::ObjectCipher::create_upload($inner, cx, completion)
            }
        }
    };
    (@call $self:ident => $inner:expr, $method:ident($($name:ident: $type:ty),+) -> $output:ty) => {
        fn $method<'a>(&'a self, $($name: &'a $type),+) -> $crate::BoxFuture<'a, $crate::Result<$output>> {
            let $self = self;
            $crate::ObjectCipher::$method($inner, $($name),+)
        }
    };
}

forward_object_cipher!([C: ObjectCipher + ?Sized] &C, cipher => *cipher);
forward_object_cipher!([C: ObjectCipher + ?Sized] alloc::boxed::Box<C>, cipher => &**cipher);
forward_object_cipher!([C: ObjectCipher + ?Sized] alloc::sync::Arc<C>, cipher => &**cipher);
