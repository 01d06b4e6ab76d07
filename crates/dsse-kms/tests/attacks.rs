//! What is tried on two layers, by who has one of the keys, one of the libraries, or neither.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    cell::RefCell,
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Aes256Gcm as _, Attributes, BoxFuture, Checksum, ChecksumAlgorithm, ChecksumKind,
    CryptoBackend, ETag, Envelope, Error, Headers, KeyErrorKind, LayerPosition, LayeredCipher,
    Mode, ObjectChecksum, ObjectCipher, ObjectContext, Peeler, ReadRange, SourceKey, State, Suite,
    verify_layer_key,
};
use object_cipher_dsse_kms::DsseKms;
use object_cipher_kms::{
    Capabilities, DataKey, Describe, Encrypt, Generate, KeyInfo, KeyName, Kms, KmsCall, KmsKeys,
    KmsResult, Operation, Rewrap, Unwrap, Unwrapped, WrappedKey,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_kms::SseKms;
use object_cipher_testkit::{FakeKms, KmsFault, NoSecurity, StoredObject, Watched, now};

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
/// Where things are in the Envelope's beginning.
const SUITE: usize = 5;
const MODE: usize = 6;
const LAYER_COUNT: usize = 9;
const LAYERS: usize = 28;
const HEADER_LEN: usize = 56;
const SEALED_CHUNK_LEN: usize = 16_384 + 32;

fn key() -> KeyName {
    KeyName::parse(KEY).unwrap()
}

fn fake() -> Arc<FakeKms> {
    Arc::new(FakeKms::new().with_key(KEY))
}

fn cipher(kms: &Arc<FakeKms>) -> DsseKms<RustCrypto, AwsLc> {
    DsseKms::new(Arc::clone(kms) as _, key(), RustCrypto, AwsLc)
}

fn cx() -> ObjectContext<'static> {
    ObjectContext::new("prod", "photos", "cat.jpg")
}

/// Not one window of 16 bytes of it comes twice.
fn plaintext(length: u32) -> Vec<u8> {
    (0..length.div_ceil(4)).flat_map(|word| (word ^ 0x5EA1_ED00).to_be_bytes()).collect()
}

fn seal(cipher: &dyn ObjectCipher, length: u32) -> StoredObject {
    StoredObject::seal(cipher, &cx(), &plaintext(length), &Attributes::default()).unwrap()
}

fn read(cipher: &dyn ObjectCipher, stored: &StoredObject) -> Result<Vec<u8>, Error> {
    stored.read(cipher, &cx(), &ReadRange::Whole)
}

/// What the KMS gives for a layer's blob.
fn source_key(kms: &FakeKms, envelope: &Envelope, layer: usize) -> Arc<SourceKey> {
    let stored = envelope.layers().nth(layer).unwrap();
    let id = match stored.key_ref() {
        object_cipher_core::KeyRef::Kms(id) => id,
        other => panic!("not a KMS key: {other:?}"),
    };
    let wrapped = WrappedKey::stored(id, stored.blob()).unwrap();
    let context = object_cipher_core::EncryptionContext::new();
    let call = KmsCall::new(Mode::DsseKms);
    now(kms.unwrap(Unwrap { wrapped: &wrapped, context: &context, call })).unwrap().key
}

/// The object without its outer layer, by the outer layer's key alone.
fn peel(kms: &FakeKms, stored: &StoredObject) -> Vec<u8> {
    let outer = source_key(kms, &stored.envelope, 1);
    let peeler = Peeler::new(AwsLc, &cx(), &stored.envelope, &outer).unwrap();
    let (headers, chunks) = stored.bodies[&0].split_at(2 * HEADER_LEN);
    let headers = Headers::parse(Suite::TwoLayers, headers).unwrap();
    let peeler = peeler.body(&headers, 0).unwrap();
    let mut peeled = peeler.headers().as_bytes().to_vec();
    for (index, chunk) in (0..).zip(chunks.chunks(SEALED_CHUNK_LEN)) {
        let mut chunk = chunk.to_vec();
        peeler.peel(index, chunk.len() < SEALED_CHUNK_LEN, &mut chunk).unwrap();
        peeled.extend_from_slice(&chunk[..chunk.len() - 16]);
    }
    peeled
}

