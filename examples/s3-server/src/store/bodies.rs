//! Sealed bodies, under random names.

use std::fmt;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use object_cipher_core::{BodySealer, Opener, Segment};
use object_cipher_io::{Error as IoError, OpenBytes, SealBytes, Sealed};
use object_store::{
    GetOptions, GetRange, GetResult, ObjectStoreExt as _, WriteMultipart, path::Path,
};
use serde::{Deserialize, Serialize};

use super::{Error, Result, Store, paths};

/// Pieces of a body that are under way to the store at once.
const PIECES_UNDER_WAY: usize = 2;

/// The random name of a stored body.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct BodyName(String);

impl BodyName {
    pub(super) fn random() -> Result<Self> {
        paths::random_name().map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the body is kept.
    pub(super) fn path(&self) -> Path {
        Path::from_iter(["bodies", &self.0[..2], &self.0])
    }

    /// The body kept at a path.
    pub(super) fn from_path(path: &Path) -> Option<Self> {
        Self::try_from(path.filename()?.to_owned()).ok()
    }
}

impl TryFrom<String> for BodyName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if paths::is_random_name(&name) { Ok(Self(name)) } else { Err("not the name of a body") }
    }
}

impl fmt::Display for BodyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Store {
    /// Seals what the source gives and stores it. Memory does not grow with the length. When it
    /// fails nothing is stored.
    pub(super) async fn write_body<S, St, E>(
        &self,
        name: &BodyName,
        sealer: S,
        source: St,
    ) -> Result<Sealed<S>>
    where
        S: BodySealer,
        St: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut sealing = SealBytes::new(sealer, source);
        let mut upload = WriteMultipart::new(self.objects().put_multipart(&name.path()).await?);
        let sealed = async {
            while let Some(piece) = sealing.next().await {
                upload.put(piece.map_err(of_source)?);
                upload.wait_for_capacity(PIECES_UNDER_WAY).await?;
            }
            Ok(())
        };
        match sealed.await {
            Ok(()) => {
                upload.finish().await?;
                Ok(sealing.finish()?)
            }
            Err(error) => {
                // The fault that counts is the first one.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    /// The plaintext of a segment, from its body.
    pub(super) async fn read_segment(
        &self,
        body: &BodyName,
        opener: &Opener,
        segment: &Segment,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let fetch = segment.fetch();
        let range = Some(GetRange::Bounded(fetch.clone()));
        let options = GetOptions { range, ..GetOptions::default() };
        let found = self.get_body(body, options).await?;
        // The whole body is read: what lies behind it would not be noticed.
        if segment.header_len() > 0 && found.meta.size != fetch.end {
            return Err(Error::Altered("length of a body"));
        }
        let opening = OpenBytes::new(opener, segment, found.into_stream())?;
        Ok(opening.map_err(of_store))
    }

    /// The beginning of a stored body, and its length.
    pub(super) async fn body_head(&self, body: &BodyName, length: usize) -> Result<(Bytes, u64)> {
        let range = Some(GetRange::Bounded(0..length as u64));
        let options = GetOptions { range, ..GetOptions::default() };
        let found = self.get_body(body, options).await?;
        let size = found.meta.size;
        Ok((found.bytes().await?, size))
    }

    async fn get_body(&self, body: &BodyName, options: GetOptions) -> Result<GetResult> {
        self.objects().get_opts(&body.path(), options).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => Error::BodyGone(body.clone()),
            error => error.into(),
        })
    }
}

fn of_source<E>(error: IoError<E>) -> Error
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match error {
        IoError::Io(error) => Error::Source(error.into()),
        error => Error::Cipher(cipher(error)),
    }
}

fn of_store(error: IoError<object_store::Error>) -> Error {
    match error {
        IoError::Io(error) => Error::Store(error),
        error => Error::Cipher(cipher(error)),
    }
}

/// What is not the stream's own error is the cipher's.
fn cipher<E>(error: IoError<E>) -> object_cipher_core::Error {
    match error {
        IoError::Cipher(error) => error,
        _ => object_cipher_core::Error::Misuse("an adapter failed in a way of its own"),
    }
}
