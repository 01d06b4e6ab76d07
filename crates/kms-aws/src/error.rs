//! Why AWS KMS could not be set up: [`Error`].

/// The result of setting up.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why AWS KMS could not be set up. What it answers is a
/// [`KeyError`](object_cipher_core::KeyError).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A region has letters, digits and hyphens.
    #[error("{0:?} is no region: it has letters, digits and hyphens, such as eu-central-1")]
    Region(String),
    /// Data keys travel in clear inside TLS, so an endpoint without it is refused.
    #[error("an endpoint is a URL of https, or of http on this machine")]
    Endpoint,
}
