//! Libraries that share no code: [`IndependentOf`].

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::CryptoBackend;
use object_cipher_rustcrypto::RustCrypto;

/// A library that shares no cryptographic code with another, so that a fault in one is none in the
/// other. DSSE-KMS takes no two others.
///
/// It is declared here, for libraries that were looked at, and nowhere else. A declaration that
/// contradicts the libraries' own [`Lineage`](object_cipher_core::Lineage) does not compile. What is
/// shared all the same is in `SECURITY.md`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` and `{Inner}` are not known to be independent cryptographic libraries",
    label = "the outer layer of DSSE-KMS needs another library than the inner",
    note = "take `AwsLc` for one layer and `RustCrypto` for the other"
)]
pub trait IndependentOf<Inner: CryptoBackend>: CryptoBackend + sealed::Declared {}

impl IndependentOf<RustCrypto> for AwsLc {}
impl IndependentOf<AwsLc> for RustCrypto {}

mod sealed {
    /// Keeps declarations in this crate.
    pub trait Declared {}
    impl Declared for super::AwsLc {}
    impl Declared for super::RustCrypto {}
}
