//! Shows a recording made up on the spot: `cargo run -p tui --example demo -- [works|hangs|runs|lost|damaged|many|long] [--ascii] [--no-colors]`,
//! or draws it: `… --svg FILE [KEYS]`.

#[path = "../tests/scenes/mod.rs"]
mod scenes;

use std::{env, io};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|a| a == name);
    let recording = || scene(arguments.first().map(String::as_str));
    let options = tui::Options { ascii_only: has("--ascii"), no_colors: has("--no-colors") };
    match arguments.iter().position(|a| a == "--svg") {
        Some(at) => {
            let keys = arguments.get(at + 2).map_or("", String::as_str).parse().map_err(io::Error::other)?;
            let picture = tui::Picture { width: 120, height: 36, keys };
            let svg = tui::picture(recording(), options, &picture).map_err(io::Error::other)?;
            std::fs::write(&arguments[at + 1], svg)
        }
        None => tui::run(recording(), || Ok(recording()), options),
    }
}

fn scene(name: Option<&str>) -> tui::Recording {
    match name {
        Some("works") => scenes::works(),
        Some("runs") => scenes::still_running(3000),
        Some("lost") => scenes::lost_sends(),
        Some("damaged") => scenes::damaged(),
        Some("many") => scenes::many(10_000, 20),
        Some("long") => scenes::many(16, 2000),
        _ => scenes::hangs(),
    }
}
