//! Changes of key and of mode in place: the record is written anew, and the body stays.

use std::sync::Arc;

use http::Extensions;
use object_cipher_core::{KeyRef, Mode};
use object_store::{
    GetOptions, ObjectMeta, ObjectStore, PutMode, PutOptions, PutResult, UpdateVersion, path::Path,
};
use tracing::Instrument as _;

use super::{EncryptedStore, found::Found};
use crate::{Error, Record, Result, request::for_store};

/// What a rewrap did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rewrapped {
    /// The mode that the object was sealed in.
    pub from_mode: Mode,
    /// The keys that it was under, the only or inner layer's first.
    pub from_keys: Vec<KeyRef>,
    /// The mode that it is sealed in now.
    pub to_mode: Mode,
    /// The keys that it is under now.
    pub to_keys: Vec<KeyRef>,
    /// The record's ETag now, as the store gave it.
    pub e_tag: Option<String>,
}

impl<S: ObjectStore> EncryptedStore<S> {
    /// Puts an object under the key that its cipher gives now: after a rotation, or a change of
    /// configuration. The body is not read, and the data key stays: who had it keeps it.
    ///
    /// # Errors
    /// [`Error::Changed`] when somebody wrote the object meanwhile, [`Error::NoConditions`] over a store
    /// that could not tell; [`Error::Cipher`] between one layer and two, which is an encryption anew.
    pub async fn rewrap(&self, location: &Path, extensions: Extensions) -> Result<Rewrapped> {
        let span = tracing::debug_span!("rewrap", %location);
        async {
            self.paths().check(location)?;
            let found = self.find(location, GetOptions::new()).await?;
            let (read, record) = (&found.meta, &found.record);
            let rewrapped = self.rewrapped(location, read, record, &extensions).await?;
            let put = self.replace_record(location, read, &rewrapped, &extensions).await?;
            Ok(Rewrapped {
                from_mode: record.envelope.mode(),
                from_keys: keys(record),
                to_mode: rewrapped.envelope.mode(),
                to_keys: keys(&rewrapped),
                e_tag: put.e_tag,
            })
        }
        .instrument(span)
        .await
    }

    /// The record of an object, with what the store says of it but for the length, which is the object's.
    /// No key is needed, and nobody vouches for what it says before its Envelope is open.
    ///
    /// # Errors
    /// [`Error::NoRecord`] when what stands there is none; the store's.
    pub async fn record(&self, location: &Path) -> Result<(ObjectMeta, Record)> {
        self.paths().check(location)?;
        let found = self.find(location, GetOptions::new()).await?;
        Ok((found.meta.clone(), found.record.clone()))
    }

    /// The record that an object has under the key that its cipher gives now. Nothing is written.
    pub(crate) async fn rewrapped(
        &self,
        location: &Path,
        read: &ObjectMeta,
        record: &Record,
        extensions: &Extensions,
    ) -> Result<Record> {
        let found = Arc::new(Found::new(read.clone(), record.clone()));
        let object = self.open(location, found, extensions).await?;
        let cipher = self.settings().ciphers.to_seal(location, extensions)?;
        let cx = self.context_of(location, record, extensions);
        let envelope = cipher.rewrap(&object.opener, &cx).await?;
        Ok(Record { envelope, ..record.clone() })
    }

    /// Opens an object, and reads nothing of it.
    #[cfg(feature = "rekey")]
    pub(crate) async fn expect_opens(
        &self,
        location: &Path,
        read: &ObjectMeta,
        record: &Record,
        extensions: &Extensions,
    ) -> Result<()> {
        let found = Arc::new(Found::new(read.clone(), record.clone()));
        self.open(location, found, extensions).await.map(drop)
    }

    /// The mode that new objects at a path have.
    #[cfg(feature = "rekey")]
    pub(crate) fn mode_to_seal(&self, location: &Path, extensions: &Extensions) -> Result<Mode> {
        Ok(self.settings().ciphers.to_seal(location, extensions)?.mode())
    }

    /// Puts a record in place of the one that was read.
    pub(crate) async fn replace_record(
        &self,
        location: &Path,
        read: &ObjectMeta,
        record: &Record,
        extensions: &Extensions,
    ) -> Result<PutResult> {
        let putting =
            |mode| PutOptions { mode, extensions: for_store(extensions), ..PutOptions::default() };
        match self.put_record(location, record, putting(update_of(read))).await {
            Err(Error::Store(object_store::Error::Precondition { .. })) => {
                Err(Error::Changed { path: location.clone() })
            }
            Err(Error::Store(object_store::Error::NotImplemented { .. })) => {
                if !self.settings().single_writer {
                    return Err(Error::NoConditions { path: location.clone() });
                }
                self.put_record(location, record, putting(PutMode::Overwrite)).await
            }
            put => put,
        }
    }
}

/// Only in place of what was read.
pub(super) fn update_of(read: &ObjectMeta) -> PutMode {
    PutMode::Update(UpdateVersion { e_tag: read.e_tag.clone(), version: read.version.clone() })
}

fn keys(record: &Record) -> Vec<KeyRef> {
    record.envelope.layers().map(|layer| layer.key_ref().clone()).collect()
}
