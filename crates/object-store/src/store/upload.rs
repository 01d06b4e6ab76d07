//! Objects that come in parts: [`Upload`].

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::TryFutureExt as _;
use http::Extensions;
use object_cipher_core::{
    Attributes as Sealed, BodySealer, Completion, ETag, ObjectCipher, PartReceipt, StoredPart,
    Uploader,
};
use object_store::{
    MultipartUpload, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result as StoreResult, TagSet, UploadPart, path::Path,
};

use super::{
    EncryptedStore,
    put::{of_body, sealed_attributes},
};
use crate::{
    Error, Record, Result,
    record::Said,
    request::{for_store, new_context},
    seal::seal_payload,
};

/// An upload lives in one process, and its Envelope is stored nowhere.
const UPLOAD_ID: &str = "in-process";

/// An upload in progress: each part is sealed when it is put, and sent while others are.
pub(super) struct Upload<S> {
    store: EncryptedStore<S>,
    location: Path,
    cipher: Arc<dyn ObjectCipher>,
    uploader: Uploader,
    /// The store's own upload, of the body.
    body: Box<dyn MultipartUpload>,
    parts: Vec<SentPart>,
    said: Said,
    sealed: Sealed,
    mode: PutMode,
    tags: TagSet,
    extensions: Extensions,
    /// Nothing is completed before all parts were sent, nor after one that could not be.
    sent: Arc<AtomicUsize>,
    failed: bool,
}

/// What is kept of a part until the upload is completed.
struct SentPart {
    headers: Vec<u8>,
    body_len: u64,
    plaintext_len: u64,
    receipt: Vec<u8>,
}

impl<S: ObjectStore> EncryptedStore<S> {
    pub(super) async fn begin_upload(
        &self,
        location: &Path,
        options: PutMultipartOptions,
        mode: PutMode,
    ) -> Result<Upload<S>> {
        self.paths().check(location)?;
        let PutMultipartOptions { tags, attributes, extensions, .. } = options;
        let sealed = sealed_attributes(&attributes)?;
        let cipher = self.settings().ciphers.to_seal(location, &extensions)?;
        let context = new_context(location, cipher.mode(), &extensions)?;
        let said = Said { attributes, context };
        let cx = self.settings().identity.context(location, &said.context, &extensions);
        let cx = cx.with_upload_id(UPLOAD_ID);
        let uploader = cipher.create_upload(&cx, Completion::WithKey).await?;
        let storing = PutMultipartOptions {
            attributes: of_body(&said.attributes),
            tags: tags.clone(),
            extensions: for_store(&extensions),
        };
        let body = self.paths().body(uploader.object_id());
        let body = self.inner().put_multipart_opts(&body, storing).await?;
        Ok(Upload {
            store: self.clone(),
            location: location.clone(),
            cipher,
            uploader,
            body,
            parts: Vec::new(),
            said,
            sealed,
            mode,
            tags,
            extensions,
            sent: Arc::default(),
            failed: false,
        })
    }
}

impl<S: ObjectStore> Upload<S> {
    /// Seals the next part; what is kept of it, and its body.
    fn seal_part(&self, payload: &PutPayload) -> Result<(SentPart, Vec<u8>)> {
        let sealer = self.uploader.part(number(self.parts.len()))?;
        let headers = sealer.headers().as_bytes().to_vec();
        let (sealed, body) = seal_payload(sealer, payload)?;
        let plaintext_len = sealed.plaintext_len();
        // Nobody is shown the ETags of parts.
        let receipt = sealed.finish(ETag([0; 16]), &[])?;
        Ok((SentPart { headers, body_len: body.len() as u64, plaintext_len, receipt }, body))
    }

    fn receipts(&self) -> Result<Vec<PartReceipt>> {
        let receipts = self.parts.iter().enumerate().map(|(at, sent)| {
            Ok(self.uploader.open_receipt(&StoredPart {
                part: number(at),
                receipt: &sent.receipt,
                body_headers: &sent.headers,
                body_len: sent.body_len,
                etag: None,
                checksum: None,
            })?)
        });
        receipts.collect()
    }

    async fn complete_parts(&mut self) -> Result<PutResult> {
        let receipts = self.receipts()?;
        let length = self.parts.iter().map(|sent| sent.plaintext_len).sum();
        let identity = &self.store.settings().identity;
        let cx = identity.context(&self.location, &self.said.context, &self.extensions);
        let completed =
            self.cipher.complete_upload(&self.uploader, &cx, &receipts, &self.sealed).await?;
        let replacing = self.store.replaced(&self.location, &self.mode);
        let (replaced, stored) = futures_util::join!(replacing, self.body.complete());
        stored?;
        metrics::counter!("object_cipher_store_sealed_bytes_total").increment(length);
        let record = Record::of_parts(&self.location, length, completed, self.said.clone());
        let putting = PutOptions {
            mode: self.mode.clone(),
            tags: self.tags.clone(),
            extensions: for_store(&self.extensions),
            ..PutOptions::default()
        };
        self.store.commit(&self.location, &record, putting, replaced).await
    }

    /// An upload without parts is an empty object, which is stored as one body.
    async fn complete_empty(&mut self) -> Result<PutResult> {
        self.body.abort().await?;
        let mut options = PutOptions {
            mode: self.mode.clone(),
            attributes: self.said.attributes.clone(),
            tags: self.tags.clone(),
            ..PutOptions::default()
        };
        options.extensions = self.extensions.clone();
        self.store.put_object(&self.location, PutPayload::new(), options).await
    }
}

#[async_trait]
impl<S: ObjectStore> MultipartUpload for Upload<S> {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        match self.seal_part(&payload) {
            Ok((sent, body)) => {
                self.parts.push(sent);
                let (sending, sent) = (self.body.put_part(body.into()), Arc::clone(&self.sent));
                Box::pin(sending.inspect_ok(move |()| _ = sent.fetch_add(1, Ordering::Release)))
            }
            Err(error) => {
                self.failed = true;
                let error = error.at(&self.location);
                Box::pin(async { Err(error) })
            }
        }
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        let misuse = |what| Err(Error::Cipher(object_cipher_core::Error::Misuse(what)));
        let completed = if self.failed {
            misuse("a part of it could not be sealed")
        } else if self.sent.load(Ordering::Acquire) < self.parts.len() {
            misuse("a part of it was not sent")
        } else if self.parts.is_empty() {
            self.complete_empty().await
        } else {
            self.complete_parts().await
        };
        completed.map_err(|error| error.at(&self.location))
    }

    async fn abort(&mut self) -> StoreResult<()> {
        self.body.abort().await
    }
}

impl<S> fmt::Debug for Upload<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("location", &self.location)
            .field("parts", &self.parts.len())
            .finish_non_exhaustive()
    }
}

/// The number of a part. Those that no number can name are refused by the uploader.
fn number(at: usize) -> u32 {
    u32::try_from(at + 1).unwrap_or(u32::MAX)
}
