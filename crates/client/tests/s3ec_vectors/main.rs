//! Objects that the real clients wrote, and what they refused: every vector, by both libraries.
//!
//! Reads the folder named in `OBJECT_CIPHER_S3EC_VECTORS`, or the project's `vectors/s3ec`.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod schema;
mod vector_kms;

use std::{
    collections::BTreeMap,
    io::{Write as _, stderr},
    sync::Arc,
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{
    Error, Result,
    s3ec::{
        AesKeyring, Builder, CommitmentPolicy, Found, Header, Keyring, KmsKeyring, Request,
        RsaKeyring, S3ec, UnauthenticatedOpener, WrapAlgorithm,
    },
};
use object_cipher_core::{
    BodyStream, EncryptionContext, Error as CoreError, ReadRange, resolve_now,
};
use object_cipher_kms::{KeyName, Kms};
use object_cipher_rustcrypto::RustCrypto;

use crate::{
    schema::{Group, Keys, RangeRead, Ranges, Vector, WrappingKey, context_of, load, sha256},
    vector_kms::VectorKms,
};

/// The longest body that is held back until it verifies.
const MAX_LEN: usize = 4 << 20;

struct Bench {
    keys: Keys,
    kms: Arc<VectorKms>,
}

#[derive(Clone, Copy)]
enum Library {
    AwsLc,
    RustCrypto,
}

const LIBRARIES: [Library; 2] = [Library::AwsLc, Library::RustCrypto];

#[test]
fn s3ec_vectors_behave_as_recorded() {
    let (positives, negatives) = (schema::positives(), load::<Group>("negative.json").vectors);
    let mut kms = VectorKms::default();
    positives.iter().chain(&negatives).for_each(|vector| kms.learn(vector));
    let bench = Bench { keys: load("keys.json"), kms: Arc::new(kms) };
    let ranges = load::<Ranges>("ranges.json").reads;
    let by_name: BTreeMap<_, _> = positives.iter().map(|vector| (&*vector.name, vector)).collect();
    for library in LIBRARIES {
        for vector in &positives {
            bench.check_positive(vector, library);
        }
        for vector in &negatives {
            bench.check_negative(vector, library);
        }
        for read in &ranges {
            bench.check_range(read, by_name[&*read.object], library);
        }
    }
    let [positives, negatives, ranges] = [positives.len(), negatives.len(), ranges.len()];
    assert!(positives > 0 && negatives > 0 && ranges > 0, "there are no vectors");
    // Past the capture of a test's output: this is what the test is asked for.
    let counts = format!(
        "s3ec_vectors: {positives} positive, {negatives} negative, {ranges} range vectors ran, \
         by each of {} libraries\n",
        LIBRARIES.len()
    );
    stderr().write_all(counts.as_bytes()).unwrap();
}

impl Bench {
    fn keyring(&self, name: &str) -> Arc<dyn Keyring> {
        match &self.keys.keys[name] {
            WrappingKey::Aes { hex } => Arc::new(AesKeyring::new(hex).unwrap()),
            WrappingKey::Rsa { private_pem } => {
                Arc::new(RsaKeyring::from_private_pem(private_pem).unwrap())
            }
            WrappingKey::Kms { key_id } => {
                let kms = Arc::clone(&self.kms) as Arc<dyn Kms>;
                Arc::new(KmsKeyring::new(kms, KeyName::parse(key_id).unwrap()))
            }
        }
    }

    fn builder(&self, key: &str, library: Library) -> Builder {
        let keyring = self.keyring(key);
        match library {
            Library::AwsLc => S3ec::builder(keyring, AwsLc),
            Library::RustCrypto => S3ec::builder(keyring, RustCrypto),
        }
    }

    /// It opens to its content, in both forms, and only where policy and flags allow it.
    fn check_positive(&self, vector: &Vector, library: Library) {
        let name = &vector.name;
        let header = header(vector).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(header.version().to_string(), vector.format_version, "{name}");
        let context = vector.context.as_ref().map(context_of);
        let body = vector.body();
        let builder = self.builder(&vector.key.name, library);
        let legacy_wrap = header.encrypted_data_key().wrap.is_none_or(WrapAlgorithm::is_legacy);
        let legacy_content = header.content_algorithm().is_legacy();
        let allowed = |policy, wraps, modes| {
            let mut builder = builder.clone().commitment_policy(policy);
            if wraps {
                builder = builder.enable_legacy_wrapping_algorithms();
            }
            if modes {
                builder = builder.enable_legacy_unauthenticated_modes();
            }
            read(&builder.build(), &header, context.as_ref(), &body)
        };
        for policy in [
            CommitmentPolicy::ForbidEncryptAllowDecrypt,
            CommitmentPolicy::RequireEncryptAllowDecrypt,
            CommitmentPolicy::RequireEncryptRequireDecrypt,
        ] {
            let reads = policy.reads(header.content_algorithm());
            assert_eq!(
                reads,
                vector.format_version == "V3" || policy != CommitmentPolicy::default()
            );
            for (wraps, modes) in [(false, false), (false, true), (true, false), (true, true)] {
                let expected = reads && (wraps || !legacy_wrap) && (modes || !legacy_content);
                let opened = allowed(policy, wraps, modes);
                match opened {
                    Ok(plaintext) if expected => {
                        assert_eq!(plaintext, vector.plaintext.bytes(), "{name}");
                    }
                    Err(Error::LegacyContent(_) | Error::LegacyWrap(_) | Error::Policy { .. })
                        if !expected => {}
                    other => panic!("{name}: {policy}, {wraps}, {modes}: {:?}", other.map(|_| ())),
                }
            }
        }
    }

    /// It is refused, for what it is recorded for.
    fn check_negative(&self, vector: &Vector, library: Library) {
        let (reader, expect) = (vector.reader.as_ref().unwrap(), vector.expect.as_deref().unwrap());
        let policy = reader.policy.as_deref().unwrap_or("REQUIRE_ENCRYPT_ALLOW_DECRYPT");
        let mut builder =
            self.builder(&vector.key.name, library).commitment_policy(policy.parse().unwrap());
        if reader.legacy {
            builder =
                builder.enable_legacy_wrapping_algorithms().enable_legacy_unauthenticated_modes();
        }
        let cipher = builder.build();
        let context = reader.context.as_ref().map(context_of);
        let opened = match header(vector) {
            Ok(_) if expect == "range" => cipher.unauthenticated_ranges().map(|_| Vec::new()),
            Ok(header) => read(&cipher, &header, context.as_ref(), &vector.body()),
            Err(error) => Err(error),
        };
        let name = &vector.name;
        match opened {
            Err(error) => assert!(is_class(expect, &error), "{name}: {expect}, but {error:?}"),
            // A random key in place of one with a wrong padding opens to something else.
            Ok(plaintext) => {
                assert!(
                    matches!(expect, "unwrap" | "cbc") && vector.format_version == "V1",
                    "{name}"
                );
                assert_ne!(plaintext, vector.plaintext.bytes(), "{name}");
            }
        }
    }

    /// A range of it is the content's, by what has to be fetched for it.
    fn check_range(&self, read: &RangeRead, vector: &Vector, library: Library) {
        let cipher = self
            .builder(&vector.key.name, library)
            .commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt)
            .enable_legacy_wrapping_algorithms()
            .enable_legacy_unauthenticated_modes()
            .build();
        let context = vector.context.as_ref().map(context_of);
        let request = Request { context: context.as_ref(), ..Request::default() };
        let header = header(vector).unwrap();
        let ranges = cipher.unauthenticated_ranges().unwrap();
        let opener = resolve_now(ranges.open(&header, &request)).unwrap().unwrap();
        let range = ReadRange::Bytes(read.first..read.last + 1);
        let opened = open_range(&opener, &range, &vector.body());
        match opened {
            Ok(plaintext) => {
                assert_eq!((plaintext.len(), sha256(&plaintext)), (read.len, read.sha256.clone()));
            }
            Err(Error::Core(CoreError::RangeNotSatisfiable { .. })) => assert_eq!(read.len, 0),
            Err(error) => panic!("{}, {range:?}: {error}", read.object),
        }
    }
}

