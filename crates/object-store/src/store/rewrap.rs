//! Changes of key and of mode in place: the record is written anew, and the body stays.

use std::sync::Arc;

use http::Extensions;
use object_cipher_core::{KeyRef, Mode};
use object_store::{GetOptions, ObjectMeta, ObjectStore, PutMode, UpdateVersion, path::Path};
use tracing::Instrument as _;

use super::EncryptedStore;
use crate::{Error, Record, Result};

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
            let object = self.open(location, Arc::clone(&found), &extensions).await?;
            let cipher = self.settings().ciphers.to_seal(location, &extensions)?;
            let cx = self.context_of(location, &found.record, &extensions);
            let envelope = cipher.rewrap(&object.opener, &cx).await?;
            let rewrapped = Record { envelope, ..found.record.clone() };
            self.replace_record(location, &found.meta, &rewrapped).await?;
            Ok(Rewrapped {
                from_mode: object.opener.mode(),
                from_keys: keys(&found.record),
                to_mode: cipher.mode(),
                to_keys: keys(&rewrapped),
            })
        }
        .instrument(span)
        .await
    }

    /// Puts a record in place of the one that was read.
    async fn replace_record(
        &self,
        location: &Path,
        read: &ObjectMeta,
        record: &Record,
    ) -> Result<()> {
        let (e_tag, version) = (read.e_tag.clone(), read.version.clone());
        let update = PutMode::Update(UpdateVersion { e_tag, version });
        match self.put_record(location, record, update.into()).await {
            Err(Error::Store(object_store::Error::Precondition { .. })) => {
                Err(Error::Changed { path: location.clone() })
            }
            Err(Error::Store(object_store::Error::NotImplemented { .. })) => {
                if !self.settings().single_writer {
                    return Err(Error::NoConditions);
                }
                self.put_record(location, record, PutMode::Overwrite.into()).await?;
                Ok(())
            }
            put => put.map(|_| ()),
        }
    }
}

fn keys(record: &Record) -> Vec<KeyRef> {
    record.envelope.layers().map(|layer| layer.key_ref().clone()).collect()
}
