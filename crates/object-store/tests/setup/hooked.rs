//! A store beneath the store, beside whose calls others act.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, future::BoxFuture, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    memory::InMemory, path::Path,
};

/// What happens before a call: `put`, `get`, `delete` or `list`, of a path.
type Hook = dyn Fn(&'static str, &Path) -> Option<BoxFuture<'static, ()>> + Send + Sync;

/// A store in memory with something before its calls.
#[derive(Clone, Default)]
pub(crate) struct Hooked {
    pub(crate) memory: Arc<InMemory>,
    hook: Arc<Mutex<Option<Arc<Hook>>>>,
}

impl Hooked {
    /// From now on this is done before each call.
    pub(crate) fn before(
        &self,
        hook: impl Fn(&'static str, &Path) -> Option<BoxFuture<'static, ()>> + Send + Sync + 'static,
    ) {
        *self.hook.lock().unwrap() = Some(Arc::new(hook));
    }

    /// From now on this is done once, before the first such call.
    pub(crate) fn once_before(
        &self,
        call: &'static str,
        path: impl Into<Path>,
        act: impl Future<Output = ()> + Send + 'static,
    ) {
        let (path, act): (Path, _) = (path.into(), Mutex::new(Some(act)));
        self.before(move |found, at| {
            let is_it = found == call && *at == path;
            let act = is_it.then(|| act.lock().unwrap().take()).flatten()?;
            Some(Box::pin(act))
        });
    }

    async fn begin(&self, call: &'static str, path: &Path) {
        let hook = self.hook.lock().unwrap().clone();
        if let Some(act) = hook.and_then(|hook| hook(call, path)) {
            act.await;
        }
    }
}

#[async_trait]
impl ObjectStore for Hooked {
    async fn put_opts(&self, at: &Path, payload: PutPayload, rq: PutOptions) -> Result<PutResult> {
        self.begin("put", at).await;
        self.memory.put_opts(at, payload, rq).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        rq: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.memory.put_multipart_opts(at, rq).await
    }

    async fn get_opts(&self, at: &Path, rq: GetOptions) -> Result<GetResult> {
        self.begin("get", at).await;
        self.memory.get_opts(at, rq).await
    }

    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.memory.get_ranges(at, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        let deleted = locations.then(move |location| {
            let this = this.clone();
            async move {
                let location = location?;
                this.begin("delete", &location).await;
                this.memory.delete(&location).await.map(|()| location)
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (this, prefix) = (self.clone(), prefix.cloned().unwrap_or_default());
        let listed = futures::stream::once(async move {
            this.begin("list", &prefix).await;
            this.memory.list(Some(&prefix))
        });
        listed.flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, rq: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, rq).await
    }
}

impl fmt::Debug for Hooked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooked")
    }
}

impl fmt::Display for Hooked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooked")
    }
}