fn header(vector: &Vector) -> Result<Header> {
    let pairs = vector.object.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    match (Found::read(pairs)?, &vector.instruction_file) {
        (Found::Complete(header), _) => Ok(header),
        (Found::InInstructionFile(partial), Some(file)) => partial.complete(file.body.as_bytes()),
        (Found::InInstructionFile(partial), None) => Err(partial.missing()),
    }
}

/// Reads a body in both forms, which have to agree.
fn read(
    cipher: &S3ec,
    header: &Header,
    context: Option<&EncryptionContext>,
    body: &[u8],
) -> Result<Vec<u8>> {
    let request = Request { context, ..Request::default() };
    let open = || resolve_now(cipher.open(header, &request)).unwrap();
    let verified = run(open()?.into_verified(body.len() as u64, MAX_LEN)?, body);
    // A wrap by PKCS #1 v1.5 that is none gives another random key each time.
    match (&verified, run(open()?.into_unverified(), body)) {
        (Ok(verified), Ok(unverified)) => assert_eq!(*verified, unverified),
        (Err(verified), Err(unverified)) => assert_eq!(*verified, unverified),
        _ => assert_eq!(header.encrypted_data_key().wrap, None),
    }
    verified
}

/// Sends a body through, in memory.
fn run(mut stream: impl BodyStream, mut body: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        out.extend_from_slice(stream.output());
        stream.taken(stream.output().len());
        if stream.is_done() {
            return Ok(out);
        }
        let count = stream.input().len().min(body.len());
        if count == 0 {
            stream.end()?;
            continue;
        }
        stream.input()[..count].copy_from_slice(&body[..count]);
        stream.filled(count)?;
        body = &body[count..];
    }
}

