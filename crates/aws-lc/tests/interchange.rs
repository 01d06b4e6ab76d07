//! The two backends give the same bytes, and each opens what the other sealed.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Aes256Gcm, BackendError, CryptoBackend, Lineage,
    cobblestone::{open_message, seal_message},
};
use object_cipher_rustcrypto::RustCrypto;

const KEY: [u8; 32] = [0x42; 32];
const NONCE: [u8; 12] = [0x24; 12];

#[test]
fn the_lineages_are_independent() {
    const { assert!(!RustCrypto::LINEAGE.is_same(AwsLc::LINEAGE)) };
    assert_eq!(AwsLc::LINEAGE, Lineage::new("boringssl"));
    assert_eq!(RustCrypto::LINEAGE, Lineage::new("rustcrypto"));
}

#[test]
fn aes_gcm_agrees_at_every_length_and_alignment() -> Result<(), BackendError> {
    let lengths = (0..=4_096).chain(16_384 - 160..=16_384 + 160);
    lengths.zip((0..64).cycle()).try_for_each(|(length, offset)| agree(length, offset))
}

#[test]
fn aes_gcm_agrees_at_every_alignment_around_a_vector_register() -> Result<(), BackendError> {
    for length in [1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 16_384] {
        for offset in 0..64 {
            agree(length, offset)?;
        }
    }
    Ok(())
}

#[test]
fn hmac_and_hkdf_agree_at_every_key_length() {
    let key: Vec<u8> = (0..=255).cycle().take(300).collect();
    for length in 0..=key.len() {
        let (key, info) = key.split_at(length);
        let (mut one, mut two) = ([0; 64], [0; 64]);
        RustCrypto.hmac_sha512(key, &[info, key], &mut one).unwrap();
        AwsLc.hmac_sha512(key, &[info, key], &mut two).unwrap();
        assert_eq!(one, two, "a key of {length} bytes");

        let (mut one, mut two) = (vec![0; length + 1], vec![0; length + 1]);
        let expanded = RustCrypto.hkdf_expand_sha512(key, &[b"info", info], &mut one);
        assert_eq!(AwsLc.hkdf_expand_sha512(key, &[b"info", info], &mut two), expanded);
        assert_eq!(expanded.is_ok(), length <= 64);
        assert_eq!(one, two, "a pseudorandom key of {length} bytes");

        RustCrypto.hkdf_sha512(info, key, &[b"info"], &mut one).unwrap();
        AwsLc.hkdf_sha512(info, key, &[b"info"], &mut two).unwrap();
        assert_eq!(one, two, "a salt of {} bytes", info.len());
    }
}

#[test]
fn hashes_agree_at_every_length() {
    let data = [0x5a; 300];
    for length in 0..=data.len() {
        let (head, tail) = data.split_at(length);
        assert_eq!(RustCrypto.sha256(&[head]), AwsLc.sha256(&[head]));
        assert_eq!(RustCrypto.sha512(&[head, tail]), AwsLc.sha512(&[tail, head]));
    }
}

#[test]
fn each_opens_the_messages_of_the_other() {
    for length in [0, 1, 16, 1_000, 16_383] {
        let plaintext = vec![0xc3; length];
        let message = seal_message(&RustCrypto, &KEY, &[b"context"], &plaintext).unwrap();
        assert_eq!(*open_message(&AwsLc, &KEY, &[b"context"], &message).unwrap(), plaintext);
        let message = seal_message(&AwsLc, &KEY, &[b"context"], &plaintext).unwrap();
        assert_eq!(*open_message(&RustCrypto, &KEY, &[b"context"], &message).unwrap(), plaintext);
    }
}

