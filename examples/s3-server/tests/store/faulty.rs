//! An object store that fails, dies, panics or serves something else.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result, UploadPart, memory::InMemory, path::Path,
};
use tokio::sync::Notify;

/// What becomes of one operation.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Passes,
    /// It is not done.
    Fails,
    /// It is done, and nobody hears of it.
    FailsAfterwards,
    Panics,
    /// A put is done once it is released, also when nobody waits for it any more.
    Lingers(Arc<Linger>),
    /// A read gives these bytes.
    Serves(Bytes),
}

/// How far a lingering put is.
#[derive(Debug, Default)]
pub(crate) struct Linger {
    pub(crate) begun: Notify,
    pub(crate) released: Notify,
    pub(crate) ended: Notify,
}

/// What is done in an object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Puts,
    Gets,
    Deletes,
    Lists,
}

type Fates = dyn Fn(Operation, &Path) -> Fate + Send + Sync;

/// Another object store, each of whose operations meets its fate. All of them give way once before
/// they begin, so that a future can be dropped at each.
#[derive(Clone)]
pub(crate) struct Faulty {
    inner: Arc<dyn ObjectStore>,
    fate: Arc<Fates>,
    begun: Arc<AtomicUsize>,
    mended: Arc<AtomicBool>,
}

struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    faulty: Faulty,
    path: Path,
}

impl Faulty {
    /// The fate goes by operation and path.
    pub(crate) fn by(
        inner: &Arc<dyn ObjectStore>,
        fate: impl Fn(Operation, &Path) -> Fate + Send + Sync + 'static,
    ) -> Arc<Self> {
        let inner = Arc::clone(inner);
        Arc::new(Self {
            inner,
            fate: Arc::new(fate),
            begun: Arc::default(),
            mended: Arc::default(),
        })
    }

    /// The `n`-th operation meets `fate`, and all after it `then`.
    pub(crate) fn at(inner: &Arc<dyn ObjectStore>, n: usize, fate: Fate, then: Fate) -> Arc<Self> {
        let begun = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&begun);
        let fate = move |_: Operation, _: &Path| match counter.fetch_add(1, Ordering::Relaxed) {
            at if at < n => Fate::Passes,
            at if at == n => fate.clone(),
            _ => then.clone(),
        };
        Arc::new(Self {
            inner: Arc::clone(inner),
            fate: Arc::new(fate),
            begun,
            mended: Arc::default(),
        })
    }

    /// How many operations have begun, of a store made by [`Faulty::at`].
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// Everything passes from now on.
    pub(crate) fn mend(&self) {
        self.mended.store(true, Ordering::Relaxed);
    }

    fn fate(&self, operation: Operation, path: &Path) -> Fate {
        if self.mended.load(Ordering::Relaxed) {
            Fate::Passes
        } else {
            (self.fate)(operation, path)
        }
    }

    async fn meet<T>(
        &self,
        operation: Operation,
        path: &Path,
        done: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::task::yield_now().await;
        self.fate(operation, path).befalls(path, done).await
    }
}

impl Fate {
    async fn befalls<T>(self, path: &Path, done: impl Future<Output = Result<T>>) -> Result<T> {
        match self {
            Self::Passes | Self::Serves(_) | Self::Lingers(_) => done.await,
            Self::Fails => Err(failure()),
            Self::FailsAfterwards => done.await.and(Err(failure())),
            Self::Panics => panic!("the store panics at {path}"),
        }
    }
}

fn failure() -> Error {
    Error::Generic { store: "faulty", source: "no space left on device".into() }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, to: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        tokio::task::yield_now().await;
        let (inner, path) = (Arc::clone(&self.inner), to.clone());
        match self.fate(Operation::Puts, to) {
            Fate::Lingers(linger) => {
                let put = async move {
                    linger.begun.notify_one();
                    linger.released.notified().await;
                    let put = inner.put_opts(&path, bytes, how).await;
                    linger.ended.notify_one();
                    put
                };
                tokio::spawn(put).await.unwrap()
            }
            fate => fate.befalls(to, self.inner.put_opts(to, bytes, how)).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.meet(Operation::Puts, to, self.inner.put_multipart_opts(to, how)).await?;
        Ok(Box::new(FaultyUpload { inner, faulty: self.clone(), path: to.clone() }))
    }

    async fn get_opts(&self, from: &Path, how: GetOptions) -> Result<GetResult> {
        tokio::task::yield_now().await;
        match self.fate(Operation::Gets, from) {
            Fate::Serves(bytes) => {
                let served = InMemory::new();
                served.put(from, bytes.into()).await?;
                served.get_opts(from, how).await
            }
            fate => fate.befalls(from, self.inner.get_opts(from, how)).await,
        }
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let faulty = self.clone();
        let delete = move |path: Result<Path>| {
            let faulty = faulty.clone();
            async move {
                let path = path?;
                faulty
                    .meet(Operation::Deletes, &path, faulty.inner.delete(&path))
                    .await
                    .map(|()| path)
            }
        };
        paths.then(delete).boxed()
    }

    fn list(&self, folder: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (faulty, folder) = (self.clone(), folder.cloned());
        let list = async move {
            let path = folder.clone().unwrap_or_default();
            let listed = faulty
                .meet(Operation::Lists, &path, async { Ok(faulty.inner.list(folder.as_ref())) });
            listed.await.unwrap_or_else(|error| {
                futures::stream::once(std::future::ready(Err(error))).boxed()
            })
        };
        futures::stream::once(list).flatten().boxed()
    }

    async fn list_with_delimiter(&self, folder: Option<&Path>) -> Result<ListResult> {
        let path = folder.cloned().unwrap_or_default();
        self.meet(Operation::Lists, &path, self.inner.list_with_delimiter(folder)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.meet(Operation::Puts, to, self.inner.copy_opts(from, to, how)).await
    }
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, bytes: PutPayload) -> UploadPart {
        let part = self.inner.put_part(bytes);
        let (faulty, path) = (self.faulty.clone(), self.path.clone());
        Box::pin(async move { faulty.meet(Operation::Puts, &path, part).await })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.faulty.meet(Operation::Puts, &self.path, self.inner.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.faulty.meet(Operation::Puts, &self.path, self.inner.abort()).await
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl fmt::Debug for FaultyUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyUpload").field("path", &self.path).finish_non_exhaustive()
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faulty({})", self.inner)
    }
}
