//! Every way in which an object comes to be, changes or goes.

use object_cipher_core::{ChecksumAlgorithm, Completion, Mode, ObjectCipher, ReadRange, Suite};
use s3_server::store::{Error, Result};

use crate::host::{self, CHUNK, Host, content};

/// The key that is written, and the one that copies are made from.
pub(crate) const KEYS: [&str; 2] = ["a", "source"];

/// A way in which the object `a` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Put,
    Overwrite,
    Multipart,
    /// Completed without its key; the first read seals it.
    Keyless,
    Copy,
    PartCopy,
    Rewrap,
    RewrapOfParts,
    /// Of an object that no request has brought the key to yet.
    RewrapOfKeyless,
    Delete,
}

impl Write {
    pub(crate) const ALL: [Self; 10] = [
        Self::Put,
        Self::Overwrite,
        Self::Multipart,
        Self::Keyless,
        Self::Copy,
        Self::PartCopy,
        Self::Rewrap,
        Self::RewrapOfParts,
        Self::RewrapOfKeyless,
        Self::Delete,
    ];

    /// Whether there is this write, from an object by one cipher to one by another.
    pub(crate) fn fits(self, from: &dyn ObjectCipher, to: &dyn ObjectCipher) -> bool {
        let one_layer = |cipher: &dyn ObjectCipher| cipher.mode().suite() == Suite::OneLayer;
        match self {
            Self::Keyless => to.mode() == Mode::SseC,
            Self::RewrapOfKeyless => from.mode() == Mode::SseC && one_layer(to),
            Self::Rewrap | Self::RewrapOfParts => one_layer(from) && one_layer(to),
            _ => true,
        }
    }

    /// What the object is before, by the cipher `from`.
    pub(crate) fn before(self) -> Option<Vec<u8>> {
        match self {
            Self::Put => None,
            Self::Rewrap | Self::RewrapOfParts | Self::RewrapOfKeyless => self.after(),
            _ => Some(content(20_001)),
        }
    }

    /// What it is afterwards, by the cipher `to`.
    pub(crate) fn after(self) -> Option<Vec<u8>> {
        let parts = |parts: Vec<(u32, Vec<u8>)>| parts.into_iter().flat_map(|part| part.1);
        match self {
            Self::Put | Self::Overwrite | Self::Rewrap => Some(content(2 * CHUNK + 3)),
            Self::Multipart | Self::Keyless | Self::RewrapOfParts | Self::RewrapOfKeyless => {
                Some(parts(self.parts()).collect())
            }
            Self::Copy => Some(content(30_000)),
            Self::PartCopy => Some(content(30_000).into_iter().chain(content(40)).collect()),
            Self::Delete => None,
        }
    }

    /// The parts that it has afterwards; none if it has one body.
    pub(crate) fn parts(self) -> Vec<(u32, Vec<u8>)> {
        match self {
            Self::PartCopy => vec![(1, content(30_000)), (2, content(40))],
            Self::Multipart | Self::Keyless | Self::RewrapOfParts | Self::RewrapOfKeyless => {
                vec![(1, content(CHUNK + 100)), (2, content(17)), (900, content(CHUNK))]
            }
            _ => Vec::new(),
        }
    }

    /// Makes what has to be there before.
    pub(crate) async fn prepare(self, host: &Host, from: &dyn ObjectCipher) -> Result<()> {
        match self {
            Self::Put => {}
            Self::Rewrap => drop(host.put("a", from, &content(2 * CHUNK + 3)).await?),
            Self::RewrapOfParts => drop(host.upload("a", from, &self.parts()).await?),
            Self::RewrapOfKeyless => self.upload_keyless(host, from).await?,
            Self::Overwrite | Self::Multipart | Self::Keyless | Self::Delete => {
                host.put("a", from, &content(20_001)).await?;
            }
            Self::Copy | Self::PartCopy => {
                host.put("a", from, &content(20_001)).await?;
                host.put("source", from, &content(30_000)).await?;
            }
        }
        Ok(())
    }

    /// Writes.
    pub(crate) async fn act(
        self,
        host: &Host,
        from: &dyn ObjectCipher,
        to: &dyn ObjectCipher,
    ) -> Result<()> {
        match self {
            Self::Put | Self::Overwrite => {
                host.put("a", to, &content(2 * CHUNK + 3)).await.map(drop)
            }
            Self::Multipart => host.upload("a", to, &self.parts()).await.map(drop),
            Self::Keyless => self.upload_keyless(host, to).await,
            Self::Copy => copy(host, from, to).await,
            Self::PartCopy => copy_part(host, from, to).await,
            Self::Rewrap | Self::RewrapOfParts | Self::RewrapOfKeyless => {
                host.store.rewrap(&host.bucket, &host::key("a"), from, to).await
            }
            Self::Delete => host.store.delete(&host.bucket, &host::key("a")).await,
        }
    }

    /// Whether it has been done. Otherwise the object is what it was: anything else is a panic.
    pub(crate) async fn is_done(
        self,
        host: &Host,
        from: &dyn ObjectCipher,
        to: &dyn ObjectCipher,
    ) -> bool {
        if matches!(seen(host, to).await, Ok(now) if now == self.after()) {
            return true;
        }
        let now = seen(host, from).await.unwrap_or_else(|error| panic!("{self:?}: {error}"));
        assert!(now == self.before(), "{self:?} left neither the old object nor the new one");
        false
    }

    async fn upload_keyless(self, host: &Host, cipher: &dyn ObjectCipher) -> Result<()> {
        let completion = Completion::Keyless;
        let (upload, named) = host.upload_of("a", cipher, completion, &self.parts()).await?;
        host.complete_keyless("a", upload.id(), &named).await.map(drop)
    }
}

/// What the object is now; none if there is none.
async fn seen(host: &Host, cipher: &dyn ObjectCipher) -> Result<Option<Vec<u8>>> {
    match host.read_whole("a", cipher).await {
        Ok(content) => Ok(Some(content)),
        Err(Error::NoSuchKey) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn copy(host: &Host, from: &dyn ObjectCipher, to: &dyn ObjectCipher) -> Result<()> {
    let source = Box::pin(host.open("source", from).await?.read(&ReadRange::Whole)?);
    let staged = host.store.stage(&host.bucket, &host::key("a"), to, source).await?;
    let digests = host::digests(&content(30_000));
    host::commit(staged, to.mode(), &digests, ChecksumAlgorithm::Sha256).await.map(drop)
}

async fn copy_part(host: &Host, from: &dyn ObjectCipher, to: &dyn ObjectCipher) -> Result<()> {
    let upload = host.create("a", to, Completion::WithKey).await?;
    let source = Box::pin(host.open("source", from).await?.read(&ReadRange::Whole)?);
    let copied = upload.stage(1, source).await?;
    let copied = host::commit_part(copied, &upload, 1, &content(30_000)).await?;
    let own = host::part(&upload, 2, &content(40)).await?;
    host::complete(&upload, to, &[copied, own]).await.map(drop)
}
