//! The command `mpitrace` as a user meets it, but for recording: that is the matrix's.

#![forbid(unsafe_code)]

use std::process::{Command, Output, Stdio};

fn mpitrace(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpitrace"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().expect("mpitrace starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn who_reads_may_stop_to() {
    for arguments in
        [&["doctor"][..], &["info", "traces/samples/heat.msgpack"], &["generate", "man"], &["generate", "completion", "zsh"]]
    {
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
