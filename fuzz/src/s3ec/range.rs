//! Ranges that were fetched any way: where they give something, it is the content's, and never more.

use std::ops::Range;

use aes::{
    Aes256,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use arbitrary::{Arbitrary, Unstructured};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use object_cipher_client::{
    Result,
    s3ec::{
        CommitmentPolicy, DataKey, Description, EncryptedDataKey, KeyRequest, Keyring, Request,
        S3ec, UnauthenticatedOpener, WrapAlgorithm,
    },
};
use object_cipher_core::{BoxFuture, MAX_MESSAGE_LEN};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{fuzzing::plans::AnyRange, now, plaintext};

use super::header;

const KEY: [u8; 32] = [5; 32];
const IV: [u8; 16] = [6; 16];
const TAG_LEN: u64 = 16;

/// Has one key for all objects.
struct OneKey;

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    cbc: bool,
    length: u16,
    reads: Vec<Read<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Read<'a> {
    range: AnyRange,
    fetched: Fetched<'a>,
}

#[derive(Arbitrary, Debug)]
enum Fetched<'a> {
    /// As the opener says.
    Right,
    /// Bytes of the body, where they are said to be, or whole blocks, and perhaps a range that begins
    /// and ends about there.
    Slice { from: u16, to: u16, blocks: bool, about: Option<(u8, u8)> },
    /// Any bytes, said to be anywhere in an object of any length.
    Any { first: u64, stored_len: u64, bytes: &'a [u8] },
    /// The end of an object that is about as long as one can be.
    Far { less: u8, back: u8 },
}

/// Decrypts ranges of an object of AES-GCM or AES-CBC.
pub fn range(data: &[u8]) {
    let Ok(case) = Unstructured::new(data).arbitrary::<Case<'_>>() else { return };
    let content = plaintext((case.length % 512).into());
    let opener = opener(case.cbc);
    let body = body(case.cbc, &content);
    let stored_len = body.len() as u64;
    for Read { range: any, fetched } in case.reads.iter().take(16) {
        let near = any.near(stored_len + 32);
        let (range, selected) = near.of(content.len() as u64);
        match *fetched {
            Fetched::Right => {
                let fetch = UnauthenticatedOpener::fetch(&range).resolve(stored_len);
                let read = fetch.ok().and_then(|fetch| {
                    let mut bytes = body[of(&fetch)].to_vec();
                    let wanted = decrypt(&opener, &range, fetch.start, stored_len, &mut bytes)?;
                    Some(bytes[wanted].to_vec())
                });
                assert!(read.as_deref() == selected.map(|selected| &content[of(&selected)]));
            }
            Fetched::Slice { from, to, blocks, about } => {
                let unit = if blocks { 16 } else { 1 };
                let at = |at| usize::from(at) % (body.len() + 1) / unit * unit;
                let (from, to) = (at(from).min(at(to)), at(to));
                let about = about.map(|(start, end)| {
                    let start = from + usize::from(start % 48);
                    let end = (to + 32).saturating_sub((end % 64).into());
                    AnyRange::Bytes(start as u64, end as u64)
                });
                slice(&opener, about.as_ref().unwrap_or(&near), &content, &body, from..to);
            }
            Fetched::Any { first, stored_len, bytes } => {
                let (range, _) = any.of(stored_len);
                decrypt(&opener, &range, first, stored_len, &mut bytes.to_vec());
            }
            Fetched::Far { less, back } if !case.cbc => {
                let longest = MAX_MESSAGE_LEN + TAG_LEN;
                far(&opener, any, longest + 64 - u64::from(less), back);
            }
            Fetched::Far { .. } => {}
        }
    }
}

/// Of a part of the body comes what was in it, if anything.
fn slice(
    opener: &UnauthenticatedOpener,
    range: &AnyRange,
    content: &[u8],
    body: &[u8],
    fetched: Range<usize>,
) {
    let (range, selected) = range.of(content.len() as u64);
    let (first, stored_len) = (fetched.start as u64, body.len() as u64);
    let mut bytes = body[fetched].to_vec();
    if let Some(wanted) = decrypt(opener, &range, first, stored_len, &mut bytes) {
        let selected = selected.expect("nothing is given of nothing");
        assert!(bytes[wanted] == content[of(&selected)]);
    }
}

