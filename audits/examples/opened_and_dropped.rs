//! Z2: a process that puts, gets, reads a range and rewraps in every mode, drops all of it, and waits to be
//! looked into by `audits/core-dump`. Every key goes to standard output on its way, and nowhere else.
//!
//! With `plant` one key is left on the heap, which has to be found.

#![allow(clippy::unwrap_used)]

use std::{
    fs::File,
    hint::black_box,
    io::{Read, Write, stdin},
    mem::ManuallyDrop,
    os::fd::FromRawFd,
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_client::s3ec::{AesKeyring, Request, S3ec};
use object_cipher_core::{
    Attributes, CryptoBackend, EkSource, LayeredCipher, ObjectCipher, ReadRange,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, TestKeys, Watched, cx, drive, now, plaintext};

fn main() {
    let planted = black_box(std::env::args().nth(1)).is_some_and(|word| word == "plant");
    every_mode();
    s3ec(told(RustCrypto));
    s3ec(told(AwsLc));
    if planted {
        let left = Box::leak(Box::new(random()));
        black_box(left);
    }
    tell(&[]);
    // Until the other end closes.
    let _ = stdin().read(&mut [0]);
}

/// Writes a secret without a copy in between. An empty one says that all is dropped.
fn tell(secret: &[u8]) {
    // Past the buffer of `Stdout`. SAFETY: standard output stays open, and is not closed here.
    let pipe = ManuallyDrop::new(unsafe { File::from_raw_fd(1) });
    let length = u8::try_from(secret.len()).unwrap();
    (&*pipe).write_all(&[length]).unwrap();
    (&*pipe).write_all(secret).unwrap();
}

fn told<B: CryptoBackend>(backend: B) -> Watched<B> {
    Watched::new(backend).telling(tell)
}

/// A key that is told.
fn random() -> [u8; 32] {
    let mut key = [0; 32];
    RustCrypto.random(&mut key).unwrap();
    tell(&key);
    key
}

fn every_mode() {
    let keys = |source| TestKeys::new(source, random());
    let (ours, theirs) = (told(RustCrypto), told(AwsLc));
    objects(&LayeredCipher::sse_s3(keys(EkSource::Master), ours.clone()));
    objects(&LayeredCipher::sse_kms(keys(EkSource::Kms), theirs.clone()));
    objects(&LayeredCipher::sse_c(keys(EkSource::Customer), theirs.clone()));
    objects(&LayeredCipher::client(keys(EkSource::Client), ours.clone()));
    objects(&LayeredCipher::dsse_kms(keys(EkSource::Kms), ours, theirs));
}

fn objects(cipher: &dyn ObjectCipher) {
    let content = plaintext(40_000);
    let mut stored = StoredObject::seal(cipher, &cx(), &content, &Attributes::default()).unwrap();
    let opener = stored.open(cipher, &cx()).unwrap();
    stored.envelope = now(cipher.rewrap(&opener, &cx())).unwrap();
    drop(opener);
    assert!(stored.read(cipher, &cx(), &ReadRange::Whole).unwrap() == content);
    assert!(stored.read(cipher, &cx(), &ReadRange::Bytes(20_000..20_010)).is_ok());
}

fn s3ec(backend: impl object_cipher_core::MessageBackend) {
    let cipher = S3ec::builder(AesKeyring::new(&random()).unwrap(), backend).build();
    let (content, rq) = (plaintext(40_000), Request::default());
    let mut sealed = now(cipher.seal(&rq)).unwrap();
    let body = drive(&mut sealed.stream, &content, usize::MAX).complete().unwrap();
    let opener = now(cipher.open(&sealed.header, &rq)).unwrap();
    let mut stream = opener.into_verified(body.len() as u64, 1 << 20).unwrap();
    assert!(drive(&mut stream, &body, usize::MAX).complete().unwrap() == content);
}
