//! What every [`Kms`] must do: [`KmsSubject::check`].

#![allow(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed check is a panic, as in any test"
)]

use object_cipher_core::{EncryptionContext, KeyErrorKind, Mode, SourceKey};
use object_cipher_kms::{
    Describe, Encrypt, Generate, KeyName, Kms, KmsCall, KmsResult, Rewrap, Unwrap, WrappedKey,
};

/// A [`Kms`] to be judged: any provider, against its real server or without one.
///
/// ```
/// use object_cipher_kms::{KeyName, LocalKms, Scope};
/// use object_cipher_rustcrypto::RustCrypto;
/// use object_cipher_testkit::kms_suite::KmsSubject;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = "1234abcd-12ab-34cd-56ef-1234567890ab:5hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=,\
///             00000000-12ab-34cd-56ef-1234567890ab:6hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=";
/// let kms = LocalKms::from_text(text, Scope::default(), RustCrypto)?;
/// let subject = KmsSubject {
///     kms: &kms,
///     key: KeyName::parse("1234abcd-12ab-34cd-56ef-1234567890ab")?,
///     other: KeyName::parse("00000000-12ab-34cd-56ef-1234567890ab")?,
///     missing: KeyName::parse("ffffffff-12ab-34cd-56ef-1234567890ab")?,
///     gaps: &[],
/// };
/// object_cipher_core::resolve_now(subject.check()).ok_or("never waits")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KmsSubject<'a> {
    /// The KMS.
    pub kms: &'a dyn Kms,
    /// A key that can be used.
    pub key: KeyName,
    /// Another key that can be used.
    pub other: KeyName,
    /// A name that no key has.
    pub missing: KeyName,
    /// Promises that an emulator is known to break, each by its function's name: they are skipped,
    /// and said to be.
    pub gaps: &'a [&'a str],
}

