//! Straight over the library's C interface, for what `aws-lc-rs` does not offer. The only unsafe code
//! of this workspace's crates.
//!
//! Each pointer has one owner, which frees it on drop; none leaves this module.

mod message;
mod oaep;

pub use oaep::OaepSha256Mgf1Sha1Key;