/// The Envelope with its fields changed to those of one layer, which has this of the two.
fn as_one_layer(envelope: &Envelope, keep: usize) -> Envelope {
    let bytes = envelope.as_bytes();
    let layers: Vec<_> = layer_spans(envelope).into_iter().map(|span| &bytes[span]).collect();
    let mut one = bytes[..LAYERS].to_vec();
    (one[SUITE], one[MODE], one[LAYER_COUNT]) = (1, 2, 1);
    one.extend_from_slice(layers[keep]);
    one[LAYERS] = 0;
    one.extend_from_slice(&bytes[layer_spans(envelope)[1].end..]);
    Envelope::parse(&one).unwrap()
}

fn layer_spans(envelope: &Envelope) -> [std::ops::Range<usize>; 2] {
    let bytes = envelope.as_bytes();
    let mut at = LAYERS;
    [(); 2].map(|()| {
        let start = at;
        at += 2;
        for _ in 0..2 {
            at += 2 + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        }
        at += object_cipher_core::WRAPPED_KEY_LEN;
        start..at
    })
}

fn shows(stored: &[u8], plaintext: &[u8]) -> bool {
    plaintext.chunks_exact(16).any(|piece| stored.windows(16).any(|window| window == piece))
}

#[test]
fn d1_without_its_outer_layer_an_object_is_still_encrypted_and_opens_nowhere() {
    let kms = fake();
    let (cipher, one_layer) = (cipher(&kms), SseKms::new(Arc::clone(&kms) as _, key(), RustCrypto));
    let (stored, content) = (seal(&cipher, 40_000), plaintext(40_000));
    let body = &stored.bodies[&0];
    let peeled = peel(&kms, &stored);
    assert_eq!(peeled.len(), HEADER_LEN + 40_000 + 3 * 16);
    for bytes in [&**body, &body[HEADER_LEN..], &body[2 * HEADER_LEN..], &peeled] {
        assert!(!shows(bytes, &content));
        let bodies = [(0, bytes.to_vec())].into();
        let other = StoredObject { bodies, ..stored.clone() };
        assert_eq!(read(&cipher, &other).is_ok(), bytes == &**body);
        let told = read(&one_layer, &other).unwrap_err();
        assert!(matches!(told, Error::WrongMode { .. }), "{told}");
        for layer in 0..2 {
            let envelope = as_one_layer(&stored.envelope, layer);
            let told = read(&one_layer, &StoredObject { envelope, ..other.clone() }).unwrap_err();
            assert!(matches!(told, Error::Rejected { .. }), "{told}");
        }
    }
}

#[test]
fn d1_each_layer_opens_by_its_own_key_alone() {
    let kms = fake();
    let stored = seal(&cipher(&kms), 40_000);
    let [inner, outer] = [0, 1].map(|layer| source_key(&kms, &stored.envelope, layer));
    assert!(Peeler::new(AwsLc, &cx(), &stored.envelope, &outer).is_ok());
    let wrong = Peeler::new(AwsLc, &cx(), &stored.envelope, &inner).unwrap_err();
    assert!(matches!(wrong, Error::Rejected { .. }), "{wrong}");
    let elsewhere = ObjectContext::new("prod", "photos", "dog.jpg");
    assert!(Peeler::new(AwsLc, &elsewhere, &stored.envelope, &outer).is_err());
    let sse_kms = SseKms::new(Arc::clone(&kms) as _, key(), RustCrypto);
    let one_layer = seal(&sse_kms, 1);
    let told = Peeler::new(AwsLc, &cx(), &one_layer.envelope, &outer).unwrap_err();
    assert!(matches!(told, Error::WrongMode { .. }), "{told}");
    let upload = now(cipher(&kms)
        .create_upload(&cx().with_upload_id("upload"), object_cipher_core::Completion::WithKey));
    let upload = upload.unwrap().envelope().clone();
    let told = Peeler::new(AwsLc, &cx(), &upload, &outer).unwrap_err();
    assert!(matches!(told, Error::WrongState { found: State::Upload, .. }), "{told}");
}

