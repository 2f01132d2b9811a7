//! Holds who may import whom against what the manifests say. ARCHITECTURE.md has the reasons.
//!
//! Data flows one way, and nobody imports backwards: app → preload → traces → sim → tui → the two commands, and traces → replay.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// A crate, the crates of this project that it may import, and foreign ones that it must never.
type Layer = (&'static str, &'static [&'static str], &'static [&'static str]);

const LAYERS: [Layer; 7] = [
    ("traces", &[], &["clap", "ratatui", "mpi"]),
    ("recorder", &["traces"], &["clap", "ratatui", "mpi"]),
    ("mpitrace_preload", &["traces", "recorder", "replay"], &["clap", "ratatui", "mpi", "log", "tracing", "tokio", "rayon"]),
    ("replay", &["traces"], &["clap", "ratatui"]),
    ("sim", &["traces"], &["clap", "ratatui", "crossterm"]),
    ("tui", &["traces", "sim"], &["clap", "mpi"]),
    ("mpitrace", &["traces", "recorder", "replay", "sim", "tui"], &["mpi"]),
];

fn packages() -> Vec<Value> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    metadata["packages"].as_array().expect("a list of packages").clone()
}

/// What a package needs to be built and to run: what its tests need is free. An optional dependency counts unless `required` is set.
fn dependencies(package: &Value, required: bool) -> BTreeSet<&str> {
    let list = package["dependencies"].as_array().expect("a list of dependencies");
    let counts = |d: &&Value| d["kind"] != "dev" && !(required && d["optional"] == true);
    list.iter().filter(counts).map(|d| d["name"].as_str().expect("a name")).collect()
}

#[test]
fn every_crate_has_its_place() {
    let packages = packages();
    let names: BTreeSet<&str> = packages.iter().map(|p| p["name"].as_str().expect("a name")).collect();
    assert_eq!(names, LAYERS.iter().map(|layer| layer.0).collect());
}

#[test]
fn nobody_imports_backwards() {
    for (package, (name, allowed, _)) in in_layers(&packages()) {
        for dependency in dependencies(package, false) {
            let is_ours = LAYERS.iter().any(|layer| layer.0 == dependency);
            assert!(!is_ours || allowed.contains(&dependency), "{name} must not import {dependency}");
        }
    }
}

#[test]
fn what_does_not_belong_stays_outside() {
    for (package, (name, _, forbidden)) in in_layers(&packages()) {
        for dependency in dependencies(package, true) {
            assert!(!forbidden.contains(&dependency), "{name} must not import {dependency}");
        }
    }
}

/// No MPI at build time: what binds one is behind a feature that nothing turns on by itself.
#[test]
fn no_mpi_is_bound_by_default() {
    for package in &packages() {
        assert!(!dependencies(package, true).contains("mpi"), "{}: `mpi` must be optional", package["name"]);
        let default = package["features"]["default"].as_array().into_iter().flatten();
        assert!(default.into_iter().all(|feature| feature != "mpi"), "{}: `mpi` must not be a default feature", package["name"]);
    }
}

fn in_layers(packages: &[Value]) -> Vec<(&Value, &'static Layer)> {
    let layer = |p: &Value| LAYERS.iter().find(|layer| p["name"] == layer.0);
    packages.iter().filter_map(|package| Some((package, layer(package)?))).collect()
}
