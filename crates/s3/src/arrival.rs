//! How a request arrived: [`Arrival`].

/// How a request arrived, as far as encryption asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Whether nobody on the way can read it: TLS up to this host, or a proxy or loopback that the
    /// host vouches for. Customers' keys and KMS modes are refused otherwise.
    pub secure: bool,
    /// Whether AWS Signature Version 4 signs it. KMS modes are refused otherwise.
    pub signature_v4: bool,
}