#[test]
fn a_chunk_is_peeled_in_its_place_only_and_a_bad_one_is_wiped() {
    let kms = fake();
    let stored = seal(&cipher(&kms), 40_000);
    let outer = source_key(&kms, &stored.envelope, 1);
    let peeler = Peeler::new(AwsLc, &cx(), &stored.envelope, &outer).unwrap();
    let (headers, chunks) = stored.bodies[&0].split_at(2 * HEADER_LEN);
    let headers = Headers::parse(Suite::TwoLayers, headers).unwrap();
    assert!(peeler.body(&headers, 1).is_err(), "another part");
    let one_layer = Headers::parse(Suite::OneLayer, &headers.as_bytes()[..HEADER_LEN]).unwrap();
    assert!(matches!(peeler.body(&one_layer, 0), Err(Error::Misuse(_))));
    let body = peeler.body(&headers, 0).unwrap();
    for (index, last, length) in [
        (1, false, SEALED_CHUNK_LEN),
        (0, true, SEALED_CHUNK_LEN),
        (0, false, SEALED_CHUNK_LEN - 1),
        (0, true, 31),
        (1 << 32, false, SEALED_CHUNK_LEN),
    ] {
        let mut chunk = chunks[..length].to_vec();
        assert!(body.peel(index, last, &mut chunk).is_err(), "{index} {last} {length}");
        assert!(chunk.iter().all(|byte| *byte == 0));
    }
    // What is inside says nothing about the plaintext's length that the stored sizes do not.
    assert_eq!(peeler.info().unwrap().len() + HEADER_LEN + 16, info_len(&stored.envelope));
}

#[test]
fn d5_a_key_is_told_from_that_of_another_layer_or_object() {
    let kms = fake();
    let cipher = cipher(&kms);
    let (stored, other) = (seal(&cipher, 7), seal(&cipher, 7));
    let both = [LayerPosition::Inner, LayerPosition::Outer];
    for (number, layer) in both.into_iter().enumerate() {
        let verify = |envelope: &Envelope, key: &SourceKey| {
            verify_layer_key(RustCrypto, &cx(), envelope, layer, key)
        };
        let key = source_key(&kms, &stored.envelope, number);
        verify(&stored.envelope, &key).unwrap();
        for wrong in [
            source_key(&kms, &stored.envelope, 1 - number),
            source_key(&kms, &other.envelope, number),
        ] {
            assert!(matches!(verify(&stored.envelope, &wrong), Err(Error::Rejected { .. })));
        }
        // The blob of another object, or of the other layer, put into the Envelope.
        let blobs = other.envelope.layers().map(|layer| layer.blob().clone());
        let swapped = stored.envelope.with_blobs(&blobs.collect::<Vec<_>>()).unwrap();
        let found = source_key(&kms, &swapped, number);
        assert!(matches!(verify(&swapped, &found), Err(Error::Rejected { .. })));
    }
}

#[test]
fn an_info_block_that_is_no_message_is_refused_and_nothing_panics() {
    let kms = fake();
    let stored = seal(&cipher(&kms), 7);
    let outer = source_key(&kms, &stored.envelope, 1);
    let bytes = stored.envelope.as_bytes();
    let at = layer_spans(&stored.envelope)[1].end;
    for length in [1, 111, 112, 143, 144 + 16_384] {
        let mut short = bytes[..at].to_vec();
        short.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
        short.extend(std::iter::repeat_n(7, length));
        if let Ok(envelope) = Envelope::parse(&short) {
            let told = Peeler::new(AwsLc, &cx(), &envelope, &outer).unwrap_err();
            assert!(matches!(told, Error::Malformed { .. }), "{length}: {told}");
        }
    }
}

fn info_len(envelope: &Envelope) -> usize {
    envelope.as_bytes().len() - layer_spans(envelope)[1].end - 4
}

