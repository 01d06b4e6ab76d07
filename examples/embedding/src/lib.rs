//! What the programs in `src/bin` share: an object in memory, the [`DrawerKms`] and the [`Drawn`]
//! library that the tests judge, and [`tiny`], which needs no operating system.
#![cfg_attr(any(target_family = "wasm", target_os = "none"), no_std)]

extern crate alloc;

pub mod tiny;

#[cfg(not(any(target_family = "wasm", target_os = "none")))]
mod custom_backend;
#[cfg(not(any(target_family = "wasm", target_os = "none")))]
mod custom_kms;
#[cfg(not(any(target_family = "wasm", target_os = "none")))]
mod host;

#[cfg(not(any(target_family = "wasm", target_os = "none")))]
pub use {
    custom_backend::Drawn,
    custom_kms::DrawerKms,
    host::{Object, Result, customer_headers, new_keyring},
};
