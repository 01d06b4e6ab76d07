//! HMAC-SHA-512, and HKDF-Expand built on it.
//!
//! The crate `hkdf` takes no pseudorandom key shorter than a hash; Cobblestone-256 has one of 32
//! bytes.

use hmac::{Hmac, KeyInit, Mac, digest::FixedOutput};
use object_cipher_core::BackendError;
use sha2::Sha512;
use zeroize::zeroize_bytes;

type HmacSha512 = Hmac<Sha512>;

/// Bytes of a SHA-512 hash.
const HASH_LEN: usize = 64;
/// HKDF counts its blocks in one byte.
const MAX_BLOCKS: usize = 255;

pub(crate) fn hmac_sha512(
    key: &[u8],
    data: &[&[u8]],
    mac: &mut [u8; HASH_LEN],
) -> Result<(), BackendError> {
    // A key of any length is taken, so this does not fail.
    let Ok(mut keyed) = HmacSha512::new_from_slice(key) else {
        return Err(BackendError::Unavailable);
    };
    for piece in data {
        keyed.update(piece);
    }
    keyed.finalize_into(mac.into());
    Ok(())
}

pub(crate) fn hkdf_expand_sha512(
    prk: &[u8],
    info: &[&[u8]],
    okm: &mut [u8],
) -> Result<(), BackendError> {
    if prk.len() > HASH_LEN || okm.len() > MAX_BLOCKS * HASH_LEN {
        return Err(BackendError::Refused);
    }
    let Ok(keyed) = HmacSha512::new_from_slice(prk) else {
        return Err(BackendError::Unavailable);
    };
    // What a block is the MAC of, in one piece: the block before it, the info, its number.
    let mut input = [&[0; HASH_LEN][..], &info.concat(), &[0]].concat();
    let number = input.len() - 1;
    let mut block = [0; HASH_LEN];
    for (counter, out) in (1..=u8::MAX).zip(okm.chunks_mut(HASH_LEN)) {
        input[number] = counter;
        let mut mac = keyed.clone();
        mac.update(if counter == 1 { &input[HASH_LEN..] } else { &input });
        mac.finalize_into((&mut block).into());
        input[..HASH_LEN].copy_from_slice(&block);
        out.copy_from_slice(&block[..out.len()]);
    }
    zeroize_bytes(&mut input);
    zeroize_bytes(&mut block);
    Ok(())
}
