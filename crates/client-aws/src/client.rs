//! The client: [`S3EncryptionClient`].

use std::{collections::HashMap, fmt, sync::Arc};

use aws_sdk_s3::{Client, error::SdkError, operation::get_object::GetObjectError};
use object_cipher_client::s3ec::{
    Found, Header, INSTRUCTION_SUFFIX, MAX_INSTRUCTION_FILE_LEN, Partial, S3ec,
};

use crate::{
    CopyObject, CreateUpload, DeleteObject, DeleteObjects, Error, GetObject,
    GetUnauthenticatedRange, HeadObject, PutObject, ReEncryptInstructionFile, Result, error,
};

/// The least that S3 takes as a part that is not the last, in bytes.
const MIN_PART_LEN: usize = 5 << 20;
/// A part may come out a piece longer than was set, and S3 takes 5 GiB.
const MAX_PART_LEN: u64 = (5 << 30) - (1 << 20);
const DEFAULT_PART_LEN: usize = 8 << 20;
/// The longest body that is held back until it has verified, by default.
const DEFAULT_MAX_BUFFERED_LEN: usize = 64 << 20;

/// An S3 client that encrypts what it puts and decrypts what it gets, in the formats of the Amazon S3
/// Encryption Client: objects are exchanged with the clients of other languages.
///
/// Operations are built as those of the SDK: `client.get_object().bucket("b").key("k").send().await`.
/// Clones share everything.
#[derive(Clone)]
pub struct S3EncryptionClient {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) s3: Client,
    pub(crate) cipher: S3ec,
    pub(crate) storage: HeaderStorage,
    pub(crate) max_buffered_len: usize,
    pub(crate) delayed_authentication: bool,
    pub(crate) part_len: usize,
    pub(crate) concurrency: usize,
}

/// Where the wrapped key of new objects is kept. Both are read, whichever is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum HeaderStorage {
    /// In the object's metadata.
    #[default]
    Metadata,
    /// In an object of its own beside it, `<key>.instruction`: keys can be changed without the object.
    ///
    /// S3 stores the two one after the other, the file first. When the object then fails, its file is left,
    /// and **an object of that name that was there before has lost its own**: keep versions in such buckets,
    /// or write under new names. Of two writers at once, one may lose its file to the other. Writes on a
    /// condition (`if_none_match`, `if_match`) store the object first: then only who wins writes the file,
    /// and a crash between, or an answer that is lost, leaves an object without one.
    InstructionFile,
}

/// Configures a client. Made by [`S3EncryptionClient::builder`].
#[derive(Clone)]
#[must_use]
pub struct Builder {
    s3: Client,
    cipher: S3ec,
    storage: HeaderStorage,
    max_buffered_len: Option<usize>,
    delayed_authentication: bool,
    part_len: usize,
    concurrency: usize,
}

impl S3EncryptionClient {
    /// Begins a configuration: the SDK's client, and the keys, policy and library.
    pub fn builder(s3: Client, cipher: S3ec) -> Builder {
        Builder {
            s3,
            cipher,
            storage: HeaderStorage::default(),
            max_buffered_len: None,
            delayed_authentication: false,
            part_len: DEFAULT_PART_LEN,
            concurrency: 3,
        }
    }

    /// Reads and decrypts an object.
    pub fn get_object(&self) -> GetObject<'_> {
        GetObject::new(self)
    }

    /// Reads a range of an object, of which nothing is authenticated.
    pub fn get_unauthenticated_range(&self) -> GetUnauthenticatedRange<'_> {
        GetUnauthenticatedRange::new(self)
    }

    /// Encrypts and stores an object, of any length and in constant memory.
    pub fn put_object(&self) -> PutObject<'_> {
        PutObject::new(self)
    }

    /// Begins a multipart upload, to which content is written as it comes.
    pub fn create_upload(&self) -> CreateUpload<'_> {
        CreateUpload::new(self)
    }

    /// Tells of an object, with the length of its content.
    pub fn head_object(&self) -> HeadObject<'_> {
        HeadObject::new(self)
    }

    /// Deletes an object and its instruction file.
    pub fn delete_object(&self) -> DeleteObject<'_> {
        DeleteObject::new(self)
    }

    /// Deletes objects and their instruction files.
    pub fn delete_objects(&self) -> DeleteObjects<'_> {
        DeleteObjects::new(self)
    }

    /// Copies an object within S3, as it is stored.
    pub fn copy_object(&self) -> CopyObject<'_> {
        CopyObject::new(self)
    }

    /// Wraps an object's key anew, without touching the object.
    pub fn re_encrypt_instruction_file(&self) -> ReEncryptInstructionFile<'_> {
        ReEncryptInstructionFile::new(self)
    }

    /// The header of an object, by its metadata and, if it has none there, its instruction file.
    pub(crate) async fn header(&self, object: &Stored<'_>) -> Result<Header> {
        match found(object.metadata)? {
            Found::Complete(header) => Ok(header),
            Found::InInstructionFile(partial) => {
                Box::pin(self.fetch_header(object, &partial)).await
            }
        }
    }

    async fn fetch_header(&self, object: &Stored<'_>, partial: &Partial) -> Result<Header> {
        let name = format!("{}{}", object.key, object.suffix.unwrap_or(INSTRUCTION_SUFFIX));
        let fetched = self.shared.s3.get_object().bucket(object.bucket).key(name).send().await;
        let mut file = match fetched {
            Err(error) if is_missing(&error) => return Err(partial.missing().into()),
            fetched => fetched.map_err(error::of("GetObject of the instruction file"))?.body,
        };
        let mut body = Vec::new();
        while let Some(bytes) = file.try_next().await? {
            body.extend_from_slice(&bytes);
            if body.len() > MAX_INSTRUCTION_FILE_LEN {
                break;
            }
        }
        Ok(partial.complete(&body)?)
    }
}

