//! What every [`KeySource`] must do. [`key_source_tests!`](crate::key_source_tests) makes a test of
//! each function.

#![allow(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed check is a panic, as in any test"
)]

use object_cipher_core::{
    BoxFuture, EkSource, Error, FreshKey, KeyBlob, KeyRef, KeySource, MasterKeyRef, ObjectContext,
    Result, SourceKey,
};

use std::{
    sync::Arc,
    task::{Context, Waker},
};

use crate::{cx, now};

/// Makes a test of each promise in [`key_source_suite`](crate::key_source_suite), in a module of the
/// given name. The expression gives the source; it is evaluated for each test.
///
/// The futures are waited for on the test's own thread. A source that needs a runtime enters it in
/// the expression.
///
/// ```
/// use object_cipher_core::EkSource;
/// use object_cipher_testkit::{TestKeys, key_source_tests};
///
/// key_source_tests! {
///     my_kms: TestKeys::new(EkSource::Kms, [7; 32])
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! key_source_tests {
    ($($module:ident: $source:expr),+ $(,)?) => {
        $(mod $module {
            #[allow(unused_imports)]
            use super::*;

            $crate::key_source_tests! { @promises [$source]
                a_fresh_key_comes_back,
                a_kms_gives_another_key_each_time_and_a_kept_key_stays,
                a_renewed_key_comes_back,
                k1_an_altered_blob_is_refused,
                a_key_of_another_name_is_refused,
                a_key_of_another_kind_is_refused,
                a_dropped_call_spoils_nothing,
                z3_debug_output_of_a_fresh_key_hides_it,
            }
        })+
    };
    (@promises $source:tt $($promise:ident),+ $(,)?) => {
        $($crate::key_source_tests! { @promise $source $promise })+
    };
    (@promise [$source:expr] $promise:ident) => {
        #[test]
        fn $promise() {
            $crate::key_source_suite::$promise(&$source);
        }
    };
}

fn fresh(source: &dyn KeySource) -> FreshKey {
    now(source.fresh(&cx())).unwrap()
}

fn recover(source: &dyn KeySource, key_ref: &KeyRef, blob: &KeyBlob) -> Result<Arc<SourceKey>> {
    now(source.recover(&cx(), key_ref, blob))
}

fn refused(source: &dyn KeySource, key_ref: &KeyRef, blob: &KeyBlob) {
    match recover(source, key_ref, blob) {
        Err(Error::Key(_)) => {}
        Err(other) => panic!("not an error of a key source: {other}"),
        Ok(_) => panic!("must be refused"),
    }
}

fn asks_a_kms(key_ref: &KeyRef) -> bool {
    matches!(key_ref.source(), EkSource::Kms)
}

/// A fresh key comes back from its name and blob, as often as it is asked for.
pub fn a_fresh_key_comes_back(source: &dyn KeySource) {
    let keys = [fresh(source), fresh(source), fresh(source)];
    for _ in 0..2 {
        for key in &keys {
            let recovered = recover(source, &key.key_ref, &key.blob).unwrap();
            assert!(recovered.is_same(&key.key));
        }
    }
}

/// A KMS gives another data key each time; every other source keeps its key until it is rotated.
pub fn a_kms_gives_another_key_each_time_and_a_kept_key_stays(source: &dyn KeySource) {
    let (one, two) = (fresh(source), fresh(source));
    assert_eq!(one.key_ref, two.key_ref, "one name");
    if asks_a_kms(&one.key_ref) {
        assert!(!one.key.is_same(&two.key));
        assert_ne!(one.blob, two.blob);
    } else if one.key_ref.source() != EkSource::BucketKey {
        assert!(one.key.is_same(&two.key));
    }
}

/// A key that an upload completes under comes back like a fresh one.
pub fn a_renewed_key_comes_back(source: &dyn KeySource) {
    let first = fresh(source);
    if let Some(renewed) = now(source.renewed(&cx())).unwrap() {
        assert_eq!(renewed.key_ref.source(), first.key_ref.source(), "one kind of source");
        let recovered = recover(source, &renewed.key_ref, &renewed.blob).unwrap();
        assert!(recovered.is_same(&renewed.key));
    }
}

