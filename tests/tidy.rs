//! Rules for the sources themselves: each says what it is for, is short, and is unsafe only where it has to be.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// Longer files have more than one purpose.
const MAX_LINES: usize = 700;

/// Where `unsafe` is allowed, and how often: a wrapper around a C function cannot be without it.
const UNSAFE_PLACES: [(&str, usize); 4] =
    [("recorder/preload/", usize::MAX), ("traces/src/", 1), ("src/bin/mpitrace/broken_pipes.rs", 1), ("tests/programs/rust/", 2)];

/// Names that say nothing of what is in a file.
const EMPTY_NAMES: [&str; 6] = ["common", "helper", "helpers", "misc", "util", "utils"];

/// Every Rust file of the project with its text, by its path from the root.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut directories = vec![root.to_owned()];
    let mut sources = Vec::new();
    while let Some(directory) = directories.pop() {
        for path in entries(&directory) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    directories.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source is text");
                sources.push((path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned(), text));
            }
        }
    }
    assert!(sources.iter().any(|(path, _)| path == "tests/tidy.rs"), "this very file is among them");
    sources
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).expect("a directory of sources can be read").flatten().map(|entry| entry.path()).collect()
}

/// The lines of code, without what is only a comment.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources() {
        let first = text.lines().find(|line| !line.is_empty() && !line.starts_with("#!")).unwrap_or_default();
        assert!(first.starts_with("//!") || first.starts_with("/*!"), "{path} begins with {first:?}, not with what it is for");
    }
}

#[test]
fn no_file_is_long() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{path} has {lines} lines, more than {MAX_LINES}: divide it by purpose");
    }
}

#[test]
fn no_file_has_an_empty_name() {
    for (path, _) in sources() {
        let is_empty = Path::new(&path).with_extension("").iter().any(|part| EMPTY_NAMES.iter().any(|name| part == *name));
        assert!(!is_empty, "{path}: the name does not say what is in it");
    }
}

#[test]
fn unsafe_is_where_it_has_to_be() {
    let opening = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "#[unsafe("];
    let mut counts = [0; UNSAFE_PLACES.len()];
    for (path, text) in sources().iter().filter(|(path, _)| path != "tests/tidy.rs") {
        let found = code(text).filter(|line| opening.iter().any(|o| line.contains(o))).count();
        match UNSAFE_PLACES.iter().position(|(place, _)| path.starts_with(place)) {
            Some(place) => counts[place] += found,
            None => assert_eq!(found, 0, "{path} must do without unsafe"),
        }
    }
    for ((place, most), count) in UNSAFE_PLACES.iter().zip(counts) {
        assert!(count <= *most, "{place} has {count} uses of unsafe, more than {most}");
    }
}

#[test]
fn lints_are_expected_with_a_reason() {
    for (path, text) in sources().iter().filter(|(path, _)| path != "tests/tidy.rs") {
        let is_silenced = code(text).any(|line| line.contains("#[allow(") || line.contains("#![allow("));
        assert!(!is_silenced, "{path}: #[expect(lint, reason = \"…\")] says why, and says when it is no longer needed");
    }
}
