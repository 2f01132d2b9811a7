//! Shows a recording made up on the spot: `cargo run -p tui --example demo -- [works|hangs|damaged|many|long] [--ascii] [--no-colors]`,
//! or draws it: `… --svg FILE [KEYS]`.

#[path = "../tests/scenes/mod.rs"]
mod scenes;

use std::{env, io};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|a| a == name);
    let recording = match arguments.first().map(String::as_str) {
        Some("works") => scenes::works(),
        Some("damaged") => scenes::damaged(),
        Some("many") => scenes::many(10_000, 20),
        Some("long") => scenes::many(16, 2000),
        _ => scenes::hangs(),
    };
    let options = tui::Options { ascii_only: has("--ascii"), no_colors: has("--no-colors") };
    match arguments.iter().position(|a| a == "--svg") {
        Some(at) => {
            let keys = arguments.get(at + 2).cloned().unwrap_or_default();
            let picture = tui::Picture { width: 120, height: 36, keys };
            std::fs::write(&arguments[at + 1], tui::picture(recording, options, &picture))
        }
        None => tui::run(recording, options),
    }
}
