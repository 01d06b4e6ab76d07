//! Goal 16: one long message in pieces, as the S3 Encryption Client's formats need it, against the
//! library's own sealing of it at once; and in pure Rust, which makes it of CTR and GHASH, against a
//! bare loop of these.

use aes::Aes256;
use ctr::{
    Ctr32BE,
    cipher::{KeyIvInit, StreamCipher},
};
use ghash::{Block, GHash, universal_hash::UniversalHash};
use object_cipher_core::MessageBackend;

use crate::{
    measure::{Case, Clock, Prepared},
    raw::{Library, RawAwsLc, RawRustCrypto, TAG},
    report::{Amount, Bound, Report, Row},
    subject::BLOCK,
};

/// What goes through in one run, so that the beginning and the end of a message do not count.
const LENGTH: usize = 4 * BLOCK;
const PIECE: usize = 64 << 10;

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 12] = [7; 12];

pub(crate) fn run(report: &mut Report) {
    if !report.wants(16) {
        return;
    }
    let at_least = Bound::AtLeast(0.95);
    let loops = [&mut seal_case(bare_seal) as &mut dyn Case, &mut open_case(bare_open)];
    against::<RawRustCrypto>(report, "a bare loop of CTR and GHASH", at_least, loops);

    let library = RawAwsLc::new(&KEY);
    let (mut seal, mut open) = at_once(&library);
    against::<RawAwsLc>(report, "one sealing at once", at_least, [&mut seal, &mut open]);

    let library = RawRustCrypto::new(&KEY);
    let (mut seal, mut open) = at_once(&library);
    let against_it = "one sealing at once, to compare";
    against::<RawRustCrypto>(report, against_it, Bound::Nothing, [&mut seal, &mut open]);
}

fn against<L: Library>(
    report: &mut Report,
    against: &str,
    bound: Bound,
    [seal, open]: [&mut dyn Case; 2],
) {
    let ours: [(&str, &mut dyn Case, _); 2] = [
        ("seal a message in pieces of 64 KiB", &mut seal_case(seal_pieces::<L>), seal),
        ("open a message in pieces of 64 KiB", &mut open_case(open_pieces::<L>), open),
    ];
    for (ours, pieces, theirs) in ours {
        let row = Row { goal: 16, ours, against, library: L::NAME, bound };
        report.speed(&row, Clock::Processor, Amount::Bytes(LENGTH), pieces, theirs);
    }
}

/// Sealing in place, again and again.
fn seal_case(seal: impl Fn(&mut [u8]) -> [u8; TAG]) -> impl Case {
    let mut message = vec![7; LENGTH];
    Prepared::new(|| (), move |()| seal(&mut message))
}

/// Opening of what was sealed at once.
fn open_case(open: impl Fn(&mut [u8], &[u8; TAG])) -> impl Case {
    let (mut body, mut tag) = (vec![7; LENGTH], [0; TAG]);
    RawAwsLc::new(&KEY).seal(NONCE, &mut body, &mut tag);
    Prepared::new(
        move || body.clone(),
        move |mut message| {
            open(&mut message, &tag);
            message
        },
    )
}

/// Both, by the library alone.
fn at_once<L: Library>(library: &L) -> (impl Case, impl Case) {
    let seal = seal_case(|message| {
        let mut tag = [0; TAG];
        library.seal(NONCE, message, &mut tag);
        tag
    });
    (seal, open_case(|message, tag| library.open(NONCE, message, tag)))
}

fn seal_pieces<L: Library>(message: &mut [u8]) -> [u8; TAG] {
    let mut encryptor = L::backend().message_encryptor(&KEY, &NONCE, &[]).unwrap();
    let mut tag = [0; TAG];
    message.chunks_mut(PIECE).for_each(|piece| encryptor.update(piece).unwrap());
    encryptor.finish(&mut tag).unwrap();
    tag
}

fn open_pieces<L: Library>(message: &mut [u8], tag: &[u8; TAG]) {
    let mut decryptor = L::backend().message_decryptor(&KEY, &NONCE, &[]).unwrap();
    message.chunks_mut(PIECE).for_each(|piece| decryptor.update(piece).unwrap());
    decryptor.finish(tag).unwrap();
}

/// CTR and GHASH of no particular key, which takes as long as under the right one. The tag is not made.
fn bare() -> (Ctr32BE<Aes256>, GHash) {
    (Ctr32BE::new(&KEY.into(), &[7; 16].into()), GHash::new(&Block::from([7; 16])))
}

fn bare_seal(message: &mut [u8]) -> [u8; TAG] {
    let (mut ctr, mut hash) = bare();
    for piece in message.chunks_mut(PIECE) {
        ctr.apply_keystream(piece);
        hash.update_padded(piece);
    }
    hash.finalize().into()
}

fn bare_open(message: &mut [u8], _: &[u8; TAG]) {
    let (mut ctr, mut hash) = bare();
    for piece in message.chunks_mut(PIECE) {
        hash.update_padded(piece);
        ctr.apply_keystream(piece);
    }
    std::hint::black_box(hash.finalize());
}
