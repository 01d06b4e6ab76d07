#![doc = include_str!("../README.md")]

mod master_keys;

pub use master_keys::MasterKeys;
