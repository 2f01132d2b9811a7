//! Builds the library that is loaded into recorded programs, for the commands to carry inside themselves.
//!
//! `cargo install` installs programs only, so the library has to be part of one. It is a package of the same workspace, built here by
//! a second cargo, optimized whatever this build is, into a directory of its own.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = "mpitrace_preload";
/// Whoever builds the library separately, such as a packager, names the file here.
const READY_MADE: &str = "MPITRACE_PRELOAD_TO_EMBED";

fn main() {
    for source in ["build.rs", "Cargo.toml", "Cargo.lock", "recorder", "replay", "traces"] {
        println!("cargo::rerun-if-changed={source}");
    }
    println!("cargo::rerun-if-env-changed={READY_MADE}");
    let out = PathBuf::from(variable("OUT_DIR"));
    let library = env::var_os(READY_MADE).map_or_else(|| build_library(&out.join("preload")), PathBuf::from);
    let embedded = out.join("preload.so");
    // A new file, and not the old one anew: in a copy of a target directory made of hard links that would be everybody's.
    _ = fs::remove_file(&embedded);
    fs::copy(&library, &embedded).unwrap_or_else(|e| panic!("{} cannot be copied: {e}", library.display()));
    println!("cargo::rustc-env=MPITRACE_EMBEDDED_PRELOAD={}", embedded.display());
}

/// Builds the library in `directory`.
fn build_library(directory: &Path) -> PathBuf {
    let target = variable("TARGET");
    let mut cargo = Command::new(variable("CARGO"));
    cargo.args(["rustc", "--locked", "--release", "--lib", "--crate-type", "cdylib", "--package", PACKAGE, "--target", &target]);
    cargo.arg("--target-dir").arg(directory);
    // Neither what checks this build nor what measures it belongs into other people's programs.
    for name in ["RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"] {
        cargo.env_remove(name);
    }
    // Call sites are found by following frame pointers.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "-Cforce-frame-pointers=yes");
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "symbols").env("CARGO_PROFILE_RELEASE_DEBUG", "none");
    if variable("PROFILE") == "debug" {
        // A few percent of speed are not worth the wait in every build for tests.
        cargo.env("CARGO_PROFILE_RELEASE_LTO", "off");
    }
    let status = cargo.status().unwrap_or_else(|e| panic!("cargo cannot be run for {PACKAGE}: {e}"));
    assert!(status.success(), "{PACKAGE} does not build: {status}");
    directory.join(target).join("release").join(format!("lib{PACKAGE}.so"))
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}