#[test]
fn d3_with_either_library_broken_the_other_layer_hides_and_refuses_alone() {
    let keys = || KmsKeys::new(fake(), key(), Mode::DsseKms);
    let ciphers: [(&str, LayeredCipher<KmsKeys>); 4] = [
        ("inner", LayeredCipher::dsse_kms(keys(), NoSecurity::<false>, AwsLc)),
        ("inner", LayeredCipher::dsse_kms(keys(), NoSecurity::<false>, RustCrypto)),
        ("outer", LayeredCipher::dsse_kms(keys(), AwsLc, NoSecurity::<true>)),
        ("outer", LayeredCipher::dsse_kms(keys(), RustCrypto, NoSecurity::<true>)),
    ];
    for (broken, cipher) in ciphers {
        let content = plaintext(20_000);
        // ETag and checksum are sealed by both layers too.
        let digest: [u8; 32] = std::array::from_fn(|at| content[4 * at + 3]);
        let checksum = Checksum::new(ChecksumAlgorithm::Sha256, &digest).unwrap();
        let attributes = Attributes {
            etag: Some(ETag(*digest.first_chunk().unwrap())),
            checksum: Some(ObjectChecksum { checksum, kind: ChecksumKind::FullObject }),
            metadata_digest: Some(digest),
        };
        let stored = StoredObject::seal(&cipher, &cx(), &content, &attributes).unwrap();
        let body = &stored.bodies[&0];
        assert!(!shows(body, &content), "{broken}");
        assert!(!shows(stored.envelope.as_bytes(), &[&content[..], &digest].concat()), "{broken}");
        assert_eq!(read(&cipher, &stored).unwrap(), content);
        assert_eq!(stored.open(&cipher, &cx()).unwrap().attributes(), &attributes);
        for at in (0..body.len()).filter(|at| *at < 1_000 || at % 97 == 0 || *at > 19_000) {
            let mut altered = stored.clone();
            altered.bodies.get_mut(&0).unwrap()[at] ^= 1;
            let got = read(&cipher, &altered);
            // The broken layer's own header and tags protect nothing, and tell nothing.
            assert!(got.is_err() || got.unwrap() == content, "{broken}: byte {at}");
        }
        for length in (0..body.len()).step_by(211) {
            let mut cut = stored.clone();
            cut.bodies.get_mut(&0).unwrap().truncate(length);
            assert!(read(&cipher, &cut).is_err(), "{broken}: {length} bytes");
        }
    }
}

thread_local! {
    /// What the outer layer's library worked with.
    static TOLD: RefCell<Vec<[u8; 32]>> = const { RefCell::new(Vec::new()) };
}

fn keep(secret: &[u8]) {
    if let Ok(secret) = secret.try_into() {
        TOLD.with_borrow_mut(|told| told.push(secret));
    }
}

