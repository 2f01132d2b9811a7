//! `generate`, which both commands have: manual pages, and completion for shells, made from the same definitions as the help.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command, Subcommand};
use clap_complete::Shell;

use crate::exit;

/// Write manual pages, or completion for a shell
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The manual page, to standard output; with --directory one page a subcommand
    Man {
        /// Write all the pages into this directory
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<PathBuf>,
    },
    /// A script that completes this command's arguments, to standard output
    Completion {
        /// The shell that it is for
        shell: Shell,
    },
}

/// Writes what was asked for about `command`.
#[must_use]
pub fn run(arguments: &Arguments, mut command: Command) -> ExitCode {
    let name = command.get_name().to_owned();
    let written = match &arguments.what {
        What::Man { directory: None } => clap_mangen::Man::new(command).render(&mut io::stdout()),
        What::Man { directory: Some(directory) } => clap_mangen::generate_to(command, directory),
        What::Completion { shell } => {
            clap_complete::generate(*shell, &mut command, &name, &mut io::stdout());
            Ok(())
        }
    };
    match written {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        // Who reads may stop to: `mpitrace generate man | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::from(exit::UNREADABLE)
        }
    }
}