fn open_range(opener: &UnauthenticatedOpener, range: &ReadRange, body: &[u8]) -> Result<Vec<u8>> {
    let stored_len = body.len() as u64;
    let fetch = UnauthenticatedOpener::fetch(range).resolve(stored_len)?;
    let at = |offset: u64| usize::try_from(offset).unwrap();
    let mut fetched = body[at(fetch.start)..at(fetch.end)].to_vec();
    let wanted = opener.decrypt(range, fetch.start, stored_len, &mut fetched)?;
    Ok(fetched[wanted].to_vec())
}

/// Whether an error is one that the recorded kind of refusal may come as: some checks come earlier than
/// in the client that was asked.
fn is_class(expect: &str, error: &Error) -> bool {
    use CoreError::{Rejected, Truncated};
    match expect {
        // V3 shown as V2: the encryption context says otherwise.
        "auth-tag" => {
            matches!(error, Error::Core(Rejected { .. }) | Error::OtherContentAlgorithm)
        }
        "truncated" => matches!(error, Error::Core(Rejected { .. } | Truncated { .. })),
        "cbc" => matches!(error, Error::Core(Rejected { .. })),
        "auth-tag-or-policy" => {
            matches!(error, Error::Core(Rejected { .. }) | Error::Policy { .. })
        }
        "key-commitment" => matches!(error, Error::Commitment | Error::Metadata(_)),
        "unwrap" => matches!(
            error,
            Error::Unwrap
                | Error::Key(_)
                | Error::OtherKeyring(_)
                | Error::Metadata(_)
                | Error::Core(Rejected { .. })
        ),
        "context" => matches!(error, Error::Context | Error::ContextNotBound(_)),
        "metadata" => matches!(error, Error::Metadata(_) | Error::OtherKeyring(_)),
        "policy" => matches!(error, Error::Policy { .. }),
        "legacy-disabled" => {
            matches!(error, Error::LegacyContent(_) | Error::LegacyWrap(_) | Error::Metadata(_))
        }
        "cek-alg-mismatch" => {
            matches!(error, Error::OtherContentAlgorithm | Error::Unwrap | Error::Metadata(_))
        }
        "range" => matches!(error, Error::LegacyRange),
        other => panic!("an unknown kind of refusal: {other}"),
    }
}
