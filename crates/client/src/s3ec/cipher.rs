//! Seals and opens objects in the S3 Encryption Client's formats: [`S3ec`].

use std::{fmt, sync::Arc};

use object_cipher_core::{
    Call, EncryptionContext, KeyErrorKind, MessageBackend, Mode, OpenUnverified, OpenVerified,
    SealMessage,
};
use object_cipher_kms::KmsCall;

use super::{
    CEK_ALGORITHM_PAIR, CommitmentPolicy, ContentAlgorithm, DataKey, Description, EncryptedDataKey,
    Header, KeyRequest, Keyring, WrapAlgorithm,
    cbc::CbcDecryptor,
    engine::Engine,
    header::{Content, GcmInputs},
    metadata::MAX_WRAPPED_KEY_LEN,
    range::UnauthenticatedRanges,
};
use crate::{Error, Result};

/// The S3 Encryption Client's formats, ready to use: seals new objects, opens stored ones, moves them to
/// other keys. It does no I/O: `client-aws` puts it around `aws-sdk-s3`.
///
/// Every check that needs no key comes before the keyring is asked.
#[derive(Clone)]
pub struct S3ec {
    keyring: Arc<dyn Keyring>,
    engine: Arc<dyn Engine>,
    policy: CommitmentPolicy,
    legacy_wraps: bool,
    legacy_unauthenticated: bool,
}

/// Configures an [`S3ec`]. Made by [`S3ec::builder`].
#[derive(Clone)]
#[must_use]
pub struct Builder(S3ec);

/// What a request says beside the object.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// The encryption context, for a keyring of a KMS: stored in clear, and to be given again on every
    /// read.
    pub context: Option<&'a EncryptionContext>,
    /// On whose behalf.
    pub call: Call<'a>,
}

/// A new object: what to store beside it, and the stream that seals its body.
#[derive(Debug)]
pub struct Sealed {
    /// [To the object's metadata](Header::to_metadata), or
    /// [to an instruction file](Header::to_instruction_file).
    pub header: Header,
    /// The body: ciphertext, then a tag of 16 bytes.
    ///
    /// # Security
    /// One stream, one body: a retry sends the same bytes again or seals anew, under new keys.
    pub stream: SealMessage,
}

/// A stored object whose key was unwrapped, and, in V3, is the one that its content commits to.
pub struct ContentOpener {
    object: object_cipher_core::ObjectId,
    opened: Opened,
}

enum Opened {
    Gcm(Box<dyn object_cipher_core::MessageDecryptor>),
    Cbc(Box<CbcDecryptor>),
}

/// A data key that was unwrapped, and what AES-GCM takes, if the content is that.
pub(crate) struct Unwrapped {
    pub(crate) data_key: DataKey,
    pub(crate) gcm: Option<GcmInputs>,
}

impl S3ec {
    /// Begins a configuration: keys, and the library for content and derivation. By default it writes
    /// and reads V3 only, and nothing legacy.
    pub fn builder(keyring: impl Keyring + 'static, backend: impl MessageBackend) -> Builder {
        Builder(Self {
            keyring: Arc::new(keyring),
            engine: Arc::new(backend),
            policy: CommitmentPolicy::default(),
            legacy_wraps: false,
            legacy_unauthenticated: false,
        })
    }

    /// Which versions it writes and reads.
    pub fn commitment_policy(&self) -> CommitmentPolicy {
        self.policy
    }

    /// Begins a new object, in the version that the policy writes.
    ///
    /// # Errors
    /// The keyring's.
    pub async fn seal(&self, request: &Request<'_>) -> Result<Sealed> {
        let algorithm = self.policy.writes();
        let rq = self.key_request(request, algorithm);
        let (data_key, key) = self.keyring.generate(&rq).await?;
        check_written(&key, algorithm)?;
        let (content, inputs) = if algorithm.is_committing() {
            Content::commit(&*self.engine, &data_key, self.drawn()?)?
        } else {
            let iv = self.drawn()?;
            (Content::AesGcm { iv }, GcmInputs { key: data_key, iv, aad: &[] })
        };
        let header = Header { content, key };
        let stream = SealMessage::new(header.object_id(), self.engine.encryptor(&inputs)?);
        Ok(Sealed { header, stream })
    }

