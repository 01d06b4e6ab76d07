//! Copies and renames: by records, which share the body.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use http::Extensions;
use object_cipher_core::{Envelope, Mode, ObjectId};
use object_store::{
    CopyMode, CopyOptions, GetOptions, MultipartUpload as _, ObjectStore, ObjectStoreExt as _,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    RenameTargetMode, path::Path,
};

use super::{
    EncryptedStore,
    open::{OpenObject, not_found},
    rewrap::update_of,
};
use crate::{
    Error, Record, RequestContext, Result,
    request::{for_store, has_context, new_context},
    seal::whole,
};

/// Bytes of a part when an object is encrypted anew, at the least.
const PART_LEN: u64 = 8 << 20;
/// S3 takes no more parts.
const MAX_PARTS: u64 = 10_000;

/// What a copy is made of, and how.
#[derive(Clone)]
pub(crate) struct Copying {
    mode: CopyMode,
    extensions: Extensions,
}

/// A record that was put by a copy: for who moves many.
#[cfg_attr(not(feature = "rekey"), expect(dead_code, reason = "a copy alone has no report"))]
pub(crate) struct Copied {
    pub(crate) envelope: Envelope,
    pub(crate) e_tag: Option<String>,
}

impl<S: ObjectStore> EncryptedStore<S> {
    pub(super) async fn copy_object(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> Result<()> {
        let CopyOptions { mode, extensions, .. } = options;
        self.copy_record(from, to, Copying { mode, extensions }, |_| Ok(())).await.map(drop)
    }

    /// Copies, and says what was put. Nothing is if `expect` refuses its Envelope.
    pub(crate) async fn copy_record(
        &self,
        from: &Path,
        to: &Path,
        copying: Copying,
        expect: impl Fn(&Envelope) -> Result<()> + Send + Sync,
    ) -> Result<Copied> {
        let Copying { mode, extensions } = copying;
        if self.paths().is_reserved(from) {
            return Err(not_found(from));
        }
        self.paths().check(to)?;
        let found = self.find(from, GetOptions::new()).await?;
        let object = self.open(from, Arc::clone(&found), &extensions).await;
        let object = object.map_err(|error| error.of(from))?;
        // Onto itself it is a change of what was read, which others may have changed too.
        let is_change = from == to && mode == CopyMode::Overwrite;
        let mode = match mode {
            CopyMode::Create => PutMode::Create,
            _ if is_change && !self.settings().single_writer => update_of(&found.meta),
            CopyMode::Overwrite => PutMode::Overwrite,
        };
        let cipher = self.settings().ciphers.to_seal(to, &extensions)?;
        if cipher.mode().suite() != object.opener.mode().suite() {
            let extensions = with_context_of(&found.record, cipher.mode(), extensions);
            let e_tag = self.encrypt_anew(object, to, mode, extensions).await?.e_tag;
            let envelope = self.find(to, GetOptions::new()).await?.record.envelope.clone();
            return Ok(Copied { envelope, e_tag });
        }

        let context = match extensions.get::<RequestContext>() {
            Some(_) => new_context(to, cipher.mode(), &extensions)?,
            None => found.record.context.clone(),
        };
        let id = object.opener.object_id();
        self.share(from, id).await?;
        let copy = Record { context, ..found.record.clone() }.at(to);
        let cx = self.context_of(to, &copy, &extensions);
        let envelope = cipher.rewrap(&object.opener, &cx).await?;
        expect(&envelope)?;
        let copy = Record { envelope, ..copy };
        if is_change {
            let put = self.replace_record(to, &found.meta, &copy, &extensions).await?;
            return Ok(Copied { envelope: copy.envelope, e_tag: put.e_tag });
        }
        let replaced = self.replaced(to, &mode).await;
        let extensions = for_store(&extensions);
        let putting = PutOptions { mode, extensions, ..PutOptions::default() };
        let e_tag = self.put_record(to, &copy, putting).await?.e_tag;
        if let Some(replaced) = replaced.filter(|replaced| *replaced != id) {
            self.remove_body(replaced).await;
        }
        Ok(Copied { envelope: copy.envelope, e_tag })
    }

    /// Marks a body that a second record is to name. Whoever deletes or replaces the source looks for the mark
    /// after the record is gone: so either it is seen, or the record is gone here too.
    async fn share(&self, from: &Path, object: ObjectId) -> Result<()> {
        self.inner().put(&self.paths().mark(object), PutPayload::new()).await?;
        let still = self.find(from, GetOptions::new()).await?;
        if still.object() == object { Ok(()) } else { Err(Error::Changed { path: from.clone() }) }
    }

    pub(super) async fn rename_object(
        &self,
        from: &Path,
        to: &Path,
        options: RenameOptions,
    ) -> Result<()> {
        self.copy_record(from, to, options.into(), |_| Ok(())).await?;
        if from == to { Ok(()) } else { self.delete_object(from).await }
    }

    /// Between one layer and two there is no way but through the plaintext.
    async fn encrypt_anew(
        &self,
        object: OpenObject,
        to: &Path,
        mode: PutMode,
        extensions: Extensions,
    ) -> Result<PutResult> {
        let attributes = object.found.record.attributes.clone();
        let mut options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        options.extensions = extensions;
        let length = object.plaintext_len();
        let part_len = whole(PART_LEN.max(length.div_ceil(MAX_PARTS)));
        let mut upload = self.begin_upload(to, options, mode).await?;
        let sent = async {
            let mut content = self.stream(object, 0..length).await?;
            let mut part = Vec::new();
            while let Some(mut bytes) = content.try_next().await? {
                while part.len() + bytes.len() >= part_len {
                    part.extend_from_slice(&bytes.split_to(part_len - part.len()));
                    upload.put_part(std::mem::take(&mut part).into()).await?;
                }
                part.extend_from_slice(&bytes);
            }
            if !part.is_empty() {
                upload.put_part(part.into()).await?;
            }
            Ok(())
        };
        match sent.await {
            Ok(()) => upload.complete().await.map_err(Error::from),
            Err(error) => {
                // The fault that counts is the first one.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }
}

impl Copying {
    /// A copy that replaces nothing.
    #[cfg(feature = "rekey")]
    pub(crate) fn create(extensions: Extensions) -> Self {
        Self { mode: CopyMode::Create, extensions }
    }
}

impl From<RenameOptions> for Copying {
    fn from(options: RenameOptions) -> Self {
        let mode = match options.target_mode {
            RenameTargetMode::Overwrite => CopyMode::Overwrite,
            RenameTargetMode::Create => CopyMode::Create,
        };
        Self { mode, extensions: options.extensions }
    }
}

/// What a request says of an object that is encrypted anew: its old context, unless it gives another one.
fn with_context_of(record: &Record, mode: Mode, mut extensions: Extensions) -> Extensions {
    if has_context(mode) && extensions.get::<RequestContext>().is_none() {
        extensions.insert(RequestContext(record.context.clone()));
    }
    extensions
}
