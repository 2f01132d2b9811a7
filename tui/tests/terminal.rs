//! The viewer in a real terminal: keys go in through tmux, the screen comes out of it, and the shell is as before in the end.

use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A tmux server of its own, so that nobody else's is touched; it ends with the test.
struct Tmux {
    socket: String,
}

impl Tmux {
    fn run(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("tmux").args(["-L", &self.socket, "-f", "/dev/null"]).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn press(&self, key: &str) {
        self.run(&["send-keys", "-t", "viewer", key]).expect("tmux sends keys");
    }

    /// Waits until the screen has a text: how fast that is does not matter.
    fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let screen = self.run(&["capture-pane", "-p", "-t", "viewer"]).unwrap_or_default();
            if screen.contains(text) {
                return screen;
            }
            assert!(Instant::now() < deadline, "the screen never had '{text}':\n{screen}");
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// Examples are built with the tests, and lie beside them.
fn demo() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let demo = test.ancestors().nth(2).expect("tests lie in deps").join("examples/demo");
    assert!(demo.exists(), "the example is built by `cargo test` of the whole crate");
    demo
}

/// Starts a command in a terminal; None if there is no tmux.
fn started(name: &str, command: &str) -> Option<Tmux> {
    let tmux = Tmux { socket: format!("mpitrace-{name}-{}", std::process::id()) };
    let began = tmux.run(&["new-session", "-d", "-s", "viewer", "-x", "120", "-y", "36", command]);
    if began.is_none() {
        eprintln!("skipped: there is no tmux");
    }
    began.map(|_| tmux)
}

#[test]
fn keys_and_a_resize_in_a_real_terminal() {
    let compared = "test \"$before\" = \"$(stty -g)\" && echo as before";
    let command = format!("before=$(stty -g); {} hangs; {compared}; cat", demo().display());
    let Some(tmux) = started("keys", &command) else { return };
    tmux.wait_for("deadlock/missing-rank");
    tmux.press("2");
    tmux.wait_for("give both calls the same tag");
    tmux.press("?");
    tmux.wait_for("any key closes it");
    tmux.press("?");
    tmux.run(&["resize-window", "-t", "viewer", "-x", "80", "-y", "24"]).expect("tmux resizes");
    let small = tmux.wait_for("q quit");
    assert!(small.lines().count() <= 24);
    tmux.press("R");
    tmux.wait_for("read again: no more calls");
    tmux.run(&["resize-window", "-t", "viewer", "-x", "130", "-y", "40"]).expect("tmux resizes");
    tmux.wait_for("Findings 3");
    tmux.press("q");
    let left = tmux.wait_for("as before");
    assert_eq!(left.trim(), "as before", "nothing of the viewer is left");
}

/// A terminal that has grown brings back its old screen with rows of the viewer's in the new room, unless those were cleared.
#[test]
fn nothing_of_the_viewer_is_left_in_a_terminal_that_has_grown() {
    let Some(tmux) = started("grown", "env PS1='> ' bash --norc -i") else { return };
    tmux.run(&["resize-window", "-t", "viewer", "-x", "80", "-y", "24"]).expect("tmux resizes");
    tmux.run(&["send-keys", "-t", "viewer", &format!("{} hangs", demo().display()), "Enter"]).expect("tmux sends keys");
    tmux.wait_for("MPI_Recv");
    tmux.run(&["resize-window", "-t", "viewer", "-x", "100", "-y", "30"]).expect("tmux resizes");
    tmux.wait_for("deadlock/missing-rank");
    tmux.press("q");
    let left = tmux.wait_for("demo hangs");
    assert!(!left.contains("MPI_Recv") && !left.contains("rank"), "{left}");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let compared = "test \"$before\" = \"$(stty -g)\" && echo as before";
    let command = format!("before=$(stty -g); {} hangs; echo $?; {compared}; cat", demo().display());
    let Some(tmux) = started("signal", &command) else { return };
    tmux.wait_for("deadlock/missing-rank");
    let shell = tmux.run(&["display-message", "-p", "-t", "viewer", "#{pane_pid}"]).expect("tmux knows its shell");
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", shell.trim())).expect("the shell runs");
    let viewer = children.split_whitespace().next().expect("the shell runs the viewer");
    assert!(Command::new("kill").args(["-TERM", viewer]).status().expect("kill starts").success());
    let left = tmux.wait_for("as before");
    assert!(left.contains("143") && !left.contains("deadlock"), "{left}");
}

#[test]
fn a_viewer_that_is_put_to_sleep_comes_back() {
    let Some(tmux) = started("sleep", "env PS1='> ' bash --norc -i") else { return };
    tmux.run(&["send-keys", "-t", "viewer", &format!("{} hangs", demo().display()), "Enter"]).expect("tmux sends keys");
    tmux.wait_for("deadlock/missing-rank");
    tmux.press("C-z");
    let shell = tmux.wait_for("Stopped");
    assert!(!shell.contains("deadlock"), "{shell}");
    tmux.run(&["send-keys", "-t", "viewer", "fg", "Enter"]).expect("tmux sends keys");
    tmux.wait_for("deadlock/missing-rank");
    tmux.press("q");
    // Keys that come too early are the viewer's.
    tmux.wait_for("Stopped");
    tmux.run(&["send-keys", "-t", "viewer", "echo status $?", "Enter"]).expect("tmux sends keys");
    tmux.wait_for("status 0");
}
