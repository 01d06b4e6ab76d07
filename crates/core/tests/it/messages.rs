//! Streams of one long message: their limit, and what they do out of turn (E8).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use object_cipher_core::{
    BackendError, BodyStream, Error, MAX_MESSAGE_LEN, MessageBackend, MessageDecryptor,
    MessageEncryptor, ObjectId, OpenUnverified, OpenVerified, Result, SealMessage, Step,
    TailDecryptor,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::drive;

const OBJECT: ObjectId = ObjectId::from_bytes([7; 16]);
const KEY: [u8; 32] = [0x42; 32];

/// Counts bytes and leaves them as they are, so that the longest message costs nothing.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicU64>);

impl Counting {
    fn count(&self, piece: &[u8]) -> Result<(), BackendError> {
        let length = piece.len() as u64;
        let before = self.0.fetch_add(length, Ordering::Relaxed);
        if before + length > MAX_MESSAGE_LEN { Err(BackendError::Refused) } else { Ok(()) }
    }
}

impl MessageEncryptor for Counting {
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError> {
        self.count(piece)
    }

    fn finish(self: Box<Self>, _: &mut [u8; 16]) -> Result<(), BackendError> {
        Ok(())
    }
}

impl MessageDecryptor for Counting {
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError> {
        self.count(piece)
    }

    fn finish(self: Box<Self>, _: &[u8; 16]) -> Result<(), BackendError> {
        Ok(())
    }
}

/// Says that so many bytes came in, without writing any.
fn let_in(stream: &mut impl BodyStream, mut length: u64) -> Result<()> {
    while length > 0 {
        stream.taken(stream.output().len());
        let count = stream.input().len().min(usize::try_from(length).unwrap_or(usize::MAX));
        stream.filled(count)?;
        length -= count as u64;
    }
    Ok(())
}

#[test]
fn e8_a_message_has_at_most_2_to_the_36_less_32_bytes() {
    let limit = |result| assert!(matches!(result, Err(Error::Limit(_))), "{result:?}");
    let counting = Counting::default();
    let mut stream = SealMessage::new(OBJECT, Box::new(counting.clone()));
    let_in(&mut stream, MAX_MESSAGE_LEN).unwrap();
    assert_eq!(stream.plaintext_len(), 68_719_476_704);
    stream.taken(stream.output().len());
    stream.end().unwrap();
    assert_eq!(counting.0.load(Ordering::Relaxed), MAX_MESSAGE_LEN);
    // One byte more is never encrypted.
    let counting = Counting::default();
    let mut stream = SealMessage::new(OBJECT, Box::new(counting.clone()));
    limit(let_in(&mut stream, MAX_MESSAGE_LEN + 1));
    limit(stream.end());
    assert!(stream.output().is_empty() && !stream.is_done());
    assert!(counting.0.load(Ordering::Relaxed) <= MAX_MESSAGE_LEN);
}

#[test]
fn e8_a_stored_message_that_is_too_long_is_rejected() {
    let rejected = Err(Error::Rejected { object: OBJECT, step: Step::Body });
    for (more, expected) in [(0, Ok(())), (1, rejected)] {
        let mut stream = OpenUnverified::new(OBJECT, Box::new(Counting::default()));
        let opened = let_in(&mut stream, MAX_MESSAGE_LEN + 16 + more).and_then(|()| {
            stream.taken(stream.output().len());
            stream.end()
        });
        assert_eq!(opened, expected);
    }
}

fn sealed(length: usize) -> (Vec<u8>, Vec<u8>) {
    let plaintext: Vec<u8> = (0..=250).cycle().take(length).collect();
    let encryptor = RustCrypto.message_encryptor(&KEY, &[1; 12], b"aad").unwrap();
    let mut stream = SealMessage::new(OBJECT, encryptor);
    let body = drive(&mut stream, &plaintext, usize::MAX).complete().unwrap();
    (plaintext, body)
}

fn decryptor() -> Box<dyn MessageDecryptor> {
    RustCrypto.message_decryptor(&KEY, &[1; 12], b"aad").unwrap()
}

#[test]
fn nothing_that_comes_in_while_output_waits_changes_it() {
    let (plaintext, body) = sealed(200_000);
    let mut stream = OpenUnverified::new(OBJECT, decryptor());
    let (mut input, mut out) = (&body[..], Vec::new());
    while !stream.is_done() {
        stream.filled(0).unwrap();
        let count = stream.output().len().min(10_000);
        out.extend_from_slice(&stream.output()[..count]);
        stream.taken(count);
        let room = stream.input();
        let count = room.len().min(input.len());
        room[..count].copy_from_slice(&input[..count]);
        input = &input[count..];
        stream.filled(count).unwrap();
        if input.is_empty() && stream.output().is_empty() {
            stream.end().unwrap();
        }
    }
    assert!(out == plaintext);
    assert_eq!(stream.plaintext_len(), 200_000);
}

