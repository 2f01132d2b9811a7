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

#[test]
fn keys_and_a_resize_in_a_real_terminal() {
    let tmux = Tmux { socket: format!("mpitrace-viewer-{}", std::process::id()) };
    let command =
        format!("before=$(stty -g); {} hangs; test \"$before\" = \"$(stty -g)\" && echo as before; cat", demo().display());
    let command = command.as_str();
    if tmux.run(&["new-session", "-d", "-s", "viewer", "-x", "120", "-y", "36", command]).is_none() {
        eprintln!("skipped: there is no tmux");
        return;
    }
    tmux.wait_for("deadlock/missing-rank");
    tmux.press("2");
    tmux.wait_for("give both calls the same tag");
    tmux.press("?");
    tmux.wait_for("any key closes it");
    tmux.press("?");
    tmux.run(&["resize-window", "-t", "viewer", "-x", "80", "-y", "24"]).expect("tmux resizes");
    let small = tmux.wait_for("MPI_Recv");
    assert!(small.lines().count() <= 24);
    tmux.press("q");
    tmux.wait_for("as before");
}
