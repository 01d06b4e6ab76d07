//! A store beneath the store, that counts, fails and yields.

use std::{
    fmt,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
    memory::InMemory, path::Path,
};
use std::sync::Arc;

/// A store in memory whose calls are counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    memory: InMemory,
    calls: AtomicU64,
    bytes: AtomicU64,
    /// The number of the call that fails, from 1.
    fails: AtomicU64,
    /// Whether the failing call does its work all the same: its answer is lost.
    works: std::sync::atomic::AtomicBool,
    yields: AtomicU64,
    /// Whether puts are sent twice, and the second answer is given.
    twice: std::sync::atomic::AtomicBool,
}

impl Probe {
    /// The store without the probe.
    pub(crate) fn memory(&self) -> &InMemory {
        &self.0.memory
    }

    /// Calls since the last reset.
    pub(crate) fn calls(&self) -> u64 {
        self.0.calls.load(SeqCst)
    }

    /// Bytes that were read of objects since the last reset.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.bytes.load(SeqCst)
    }

    pub(crate) fn reset(&self) {
        self.0.calls.store(0, SeqCst);
        self.0.bytes.store(0, SeqCst);
        self.0.fails.store(0, SeqCst);
    }

    /// From now on the n-th call fails, once; with `works`, after its work.
    pub(crate) fn fail_at(&self, call: u64, works: bool) {
        self.reset();
        self.0.fails.store(call, SeqCst);
        self.0.works.store(works, SeqCst);
    }

    /// From now on the first answer to each put is lost, and the client sends it again.
    pub(crate) fn put_twice(&self) {
        self.0.twice.store(true, SeqCst);
    }

    /// Gives other tasks a turn at every call, in an order that depends on the seed.
    pub(crate) fn yield_by(&self, seed: u64) {
        self.0.yields.store(seed | 1, SeqCst);
    }

    /// Whether this call is to fail, and whether only after its work.
    async fn begin(&self) -> Option<bool> {
        let call = self.0.calls.fetch_add(1, SeqCst) + 1;
        let seed = self.0.yields.load(SeqCst);
        if seed != 0 {
            let next = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            self.0.yields.store(next | 1, SeqCst);
            for _ in 0..(next >> 33) % 4 {
                tokio::task::yield_now().await;
            }
        }
        (call == self.0.fails.load(SeqCst)).then(|| self.0.works.load(SeqCst))
    }

    async fn call<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self.begin().await {
            Some(false) => Err(fault()),
            Some(true) => work.await.and_then(|_| Err(fault())),
            None => work.await,
        }
    }
}

fn fault() -> Error {
    Error::Generic { store: "Probe", source: "the fault that was asked for".into() }
}

#[async_trait]
impl ObjectStore for Probe {
    async fn put_opts(&self, at: &Path, payload: PutPayload, rq: PutOptions) -> Result<PutResult> {
        let again = (payload.clone(), rq.clone());
        let put = self.call(self.memory().put_opts(at, payload, rq)).await;
        if self.0.twice.load(SeqCst) {
            return self.memory().put_opts(at, again.0, again.1).await;
        }
        put
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        rq: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.call(self.memory().put_multipart_opts(at, rq)).await?;
        Ok(Box::new(ProbedUpload { probe: self.clone(), upload }))
    }

    async fn get_opts(&self, at: &Path, rq: GetOptions) -> Result<GetResult> {
        let found = self.call(self.memory().get_opts(at, rq)).await?;
        self.0.bytes.fetch_add(found.range.end - found.range.start, SeqCst);
        Ok(found)
    }

    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let found = self.call(self.memory().get_ranges(at, ranges)).await?;
        self.0.bytes.fetch_add(found.iter().map(|bytes| bytes.len() as u64).sum(), SeqCst);
        Ok(found)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let probe = self.clone();
        locations
            .then(move |location| {
                let probe = probe.clone();
                async move {
                    let location = location?;
                    let one = futures::stream::once(futures::future::ok(location.clone())).boxed();
                    let mut deleting = probe.memory().delete_stream(one);
                    probe.call(async { deleting.next().await.unwrap() }).await?;
                    Ok(location)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.calls.fetch_add(1, SeqCst);
        self.memory().list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.call(self.memory().list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, rq: CopyOptions) -> Result<()> {
        self.call(self.memory().copy_opts(from, to, rq)).await
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

#[derive(Debug)]
struct ProbedUpload {
    probe: Probe,
    upload: Box<dyn MultipartUpload>,
}

#[async_trait]
impl MultipartUpload for ProbedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (probe, part) = (self.probe.clone(), self.upload.put_part(data));
        Box::pin(async move { probe.call(part).await })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.probe.call(self.upload.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.probe.call(self.upload.abort()).await
    }
}