    /// Opens a stored object by its header.
    ///
    /// # Errors
    /// In this order: [`Error::LegacyContent`], [`Error::Policy`], [`Error::OtherKeyring`],
    /// [`Error::LegacyWrap`], [`Error::OtherContentAlgorithm`], all before a key is used; then
    /// [`Error::Context`], those of the keyring, and [`Error::Commitment`].
    pub async fn open(&self, header: &Header, request: &Request<'_>) -> Result<ContentOpener> {
        let Unwrapped { data_key, gcm } = self.unwrap(header, request).await?;
        let opened = match (&header.content, gcm) {
            (Content::AesCbc { iv }, _) => Opened::Cbc(Box::new(CbcDecryptor::new(&data_key, iv))),
            (_, Some(inputs)) => Opened::Gcm(self.engine.decryptor(&inputs)?),
            (_, None) => return Err(Error::Unsupported("content of this kind")),
        };
        Ok(ContentOpener { object: header.object_id(), opened })
    }

    /// The way to read ranges, of which nothing is authenticated.
    ///
    /// # Errors
    /// [`Error::LegacyRange`] unless legacy unauthenticated modes are enabled.
    pub fn unauthenticated_ranges(&self) -> Result<UnauthenticatedRanges<'_>> {
        if self.legacy_unauthenticated {
            Ok(UnauthenticatedRanges::new(self))
        } else {
            Err(Error::LegacyRange)
        }
    }

    /// The header of the same body under another raw keyring: for its
    /// [instruction file](Header::to_instruction_file). The body is not touched, so whoever had the data
    /// key keeps it.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the new keyring's description is the old one; [`Error::Unsupported`]
    /// for legacy content, and for a new keyring that wraps no key it has not made; as [`S3ec::open`].
    pub async fn rewrap(
        &self,
        header: &Header,
        request: &Request<'_>,
        to: &dyn Keyring,
    ) -> Result<Header> {
        if header.content_algorithm().is_legacy() {
            return Err(Error::Unsupported("legacy content is encrypted anew, not rewrapped"));
        }
        let Unwrapped { data_key, .. } = self.unwrap(header, request).await?;
        let rq = self
            .key_request(&Request { context: None, ..request.clone() }, header.content_algorithm());
        let key = to.wrap(&rq, &data_key).await?;
        check_written(&key, header.content_algorithm())?;
        if key.description == header.key.description {
            return Err(Error::Configuration(
                "the new keyring needs another material description than the old one",
            ));
        }
        Ok(Header { content: header.content, key })
    }

    /// Whether this client's own keyring can still unwrap a header's key: after a rotation it should
    /// not. Also true when that cannot be told, as while a KMS is away.
    pub async fn may_unwrap(&self, header: &Header, request: &Request<'_>) -> bool {
        use KeyErrorKind::{Integrity, NotFound, WrongKey};
        match self.unwrap(header, request).await {
            Err(
                Error::OtherKeyring(_) | Error::UnnamedWrap | Error::Unwrap | Error::Commitment,
            ) => false,
            Err(Error::Key(error)) => !matches!(error.kind(), Integrity | NotFound | WrongKey),
            _ => true,
        }
    }

    pub(crate) async fn unwrap(&self, header: &Header, request: &Request<'_>) -> Result<Unwrapped> {
        let wrap = self.check(header)?;
        let rq = self.key_request(request, header.content_algorithm());
        let data_key = self.keyring.unwrap(&rq, wrap, &header.key).await?;
        let gcm = header.content.gcm_inputs(&*self.engine, &data_key)?;
        Ok(Unwrapped { data_key, gcm })
    }

    /// All that can be said without a key; gives how the data key is wrapped.
    fn check(&self, header: &Header) -> Result<WrapAlgorithm> {
        let content = header.content_algorithm();
        if content.is_legacy() && !self.legacy_unauthenticated {
            return Err(Error::LegacyContent(content));
        }
        if !self.policy.reads(content) {
            return Err(Error::Policy { policy: self.policy, content });
        }
        let (stored, description) = (header.key.wrap, &header.key.description);
        if let Some(wrap) = stored
            && wrap.is_legacy()
            && !self.legacy_wraps
        {
            return Err(Error::LegacyWrap(wrap));
        }
        let wrap = self
            .keyring
            .unwraps_by(stored, description)
            .ok_or_else(|| stored.map_or(Error::UnnamedWrap, Error::OtherKeyring))?;
        if wrap.is_legacy() && !self.legacy_wraps {
            return Err(Error::LegacyWrap(wrap));
        }
        check_bound(wrap, description, content).map(|()| wrap)
    }

    fn key_request<'a>(
        &'a self,
        request: &Request<'a>,
        content: ContentAlgorithm,
    ) -> KeyRequest<'a> {
        let call = KmsCall::of(&request.call, Mode::Client);
        KeyRequest { content, context: request.context, call, engine: &*self.engine }
    }

    fn drawn<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.engine.random(&mut bytes)?;
        Ok(bytes)
    }
}