#[test]
fn d4_an_inner_chunk_that_was_changed_is_refused_though_the_outer_was_sealed_anew() {
    let kms = fake();
    let outer = Watched::new(AwsLc).telling(keep);
    let keys = KmsKeys::new(Arc::clone(&kms) as _, key(), Mode::DsseKms);
    let watched = LayeredCipher::dsse_kms(keys, RustCrypto, outer);
    let mut stored = seal(&watched, 20_000);
    let told = TOLD.take();
    let body = stored.bodies.get_mut(&0).unwrap();
    let (headers, chunks) = body.split_at_mut(2 * HEADER_LEN);
    let object = stored.envelope.object_id();
    let info: [&[u8]; 6] = [
        b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0",
        &headers[..24],
        b"object-cipher/v1/body\0",
        object.as_bytes(),
        &[1],
        &[0; 4],
    ];
    // The outer data key is the one that the stored commitment follows from.
    let derived = told.iter().find_map(|dek| {
        let mut derived = [0; 76];
        AwsLc.hkdf_expand_sha512(dek, &info, &mut derived).unwrap();
        (derived[44..] == headers[24..HEADER_LEN]).then_some(derived)
    });
    let derived = derived.expect("the attacker owns the outer key");
    let (aead, nonce) = (AwsLc.aead(derived[..32].try_into().unwrap()).unwrap(), &derived[32..44]);
    let (chunk, tag) = chunks[..SEALED_CHUNK_LEN].split_last_chunk_mut::<16>().unwrap();
    let nonce: &[u8; 12] = nonce.try_into().unwrap();
    aead.open(nonce, &[], chunk, tag).unwrap();
    let honest = chunk.to_vec();
    for (at, accepted) in
        [(None, true), (Some(0), false), (Some(16_383), false), (Some(16_399), false)]
    {
        let mut resealed = honest.clone();
        if let Some(at) = at {
            resealed[at] ^= 1;
        }
        let mut tag = [0; 16];
        aead.seal(nonce, &[], &mut resealed, &mut tag).unwrap();
        let mut altered = stored.clone();
        let body = altered.bodies.get_mut(&0).unwrap();
        body[2 * HEADER_LEN..][..resealed.len()].copy_from_slice(&resealed);
        body[2 * HEADER_LEN + resealed.len()..][..16].copy_from_slice(&tag);
        // The outer layer finds nothing wrong with it.
        let (kms, envelope) = (&*kms, &altered.envelope);
        let peeled = Peeler::new(AwsLc, &cx(), envelope, &source_key(kms, envelope, 1)).unwrap();
        let headers =
            Headers::parse(Suite::TwoLayers, &altered.bodies[&0][..2 * HEADER_LEN]).unwrap();
        let mut chunk = altered.bodies[&0][2 * HEADER_LEN..][..SEALED_CHUNK_LEN].to_vec();
        peeled.body(&headers, 0).unwrap().peel(0, false, &mut chunk).unwrap();
        assert_eq!(read(&watched, &altered).is_ok(), accepted, "{at:?}");
    }
}

#[test]
fn d5_swapped_wraps_headers_and_blobs_are_refused() {
    let kms = fake();
    let cipher = cipher(&kms);
    let stored = seal(&cipher, 20_000);
    let blobs: Vec<_> = stored.envelope.layers().map(|layer| layer.blob().clone()).collect();
    let swapped = [blobs[1].clone(), blobs[0].clone()];
    let envelope = stored.envelope.with_blobs(&swapped).unwrap();
    let told = read(&cipher, &StoredObject { envelope, ..stored.clone() }).unwrap_err();
    assert!(matches!(told, Error::Rejected { .. }), "{told}");

    let [inner, outer] = layer_spans(&stored.envelope);
    let mut bytes = stored.envelope.as_bytes().to_vec();
    let wrapped = object_cipher_core::WRAPPED_KEY_LEN;
    let of_outer = bytes[outer.end - wrapped..outer.end].to_vec();
    bytes.copy_within(inner.end - wrapped..inner.end, outer.end - wrapped);
    bytes[inner.end - wrapped..inner.end].copy_from_slice(&of_outer);
    let envelope = Envelope::parse(&bytes).unwrap();
    let told = read(&cipher, &StoredObject { envelope, ..stored.clone() }).unwrap_err();
    assert!(matches!(told, Error::Rejected { .. }), "{told}");

    // Whole layers, each under the other's number.
    let mut bytes = stored.envelope.as_bytes().to_vec();
    let (one, other) = (bytes[inner.clone()].to_vec(), bytes[outer.clone()].to_vec());
    bytes[inner.start..outer.end].copy_from_slice(&[other, one].concat());
    let second = inner.start + outer.len();
    (bytes[inner.start], bytes[second]) = (0, 1);
    let envelope = Envelope::parse(&bytes).unwrap();
    let told = read(&cipher, &StoredObject { envelope, ..stored.clone() }).unwrap_err();
    assert!(matches!(told, Error::Rejected { .. }), "{told}");

    let mut altered = stored.clone();
    let body = altered.bodies.get_mut(&0).unwrap();
    let (outer, inner) = body[..2 * HEADER_LEN].split_at_mut(HEADER_LEN);
    outer.swap_with_slice(inner);
    assert!(matches!(read(&cipher, &altered).unwrap_err(), Error::Rejected { .. }));
    assert!(read(&cipher, &stored).is_ok());
}