/// A stored object, as an answer tells of it.
pub(crate) struct Stored<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    pub(crate) metadata: Option<&'a HashMap<String, String>>,
    pub(crate) suffix: Option<&'a str>,
}

impl Builder {
    /// Where the wrapped keys of new objects are kept.
    pub fn header_storage(mut self, storage: HeaderStorage) -> Self {
        self.storage = storage;
        self
    }

    /// The longest stored body that `get_object` holds in memory until it has verified, and the longest range
    /// with an open end, in bytes: 64 MiB by default.
    pub fn max_buffered_len(mut self, bytes: usize) -> Self {
        self.max_buffered_len = Some(bytes);
        self
    }

    /// Gives content out while it comes, in constant memory.
    ///
    /// ```no_run
    /// # use std::fs::{File, rename};
    /// use std::io::Write;
    ///
    /// # use object_cipher_client_aws::S3EncryptionClient;
    /// # async fn example(client: S3EncryptionClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut file = File::create("film.unverified")?;
    /// let mut body = client.get_object().bucket("films").key("lions").send_for_body().await?;
    /// while let Some(piece) = body.try_next().await? {
    ///     file.write_all(&piece)?;
    /// }
    /// // Only now is it known to be what was stored.
    /// rename("film.unverified", "film")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Security
    /// It is authenticated only at its end: the body then ends in an error, and all of it has to be
    /// thrown away.
    pub fn enable_delayed_authentication(mut self) -> Self {
        self.delayed_authentication = true;
        self
    }

    /// Content that is longer is sent in parts of this length, in bytes: at least 5 MiB, 8 MiB by
    /// default, which is enough for the longest object of the format; S3 takes 10,000 parts. As many parts
    /// are held in memory as are sent at a time, and one more.
    pub fn part_len(mut self, bytes: usize) -> Self {
        self.part_len = bytes;
        self
    }

    /// How many parts are sent at a time: 3 by default. They are encrypted one after the other.
    pub fn upload_concurrency(mut self, parts: usize) -> Self {
        self.concurrency = parts;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the configuration contradicts itself.
    pub fn build(self) -> Result<S3EncryptionClient> {
        if self.delayed_authentication && self.max_buffered_len.is_some() {
            return Err(Error::Configuration(
                "with delayed authentication nothing is held back, so there is no length to bound",
            ));
        }
        if self.part_len < MIN_PART_LEN {
            return Err(Error::Configuration("S3 takes no parts below 5 MiB"));
        }
        if self.part_len as u64 > MAX_PART_LEN {
            return Err(Error::Configuration("S3 takes no parts above 5 GiB"));
        }
        if self.concurrency == 0 {
            return Err(Error::Configuration("at least one part is sent at a time"));
        }
        let shared = Shared {
            s3: self.s3,
            cipher: self.cipher,
            storage: self.storage,
            max_buffered_len: self.max_buffered_len.unwrap_or(DEFAULT_MAX_BUFFERED_LEN),
            delayed_authentication: self.delayed_authentication,
            part_len: self.part_len,
            concurrency: self.concurrency,
        };
        Ok(S3EncryptionClient { shared: Arc::new(shared) })
    }
}

impl fmt::Debug for S3EncryptionClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3EncryptionClient")
            .field("cipher", &self.shared.cipher)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("cipher", &self.cipher).finish_non_exhaustive()
    }
}

/// What an object's metadata says of its encryption.
pub(crate) fn found(metadata: Option<&HashMap<String, String>>) -> Result<Found> {
    let pairs = metadata.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()));
    Ok(Found::read(pairs)?)
}

/// What a request has to say.
pub(crate) fn need<'a>(given: Option<&'a String>, rule: &'static str) -> Result<&'a str> {
    given.map(String::as_str).filter(|given| !given.is_empty()).ok_or(Error::Request(rule))
}

/// No object may have the name of another one's instruction file: it would overwrite it, and be deleted with
/// the other object.
pub(crate) fn refuse_file_name(key: &str) -> Result<()> {
    if key.ends_with(INSTRUCTION_SUFFIX) {
        return Err(Error::Request(
            "the key ends in `.instruction`, which is the name of another object's instruction file",
        ));
    }
    Ok(())
}

pub(crate) const NO_BUCKET: &str = "no bucket is named: call `bucket`";
pub(crate) const NO_KEY: &str = "no key is named: call `key`";

fn is_missing<R>(error: &SdkError<GetObjectError, R>) -> bool {
    error.as_service_error().is_some_and(GetObjectError::is_no_such_key)
}
