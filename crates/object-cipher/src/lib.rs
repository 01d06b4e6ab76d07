//! Encrypt stored objects in the five ways of Amazon S3, in any storage engine.
//!
//! This crate is the facade over the workspace's crates: one feature a mode, a cryptographic
//! library, a source of keys or an adapter. It re-exports; it has no code of its own. The
//! [`guide`] shows how to embed it.
//!
//! | feature | gives |
//! |---|---|
//! | `aws-lc` | [`AwsLc`]: AWS-LC through aws-lc-rs. Needs a C compiler. The fastest where the processor has AES instructions |
//! | `aws-lc-sys` | `aws-lc`, and what aws-lc-rs does not offer: [`AwsLc`] is a [`MessageBackend`], which takes a long message piece by piece, and with `client` RSA-OAEP by SHA-256 with MGF1 by SHA-1 |
//! | `rustcrypto` | [`RustCrypto`]: pure Rust, `no_std`. Simplest to build, and cheap for small objects |
//! | `sse-s3` | [`SseS3`]: SSE-S3 under a master keyring |
//! | `sse-c` | [`SseC`]: SSE-C under the key that a request brings |
//! | `sse-kms` | [`SseKms`]: SSE-KMS under data keys or Bucket Keys of a KMS |
//! | `dsse-kms` | [`DsseKms`]: DSSE-KMS, two layers by two libraries |
//! | `client` | [`ClientSide`]: client-side encryption in our own format; [`client`] with the S3 Encryption Client's formats, for which [`AwsLc`] needs `aws-lc-sys` |
//! | `rsa` | `client`, and in it `client::s3ec::RsaKeyring`: raw RSA keys, by AWS-LC |
//! | `s3` | [`s3`]: how S3 speaks of encryption: headers, bucket defaults, errors |
//! | `keyring` | [`keyring`]: versioned master keys in one sealed file |
//! | `kms` | [`kms`]: the trait that KMS providers write, a local one, caches, retries, audit |
//! | `io` | [`io`]: `std::io` adapters |
//! | `tokio`, `stream`, `rayon` | [`io`] for tokio, for streams of `Bytes`, and over a thread pool; `tokio` also gives [`kms`] its timer |
//! | `object-store` | [`EncryptedStore`]: any `object_store` with encryption around it |
//! | `rekey`, `parquet` | `object-store`, and in it `rekey`: keys of whole stores changed by their records, by a list or an S3 Inventory (in Parquet, too) |
//!
//! No feature is on by default, and no feature changes what another does: with both libraries
//! linked, each cipher still uses the one that you name.
//!
//! **Which library?** Take `aws-lc` for a server on x86-64 or ARM; take `rustcrypto` where C is
//! not welcome. Both give the same bytes, so you can change your mind. DSSE-KMS takes both.
#![no_std]

pub mod guide;

#[cfg(feature = "aws-lc")]
pub use object_cipher_aws_lc::AwsLc;
#[cfg(feature = "client")]
pub use object_cipher_client::{self as client, ClientKeys, ClientSide};
pub use object_cipher_core::*;
#[cfg(feature = "dsse-kms")]
pub use object_cipher_dsse_kms::{DsseKms, IndependentOf};
#[cfg(feature = "io")]
pub use object_cipher_io as io;
#[cfg(feature = "keyring")]
pub use object_cipher_keyring as keyring;
#[cfg(feature = "kms")]
pub use object_cipher_kms as kms;
#[cfg(feature = "object-store")]
pub use object_cipher_object_store::{self as object_store, EncryptedStore};
#[cfg(feature = "rustcrypto")]
pub use object_cipher_rustcrypto::RustCrypto;
#[cfg(feature = "s3")]
pub use object_cipher_s3 as s3;
#[cfg(feature = "sse-c")]
pub use object_cipher_sse_c::{CustomerKeys, SseC};
#[cfg(feature = "sse-kms")]
pub use object_cipher_sse_kms::SseKms;
#[cfg(feature = "sse-s3")]
pub use object_cipher_sse_s3::{MasterKeys, SseS3};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