impl KmsSubject<'_> {
    /// Checks every promise but those of [`gaps`](Self::gaps).
    pub async fn check(&self) {
        macro_rules! promises {
            ($($promise:ident)*) => {
                $(if !self.skips(stringify!($promise)) {
                    self.$promise().await;
                })*
            };
        }
        promises! {
            a_data_key_comes_back_and_another_is_drawn_each_time
            a_key_of_the_callers_comes_back
            k2_another_context_is_refused
            k2_contexts_that_run_together_alike_are_different
            the_order_of_pairs_is_of_no_matter
            k1_an_altered_blob_is_refused
            a_cut_blob_is_refused
            a_blob_under_another_key_is_refused
            a_key_that_is_not_there_is_not_found
            a_rewrapped_key_comes_back
            a_name_means_the_key_that_wraps
            x3_a_dropped_call_spoils_nothing
        }
    }

    /// What was drawn and wrapped is opened.
    pub async fn a_data_key_comes_back_and_another_is_drawn_each_time(&self) {
        let context = pairs(&[("object", "a"), ("team", "r\u{f6}t")]);
        let (one, other) = (self.generate(&context).await, self.generate(&context).await);
        assert!(!one.0.is_same(&other.0), "two data keys are the same");
        assert_ne!(one.1.ciphertext(), other.1.ciphertext());
        for (key, wrapped) in [one, other] {
            let opened = self.unwrap(&wrapped, &context).await.unwrap();
            assert!(opened.is_same(&key), "another data key came back");
        }
        let nothing = EncryptionContext::new();
        let (key, wrapped) = self.generate(&nothing).await;
        assert!(self.unwrap(&wrapped, &nothing).await.unwrap().is_same(&key));
    }

    /// What the caller gave and the KMS wrapped is opened.
    pub async fn a_key_of_the_callers_comes_back(&self) {
        let bytes = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let (context, data_key) = (pairs(&[("object", "a")]), SourceKey::from_bytes(&bytes));
        let call = call();
        let rq = Encrypt { key: &self.key, data_key: &data_key, context: &context, call };
        let wrapped = self.kms.encrypt(rq).await.unwrap();
        assert!(self.unwrap(&wrapped, &context).await.unwrap().is_same(&data_key));
    }

    /// A pair more, less, or other, in key, value or case.
    pub async fn k2_another_context_is_refused(&self) {
        let (_, wrapped) = self.generate(&pairs(&[("bucket", "photos"), ("team", "red")])).await;
        let others: [&[(&str, &str)]; 7] = [
            &[],
            &[("bucket", "photos")],
            &[("bucket", "photos"), ("team", "red"), ("more", "")],
            &[("bucket", "photos"), ("team", "blue")],
            &[("bucket", "photos"), ("Team", "red")],
            &[("bucket", "photos"), ("team", "Red")],
            &[("team", "photos"), ("bucket", "red")],
        ];
        for other in others {
            self.refused(&wrapped, &pairs(other), &format!("{other:?}")).await;
        }
        let (_, bare) = self.generate(&EncryptionContext::new()).await;
        self.refused(&bare, &pairs(&[("bucket", "photos")]), "a pair where none was").await;
    }

    /// `{a:1,b:2}` is not `{a:"1b2"}`.
    pub async fn k2_contexts_that_run_together_alike_are_different(&self) {
        let (_, wrapped) = self.generate(&pairs(&[("a", "1"), ("b", "2")])).await;
        for other in [&[("a", "1b2")][..], &[("a1b", "2")], &[("a", "1"), ("b2", "")]] {
            self.refused(&wrapped, &pairs(other), &format!("{other:?}")).await;
        }
    }

    /// A context is a map.
    pub async fn the_order_of_pairs_is_of_no_matter(&self) {
        let (key, wrapped) = self.generate(&pairs(&[("b", "2"), ("a", "1")])).await;
        let opened = self.unwrap(&wrapped, &pairs(&[("a", "1"), ("b", "2")])).await;
        assert!(opened.unwrap().is_same(&key));
    }

    /// Any byte of the blob.
    pub async fn k1_an_altered_blob_is_refused(&self) {
        let context = pairs(&[("object", "a")]);
        let (_, wrapped) = self.generate(&context).await;
        let blob = wrapped.ciphertext();
        for at in 0..blob.len() {
            let mut altered = blob.to_vec();
            altered[at] ^= 1;
            self.refused(&with_blob(&wrapped, &altered), &context, &format!("byte {at}")).await;
        }
    }

    /// Any length of the blob but its own.
    pub async fn a_cut_blob_is_refused(&self) {
        let context = pairs(&[("object", "a")]);
        let (_, wrapped) = self.generate(&context).await;
        let blob = wrapped.ciphertext();
        for length in 1..blob.len() {
            let cut = with_blob(&wrapped, &blob[..length]);
            self.refused(&cut, &context, &format!("{length} bytes")).await;
        }
        let longer = [blob, b"\0"].concat();
        self.refused(&with_blob(&wrapped, &longer), &context, "a byte more").await;
    }

    /// A blob that is said to be under a key that did not wrap it.
    pub async fn a_blob_under_another_key_is_refused(&self) {
        let context = pairs(&[("object", "a")]);
        let (_, wrapped) = self.generate(&context).await;
        let rq = Generate { key: &self.other, context: &context, call: call() };
        let other = self.kms.generate(rq).await.unwrap().wrapped;
        assert_ne!(wrapped.id(), other.id(), "the subject's two keys are one");
        let moved = WrappedKey::stored(other.id().as_str(), wrapped.blob()).unwrap();
        let error = self.unwrap(&moved, &context).await.unwrap_err();
        let told = matches!(error.kind(), KeyErrorKind::WrongKey | KeyErrorKind::Integrity);
        assert!(told && !error.is_retryable(), "{error:?}");
    }

    /// Nothing makes a key but who asks for one to be made.
    pub async fn a_key_that_is_not_there_is_not_found(&self) {
        let context = EncryptionContext::new();
        let missing = &self.missing;
        let generated =
            self.kms.generate(Generate { key: missing, context: &context, call: call() }).await;
        let described = self.kms.describe(Describe { key: missing, call: call() }).await;
        for error in [generated.unwrap_err(), described.unwrap_err()] {
            assert_eq!(error.kind(), KeyErrorKind::NotFound, "{error:?}");
            assert!(!error.is_retryable());
        }
    }

    /// Rewrapped or not, the same data key comes back, under the same context only.
    pub async fn a_rewrapped_key_comes_back(&self) {
        let context = pairs(&[("object", "a")]);
        let (key, wrapped) = self.generate(&context).await;
        let rq = Unwrap { wrapped: &wrapped, context: &context, call: call() };
        let now = match self.kms.rewrap(rq).await.unwrap() {
            Rewrap::Unchanged => wrapped.clone(),
            Rewrap::Rewrapped(now) => now,
        };
        assert_eq!(now.id(), wrapped.id(), "it came under another key");
        assert!(self.unwrap(&now, &context).await.unwrap().is_same(&key));
        let other = pairs(&[("object", "b")]);
        self.refused(&now, &other, "rewrapped, another context").await;
        let rq = Unwrap { wrapped: &wrapped, context: &other, call: call() };
        let rewrapped = self.kms.rewrap(rq).await;
        assert!(
            matches!(rewrapped, Err(_) | Ok(Rewrap::Unchanged)),
            "rewrapped under another context"
        );
    }

    /// The id that describe tells is the one that stands with wrapped keys, and can be asked for.
    pub async fn a_name_means_the_key_that_wraps(&self) {
        let described = self.kms.describe(Describe { key: &self.key, call: call() }).await.unwrap();
        let context = pairs(&[("object", "a")]);
        let (key, wrapped) = self.generate(&context).await;
        assert_eq!(&described.id, wrapped.id());
        assert!(self.key.admits(wrapped.id()));
        let name = KeyName::from(wrapped.id());
        let rq = Generate { key: &name, context: &context, call: call() };
        assert_eq!(self.kms.generate(rq).await.unwrap().wrapped.id(), wrapped.id());
        let rq = Unwrap { wrapped: &wrapped, context: &context, call: call() };
        let opened = self.kms.unwrap(rq).await.unwrap();
        assert!(opened.key.is_same(&key));
        assert_eq!(&opened.id, wrapped.id(), "the KMS names another key than it stored");
    }

    /// A call that nobody waits for.
    pub async fn x3_a_dropped_call_spoils_nothing(&self) {
        let context = pairs(&[("object", "a")]);
        drop(self.kms.generate(Generate { key: &self.key, context: &context, call: call() }));
        let (key, wrapped) = self.generate(&context).await;
        let rq = Unwrap { wrapped: &wrapped, context: &context, call: call() };
        let mut dropped = self.kms.unwrap(rq);
        std::future::poll_fn(|cx| {
            let _ = dropped.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
        drop(dropped);
        assert!(self.unwrap(&wrapped, &context).await.unwrap().is_same(&key));
    }

    async fn generate(
        &self,
        context: &EncryptionContext,
    ) -> (std::sync::Arc<SourceKey>, WrappedKey) {
        let rq = Generate { key: &self.key, context, call: call() };
        let made = self.kms.generate(rq).await.unwrap();
        (made.key, made.wrapped)
    }

    async fn unwrap(
        &self,
        wrapped: &WrappedKey,
        context: &EncryptionContext,
    ) -> KmsResult<std::sync::Arc<SourceKey>> {
        let opened = self.kms.unwrap(Unwrap { wrapped, context, call: call() }).await?;
        Ok(opened.key)
    }

    /// Not opened, and not to be tried again.
    async fn refused(&self, wrapped: &WrappedKey, context: &EncryptionContext, what: &str) {
        match self.unwrap(wrapped, context).await {
            Ok(_) => panic!("{what}: opened"),
            Err(error) => assert!(!error.is_retryable(), "{what}: {error:?}"),
        }
    }

    fn skips(&self, promise: &str) -> bool {
        let skipped = self.gaps.contains(&promise);
        if skipped {
            println!("SKIPPED: {promise}: {} is known not to keep it", self.kms.provider());
        }
        skipped
    }
}

fn call() -> KmsCall<'static> {
    KmsCall::new(Mode::SseKms)
}

fn pairs(pairs: &[(&str, &str)]) -> EncryptionContext {
    let mut context = EncryptionContext::new();
    for (key, value) in pairs {
        context.insert(*key, *value).unwrap();
    }
    context
}

fn with_blob(wrapped: &WrappedKey, blob: &[u8]) -> WrappedKey {
    WrappedKey::new(wrapped.id().clone(), wrapped.version().unwrap_or_default(), blob).unwrap()
}