/// K1: no bit of a KMS's blob, and no other length of it, gives a key. The label of its version,
/// which is a hint, is left out; so is a client's blob, which may be anything.
pub fn k1_an_altered_blob_is_refused(source: &dyn KeySource) {
    let key = fresh(source);
    let Some((version, wrapped)) = key.blob.kms_parts() else { return };
    if matches!(key.key_ref, KeyRef::Client(_)) {
        return;
    }
    let judge = |wrapped: &[u8]| {
        refused(source, &key.key_ref, &KeyBlob::kms(version, wrapped).unwrap());
    };
    for at in 0..wrapped.len() {
        for bit in 0..8 {
            let mut altered = wrapped.to_vec();
            altered[at] ^= 1 << bit;
            judge(&altered);
        }
        judge(&wrapped[..at]);
    }
    judge(&[wrapped, &[0]].concat());
}

/// A key of another name is an error of its own, never another key.
pub fn a_key_of_another_name_is_refused(source: &dyn KeySource) {
    let key = fresh(source);
    let others = match &key.key_ref {
        KeyRef::Master(own) => {
            let mut check = *own.check();
            check[0] ^= 1;
            let of = |version, check| MasterKeyRef::new(own.keyring().clone(), version, check);
            vec![
                KeyRef::Master(of(own.version(), check)),
                KeyRef::Master(of(u32::MAX, *own.check())),
            ]
        }
        KeyRef::Kms(name) => vec![KeyRef::Kms(format!("{name}-other"))],
        KeyRef::BucketKey(name) => vec![KeyRef::BucketKey(format!("{name}-other"))],
        // What is sent with each request has no name, and a client's is its own affair.
        _ => vec![],
    };
    for other in others {
        refused(source, &other, &key.blob);
    }
}

/// A name of another kind of source is refused.
pub fn a_key_of_another_kind_is_refused(source: &dyn KeySource) {
    let key = fresh(source);
    let kinds = [
        KeyRef::Kms("name".into()),
        KeyRef::BucketKey("name".into()),
        KeyRef::Customer,
        KeyRef::Client("name".into()),
    ];
    for kind in kinds.iter().filter(|kind| kind.source() != key.key_ref.source()) {
        refused(source, kind, &key.blob);
    }
}

/// X3: a call that is dropped at any point while it waits leaves the source as it was.
pub fn a_dropped_call_spoils_nothing(source: &dyn KeySource) {
    let cx: ObjectContext<'_> = cx();
    let key = fresh(source);
    for polls in 0..8 {
        dropped_after(polls, source.fresh(&cx));
        dropped_after(polls, source.renewed(&cx));
        dropped_after(polls, source.recover(&cx, &key.key_ref, &key.blob));
        assert!(recover(source, &key.key_ref, &key.blob).unwrap().is_same(&key.key));
    }
    let another = fresh(source);
    assert!(recover(source, &another.key_ref, &another.blob).unwrap().is_same(&another.key));
}

/// Polls so many times, or until it is ready.
fn dropped_after<T>(polls: usize, mut future: BoxFuture<'_, T>) {
    let mut context = Context::from_waker(Waker::noop());
    let _ = (0..polls).any(|_| future.as_mut().poll(&mut context).is_ready());
}

/// Z3: a key does not show in debug output.
pub fn z3_debug_output_of_a_fresh_key_hides_it(source: &dyn KeySource) {
    let key = fresh(source);
    let shown = format!("{key:?} {key:#?}");
    let bytes = key.key.expose_bytes();
    let list = format!("{:?}", &bytes[..12]);
    for form in [hex::encode(bytes), hex::encode_upper(bytes), list[1..list.len() - 1].into()] {
        assert!(!shown.contains(&form));
    }
}
