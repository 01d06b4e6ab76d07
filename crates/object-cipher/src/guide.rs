#![doc = include_str!("guide.md")]

#[doc = include_str!("guide/concepts.md")]
#[doc = include_str!("guide/key-ladder.svg")]
#[doc = ""]
#[doc = include_str!("guide/envelope.md")]
#[doc = include_str!("guide/envelope.svg")]
#[allow(clippy::doc_markdown, reason = "the words of a picture are no code")]
pub mod concepts {}

#[doc = include_str!("guide/choosing.md")]
pub mod choosing {}

#[doc = include_str!("guide/embedding.md")]
pub mod embedding {}

#[doc = include_str!("guide/ranges.md")]
#[doc = include_str!("guide/chunked-body.svg")]
pub mod ranges {}

#[doc = include_str!("guide/multipart.md")]
pub mod multipart {}

#[doc = include_str!("guide/speaking_s3.md")]
pub mod speaking_s3 {}

#[cfg(feature = "object-store")]
#[doc = include_str!("guide/object_store.md")]
pub mod object_store {}

#[doc = include_str!("guide/kms_setup.md")]
pub mod kms_setup {}

#[doc = include_str!("guide/outages.md")]
pub mod outages {}

#[doc = include_str!("guide/rotation.md")]
pub mod rotation {}

#[doc = include_str!("guide/migration.md")]
pub mod migration {}

#[doc = include_str!("guide/threat_model.md")]
pub mod threat_model {}

#[doc = include_str!("guide/faq.md")]
pub mod faq {}
