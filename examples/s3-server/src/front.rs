//! The language of S3 over a [`Store`]: [`Front`], with s3s as the host.
//!
//! s3s parses and signs; what it knows of encryption is not used. Every operation gives its raw
//! headers to the crate `object-cipher-s3`, makes the `ObjectCipher` that comes out of it, and hands
//! it to the store. What S3 answers is object-cipher's own [`Answer`](object_cipher_s3::Answer),
//! which the [outer layer](service) writes in full.

mod attributes;
mod buckets;
mod conditions;
mod copies;
mod digests;
mod encryption;
mod encryption_route;
mod error;
mod forms;
mod lists;
mod metadata;
mod objects;
mod operations;
mod ranges;
pub mod service;
mod uploads;

use std::sync::Arc;

use object_cipher_keyring::VersionedKeys;
use object_cipher_s3::{Arrival, BucketEncryption, Profile, UpdateScope};

use crate::store::{BucketName, ObjectKey, Store};
use error::{Refusal, Result};

/// What the server is asked through. Clones are the same.
#[derive(Clone)]
pub struct Front {
    shared: Arc<Shared>,
}

/// What a front is made of.
pub struct Shared {
    /// Where everything is kept.
    pub store: Store,
    /// The keys of SSE-S3.
    pub keyring: Arc<dyn VersionedKeys>,
    /// Whose behaviour is shown.
    pub profile: Profile,
    /// Whether nobody on the way can read requests.
    pub secure: bool,
    /// Between which modes an object's encryption may be updated.
    pub update_scope: UpdateScope,
}

impl Front {
    /// A front.
    pub fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    fn store(&self) -> &Store {
        &self.shared.store
    }

    fn profile(&self) -> Profile {
        self.shared.profile
    }

    /// How a request arrived. s3s takes nothing but Signature Version 4, but for forms.
    fn arrival(&self) -> Arrival {
        Arrival { secure: self.shared.secure, signature_v4: true }
    }

    /// What a bucket does with new objects.
    async fn bucket_encryption(&self, bucket: &BucketName) -> Result<BucketEncryption> {
        let record = self.store().bucket(bucket).await?;
        match record.settings.get("encryption").and_then(serde_json::Value::as_str) {
            Some(json) => Ok(BucketEncryption::from_json(json)?),
            None => Ok(BucketEncryption::unset()),
        }
    }
}

fn bucket_name(name: &str) -> Result<BucketName> {
    // A name that no bucket can have is one that no bucket has.
    BucketName::parse(name).map_err(|_| Refusal::from(crate::store::Error::NoSuchBucket))
}

fn object_key(key: &str) -> Result<ObjectKey> {
    Ok(ObjectKey::parse(key)?)
}