#[cfg(feature = "sys")]
#[test]
fn each_decrypts_the_long_messages_of_the_other() {
    use object_cipher_core::MessageBackend;

    fn encrypted<B: MessageBackend>(
        backend: &B,
        plaintext: &[u8],
        cut: usize,
    ) -> (Vec<u8>, [u8; 16]) {
        let (mut body, mut tag) = (plaintext.to_vec(), [0; 16]);
        let mut encryptor = backend.message_encryptor(&KEY, &NONCE, b"aad").unwrap();
        encryptor.update(&mut body[..cut]).unwrap();
        encryptor.update(&mut body[cut..]).unwrap();
        encryptor.finish(&mut tag).unwrap();
        (body, tag)
    }

    fn decrypted<B: MessageBackend>(
        backend: &B,
        body: &[u8],
        tag: &[u8; 16],
        cut: usize,
    ) -> Vec<u8> {
        let mut plaintext = body.to_vec();
        let mut decryptor = backend.message_decryptor(&KEY, &NONCE, b"aad").unwrap();
        decryptor.update(&mut plaintext[..cut]).unwrap();
        decryptor.update(&mut plaintext[cut..]).unwrap();
        decryptor.finish(tag).unwrap();
        plaintext
    }

    for length in (0..=600).chain([8_191, 8_192, 8_193, 65_536, 100_000]) {
        let plaintext: Vec<u8> = (0..=250).cycle().take(length).collect();
        let (one_cut, other_cut) = (length / 3, length - length / 7);
        let (one, one_tag) = encrypted(&RustCrypto, &plaintext, one_cut);
        let (two, two_tag) = encrypted(&AwsLc, &plaintext, other_cut);
        assert!((&one, one_tag) == (&two, two_tag), "{length} bytes");
        assert!(decrypted(&AwsLc, &one, &one_tag, one_cut) == plaintext, "{length} bytes");
        assert!(decrypted(&RustCrypto, &two, &two_tag, other_cut) == plaintext, "{length} bytes");
    }
}

/// Seals with both at an offset into a 64-byte aligned buffer, and opens each with the other. The
/// associated data's length changes with the offset.
fn agree(length: usize, offset: usize) -> Result<(), BackendError> {
    let plaintext: Vec<u8> = (0..=250).cycle().take(length).collect();
    let aad = &plaintext[..length.min(offset)];
    let (one, one_tag) = sealed(&RustCrypto, &plaintext, aad, offset)?;
    let (two, two_tag) = sealed(&AwsLc, &plaintext, aad, offset)?;
    assert_eq!((&one, one_tag), (&two, two_tag), "{length} bytes at offset {offset}");
    for opened in [
        opened(&AwsLc, &one, aad, &one_tag, offset)?,
        opened(&RustCrypto, &two, aad, &two_tag, offset)?,
    ] {
        assert_eq!(opened, plaintext, "{length} bytes at offset {offset}");
    }
    Ok(())
}

fn sealed<B: CryptoBackend>(
    backend: &B,
    plaintext: &[u8],
    aad: &[u8],
    offset: usize,
) -> Result<(Vec<u8>, [u8; 16]), BackendError> {
    let aead = backend.aead(&KEY)?;
    let mut tag = [0; 16];
    let sealed = at_offset(plaintext, offset, |buf| aead.seal(&NONCE, aad, buf, &mut tag))?;
    Ok((sealed, tag))
}

fn opened<B: CryptoBackend>(
    backend: &B,
    sealed: &[u8],
    aad: &[u8],
    tag: &[u8; 16],
    offset: usize,
) -> Result<Vec<u8>, BackendError> {
    let aead = backend.aead(&KEY)?;
    at_offset(sealed, offset, |buf| aead.open(&NONCE, aad, buf, tag))
}

/// Works on a copy of `data` that begins `offset` bytes behind a 64-byte boundary, and returns it.
/// The bytes around it must stay as they are.
fn at_offset(
    data: &[u8],
    offset: usize,
    work: impl FnOnce(&mut [u8]) -> Result<(), BackendError>,
) -> Result<Vec<u8>, BackendError> {
    const AROUND: u8 = 0xee;
    let mut room = vec![AROUND; data.len() + 256];
    let start = room.as_ptr().align_offset(64) + 64 + offset;
    let (before, rest) = room.split_at_mut(start);
    let (buf, behind) = rest.split_at_mut(data.len());
    buf.copy_from_slice(data);
    work(buf)?;
    assert!(before.iter().chain(&*behind).all(|&byte| byte == AROUND), "wrote outside the buffer");
    Ok(buf.to_vec())
}
