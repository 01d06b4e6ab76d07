//! Z1: no key is left in memory that was given back, whatever was done with it.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod modes;
mod s3ec;

use std::{
    hint::black_box,
    io::{Cursor, sink},
    mem::ManuallyDrop,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures::{StreamExt, executor::block_on, stream};
use object_cipher_audits::{MEMORY, leave_in_c_memory};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, BodyStream, CryptoBackend, EkSource, HkdfExpander, KeyringId, LayeredCipher,
    MessageBackend, ObjectCipher, ReadRange, SourceKey,
};
use object_cipher_io::{Parallel, SealBytes, open_all, open_range, seal_all};
use object_cipher_keyring::{KeyringFile, Unlock};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_s3::SseS3;
use object_cipher_testkit::{StoredObject, TestKeys, Watched, cx, now, plaintext, upload_cx};
use sha2::block_api::compress512;

const KEY: [u8; 32] = *b"a canary of thirty-two bytes, ok";

const PLANTED: [u8; 32] = *b"left on purpose in freed memory!";

const PASSPHRASE: &str = "correct horse battery staple";

/// A backend whose keys are told to the allocator.
fn told<B: CryptoBackend>(backend: B) -> Watched<B> {
    Watched::new(backend).telling(|secret| MEMORY.tell(secret))
}

/// One test at a time, so that what is found is this test's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work`, in which new keys must be told and none be found; then one is left behind in Rust's heap and
/// in C's, and must be found in both.
fn nothing_is_left_by(work: impl FnOnce()) {
    let _alone = alone();
    let (told, found, searched) = (MEMORY.told(), MEMORY.found(), MEMORY.searched());
    work();
    let (told, searched) = (MEMORY.told() - told, MEMORY.searched() - searched);
    assert!(told > 0 && searched > 0);
    let hits = MEMORY.found() - found;
    assert_eq!(hits, 0, "the largest block with a key has {} bytes", MEMORY.largest_hit());

    MEMORY.tell(&PLANTED);
    drop(black_box(Box::new(PLANTED)));
    assert_eq!(MEMORY.found(), found + 1, "left in Rust's heap");
    leave_in_c_memory(&PLANTED);
    assert_eq!(MEMORY.found(), found + 2, "left in C's heap");
    println!("{told} secrets told, {searched} bytes searched, 0 found but what was planted");
}

#[test]
fn a_key_that_is_not_wiped_is_found() {
    let _alone = alone();
    for grown in [false, true] {
        let secret: [u8; 32] = std::array::from_fn(|at| 0x80 ^ (at as u8) ^ u8::from(grown));
        MEMORY.tell(&secret);
        let before = MEMORY.found();
        let mut block = Vec::with_capacity(40);
        block.extend_from_slice(&[1, 2, 3]);
        block.extend_from_slice(&secret);
        if grown {
            block.resize(100_000, 0);
            assert_eq!(MEMORY.found(), before + 1, "the block that it grew out of");
        }
        drop(block);
        assert_eq!(MEMORY.found(), before + 1 + usize::from(grown));
    }
}

#[test]
fn a_key_that_c_code_leaves_is_found() {
    let _alone = alone();
    let secret: [u8; 32] = std::array::from_fn(|at| 0x70 ^ (at as u8));
    MEMORY.tell(&secret);
    let before = MEMORY.found();
    leave_in_c_memory(&secret);
    assert_eq!(MEMORY.found(), before + 1);
}

/// Its `OPENSSL_free` wipes a block before it frees it, so that none could be left on purpose.
#[test]
fn blocks_that_aws_lc_gives_back_are_searched() {
    let _alone = alone();
    MEMORY.tell(&PLANTED);
    let aead = AwsLc.aead(&[7; 32]).unwrap();
    let searched = MEMORY.searched();
    drop(aead);
    assert!(MEMORY.searched() >= searched + 240, "AES-256 has 240 bytes of round keys");
}

#[test]
fn z1_nothing_is_left_by_objects_and_uploads() {
    nothing_is_left_by(|| {
        MEMORY.tell(&KEY);
        for cipher in ciphers() {
            objects(&*cipher);
        }
    });
}

