//! The language of S3 over a [`Store`]: [`Front`], with s3s as the host.
//!
//! s3s parses and signs; what it knows of encryption is not used. Every operation gives its raw
//! headers to the crate `object-cipher-s3`, makes the `ObjectCipher` that comes out of it, and hands
//! it to the store. What S3 answers is object-cipher's own [`Answer`](object_cipher_s3::Answer),
//! which the [outer layer](service) writes in full.

mod access;
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
mod policy;
mod ranges;
mod request_cipher;
pub mod service;
mod signature;
mod upload_lists;
mod uploads;

use std::sync::Arc;

use object_cipher_keyring::VersionedKeys;
use object_cipher_s3::{Arrival, BucketEncryption, Profile, UpdateScope};
use s3s::S3Request;

use crate::{
    key_service::KeyService,
    store::{BucketName, ObjectKey, Store},
};
use error::{Refusal, Result};

/// Under which a bucket's settings hold its encryption.
const ENCRYPTION: &str = "encryption";

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
    /// The keys of SSE-KMS, if there are any.
    pub key_service: Option<KeyService>,
    /// Whose behaviour is shown.
    pub profile: Profile,
    /// Whether clients come over TLS.
    pub tls: bool,
    /// Whether nobody on the way can read plain HTTP.
    pub allow_http: bool,
    /// What a new bucket does with objects.
    pub new_bucket: BucketEncryption,
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

    /// How a request arrived. Forms may be signed by Version 2, which tells no region; Ceph's suite
    /// signs those so that ask for a KMS key.
    fn arrival<T>(&self, request: &S3Request<T>) -> Arrival {
        let Shared { tls, allow_http, profile, .. } = &*self.shared;
        let signature_v4 = match profile {
            Profile::Ceph => request.credentials.is_some(),
            _ => request.region.is_some(),
        };
        Arrival { secure: *tls || *allow_http, signature_v4 }
    }

    /// What a bucket does with new objects.
    async fn bucket_encryption(&self, bucket: &BucketName) -> Result<BucketEncryption> {
        let record = self.store().bucket(bucket).await?;
        match record.settings.get(ENCRYPTION).and_then(serde_json::Value::as_str) {
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
