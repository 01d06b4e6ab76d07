//! Seals and opens bare bodies, so that other implementations can judge ours and be judged.
//!
//! ```sh
//! cargo run -p object-cipher-testkit --example bare_body -- seal FILE BODY   # prints DEK and context
//! cargo run -p object-cipher-testkit --example bare_body -- open DEK CONTEXT BODY FILE
//! ```

#![allow(clippy::panic, clippy::unwrap_used, reason = "a tool for tests: what fails stops it")]

use std::{env, fs};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{CryptoBackend, EkSource, LayeredCipher, ObjectCipher, cobblestone};
use object_cipher_testkit::{Seeded, TestKeys, cx, drive, now};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["seal", file, body] => seal(file, body),
        ["open", dek, context, body, file] => open(dek, context, body, file),
        _ => panic!("seal FILE BODY, or open DEK CONTEXT BODY FILE"),
    }
}

/// Seals a file as one body of one layer, and prints what opens it: data key and context.
fn seal(file: &str, body: &str) {
    let mut seed = [0; 32];
    AwsLc.random(&mut seed).unwrap();
    let backend = Seeded::new(AwsLc, &hex::encode(seed));
    let keys = TestKeys::new(EkSource::Customer, [7; 32]);
    let sealer = now(LayeredCipher::sse_c(keys, backend.clone()).seal(&cx())).unwrap();
    let object = *sealer.object_id().as_bytes();
    let mut stream = sealer.into_stream();
    let sealed = drive(&mut stream, &fs::read(file).unwrap(), usize::MAX).complete().unwrap();
    fs::write(body, sealed).unwrap();
    let context = [&b"object-cipher/v1/body\0"[..], &object, &[0; 5]].concat();
    println!("{} {}", hex::encode(&backend.draws()[0][..32]), hex::encode(context));
}

/// Opens any Cobblestone-256 message.
fn open(dek: &str, context: &str, body: &str, file: &str) {
    let dek = hex::decode(dek).unwrap().try_into().unwrap();
    let context = hex::decode(context).unwrap();
    let body = fs::read(body).unwrap();
    let (header, chunks) = body.split_at(cobblestone::HEADER_LEN);
    let decryptor = cobblestone::Decryptor::new(&AwsLc, &dek, &[&context], header).unwrap();
    let opened = drive(&mut decryptor.into_stream(), chunks, usize::MAX).complete().unwrap();
    fs::write(file, opened).unwrap();
}