fn ciphers() -> Vec<Box<dyn ObjectCipher>> {
    let keys = |source| TestKeys::new(source, KEY);
    let (ours, theirs) = (told(RustCrypto), told(AwsLc));
    vec![
        Box::new(LayeredCipher::sse_s3(keys(EkSource::Master), ours.clone())),
        Box::new(LayeredCipher::sse_kms(keys(EkSource::Kms), theirs.clone())),
        Box::new(LayeredCipher::sse_c(keys(EkSource::Customer), theirs.clone())),
        Box::new(LayeredCipher::client(keys(EkSource::Client), ours.clone())),
        Box::new(LayeredCipher::dsse_kms(keys(EkSource::Kms), ours, theirs)),
    ]
}

/// Puts, gets, ranges, renames, uploads, and failures of each.
fn objects(cipher: &dyn ObjectCipher) {
    let (content, attributes) = (plaintext(40_000), Attributes::default());
    overwrite_stack();
    let mut stored = StoredObject::seal(cipher, &cx(), &content, &attributes).unwrap();
    overwrite_stack();
    let opener = stored.open(cipher, &cx()).unwrap();
    overwrite_stack();
    stored.envelope = now(cipher.rewrap(&opener, &cx())).unwrap();
    drop(opener);
    let read = |stored: &StoredObject, range| {
        overwrite_stack();
        stored.read(cipher, &cx(), &range)
    };
    assert!(read(&stored, ReadRange::Whole).unwrap() == content);
    assert!(read(&stored, ReadRange::Bytes(20_000..20_010)).is_ok());
    assert!(now(cipher.open(&upload_cx(), &stored.envelope)).is_err());
    let parts = [(1, &content[..20_000]), (2, &content[20_000..])];
    overwrite_stack();
    let upload = StoredObject::upload(cipher, &upload_cx(), &parts, &attributes).unwrap();
    assert!(read(&upload, ReadRange::Whole).unwrap() == content);
    for body in stored.bodies.values_mut() {
        body[30_000] ^= 1;
    }
    assert!(read(&stored, ReadRange::Whole).is_err());
    // Begun and left.
    overwrite_stack();
    let mut stream = now(cipher.seal(&cx())).unwrap().into_stream();
    stream.filled(100).unwrap();
    drop(stream);
    overwrite_stack();
    drop(now(cipher.seal(&cx())).unwrap().into_chunks());
}

#[test]
fn z1_nothing_is_left_by_the_adapters() {
    nothing_is_left_by(|| {
        adapters(told(RustCrypto));
        adapters(told(AwsLc));
    });
}

fn adapters<B: CryptoBackend>(backend: B) {
    let cipher = LayeredCipher::sse_c(TestKeys::new(EkSource::Customer, KEY), backend);
    let content = plaintext(300_000);
    let sealer = || now(cipher.seal(&cx())).unwrap();
    let mut body = Vec::new();
    let stream = seal_all(sealer().into_stream(), &mut &content[..], &mut body).unwrap();
    let envelope = stream.finish(&Attributes::default()).unwrap();
    let opener = now(cipher.open(&cx(), &envelope)).unwrap();
    open_all(&opener, &mut &body[..], &mut sink()).unwrap();
    open_range(&opener, &ReadRange::Last(9), &mut Cursor::new(&body), &mut sink()).unwrap();

    overwrite_stack();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let parallel = Parallel::new().with_pool(&pool).with_window(4);
    parallel.seal_all(sealer(), &mut &content[..], &mut sink()).unwrap();
    parallel.open_all(&opener, &mut &body[..], &mut sink()).unwrap();

    let pieces = content.chunks(9_999).map(|piece| Ok(Bytes::copy_from_slice(piece)));
    let source = stream::iter(pieces.collect::<Vec<std::io::Result<_>>>());
    let pieces = SealBytes::new(sealer(), source);
    assert!(block_on(pieces.all(|piece| std::future::ready(piece.is_ok()))));
}

/// The stack is not searched. But what calls left there, such as a moved key schedule, would get into
/// the parts of a channel's blocks, and of boxed futures, that are not written yet. A block that was not wiped is found all
/// the same: this changes no byte of the heap.
#[inline(never)]
fn overwrite_stack() {
    black_box([0_u8; 16_000]);
}

