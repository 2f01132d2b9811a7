//! How the watcher comes to stand apart from the job, so that launchers neither wait for it nor kill it.
//!
//! Launchers kill the process group of a rank, wait for its children, and wait for the end of its output. So the watcher is in a
//! session of its own, is nobody's child, and has none of the rank's descriptors. It takes two steps, each the start of a program:
//! the first one leaves the session, marks all descriptors, starts the second, and ends; the second one is the watcher.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::process::{Child, Command, Stdio};

/// Runs the first step and waits for its end, so that the program that this process becomes never sees a child that it did not make.
///
/// # Errors
/// If it cannot be started, or fails.
pub fn run_first_step(command: &mut Command) -> io::Result<()> {
    let status = alone(command).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("the watcher did not start: {status}"))) }
}

/// In the first step: leaves the job, and starts the second step.
///
/// # Errors
/// If the kernel refuses.
pub fn start_second_step(command: &mut Command) -> io::Result<Child> {
    rustix::process::setsid()?;
    close_inherited()?;
    alone(command).spawn()
}

/// The command with nothing of this process's surroundings.
fn alone(command: &mut Command) -> &mut Command {
    command.env_clear().current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// Closes every descriptor but the three standard ones, which are of /dev/null here.
fn close_inherited() -> io::Result<()> {
    let entries = fs::read_dir("/proc/self/fd")?;
    // Collected first: one of them is the directory's own, and is closed by then.
    let descriptors: BTreeSet<i32> = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).collect();
    for descriptor in descriptors.range(3..) {
        let _ = nix::unistd::close(*descriptor);
    }
    Ok(())
}
