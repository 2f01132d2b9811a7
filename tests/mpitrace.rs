//! The command `mpitrace` as a user meets it, but for recording: that is the matrix's.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

const HEAT: &str = "traces/samples/heat.msgpack";

fn mpitrace(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpitrace"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().expect("mpitrace starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn who_reads_may_stop_to() {
    for arguments in [
        &["doctor"][..],
        &["info", HEAT],
        &["stat", HEAT],
        &["diff", HEAT, HEAT],
        &["generate", "man"],
        &["generate", "completion", "zsh"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_mpitrace"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().expect("mpitrace starts");
        drop(command);
        let output = child.wait_with_output().expect("mpitrace ends");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{arguments:?}");
    }
}

#[test]
fn a_picture_is_taken_after_keys_that_there_are() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let file = home.path().join("picture.svg");
    let pictured = |keys: &str| {
        let to = file.to_str().expect("a path in UTF-8");
        let output = mpitrace(&["tui", "viewer", "traces/samples/heat.msgpack", "--svg", to, "--keys", keys]);
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(pictured("1<Left><Enter>/send<Enter>"), (Some(0), String::new()));
    assert!(std::fs::read_to_string(&file).expect("the picture").contains(">previous<"));
    let (code, err) = pictured("<Dwon>");
    assert!(code == Some(2) && err.contains("<Dwon>") && err.contains("<Down>"), "{err}");
    let (code, err) = pictured("Down");
    assert!(code == Some(2) && err.contains("the key D does nothing there"), "{err}");
}

#[test]
fn a_profile_is_of_what_was_asked_for() {
    let profiled = |arguments: &[&str]| {
        let output = mpitrace(&[&["stat"], arguments].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = profiled(&[HEAT, "--by", "rank", "--ranks", "1-2"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.contains("ranks     2 of 4\n") && out.contains("\n1 ") && !out.contains("\n3 ") && !out.contains('\x1b'),
        "{out}"
    );
    let (_, out, _) = profiled(&[HEAT, "--by", "size", "--color", "always"]);
    assert!(out.contains("\x1b[1msize of messages") && !out.contains("call site"), "{out}");
    let (_, out, _) = profiled(&[HEAT, "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&value["schema"], value["ranks"].as_array().map(Vec::len)), (&1.into(), Some(4)));
    for (arguments, expected) in [
        (&["none.msgpack"][..], 3),
        (&["README.md"], 3),
        (&[HEAT, "--ranks", "9"], 2),
        (&[HEAT, "--ranks", "x"], 2),
        (&[HEAT, "--by", "colour"], 2),
    ] {
        let (code, out, err) = profiled(arguments);
        assert_eq!((code, out.as_str()), (Some(expected), ""), "{arguments:?}");
        assert!(!err.is_empty());
    }
}

#[test]
fn two_runs_are_compared_if_they_can_be() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let one_rank = home.path().join("one-rank.msgpack");
    traces::write(&one_rank, &traces::TraceBuilder::with_ranks(1).finish()).expect("a new file");
    let one_rank = one_rank.to_str().expect("a path in UTF-8");
    let halo = "traces/samples/halo.msgpack";
    for (arguments, expected_code, expected) in [
        (&[HEAT, HEAT][..], 0, "are the same run: 203 calls of 4 ranks"),
        (&["--polls", HEAT, HEAT], 0, "are the same run"),
        (&["--format", "json", HEAT, HEAT], 0, "\"same\": true"),
        (&[HEAT, halo], 1, "the trace is of another program: ./heat, the other of ./halo"),
        (&[HEAT], 2, "<OTHER>"),
        (&[HEAT, one_rank], 2, "only runs of as many ranks can be compared"),
        (&[HEAT, "none.msgpack"], 3, "none.msgpack: there is no such trace"),
        (&["README.md", HEAT], 3, "README.md"),
    ] {
        let output = mpitrace(&[&["diff"], arguments].concat());
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.code() == Some(expected_code) && said.contains(expected), "{arguments:?}: {said}");
    }
    let man = text(&mpitrace(&["generate", "man"]).stdout);
    assert!(man.contains("mpitrace\\-diff(1)"), "{man}");
}

/// `mpitrace replay` in a directory of its own, as rank 0 of so many.
fn replayed(home: &Path, ranks: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpitrace"));
    command.current_dir(home).arg("replay").args(arguments).envs([("PMI_RANK", "0"), ("PMI_SIZE", ranks)]);
    let output = command.output().expect("mpitrace starts");
    (output.status.code(), text(&output.stderr))
}

#[test]
fn what_cannot_be_replayed_is_said_before_anything_runs() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let heat = Path::new(env!("CARGO_MANIFEST_DIR")).join(HEAT);
    let heat = heat.to_str().expect("a path in UTF-8");
    let program = |name: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, "#!/bin/sh\ntouch has-run\n").expect("a new file");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a file of ours");
    };
    program("heat");
    program("other");
    std::fs::write(home.path().join("text"), "no trace").expect("a new file");
    let bytes = std::fs::read(heat).expect("a sample");
    std::fs::write(home.path().join("begun"), &bytes[..12]).expect("a new file");
    for (ranks, arguments, expected) in [
        ("4", &["none.msgpack", "./heat"][..], "none.msgpack: there is no such trace"),
        ("4", &["text", "./heat"], "text: "),
        ("4", &["begun", "./heat"], "begun: "),
        ("3", &[heat, "./heat"], "the trace is of 4 ranks, and these are 3: start 4 (-n 4)"),
        ("4", &[heat, "./other"], "the trace is of another program: ./heat (--anyway goes on)"),
        ("4", &[heat, "./heat", "5"], "the trace is of other arguments: ./heat (--anyway goes on)"),
        ("4", &["-o", heat, heat, "./heat"], "is the trace that is replayed: give another place with --output"),
        ("4", &[heat], "required"),
    ] {
        let (code, err) = replayed(home.path(), ranks, arguments);
        assert!(code == Some(125) && err.contains(expected), "{arguments:?}: {code:?}: {err}");
    }
    assert_eq!(replayed(home.path(), "4", &[heat, "./none"]).0, Some(127));
    assert!(!home.path().join("has-run").exists());
    let (code, err) = replayed(home.path(), "4", &["--anyway", heat, "./other"]);
    assert!(code == Some(0) && err.contains("another program"), "{code:?}: {err}");
    assert!(home.path().join("has-run").exists());
}
