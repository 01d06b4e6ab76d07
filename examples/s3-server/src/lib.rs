//! A real S3 endpoint, as the model of how to embed object-cipher in a storage engine.
//!
//! [`store`] keeps buckets, objects and uploads over any `object_store`; every body in it is sealed.

pub mod store;
