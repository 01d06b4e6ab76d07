//! What layers over a [`Kms`](crate::Kms) have in common: [`About`].

use object_cipher_core::EncryptionContext;

use crate::KmsCall;

/// What a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A new data key.
    Generate,
    /// A wrapped data key.
    Unwrap,
    /// A data key wrapped anew.
    Rewrap,
    /// What a name means.
    Describe,
    /// To wrap a data key of the caller's.
    Encrypt,
}

/// A call, as layers see it that treat all calls alike.
pub(crate) struct About<'a> {
    pub(crate) operation: Operation,
    /// The key as it was named, or as it is stored.
    pub(crate) key: &'a str,
    pub(crate) context: Option<&'a EncryptionContext>,
    pub(crate) call: KmsCall<'a>,
}

impl Operation {
    /// The name that AWS KMS has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "GenerateDataKey",
            Self::Unwrap => "Decrypt",
            Self::Rewrap => "ReEncrypt",
            Self::Describe => "DescribeKey",
            Self::Encrypt => "Encrypt",
        }
    }
}

/// Implements `Kms` for a layer that has `inner`, and a method `around` that is given what the call
/// is about and a function that makes it.
macro_rules! kms_layer {
    ($layer:ident) => {
        impl<K: $crate::Kms> $crate::Kms for $layer<K> {
            fn provider(&self) -> &str {
                self.inner.provider()
            }

            fn provider_of(&self, key: &str) -> &str {
                self.inner.provider_of(key)
            }

            fn capabilities(&self) -> $crate::Capabilities {
                self.inner.capabilities()
            }

            $crate::layer::kms_layer! { @calls
                generate(Generate) -> DataKey, Generate, rq => rq.key.as_str(), Some(rq.context);
                unwrap(Unwrap) -> Unwrapped, Unwrap, rq => rq.wrapped.id().as_str(), Some(rq.context);
                rewrap(Unwrap) -> Rewrap, Rewrap, rq => rq.wrapped.id().as_str(), Some(rq.context);
                describe(Describe) -> KeyInfo, Describe, rq => rq.key.as_str(), None;
                encrypt(Encrypt) -> WrappedKey, Encrypt, rq => rq.key.as_str(), Some(rq.context);
            }
        }
    };
    (@calls $($method:ident($request:ident) -> $answer:ident, $operation:ident,
        $rq:ident => $key:expr, $context:expr;)+) => {
        $(fn $method<'a>(
            &'a self,
            $rq: $crate::$request<'a>,
        ) -> object_cipher_core::BoxFuture<'a, $crate::KmsResult<$crate::$answer>> {
            let about = $crate::layer::About {
                operation: $crate::Operation::$operation,
                key: $key,
                context: $context,
                call: $rq.call.clone(),
            };
            let make = move |call| self.inner.$method($crate::$request { call, ..$rq.clone() });
            Box::pin(self.around(about, make))
        })+
    };
}

pub(crate) use kms_layer;