/// What is within the fetched bytes decrypts as AES does; zeros give the key stream.
fn far(opener: &UnauthenticatedOpener, range: &AnyRange, stored_len: u64, back: u8) {
    let length = stored_len - TAG_LEN;
    let range = match range.near(256) {
        AnyRange::Bytes(start, end) => AnyRange::Bytes(length - start, length - end),
        AnyRange::From(start) => AnyRange::From(length - start),
        other => other,
    };
    let first = stored_len - u64::from(back);
    let (range, selected) = range.of(length);
    let mut bytes = vec![0; back.into()];
    let wanted = decrypt(opener, &range, first, stored_len, &mut bytes);
    let there = selected.is_some_and(|selected| selected.start >= first.next_multiple_of(16));
    assert_eq!(wanted.is_some(), there && length <= MAX_MESSAGE_LEN);
    let Some(wanted) = wanted else { return };
    let cipher = Aes256::new(&KEY.into());
    for at in wanted {
        let offset = first + at as u64;
        let mut block = [&IV[..12], &[0; 4]].concat();
        let counter = u32::try_from(offset / 16 + 2).unwrap();
        block[12..].copy_from_slice(&counter.to_be_bytes());
        cipher.encrypt_block(block.as_mut_slice().try_into().unwrap());
        assert_eq!(bytes[at], block[usize::try_from(offset % 16).unwrap()]);
    }
}

/// What is given lies in what was fetched, and what fails is wiped.
fn decrypt(
    opener: &UnauthenticatedOpener,
    range: &object_cipher_core::ReadRange,
    first: u64,
    stored_len: u64,
    bytes: &mut [u8],
) -> Option<Range<usize>> {
    let wanted = opener.decrypt(range, first, stored_len, bytes).ok();
    match &wanted {
        Some(wanted) => assert!(wanted.start <= wanted.end && wanted.end <= bytes.len()),
        None => assert!(bytes.iter().all(|byte| *byte == 0), "wiped"),
    }
    wanted
}

fn of(range: &Range<u64>) -> Range<usize> {
    let at = |at| usize::try_from(at).unwrap();
    at(range.start)..at(range.end)
}

fn opener(cbc: bool) -> UnauthenticatedOpener {
    let iv = STANDARD.encode(if cbc { &IV[..] } else { &IV[..12] });
    let mut metadata =
        vec![("x-amz-iv", iv.as_str()), ("x-amz-key-v2", "a2V5"), ("x-amz-matdesc", "{}")];
    metadata.extend(match cbc {
        true => [("x-amz-wrap-alg", "AESWrap"), ("x-amz-cek-alg", "AES/CBC/PKCS5Padding")],
        false => [("x-amz-wrap-alg", "AES/GCM"), ("x-amz-cek-alg", "AES/GCM/NoPadding")],
    });
    metadata.extend((!cbc).then_some(("x-amz-tag-len", "128")));
    let header = header(&metadata, b"").unwrap();
    let client = S3ec::builder(OneKey, RustCrypto)
        .commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt)
        .enable_legacy_wrapping_algorithms()
        .enable_legacy_unauthenticated_modes()
        .build();
    let ranges = client.unauthenticated_ranges().unwrap();
    now(ranges.open(&header, &Request::default())).unwrap()
}

/// The stored body. The tag of AES-GCM is no matter here.
fn body(cbc: bool, content: &[u8]) -> Vec<u8> {
    if cbc {
        return cbc::Encryptor::<Aes256>::new(&KEY.into(), &IV.into())
            .encrypt_padded_vec::<Pkcs7>(content);
    }
    let cipher = Aes256::new(&KEY.into());
    let blocks = (2_u32..).zip(content.chunks(16)).flat_map(|(counter, block)| {
        let mut stream = [&IV[..12], &counter.to_be_bytes()].concat();
        cipher.encrypt_block(stream.as_mut_slice().try_into().unwrap());
        block.iter().zip(stream).map(|(byte, key)| byte ^ key).collect::<Vec<_>>()
    });
    blocks.chain([9; 16]).collect()
}

impl Keyring for OneKey {
    fn unwraps_by(&self, wrap: Option<WrapAlgorithm>, _: &Description) -> Option<WrapAlgorithm> {
        wrap
    }

    fn generate<'a>(
        &'a self,
        _: &'a KeyRequest<'a>,
    ) -> BoxFuture<'a, Result<(DataKey, EncryptedDataKey)>> {
        unreachable!("nothing is sealed")
    }

    fn unwrap<'a>(
        &'a self,
        _: &'a KeyRequest<'a>,
        _: WrapAlgorithm,
        _: &'a EncryptedDataKey,
    ) -> BoxFuture<'a, Result<DataKey>> {
        Box::pin(async { DataKey::from_slice(&KEY) })
    }
}
