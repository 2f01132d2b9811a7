//! The forms of a report, and the files that one more copy goes to.

use std::path::{Path, PathBuf};

use clap::{ColorChoice, ValueEnum};
use mpitrace::terminal;
use sim::report::{Subject, dot, github, html, json, junit, sarif, text};

use crate::failure::Failure;

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For continuous integration: JUnit XML
    Junit,
    /// A page for a browser
    Html,
    /// Who waits for whom, for Graphviz
    Dot,
    /// Annotations of GitHub Actions
    Github,
}

/// The report in this form. `file` is where it goes, if not to standard output.
pub fn render(format: Format, subject: &Subject, color: ColorChoice, file: Option<&Path>) -> String {
    match format {
        Format::Text => text::render(subject, &terminal::style(color, file.is_some())),
        Format::Json => json::render(subject),
        Format::Sarif => sarif::render(subject),
        Format::Junit => junit::render(subject),
        Format::Html => html::render(subject),
        Format::Dot => dot::render(subject),
        Format::Github => github::render(subject),
    }
}

/// A file to write the report to, in the form that its ending says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    path: PathBuf,
    format: Format,
}

/// The endings of file names, and the forms that they stand for.
const ENDINGS: [(&str, Format); 6] = [
    ("txt", Format::Text),
    ("json", Format::Json),
    ("sarif", Format::Sarif),
    ("xml", Format::Junit),
    ("html", Format::Html),
    ("dot", Format::Dot),
];

impl Export {
    /// Whether it is a page for a browser.
    pub fn is_page(&self) -> bool {
        self.format == Format::Html
    }

    /// Reads a file name.
    ///
    /// # Errors
    /// If its ending says no form.
    pub fn named(name: &str) -> Result<Export, String> {
        let path = PathBuf::from(name);
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        match ENDINGS.iter().find(|(known, _)| *known == ending) {
            Some(&(_, format)) => Ok(Export { path, format }),
            None => {
                let endings: Vec<String> = ENDINGS.iter().map(|(ending, _)| format!(".{ending}")).collect();
                Err(format!("its form is to be told by its ending, one of {}", endings.join(" ")))
            }
        }
    }

    /// Writes the report.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, subject: &Subject) -> Result<(), Failure> {
        let rendered = render(self.format, subject, ColorChoice::Never, Some(&self.path));
        let written = terminal::write(&rendered, Some(&self.path));
        written.map_err(|source| Failure::Output { path: Some(self.path.clone()), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_form() {
        let format = |name| Export::named(name).map(|export| export.format);
        assert_eq!(format("out/report.html"), Ok(Format::Html));
        assert_eq!(format("TEST.XML"), Ok(Format::Junit));
        assert_eq!(format("a.sarif"), Ok(Format::Sarif));
        for name in ["report", "report.pdf", ".json", ""] {
            assert!(format(name).is_err_and(|why| why.contains(".sarif .xml")), "{name}");
        }
    }
}