#[test]
fn d6_when_one_of_two_calls_fails_there_is_no_object_and_no_read() {
    for at in 1..=2 {
        for fault in [KmsFault::Fail(KeyErrorKind::Unavailable), KmsFault::OtherKey] {
            let kms = fake();
            let cipher = cipher(&kms);
            kms.fail_at(at, fault);
            let sealed = StoredObject::seal(&cipher, &cx(), b"content", &Attributes::default());
            assert!(matches!(sealed, Err(Error::Key(_))), "{at} {fault:?}");
            let stored = seal(&cipher, 7);
            kms.fail_at(kms.calls() + at, fault);
            assert!(matches!(read(&cipher, &stored), Err(Error::Key(_))), "{at} {fault:?}");
            assert!(read(&cipher, &stored).is_ok());
        }
    }
    let kms = fake();
    let cipher = cipher(&kms);
    read(&cipher, &seal(&cipher, 7)).unwrap();
    assert_eq!((kms.calls_of(Operation::Generate), kms.calls_of(Operation::Unwrap)), (2, 2));
}

#[test]
fn d6_both_data_keys_are_asked_for_at_the_same_time() {
    let kms = Arc::new(Gate { in_pairs: true, ..Gate::new() });
    let cipher = DsseKms::new(Arc::clone(&kms) as _, key(), RustCrypto, AwsLc);
    let stored = seal(&cipher, 7);
    assert!(read(&cipher, &stored).is_ok());
    assert_eq!(kms.begun.load(Ordering::Relaxed), 4);
}

#[test]
fn d6_who_is_denied_one_of_two_keys_reads_nothing() {
    let kms = Arc::new(Gate::new());
    let cipher = DsseKms::new(Arc::clone(&kms) as _, key(), RustCrypto, AwsLc);
    let stored = seal(&cipher, 7);
    for layer in stored.envelope.layers() {
        *kms.denied.lock().unwrap() = Some(layer.blob().as_bytes().to_vec());
        match read(&cipher, &stored).unwrap_err() {
            Error::Key(error) => assert_eq!(error.kind(), KeyErrorKind::Denied),
            other => panic!("{other}"),
        }
    }
    *kms.denied.lock().unwrap() = None;
    assert!(read(&cipher, &stored).is_ok());
}

/// Denies a blob, or answers calls only two at a time.
struct Gate {
    kms: Arc<FakeKms>,
    denied: Mutex<Option<Vec<u8>>>,
    in_pairs: bool,
    begun: AtomicU32,
}

impl Gate {
    fn new() -> Self {
        let (denied, begun) = (Mutex::default(), AtomicU32::new(0));
        Self { kms: fake(), denied, in_pairs: false, begun }
    }

    /// Waits for another call, if there are to be two.
    async fn pass(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let mut turns = 0;
        poll_fn(|task| {
            turns += 1;
            assert!(turns < 1_000, "one call waits for the other to end");
            task.waker().wake_by_ref();
            let is_alone = self.in_pairs && self.begun.load(Ordering::Relaxed) % 2 == 1;
            if is_alone { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
}

impl Kms for Gate {
    fn provider(&self) -> &str {
        self.kms.provider()
    }

    fn capabilities(&self) -> Capabilities {
        self.kms.capabilities()
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        Box::pin(async {
            self.pass().await;
            self.kms.generate(rq).await
        })
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        Box::pin(async {
            self.pass().await;
            let denied = self.denied.lock().unwrap().clone();
            if denied.as_deref() == Some(rq.wrapped.blob().as_bytes()) {
                return Err(object_cipher_kms::denied(rq.wrapped.id(), &rq.call));
            }
            self.kms.unwrap(rq).await
        })
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        self.kms.rewrap(rq)
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        self.kms.describe(rq)
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        self.kms.encrypt(rq)
    }
}
