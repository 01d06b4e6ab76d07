//! What can go wrong while a client is set up: [`Error`].

/// The result of setting up a client.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a client could not be set up. What a server answers is a
/// [`KeyError`](object_cipher_core::KeyError).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not the address of a server.
    #[error("the address of a server is like https://vault.example:8200")]
    Address,
    /// Tokens and data keys do not travel in clear.
    #[error("plain http is for loopback addresses only")]
    PlainHttp,
    /// Nothing to judge the server's certificate by.
    #[error("https needs the roots that the server's certificate is judged by")]
    RootsMissing,
    /// The roots are not what they should be.
    #[error("the roots are not certificates in PEM")]
    Roots,
    /// Not the path of an engine, a login method or a namespace.
    #[error("{0:?} is not a path: words of A-Z a-z 0-9 _ . - with slashes between them")]
    Path(String),
    /// The TLS library failed.
    #[error("TLS: {0}")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}
