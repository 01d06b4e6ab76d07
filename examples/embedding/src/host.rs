//! The host of the programs: it keeps an object in memory.

use std::{path::Path, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use object_cipher::{
    Attributes, AwsLc, Envelope, KeyringId, ObjectCipher, ObjectContext, io,
    keyring::{KeyringFile, Unlock},
    s3::{CustomerKey, header::CUSTOMER_KEY},
};

/// What a program ends with.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// A stored object: what a real host would have on a disk.
#[derive(Clone, Debug)]
pub struct Object {
    /// The sealed bytes.
    pub body: Vec<u8>,
    /// The Envelope as text, as it stands in an object's metadata.
    pub envelope: String,
}

impl Object {
    /// Seals content: the body first, the Envelope last.
    ///
    /// # Errors
    /// When there is no key.
    pub async fn put(
        cipher: &dyn ObjectCipher,
        cx: &ObjectContext<'_>,
        content: &[u8],
    ) -> Result<Self> {
        let stream = cipher.seal(cx).await?.into_stream();
        let mut body = Vec::new();
        let stream = io::seal_all(stream, &mut &content[..], &mut body)?;
        let envelope = stream.finish(&Attributes::default())?.to_text();
        Ok(Self { body, envelope })
    }

    /// Opens all of it.
    ///
    /// # Errors
    /// When there is no key, or it is not what was sealed under this context.
    pub async fn get(&self, cipher: &dyn ObjectCipher, cx: &ObjectContext<'_>) -> Result<Vec<u8>> {
        let opener = cipher.open(cx, &Envelope::from_text(&self.envelope)?).await?;
        let mut content = Vec::new();
        io::open_all(&opener, &mut &self.body[..], &mut content)?;
        Ok(content)
    }

    /// Replaces the Envelope by one of another cipher or context. The body stays.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn rewrap(
        &mut self,
        (old, from): (&dyn ObjectCipher, &ObjectContext<'_>),
        (new, to): (&dyn ObjectCipher, &ObjectContext<'_>),
    ) -> Result<()> {
        let opener = old.open(from, &Envelope::from_text(&self.envelope)?).await?;
        self.envelope = new.rewrap(&opener, to).await?.to_text();
        Ok(())
    }
}

/// A new master keyring in a folder, unlocked by a key file. A real host keeps the two apart.
///
/// # Errors
/// Those of files.
pub fn new_keyring(folder: &Path) -> Result<Arc<KeyringFile<AwsLc>>> {
    let unlock = Unlock::new_key_file(folder.join("store.key"), &AwsLc)?;
    let id = KeyringId::parse("store").ok_or("not a keyring id")?;
    Ok(Arc::new(KeyringFile::create(folder.join("store.keyring"), &id, &unlock, AwsLc)?))
}

/// The three headers with which a client sends its key.
///
/// # Errors
/// None for a key of 32 bytes.
pub fn customer_headers(key: &[u8; 32]) -> Result<HeaderMap> {
    let md5 = CustomerKey::from_bytes(key).md5().header_value();
    Ok(HeaderMap::from_iter([
        (HeaderName::from_static(CUSTOMER_KEY.algorithm), HeaderValue::from_static("AES256")),
        (HeaderName::from_static(CUSTOMER_KEY.key), BASE64_STANDARD.encode(key).parse()?),
        (HeaderName::from_static(CUSTOMER_KEY.key_md5), md5),
    ]))
}
