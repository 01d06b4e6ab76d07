//! Copies and renames: by records, which share the body.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use http::Extensions;
use object_store::{
    CopyMode, CopyOptions, GetOptions, MultipartUpload as _, ObjectStore, ObjectStoreExt as _,
    PutMode, PutMultipartOptions, PutPayload, RenameOptions, RenameTargetMode, path::Path,
};

use super::{
    EncryptedStore,
    open::{OpenObject, not_found},
};
use crate::{Error, Record, RequestContext, Result, request::new_context};

/// Bytes of a part when an object is encrypted anew.
const PART_LEN: usize = 8 << 20;

impl<S: ObjectStore> EncryptedStore<S> {
    pub(super) async fn copy_object(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> Result<()> {
        let mode = match options.mode {
            CopyMode::Overwrite => PutMode::Overwrite,
            CopyMode::Create => PutMode::Create,
        };
        if self.paths().is_reserved(from) {
            return Err(not_found(from));
        }
        self.paths().check(to)?;
        let found = self.find(from, GetOptions::new()).await?;
        let object = self.open(from, Arc::clone(&found), &options.extensions).await?;
        let cipher = self.settings().ciphers.to_seal(to, &options.extensions)?;
        if cipher.mode().suite() != object.opener.mode().suite() {
            return self.encrypt_anew(object, to, mode, options.extensions).await;
        }

        // Whoever deletes or replaces the source looks for this mark, after the record is gone: so
        // either the mark is seen, or the record is gone here too.
        let id = object.opener.object_id();
        self.inner().put(&self.paths().mark(id), PutPayload::new()).await?;
        let still = self.find(from, GetOptions::new()).await?;
        if still.object() != id {
            return Err(Error::Changed { path: from.clone() });
        }
        let context = match options.extensions.get::<RequestContext>() {
            Some(_) => new_context(&options.extensions),
            None => found.record.context.clone(),
        };
        let copy = Record { context, ..found.record.clone() };
        let cx = self.context_of(to, &copy, &options.extensions);
        let envelope = cipher.rewrap(&object.opener, &cx).await?;
        let copy = Record { envelope, ..copy };
        let replaced = self.replaced(to, &mode).await;
        self.put_record(to, &copy, mode.into()).await?;
        if let Some(replaced) = replaced.filter(|replaced| *replaced != id) {
            self.remove_body(replaced).await;
        }
        Ok(())
    }

    pub(crate) async fn rename_object(
        &self,
        from: &Path,
        to: &Path,
        options: RenameOptions,
    ) -> Result<()> {
        let mode = match options.target_mode {
            RenameTargetMode::Overwrite => CopyMode::Overwrite,
            RenameTargetMode::Create => CopyMode::Create,
        };
        let mut copying = CopyOptions::new().with_mode(mode);
        copying.extensions = options.extensions;
        self.copy_object(from, to, copying).await?;
        if from == to { Ok(()) } else { self.delete_object(from).await }
    }

    /// Between one layer and two there is no way but through the plaintext.
    async fn encrypt_anew(
        &self,
        object: OpenObject,
        to: &Path,
        mode: PutMode,
        mut extensions: Extensions,
    ) -> Result<()> {
        if extensions.get::<RequestContext>().is_none() {
            extensions.insert(RequestContext(object.found.record.context.clone()));
        }
        let attributes = object.found.record.attributes.clone();
        let mut options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        options.extensions = extensions;
        let length = object.plaintext_len();
        let mut upload = self.begin_upload(to, options, mode).await?;
        let sent = async {
            let mut content = self.stream(object, 0..length).await?;
            let mut part = Vec::with_capacity(PART_LEN);
            while let Some(bytes) = content.try_next().await? {
                part.extend_from_slice(&bytes);
                if part.len() >= PART_LEN {
                    upload.put_part(std::mem::take(&mut part).into()).await?;
                }
            }
            if !part.is_empty() {
                upload.put_part(part.into()).await?;
            }
            Ok(())
        };
        match sent.await {
            Ok(()) => upload.complete().await.map(|_| ()).map_err(Error::from),
            Err(error) => {
                // The fault that counts is the first one.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }
}
