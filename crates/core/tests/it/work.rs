//! What an object costs in keys, derivations and randomness: what the format asks for and no more.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, CryptoBackend, EkSource, LayeredCipher, ObjectCipher, ReadRange,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{KeptKey, StoredObject, TestKeys, Watched, cx, plaintext};

/// What a backend did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Work {
    draws: u64,
    macs: u64,
    expands: u64,
    key_setups: u64,
    seals: u64,
    opens: u64,
}

impl Work {
    fn so_far<B: CryptoBackend>(backend: &Watched<B>) -> Self {
        let watch = backend.watch();
        Self {
            draws: watch.draws(),
            macs: watch.macs(),
            expands: watch.expands(),
            key_setups: watch.key_setups(),
            seals: watch.seals(),
            opens: watch.opens(),
        }
    }

    /// What `act` added.
    fn of<B: CryptoBackend, T>(backend: &Watched<B>, act: impl FnOnce() -> T) -> (Self, T) {
        let before = Self::so_far(backend);
        let result = act();
        let after = Self::so_far(backend);
        let work = Self {
            draws: after.draws - before.draws,
            macs: after.macs - before.macs,
            expands: after.expands - before.expands,
            key_setups: after.key_setups - before.key_setups,
            seals: after.seals - before.seals,
            opens: after.opens - before.opens,
        };
        (work, result)
    }
}

/// Body, info and wrap: a derivation and a key set-up each.
const MESSAGES: Work = Work { draws: 0, macs: 0, expands: 3, key_setups: 3, seals: 0, opens: 0 };
const SEALED: Work = Work { draws: 1, seals: 3, ..MESSAGES };
const OPENED: Work = Work { opens: 3, ..MESSAGES };

fn seal(cipher: &dyn ObjectCipher, length: usize) -> StoredObject {
    StoredObject::seal(cipher, &cx(), &plaintext(length), &Attributes::default()).unwrap()
}

fn read(cipher: &dyn ObjectCipher, stored: &StoredObject) -> Vec<u8> {
    stored.read(cipher, &cx(), &ReadRange::Whole).unwrap()
}

#[test]
fn a_small_object_under_a_kept_key_costs_one_draw_and_a_derivation_a_message() {
    let backend = Watched::new(AwsLc);
    let cipher = LayeredCipher::sse_s3(KeptKey::new(&[7; 32], [1; 8]), backend.clone());
    seal(&cipher, 1);
    for length in [0, 5, 1_024] {
        let (work, stored) = Work::of(&backend, || seal(&cipher, length));
        assert_eq!(work, SEALED);
        let (work, content) = Work::of(&backend, || read(&cipher, &stored));
        assert_eq!(work, OPENED);
        assert_eq!(content, plaintext(length));
    }
}

#[test]
fn a_key_that_is_loaded_anew_costs_one_extraction_and_expansion_more() {
    let backend = Watched::new(RustCrypto);
    let cipher = LayeredCipher::sse_c(TestKeys::new(EkSource::Customer, [7; 32]), backend.clone());
    let (work, stored) = Work::of(&backend, || seal(&cipher, 5));
    assert_eq!(work, Work { macs: 1, expands: 4, ..SEALED });
    let (work, _) = Work::of(&backend, || read(&cipher, &stored));
    assert_eq!(work, Work { macs: 1, expands: 4, ..OPENED });
}

#[test]
fn a_long_body_costs_the_derivations_and_key_set_ups_of_a_short_one() {
    let backend = Watched::new(AwsLc);
    let cipher = LayeredCipher::sse_s3(KeptKey::new(&[7; 32], [1; 8]), backend.clone());
    seal(&cipher, 1);
    // Three full chunks and a short one.
    let (work, stored) = Work::of(&backend, || seal(&cipher, 50_000));
    assert_eq!(work, Work { seals: 6, ..SEALED });
    let (work, _) = Work::of(&backend, || read(&cipher, &stored));
    assert_eq!(work, Work { opens: 6, ..OPENED });
}

#[test]
fn ranges_of_an_opened_object_share_one_derivation_and_key_set_up() {
    let backend = Watched::new(AwsLc);
    let cipher = LayeredCipher::sse_s3(KeptKey::new(&[7; 32], [1; 8]), backend.clone());
    let stored = seal(&cipher, 50_000);
    let (work, ()) = Work::of(&backend, || {
        let opener = stored.open(&cipher, &cx()).unwrap();
        for start in [0, 20_000, 40_000] {
            let plan = opener.plan(&ReadRange::Bytes(start..start + 9)).unwrap();
            opener.open_segment(plan.body().unwrap()).unwrap();
        }
    });
    assert_eq!(work, Work { opens: 2, ..MESSAGES });
}

#[test]
fn two_layers_cost_each_library_what_one_layer_costs() {
    let (inner, outer) = (Watched::new(AwsLc), Watched::new(RustCrypto));
    let keys = TestKeys::new(EkSource::Kms, [7; 32]);
    let cipher = LayeredCipher::dsse_kms(keys, inner.clone(), outer.clone());
    let stored = seal(&cipher, 5);
    let sealed = Work { macs: 1, expands: 4, ..SEALED };
    assert_eq!([Work::so_far(&inner), Work::so_far(&outer)], [sealed; 2]);
    let opened = Work { macs: 1, expands: 4, ..OPENED };
    let (work, (outer_work, _)) = Work::of(&inner, || Work::of(&outer, || read(&cipher, &stored)));
    assert_eq!([work, outer_work], [opened; 2]);
}