#[test]
fn more_than_there_was_room_or_an_early_end_is_misuse_and_final() {
    let (_, body) = sealed(100_000);
    let check = |stream: &mut dyn BodyStream, rule: &dyn Fn(&mut dyn BodyStream) -> Result<()>| {
        let error = rule(stream).unwrap_err();
        assert!(matches!(error, Error::Misuse(_)), "{error:?}");
        assert!(stream.input().is_empty() && stream.output().is_empty() && !stream.is_done());
        assert_eq!(stream.end(), Err(error.clone()));
        assert_eq!(stream.filled(0), Err(error));
    };
    let overfill = |stream: &mut dyn BodyStream| {
        let room = stream.input().len();
        stream.filled(room + 1)
    };
    let end_early = |stream: &mut dyn BodyStream| {
        let room = stream.input();
        let length = room.len();
        room.copy_from_slice(&body[..length]);
        stream.filled(length)?;
        stream.end()
    };
    let encryptor = || RustCrypto.message_encryptor(&KEY, &[1; 12], b"").unwrap();
    check(&mut SealMessage::new(OBJECT, encryptor()), &overfill);
    check(&mut SealMessage::new(OBJECT, encryptor()), &end_early);
    check(&mut OpenUnverified::new(OBJECT, decryptor()), &overfill);
    check(&mut OpenUnverified::new(OBJECT, decryptor()), &end_early);
    check(&mut OpenVerified::new(OBJECT, decryptor(), 10, 10).unwrap(), &overfill);
}

#[test]
fn a_stored_length_is_checked_before_anything_is_allocated() {
    for (stored_len, max_len) in [
        (101, 100),
        (u64::MAX, 100),
        (u64::MAX, usize::MAX),
        (u64::MAX - 1, usize::MAX),
        (u64::MAX >> 1, usize::MAX),
    ] {
        let stream = OpenVerified::new(OBJECT, decryptor(), stored_len, max_len);
        assert!(matches!(stream, Err(Error::Limit(_))));
    }
}

/// A message whose tail holds content, as a padded block does.
struct Tail;

impl TailDecryptor for Tail {
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError> {
        if piece.len().is_multiple_of(16) { Ok(()) } else { Err(BackendError::Rejected) }
    }

    fn finish(self: Box<Self>, tail: &mut [u8; 16]) -> Result<usize, BackendError> {
        usize::from(tail[15]).checked_sub(1).filter(|n| *n < 16).ok_or(BackendError::Rejected)
    }
}

#[test]
fn content_in_the_tail_comes_out_and_a_wrong_tail_gives_one_error() {
    let rejected = Err(Error::Rejected { object: OBJECT, step: Step::Body });
    for blocks in [1, 2, 4_095, 4_096, 4_097, 4_098, 8_193] {
        for in_tail in 0..=17 {
            let mut body = vec![1; 16 * blocks];
            *body.last_mut().unwrap() = in_tail;
            let stored_len = body.len() as u64;
            let verified = OpenVerified::with_tail(OBJECT, Box::new(Tail), stored_len, 1 << 20);
            let verified = drive(&mut verified.unwrap(), &body, usize::MAX);
            let mut unverified = OpenUnverified::with_tail(OBJECT, Box::new(Tail));
            let unverified = drive(&mut unverified, &body, usize::MAX);
            assert_eq!(verified.result, unverified.result);
            if (1..=16).contains(&in_tail) {
                let content = &body[..body.len() - 16 + usize::from(in_tail) - 1];
                assert!(verified.released == content && unverified.released == content);
                assert_eq!(verified.result, Ok(()));
            } else {
                assert_eq!(verified.result, rejected);
                assert!(verified.released.is_empty());
            }
            let cut = &body[..body.len() - 1];
            let mut stream = OpenUnverified::with_tail(OBJECT, Box::new(Tail));
            let cut = drive(&mut stream, cut, usize::MAX).result;
            assert!(matches!(cut, Err(Error::Rejected { .. } | Error::Truncated { .. })));
        }
    }
}

/// Tells of more content than there is.
struct Overlong(usize);

impl TailDecryptor for Overlong {
    fn update(&mut self, _: &mut [u8]) -> Result<(), BackendError> {
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut [u8; 16]) -> Result<usize, BackendError> {
        Ok(self.0)
    }
}

#[test]
fn a_tail_that_tells_of_more_content_than_it_holds_is_an_error() {
    for (in_tail, fits) in [(16, true), (17, false), (usize::MAX, false)] {
        let mut verified =
            OpenVerified::with_tail(OBJECT, Box::new(Overlong(in_tail)), 48, 48).unwrap();
        let mut unverified = OpenUnverified::with_tail(OBJECT, Box::new(Overlong(in_tail)));
        for driven in [
            drive(&mut verified, &[1; 48], usize::MAX),
            drive(&mut unverified, &[1; 48], usize::MAX),
        ] {
            assert_eq!(
                (driven.result.is_ok(), driven.released.len()),
                (fits, 48 * usize::from(fits))
            );
        }
    }
}
