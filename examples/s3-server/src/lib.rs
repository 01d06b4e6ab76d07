//! A real S3 endpoint, as the model of how to embed object-cipher in a storage engine.
//!
//! [`store`] keeps buckets, objects and uploads over any `object_store`; every body in it is sealed.
//! [`front`] speaks S3 over it, with s3s as the host. [`start`] puts both together.

pub mod args;
pub mod front;
pub mod key_service;
mod library;
pub mod start;
pub mod store;