/// What a KMS binds the content's algorithm by; other wraps do so themselves, and should not contradict
/// it.
fn check_bound(
    wrap: WrapAlgorithm,
    description: &Description,
    content: ContentAlgorithm,
) -> Result<()> {
    match description.get(CEK_ALGORITHM_PAIR) {
        None if wrap != WrapAlgorithm::KmsContext => Ok(()),
        // The pair is of `kms+context`, which was renamed so that no context is asked for.
        Some(_) if wrap == WrapAlgorithm::Kms => Err(Error::Context),
        Some(bound) if bound == content.name() => Ok(()),
        _ => Err(Error::OtherContentAlgorithm),
    }
}

/// The longest description that is written, in bytes of JSON: half of what is read, as it grows by its
/// escapes in an instruction file.
const MAX_WRITTEN_JSON_LEN: usize = 32_768;

/// Whether what a keyring has wrapped can be written, and would be read again.
fn check_written(key: &EncryptedDataKey, content: ContentAlgorithm) -> Result<()> {
    let wrap = key.wrap.filter(|wrap| !wrap.is_legacy());
    let wrap = wrap.ok_or(Error::Unsupported("new keys are wrapped by no legacy algorithm"))?;
    if key.bytes.len() > MAX_WRAPPED_KEY_LEN
        || key.description.to_json().len() > MAX_WRITTEN_JSON_LEN
    {
        return Err(Error::Configuration(
            "a description has at most 32,768 bytes as JSON, and a wrapped key at most 6,144",
        ));
    }
    check_bound(wrap, &key.description, content)
}

impl Builder {
    /// Which versions are written and read.
    pub fn commitment_policy(mut self, policy: CommitmentPolicy) -> Self {
        self.0.policy = policy;
        self
    }

    /// Also unwraps by `kms`, AES key wrap, RSA-OAEP with SHA-256, and in V1 AES-ECB and RSA with
    /// PKCS #1 v1.5.
    ///
    /// # Security
    /// These bind no content algorithm: whoever can write the metadata can change it.
    pub fn enable_legacy_wrapping_algorithms(mut self) -> Self {
        self.0.legacy_wraps = true;
        self
    }

    /// Also reads AES-CBC content, and ranges.
    ///
    /// # Security
    /// Nothing authenticates either. Who can write the bucket and see whether a read of AES-CBC fails
    /// learns content from it (CVE-2020-8911), for all that one error is given for whatever fails.
    pub fn enable_legacy_unauthenticated_modes(mut self) -> Self {
        self.0.legacy_unauthenticated = true;
        self
    }

    /// The finished cipher.
    pub fn build(self) -> S3ec {
        self.0
    }
}

impl ContentOpener {
    /// Opens the body and gives nothing out before all of it has verified. `stored_len` is the body's
    /// length in bytes, and how much memory is taken; `max_len` bounds it.
    ///
    /// # Errors
    /// [`Error::Core`] with a limit when the body is longer.
    pub fn into_verified(self, stored_len: u64, max_len: usize) -> Result<OpenVerified> {
        let Self { object, opened } = self;
        Ok(match opened {
            Opened::Gcm(message) => OpenVerified::new(object, message, stored_len, max_len)?,
            Opened::Cbc(message) => OpenVerified::with_tail(object, message, stored_len, max_len)?,
        })
    }

    /// Opens the body in constant memory, as it comes.
    ///
    /// # Security
    /// What it gives out is authenticated only once the stream is done: delayed authentication. Throw
    /// it away if the stream ends in an error.
    pub fn into_unverified(self) -> OpenUnverified {
        let Self { object, opened } = self;
        match opened {
            Opened::Gcm(message) => OpenUnverified::new(object, message),
            Opened::Cbc(message) => OpenUnverified::with_tail(object, message),
        }
    }
}

impl fmt::Debug for S3ec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3ec")
            .field("policy", &self.policy)
            .field("legacy_wraps", &self.legacy_wraps)
            .field("legacy_unauthenticated", &self.legacy_unauthenticated)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ContentOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentOpener").field("object", &self.object).finish_non_exhaustive()
    }
}
