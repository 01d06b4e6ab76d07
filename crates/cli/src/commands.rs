//! One module a command.

mod cat;
mod demo;
mod dsse;
mod inspect;
mod keyring;
mod kms;
mod open;
mod rekey;
mod rewrap;
mod seal;
mod verify;

use crate::{
    args::{Cli, Command},
    error::Result,
};

/// Does what the command line says.
pub(crate) fn run(cli: &Cli) -> Result<()> {
    let global = cli.global;
    match &cli.command {
        Command::Demo => demo::run(global.backend),
        Command::Keyring(command) => keyring::run(command, global),
        Command::Kms(command) => kms::run(command, global),
        Command::Dsse(command) => dsse::run(command, global),
        Command::Seal(args) => seal::run(args, global),
        Command::Open(args) => open::run(args, global),
        Command::Cat(args) => cat::run(args, global),
        Command::Inspect(args) => inspect::run(args),
        Command::Verify(args) => verify::run(args, global),
        Command::Rewrap(args) => rewrap::run(args, global),
        Command::Rekey(command) => rekey::run(command, global),
    }
}
