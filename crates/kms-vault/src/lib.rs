#![doc = include_str!("../README.md")]

mod answer;
mod builder;
mod ciphertext;
mod client;
mod error;
mod key_check;
mod login;
mod path;
mod question;
mod refusal;
mod rewrap;
mod session;
mod token;
mod vault;

pub use builder::VaultBuilder;
pub use error::{Error, Result};
pub use login::Login;
pub use vault::VaultKms;