#[test]
fn z1_nothing_is_left_by_a_keyring() {
    nothing_is_left_by(|| {
        let backend = told(RustCrypto);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        MEMORY.tell(PASSPHRASE.as_bytes());
        let unlock = || Unlock::passphrase(PASSPHRASE.to_owned()).unwrap();
        let id = KeyringId::parse("audit").unwrap();
        drop(KeyringFile::create(&path, &id, &unlock(), backend.clone()).unwrap());
        let keyring = Arc::new(KeyringFile::open(&path, &unlock(), backend.clone()).unwrap());
        let cipher = SseS3::new(keyring.clone(), backend.clone());
        let stored = StoredObject::seal(&cipher, &cx(), b"x", &Attributes::default()).unwrap();
        keyring.rotate().unwrap();
        assert!(stored.read(&cipher, &cx(), &ReadRange::Whole).is_ok());
        keyring.destroy(1).unwrap();
        assert!(stored.read(&cipher, &cx(), &ReadRange::Whole).is_err());
        let other = Unlock::passphrase("another one altogether".to_owned()).unwrap();
        assert!(KeyringFile::open(&path, &other, backend).is_err());
    });
}

#[test]
fn z1_nothing_is_left_by_a_source_key() {
    nothing_is_left_by(|| {
        let bytes: [u8; 32] = std::array::from_fn(|at| 0xC0 ^ (at as u8));
        MEMORY.tell(&bytes);
        drop(SourceKey::from_bytes(&bytes));
        drop(vec![SourceKey::from_bytes(&bytes); 3]);
    });
}

#[test]
fn z1_nothing_is_left_of_hkdfs_key_once_set_up() {
    let key: [u8; 32] = std::array::from_fn(|at| 0xA0 ^ (at as u8));
    MEMORY.tell(&key);
    for pad in [0x36, 0x5C] {
        MEMORY.tell(padded_state(&key, pad).as_flattened());
    }
    // It is there to be found, if it is not wiped.
    let left = ManuallyDrop::new(RustCrypto.expander(&key).unwrap());
    is_found_when_freed(Box::new(left));
    let left = ManuallyDrop::new(AwsLc.expander(&key).unwrap());
    is_found_when_freed(Box::new(left));

    nothing_is_left_by(|| {
        let ours: Box<dyn HkdfExpander> = Box::new(told(RustCrypto).expander(&key).unwrap());
        let theirs: Box<dyn HkdfExpander> = Box::new(told(AwsLc).expander(&key).unwrap());
        for expander in [ours, theirs] {
            expander.expand(&[b"info"], &mut [0; 200]).unwrap();
        }
    });
}

#[test]
fn z1_nothing_is_left_by_a_long_message() {
    let key: [u8; 32] = std::array::from_fn(|at| 0xE0 ^ (at as u8));
    // The key schedule begins with the key. What is left by the compiler on the stack is not searched.
    nothing_is_left_by(|| {
        MEMORY.tell(&key);
        let (mut piece, mut tag) = ([5; 100], [0; 16]);
        let mut encryptor = RustCrypto.message_encryptor(&key, &[1; 12], b"aad").unwrap();
        encryptor.update(&mut piece).unwrap();
        encryptor.finish(&mut tag).unwrap();
        for expected in [tag, [0; 16]] {
            let mut decryptor = RustCrypto.message_decryptor(&key, &[1; 12], b"aad").unwrap();
            decryptor.update(&mut piece.clone()).unwrap();
            assert_eq!(decryptor.finish(&expected).is_ok(), expected == tag);
        }
        // Begun and left.
        drop(RustCrypto.message_encryptor(&key, &[1; 12], b"aad").unwrap());
        drop(RustCrypto.message_decryptor(&key, &[1; 12], b"aad").unwrap());
    });
}

fn is_found_when_freed<T>(unwiped: Box<ManuallyDrop<T>>) {
    let _alone = alone();
    let found = MEMORY.found();
    drop(black_box(unwiped));
    assert!(MEMORY.found() > found);
}

/// What SHA-512 is left with behind HMAC's first block, of either hash: as good as the key.
fn padded_state(key: &[u8], pad: u8) -> [[u8; 8]; 8] {
    let mut state = [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179_u64,
    ];
    let mut block = [pad; 128];
    block.iter_mut().zip(key).for_each(|(padded, byte)| *padded ^= byte);
    compress512(&mut state, &[block]);
    state.map(u64::to_ne_bytes)
}
