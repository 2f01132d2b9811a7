//! The small subcommands: what they print, and how they fail.

use std::fs;

use traces::{TraceBuilder, mpi};

use crate::scene::Scene;

fn run(scene: &Scene, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = scene.mpitrace().args(arguments).output().expect("mpitrace exists");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_a_trace_the_command_that_makes_one_is_named() {
    let scene = Scene::new();
    for arguments in [&["info"][..], &["tui", "viewer"]] {
        let (code, _, said) = run(&scene, arguments);
        assert_eq!(code, Some(3));
        assert!(said.contains("mpiexec -n 4 mpitrace record ./app"), "{said}");
    }
    assert!(run(&scene, &["info", "x.msgpack"]).2.contains("mpitrace record -o x.msgpack ./app"));
}

#[test]
fn info_shows_a_trace_and_refuses_what_is_none() {
    let scene = Scene::new();
    let mut builder = TraceBuilder::with_ranks(2);
    for rank in 0..2 {
        builder.push(rank, mpi::FINALIZE, 9, &[], Some(&[]));
    }
    traces::write(&scene.path("trace.msgpack"), &builder.finish()).expect("room for a trace");
    let (code, text, _) = run(&scene, &["info"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("ended     ranks 0, 1: with MPI_Finalize"), "{text}");
    fs::write(scene.path("page.html"), "<html>").expect("a new file");
    let (code, _, said) = run(&scene, &["info", "page.html"]);
    assert_eq!(code, Some(3));
    assert!(said.contains("page.html: at byte 0"), "{said}");
}

#[test]
fn traces_of_one_run_are_joined_and_others_refused() {
    let scene = Scene::new();
    let write = |name: &str, host: &str, rank: usize| {
        let mut builder = TraceBuilder::with_ranks(2);
        builder.push(rank, mpi::FINALIZE, 9, &[], Some(&[]));
        let mut trace = builder.finish();
        trace.processes.retain(|process| process.rank == u32::try_from(rank).ok());
        trace.lanes.retain(|lane| lane.process as usize == rank);
        trace.processes[0].host = host.to_owned();
        trace.lanes[0].process = 0;
        traces::write(&scene.path(name), &trace).expect("room for a trace");
    };
    write("a.msgpack", "nodea", 0);
    write("b.msgpack", "nodeb", 1);
    let (code, _, said) = run(&scene, &["join", "-o", "all.msgpack", "b.msgpack", "a.msgpack"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("all.msgpack: 2 ranks, 2 calls"), "{said}");
    assert!(run(&scene, &["info", "all.msgpack"]).1.contains("host      nodeb (rank 1)"));
    let (code, _, said) = run(&scene, &["join", "-o", "all.msgpack", "a.msgpack", "all.msgpack"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("has calls of rank 0, as a.msgpack has"), "{said}");
    assert!(!scene.path("all.msgpack.old").exists(), "what cannot be joined touches nothing");
}

#[test]
fn the_viewer_says_that_it_needs_a_terminal() {
    let scene = Scene::new();
    traces::write(&scene.path("trace.msgpack"), &TraceBuilder::with_ranks(1).finish()).expect("room for a trace");
    let (code, _, said) = run(&scene, &["tui", "viewer"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("needs a terminal") && said.contains("mpisim check trace.msgpack"), "{said}");
}

#[test]
fn the_doctor_tells_what_there_is() {
    let scene = Scene::new();
    let (code, text, _) = run(&scene, &["doctor"]);
    assert_eq!(code, Some(0), "{text}");
    for word in ["mpitrace ", "machine ", "library ", "launcher ", "MPI ", "job         none"] {
        assert!(text.lines().any(|l| l.starts_with(word)), "no {word:?} in:\n{text}");
    }
}

#[test]
fn manuals_and_completion_know_the_subcommands() {
    let scene = Scene::new();
    fs::create_dir(scene.path("man")).expect("a new directory");
    assert_eq!(run(&scene, &["generate", "man", "--directory", "man"]).0, Some(0));
    assert!(scene.read("man/mpitrace-record.1").contains("digest"));
    assert!(run(&scene, &["generate", "man"]).1.contains(".TH mpitrace 1"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&scene, &["generate", "completion", shell]).1.contains("record"), "{shell}");
    }
}
