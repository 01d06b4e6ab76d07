//! Where paths come from: [`Walk`].

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, future, stream};
use object_store::{ObjectStore, path::Path};

use super::{
    Failure, RekeyFault,
    journal::{Change, Past},
};
use crate::{EncryptedStore, Error};

/// The paths that a run looks at: those that the store lists, or those of a manifest.
#[must_use]
pub struct Walk {
    source: Source,
    pub(super) total: Option<u64>,
}

enum Source {
    List(Option<Path>),
    Paths(BoxStream<'static, Result<Path, Failure>>),
}

/// One of them.
pub(super) enum Found {
    Object {
        path: Path,
        /// Of its record, where it was listed.
        e_tag: Option<String>,
    },
    Fault {
        at: String,
        error: Error,
    },
}

impl Walk {
    /// What the store lists under a prefix, or everywhere. A list tells ETags too, so that what a journal
    /// says is done takes no request.
    pub fn list(prefix: Option<Path>) -> Self {
        Self { source: Source::List(prefix), total: None }
    }

    /// Any paths, such as those of a [`Manifest`](super::Manifest). The store's own paths among them are
    /// passed over.
    pub fn paths(paths: BoxStream<'static, Result<Path, Failure>>) -> Self {
        Self { source: Source::Paths(paths), total: None }
    }

    /// Those of a [`Manifest`](super::Manifest)'s file, or of several one after the other.
    ///
    /// ```no_run
    /// use std::fs::File;
    ///
    /// use object_cipher_object_store::rekey::{Manifest, Walk};
    ///
    /// let manifest = Manifest::default().of_bucket("lake");
    /// let walk = Walk::of(manifest.paths(File::open("inventory.csv.gz")?)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(
        paths: impl IntoIterator<Item = Result<Path, Failure>, IntoIter: Send + 'static>,
    ) -> Self {
        Self::paths(stream::iter(paths).boxed())
    }

    /// Says how many there are, in the shard that is looked at, for the progress.
    pub fn of_total(mut self, paths: u64) -> Self {
        self.total = Some(paths);
        self
    }

    pub(super) fn found<S: ObjectStore>(
        self,
        store: &EncryptedStore<S>,
    ) -> BoxStream<'static, Found> {
        match self.source {
            Source::List(prefix) => {
                let listed = store.records(prefix.as_ref());
                let found = listed.map(move |meta| match meta {
                    Ok(meta) => Found::Object { path: meta.location, e_tag: meta.e_tag },
                    Err(error) => {
                        let at = format!("the list of {}/", prefix.clone().unwrap_or_default());
                        Found::Fault { at, error: error.into() }
                    }
                });
                found.boxed()
            }
            Source::Paths(paths) => {
                let store = store.clone();
                let found = paths.map(|path| match path {
                    Ok(path) => Found::Object { path, e_tag: None },
                    Err(Failure { path, reason }) => {
                        Found::Fault { at: path, error: RekeyFault::Row(reason).into() }
                    }
                });
                let is_an_objects = move |found: &Found| {
                    future::ready(found.path().is_none_or(|path| !store.is_reserved(path)))
                };
                found.filter(is_an_objects).boxed()
            }
        }
    }
}

impl Found {
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Object { path, .. } => Some(path),
            Self::Fault { .. } => None,
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Object { path, .. } => path.into(),
            Self::Fault { at, .. } => at,
        }
    }

    /// What a journal says of it, as it was listed.
    pub(super) fn known_to<'a>(&self, past: &'a Past) -> Option<&'a Change> {
        match self {
            Self::Object { path, e_tag } => past.done(path.as_ref(), e_tag.as_deref()),
            Self::Fault { .. } => None,
        }
    }
}
