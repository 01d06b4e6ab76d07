//! V7: what the libraries are given ends, or begins, at a page that cannot be touched. One that reads or
//! writes a byte too far dies.

#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![allow(clippy::unwrap_used, reason = "a failed test stops")]

use std::{env, os::unix::process::ExitStatusExt, process::Command, ptr, slice};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{Aes256Gcm, CryptoBackend, MessageBackend};
use object_cipher_rustcrypto::RustCrypto;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 12] = [9; 12];
const PAGE: usize = 4_096;
/// Room between the pages that cannot be touched.
const ROOM: usize = 5 * PAGE;
/// Set in the process that is to die.
const TRESPASS: &str = "OBJECT_CIPHER_TRESPASS";

/// Every length over which a library's loops may go, and those about a chunk.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=1_100).chain(16_380..=16_404)
}

/// Where bytes lie.
#[derive(Clone, Copy, Debug)]
enum At {
    Begin,
    End,
}

/// Memory between two pages that cannot be touched.
struct Guarded(*mut u8);

impl Guarded {
    fn new() -> Self {
        let (length, writable) = (ROOM + 2 * PAGE, MprotectFlags::READ | MprotectFlags::WRITE);
        // SAFETY: the system chooses a place where nothing is, and nothing else knows of it.
        let map = unsafe {
            let map =
                mmap_anonymous(ptr::null_mut(), length, ProtFlags::empty(), MapFlags::PRIVATE);
            let map = map.unwrap().cast::<u8>();
            mprotect(map.add(PAGE).cast(), ROOM, writable).unwrap();
            map
        };
        Self(map)
    }

    /// Bytes at one of its ends.
    fn hold(&mut self, at: At, bytes: &[u8]) -> &mut [u8] {
        assert!(bytes.len() <= ROOM);
        let from = match at {
            At::Begin => PAGE,
            At::End => PAGE + ROOM - bytes.len(),
        };
        // SAFETY: that is within what may be touched, is initialized by the system, and is borrowed with
        // what owns it.
        let held = unsafe { slice::from_raw_parts_mut(self.0.add(from), bytes.len()) };
        held.copy_from_slice(bytes);
        held
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: nothing that was borrowed of it is left.
        unsafe { munmap(self.0.cast(), ROOM + 2 * PAGE) }.unwrap();
    }
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// What a library makes of ordinary memory.
fn sealed(backend: &impl CryptoBackend, aad: &[u8], plaintext: &[u8]) -> (Vec<u8>, [u8; 16]) {
    let (mut body, mut tag) = (plaintext.to_vec(), [0; 16]);
    backend.aead(&KEY).unwrap().seal(&NONCE, aad, &mut body, &mut tag).unwrap();
    (body, tag)
}

fn chunks_in_guarded_memory<B: CryptoBackend>(backend: &B, other: &impl CryptoBackend) {
    let [mut text, mut key, mut nonce, mut added, mut tag] = [(); 5].map(|()| Guarded::new());
    for (length, at) in lengths().flat_map(|length| [(length, At::Begin), (length, At::End)]) {
        let plaintext = content(length);
        let said = content(length % 41);
        let (body, right) = sealed(other, &said, &plaintext);
        let key: &[u8; 32] = (&*key.hold(at, &KEY)).try_into().unwrap();
        let aead = backend.aead(key).unwrap();
        let nonce: &[u8; 12] = (&*nonce.hold(at, &NONCE)).try_into().unwrap();
        let said = &*added.hold(at, &said);
        let tag: &mut [u8; 16] = tag.hold(at, &[0; 16]).try_into().unwrap();
        let text = text.hold(at, &plaintext);
        aead.seal(nonce, said, text, tag).unwrap();
        assert_eq!((&*text, &*tag), (&body[..], &right), "{length} bytes, {at:?}");
        aead.open(nonce, said, text, tag).unwrap();
        assert_eq!(text, plaintext, "{length} bytes, {at:?}");
        tag[15] ^= 1;
        aead.open(nonce, said, text, tag).unwrap_err();
    }
}

fn hashes_of_guarded_memory<B: CryptoBackend>(backend: &B, other: &impl CryptoBackend) {
    let mut text = Guarded::new();
    for (length, at) in lengths().flat_map(|length| [(length, At::Begin), (length, At::End)]) {
        let data = text.hold(at, &content(length));
        assert_eq!(backend.sha256(&[data]), other.sha256(&[data]), "{length} bytes, {at:?}");
        assert_eq!(backend.sha512(&[data]), other.sha512(&[data]), "{length} bytes, {at:?}");
        let [mut one, mut two] = [[0; 64]; 2];
        backend.hmac_sha512(data, &[data], &mut one).unwrap();
        other.hmac_sha512(data, &[data], &mut two).unwrap();
        assert_eq!(one, two, "{length} bytes, {at:?}");
    }
}

/// A message in two pieces, each at the end of its own memory.
fn messages_in_guarded_memory<B: MessageBackend>(backend: &B, other: &impl CryptoBackend) {
    let mut pieces = [Guarded::new(), Guarded::new()];
    for length in lengths() {
        let plaintext = content(length);
        let (body, right) = sealed(other, b"aad", &plaintext);
        let (one, two) = plaintext.split_at(length / 3);
        let [first, second] = &mut pieces;
        let (first, second) = (first.hold(At::End, one), second.hold(At::End, two));
        let mut encryptor = backend.message_encryptor(&KEY, &NONCE, b"aad").unwrap();
        encryptor.update(first).unwrap();
        encryptor.update(second).unwrap();
        let mut tag = [0; 16];
        encryptor.finish(&mut tag).unwrap();
        assert_eq!(([&*first, &*second].concat(), tag), (body, right), "{length} bytes");
    }
}

#[test]
fn v7_rustcrypto_touches_nothing_but_what_it_is_given() {
    chunks_in_guarded_memory(&RustCrypto, &AwsLc);
    hashes_of_guarded_memory(&RustCrypto, &AwsLc);
    messages_in_guarded_memory(&RustCrypto, &AwsLc);
}

#[test]
fn v7_aws_lc_touches_nothing_but_what_it_is_given() {
    chunks_in_guarded_memory(&AwsLc, &RustCrypto);
    hashes_of_guarded_memory(&AwsLc, &RustCrypto);
    messages_in_guarded_memory(&AwsLc, &RustCrypto);
}

/// The control: it dies who goes a byte too far, to either side.
#[test]
fn v7_a_byte_beyond_cannot_be_touched() {
    if let Ok(side) = env::var(TRESPASS) {
        let guarded = Guarded::new();
        let beyond = if side == "before" { PAGE - 1 } else { PAGE + ROOM };
        // SAFETY: it ends the process, which is what is tried.
        println!("{}", unsafe { guarded.0.add(beyond).read_volatile() });
        return;
    }
    for side in ["before", "behind"] {
        let name = "v7_a_byte_beyond_cannot_be_touched";
        let mut trespasser = Command::new(env::current_exe().unwrap());
        let died = trespasser.args(["--exact", name]).env(TRESPASS, side).output().unwrap();
        let segmentation_fault = 11;
        assert_eq!(died.status.signal(), Some(segmentation_fault), "{side}: {died:?}");
    }
}
