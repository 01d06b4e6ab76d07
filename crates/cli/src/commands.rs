//! One module a command.

mod cat;
mod demo;
mod inspect;
mod keyring;
mod open;
mod rewrap;
mod seal;
mod verify;

use crate::{
    args::{Cli, Command},
    error::Result,
};

/// Does what the command line says.
pub(crate) fn run(cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Demo => demo::run(cli.backend),
        Command::Keyring(command) => keyring::run(command, cli.backend),
        Command::Seal(args) => seal::run(args, cli.backend),
        Command::Open(args) => open::run(args, cli.backend),
        Command::Cat(args) => cat::run(args, cli.backend),
        Command::Inspect(args) => inspect::run(args),
        Command::Verify(args) => verify::run(args, cli.backend),
        Command::Rewrap(args) => rewrap::run(args, cli.backend),
    }
}
