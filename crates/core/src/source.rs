//! Where wrapping keys come from: [`KeySource`].

use alloc::{boxed::Box, sync::Arc};
use core::{future::Future, pin::Pin};

use crate::{KeyBlob, KeyRef, ObjectContext, Result, SourceKey};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A source of the keys that wrap data keys: a master keyring, a KMS, Bucket Keys, a customer's
/// key, a client's keys.
///
/// The methods are async only because a KMS may have to be asked; a source that has its keys at
/// hand returns a ready future.
pub trait KeySource: Send + Sync {
    /// A key to wrap a new data key with, and what must be kept to find it again.
    ///
    /// # Errors
    /// [`Error::Key`](crate::Error::Key) when there is none to be had. There is never a default.
    fn fresh<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>>;

    /// The key that [`fresh`](KeySource::fresh) gave with this reference and blob.
    ///
    /// # Errors
    /// [`Error::Key`](crate::Error::Key) when it is gone, refused or another.
    fn recover<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        blob: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>>;

    /// A key to wrap an upload's data keys with when it completes, in place of the one that wrapped
    /// them when it was created. None, as by default, if that one goes on wrapping: a KMS data key
    /// does, a version of a rotating keyring does not.
    ///
    /// # Errors
    /// As [`fresh`](KeySource::fresh).
    fn renewed<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<Option<FreshKey>>> {
        let _ = cx;
        Box::pin(core::future::ready(Ok(None)))
    }
}

/// A key for wrapping, with its name and blob.
#[derive(Debug)]
pub struct FreshKey {
    /// The key.
    pub key: Arc<SourceKey>,
    /// Its name, stored in clear and bound by the wrap.
    pub key_ref: KeyRef,
    /// What the source needs to find it again.
    pub blob: KeyBlob,
}

impl<S: KeySource + ?Sized> KeySource for Arc<S> {
    fn fresh<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        (**self).fresh(cx)
    }

    fn recover<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        blob: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        (**self).recover(cx, key_ref, blob)
    }

    fn renewed<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<Option<FreshKey>>> {
        (**self).renewed(cx)
    }
}
