//! `generate`, which both commands have: manual pages, and completion for shells, made from the same definitions as the help.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::{Args, Command, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::{exit, terminal};

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
        /// Write all the pages into this directory, which is made if there is none
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<PathBuf>,
    },
    /// A script that completes this command's arguments, to standard output
    Completion {
        /// The shell that it is for
        shell: Shell,
    },
}

/// Why nothing was generated.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
struct Error {
    path: PathBuf,
    source: io::Error,
}

/// Writes what was asked for about `command`.
#[must_use]
pub fn run(arguments: &Arguments, mut command: Command) -> ExitCode {
    let name = command.get_name().to_owned();
    let written = match &arguments.what {
        What::Man { directory: None } => {
            command.build();
            page(&command).and_then(|page| terminal::write(&page, None)).map_err(standard_output)
        }
        What::Man { directory: Some(directory) } => pages(command, directory),
        What::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command, &name, &mut script);
            terminal::write(&String::from_utf8_lossy(&script), None).map_err(standard_output)
        }
    };
    match written {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::from(exit::USAGE)
        }
    }
}

fn standard_output(source: io::Error) -> Error {
    Error { path: "standard output".into(), source }
}

/// A page for the command and each of its subcommands, in a directory that is made if there is none.
fn pages(command: Command, directory: &Path) -> Result<(), Error> {
    fn write(command: &Command, directory: &Path) -> Result<(), Error> {
        for subcommand in command.get_subcommands().filter(|s| !s.is_hide_set()) {
            write(subcommand, directory)?;
        }
        let path = directory.join(Man::new(command.clone()).get_filename());
        page(command).and_then(|page| fs::write(&path, page)).map_err(|source| Error { path, source })
    }
    fs::create_dir_all(directory).map_err(|source| Error { path: directory.to_owned(), source })?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    write(&command, directory)
}

/// A manual page. What stands behind the help keeps its columns: examples and exit codes are tables.
fn page(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone());
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    if command.get_arguments().any(|a| !a.is_hide_set()) {
        man.render_options_section(&mut out)?;
    }
    if command.get_subcommands().any(|s| !s.is_hide_set()) {
        man.render_subcommands_section(&mut out)?;
    }
    let mut page = String::from_utf8_lossy(&out).into_owned();
    if let Some(text) = command.get_after_long_help().or(command.get_after_help()) {
        page += &as_it_stands(&text.to_string());
    }
    if command.get_version().is_some() {
        let mut out = Vec::new();
        man.render_version_section(&mut out)?;
        page += &String::from_utf8_lossy(&out);
    }
    Ok(page)
}

/// Text in which each paragraph that begins with `Heading:` becomes a section, and its lines stay lines.
fn as_it_stands(text: &str) -> String {
    let mut page = String::new();
    let mut last = "";
    for paragraph in text.split("\n\n") {
        let (heading, body) = paragraph.split_once(":\n").unwrap_or(("Notes", paragraph));
        if heading == last {
            page += ".PP\n";
        } else {
            page += &format!(".SH {}\n", heading.to_uppercase().replace('`', ""));
        }
        // Lines without columns are better filled to the width of the reader.
        let keeps_lines = body.lines().any(|line| line.starts_with(' '));
        let (open, close) = if keeps_lines { (".nf\n", ".fi\n") } else { ("", "") };
        let body: String = body.lines().map(|line| escaped(line) + "\n").collect();
        page += &format!("{open}{body}{close}");
        last = heading;
    }
    page
}

/// A line that roff prints as it is.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_their_columns() {
        let text = "Examples:\n  app --fast   quickly\n\nIt is 'good'.\n\nIt is.";
        let expected = ".SH EXAMPLES\n.nf\n  app \\-\\-fast   quickly\n.fi\n.SH NOTES\nIt is 'good'.\n.PP\nIt is.\n";
        assert_eq!(as_it_stands(text), expected);
        assert_eq!(escaped(".app"), "\\&.app");
    }
}
