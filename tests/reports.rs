//! Reports in forms that other programs read, judged by those programs: SARIF by its schema, graphs by Graphviz, the page by a browser.

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The trace of a run in which ranks wait for each other.
const TRACE: &str = "traces/samples/match_tag.msgpack";

/// Writes the report to a file of this name, whose ending says its form, and gives its path.
fn export(directory: &Path, name: &str) -> PathBuf {
    let file = directory.join(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpisim"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["check", TRACE, "--export"]).arg(&file);
    let output = command.output().expect("mpisim starts");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

/// Whether a program is there; says what is not checked if it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("skipped: there is no {program} (scripts/setup test installs it)");
    }
    found
}

/// The schema of SARIF 2.1.0, as the crate serde-sarif carries it.
fn sarif_schema() -> serde_json::Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version=1", "--locked"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().expect("cargo starts");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages are a list");
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").expect("it is a dependency");
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path is a string"));
    let text = fs::read_to_string(manifest.with_file_name("src").join("schema.json")).expect("the crate has the schema");
    // Its pattern for languages has a bracket too many, and so is no regular expression of every dialect.
    serde_json::from_str(&text.replace("{2}]?$", "{2}$")).expect("a schema is JSON")
}

#[test]
fn sarif_is_what_its_schema_says() {
    let home = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(export(home.path(), "report.sarif")).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let schema = sarif_schema();
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    // The schema is not such that everything agrees with it.
    document["runs"][0]["results"][0]["level"] = "dreadful".into();
    assert!(!validator.is_valid(&document));
}

#[test]
fn graphviz_draws_the_graph() {
    if !has("dot") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let file = export(home.path(), "waits.dot");
    let output = Command::new("dot").arg("-Tplain").arg(&file).output().expect("dot starts");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let count = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!((count("node "), count("edge ")), (2, 1), "{text}");
}

#[test]
fn a_browser_shows_the_page() {
    if !has("chromium") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let file = export(home.path(), "report.html");
    let profile = home.path().join("profile");
    let quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];
    let offline = ["--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND"];
    let mut command = Command::new("chromium");
    command.args(quiet).args(offline).arg(format!("--user-data-dir={}", profile.display())).arg("--dump-dom");
    let output = command.arg(format!("file://{}", file.display())).output().expect("chromium starts");
    let page = String::from_utf8_lossy(&output.stdout);
    // What the browser has made of it: it moves what stands where it may not.
    let inside = page.split_once("<section").and_then(|(_, rest)| rest.split_once("</section>")).expect("a finding").0;
    assert_eq!(inside.matches("<svg").count(), 2, "{inside}");
    assert!(inside.contains("rank 2 waits for tag 7 from rank 1, which sent tag 8"), "{inside}");
    assert!(inside.contains("marker-end=\"url(#head)\"") && inside.contains("class=\"primary\""), "{inside}");
}
