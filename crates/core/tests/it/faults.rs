//! Failing randomness and misuse (X4, X6), repeated keys and nonces (V8).

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, BackendError, BodyStream, Completion, EkSource, Error, Mode, ReadRange,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{StoredObject, Watched, cx, drive, now, plaintext, upload_cx};

use crate::modes::{cipher, dsse_kms};

#[test]
fn x6_without_randomness_nothing_is_sealed() {
    let backend = Watched::new(RustCrypto);
    let cipher = cipher(Mode::SseS3, EkSource::Master, backend.clone());
    let unavailable = Error::Backend(BackendError::Unavailable);
    backend.watch().fail_draw(1);
    let seals = backend.watch().seals();
    assert_eq!(now(cipher.seal(&cx())).unwrap_err(), unavailable);
    backend.watch().fail_draw(1);
    assert_eq!(
        now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap_err(),
        unavailable
    );
    assert_eq!(backend.watch().seals(), seals, "nothing was encrypted");
    let uploader = now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap();
    backend.watch().fail_draw(1);
    assert_eq!(uploader.part(1).unwrap_err(), unavailable);
    let (body, receipt) = StoredObject::seal_part(&uploader, 1, b"x").unwrap();
    let stored = StoredObject::stored_part(&uploader, 1, &receipt, &body);
    let receipt = uploader.open_receipt(&stored).unwrap();
    backend.watch().fail_draw(1);
    let failed = now(cipher.complete_upload(
        &uploader,
        &cx(),
        std::slice::from_ref(&receipt),
        &Attributes::default(),
    ));
    assert_eq!(failed.unwrap_err(), unavailable);
    assert!(
        now(cipher.complete_upload(&uploader, &cx(), &[receipt], &Attributes::default())).is_ok(),
        "a retry works"
    );
    let stored = StoredObject::seal(&*cipher, &cx(), b"x", &Attributes::default()).unwrap();
    let opener = stored.open(&*cipher, &cx()).unwrap();
    backend.watch().fail_draw(1);
    assert_eq!(now(cipher.rewrap(&opener, &cx())).unwrap_err(), unavailable);
    assert_eq!(backend.watch().repeats(), 0);
}

#[test]
fn x4_a_stream_that_was_not_ended_gives_no_envelope() {
    let cipher = cipher(Mode::SseS3, EkSource::Master, RustCrypto);
    let begin = || {
        let mut stream = now(cipher.seal(&cx())).unwrap().into_stream();
        stream.input()[..3].copy_from_slice(b"abc");
        stream.filled(3).unwrap();
        stream
    };
    let misuse = |result: Result<_, Error>| matches!(result, Err(Error::Misuse(_)));
    assert!(misuse(begin().finish(&Attributes::default())));
    let mut ended = begin();
    ended.end().unwrap();
    assert!(misuse(ended.finish(&Attributes::default())), "output is still waiting");
    let mut overfilled = begin();
    assert!(overfilled.filled(16_384).is_err());
    assert!(overfilled.end().is_err(), "the error stays");
}

#[test]
fn v8_no_key_and_nonce_is_used_twice_on_any_write_path() {
    let backend = Watched::new(AwsLc);
    let cipher = cipher(Mode::SseS3, EkSource::Master, backend.clone());
    for _ in 0..50 {
        let content = plaintext(40_000);
        let stored = StoredObject::seal(&*cipher, &cx(), &content, &Attributes::default()).unwrap();
        let opener = stored.open(&*cipher, &cx()).unwrap();
        now(cipher.rewrap(&opener, &cx())).unwrap();
        let parts = [(1, &content[..]), (2, &content[..])];
        StoredObject::upload(&*cipher, &upload_cx(), &parts, &Attributes::default()).unwrap();
    }
    assert!(backend.watch().seals() > 500);
    assert_eq!(backend.watch().repeats(), 0);
}

#[test]
fn f7_a_changed_header_is_refused_before_any_decryption() {
    let backend = Watched::new(AwsLc);
    let cipher = cipher(Mode::SseS3, EkSource::Master, backend.clone());
    let stored =
        StoredObject::seal(&*cipher, &cx(), &plaintext(100), &Attributes::default()).unwrap();
    let opener = stored.open(&*cipher, &cx()).unwrap();
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    for at in 0..56 {
        let mut body = stored.bodies[&0].clone();
        body[at] ^= 1;
        let before = backend.watch().opens();
        let mut stream = opener.open_segment(plan.body().unwrap()).unwrap();
        assert!(drive(&mut stream, &body, usize::MAX).result.is_err());
        assert_eq!(backend.watch().opens(), before);
    }
}

#[test]
fn f7_of_two_layers_both_commitments_are_compared_before_any_decryption() {
    let (inner, outer) = (Watched::new(RustCrypto), Watched::new(AwsLc));
    let cipher = dsse_kms(inner.clone(), outer.clone());
    let opens = || inner.watch().opens() + outer.watch().opens();
    let uploader = now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap();
    let (body, receipt) = StoredObject::seal_part(&uploader, 1, &plaintext(100)).unwrap();
    for at in 0..112 {
        // A receipt is a message of two layers whose headers nothing else tells of.
        let mut changed = receipt.clone();
        changed[at] ^= 1;
        let before = opens();
        let part = StoredObject::stored_part(&uploader, 1, &changed, &body);
        assert!(uploader.open_receipt(&part).is_err(), "byte {at}");
        assert_eq!(opens(), before, "byte {at}");
    }
}

#[test]
fn an_announced_object_takes_exactly_what_was_announced() {
    let cipher = cipher(Mode::Client, EkSource::Client, AwsLc);
    let content = plaintext(40_000);
    let announce = |length: usize| {
        let sealer = now(cipher.seal(&cx())).unwrap();
        sealer.announce(length as u64, &Attributes::default()).unwrap()
    };
    let (envelope, sealer) = announce(content.len());
    let mut stream = sealer.into_stream();
    let body = drive(&mut stream, &content, 999).complete().unwrap();
    stream.finish().unwrap();
    let stored = StoredObject { envelope, bodies: [(0, body)].into(), table: None };
    assert_eq!(stored.read(&*cipher, &cx(), &ReadRange::Whole).unwrap(), content);
    for wrong in [content.len() - 1, content.len() + 1, 0, 100_000] {
        let mut stream = announce(wrong).1.into_stream();
        assert!(matches!(drive(&mut stream, &content, 999).result, Err(Error::Misuse(_))));
        assert!(stream.finish().is_err());
    }
}
