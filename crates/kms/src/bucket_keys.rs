//! Keys of buckets, from which objects' wraps come without a call: [`BucketKeys`].

use std::{fmt, sync::Arc, time::Duration};

use object_cipher_core::EncryptionContext;

use crate::{
    ARN_PAIR, DataKey, Generate, KeyName, Kms, KmsCall, KmsResult, Timer,
    table::{Failure, Limits, Table},
    timeout::{in_time, is_late},
};

/// Bucket Keys: data keys of a KMS that serve a bucket for a while, so that most objects are written
/// without a call.
///
/// One serves one bucket, one KMS key, one principal, so that the KMS's log names each principal at
/// least once, as with Amazon S3. Its context is the bucket's ARN alone; the object's own context is
/// bound by the object's wrap. It opens through [`Kms::unwrap`], where the caches are.
pub struct BucketKeys {
    kms: Arc<dyn Kms>,
    timer: Arc<dyn Timer>,
    keys: Table<Scope, DataKey>,
}

/// How long Bucket Keys serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketKeyPolicy {
    /// A Bucket Key serves new objects so long. Zero, and each object asks the KMS.
    pub age: Duration,
    /// And so many of them.
    pub uses: u64,
    /// So many serve at once.
    pub entries: usize,
}

/// What a Bucket Key serves.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Scope {
    realm: Vec<u8>,
    bucket_arn: String,
    key: KeyName,
    principal: Option<String>,
}

impl Default for BucketKeyPolicy {
    /// Five minutes, 2^20 objects.
    fn default() -> Self {
        Self { age: Duration::from_secs(5 * 60), uses: 1 << 20, entries: 4_096 }
    }
}

impl BucketKeys {
    /// Bucket Keys of a KMS.
    pub fn new(kms: Arc<dyn Kms>, timer: Arc<dyn Timer>, policy: BucketKeyPolicy) -> Self {
        let BucketKeyPolicy { age, uses, entries } = policy;
        let limits = Limits { age, grace: Duration::ZERO, uses, entries };
        Self { kms, timer, keys: Table::new(limits) }
    }

    /// The Bucket Key for new objects of a realm's bucket under a KMS key: one call of the KMS, and then none
    /// while it serves.
    ///
    /// # Errors
    /// The KMS's.
    pub async fn get(
        &self,
        realm: &[u8],
        bucket_arn: &str,
        key: &KeyName,
        call: &KmsCall<'_>,
    ) -> KmsResult<DataKey> {
        let scope = Scope {
            realm: realm.to_vec(),
            bucket_arn: bucket_arn.to_owned(),
            key: key.clone(),
            principal: call.principal.map(str::to_owned),
        };
        let context = bucket_context(bucket_arn)?;
        let call = KmsCall { bucket_key: true, ..call.clone() };
        let fetch = || self.kms.generate(Generate { key, context: &context, call: call.clone() });
        if self.keys.keeps_nothing() {
            return fetch().await;
        }
        let judge = |_: &_| if is_late(&call) { Failure::Own } else { Failure::Answer };
        let served = Box::pin(self.keys.get(&scope, &*self.timer, judge, fetch));
        Ok(in_time(&*self.timer, self.kms.provider(), &call, served).await?.value)
    }

    /// Forgets all: the next object of each bucket asks the KMS.
    pub fn flush(&self) {
        self.keys.flush();
    }

    /// Forgets Bucket Keys that are over their age. A host that has quiet hours calls it now and then:
    /// otherwise what nobody asks for stays until room is needed.
    pub fn expire(&self) {
        self.keys.expire(self.timer.now());
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a Bucket Key is bound to at the KMS.
///
/// # Errors
/// [`KeyErrorKind::Invalid`](object_cipher_core::KeyErrorKind::Invalid) for a name that no context
/// can hold.
pub fn bucket_context(bucket_arn: &str) -> KmsResult<EncryptionContext> {
    let mut context = EncryptionContext::new();
    let added = context.insert_reserved(ARN_PAIR, bucket_arn);
    added.map_err(|error| {
        let kind = object_cipher_core::KeyErrorKind::Invalid;
        object_cipher_core::KeyError::new(kind, format!("encryption context: {error}"))
    })?;
    Ok(context)
}

impl fmt::Debug for BucketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketKeys").field("provider", &self.kms.provider()).finish_non_exhaustive()
    }
}
