//! What is left of a run, however it ended: the trace of this one, that of the last one, and nothing else.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::scene::{Scene, Waiting, script};

#[test]
fn a_program_without_mpi_leaves_nothing() {
    let scene = Scene::new();
    assert!(scene.record("true").status().expect("it runs").success());
    scene.await_cleared_up();
    assert_eq!(scene.names(), ["a.ring", "cache"]);
}

#[test]
fn a_program_without_mpi_leaves_the_trace_of_an_earlier_run_where_it_was() {
    let scene = Scene::new();
    fs::write(scene.path("trace.msgpack"), "earlier").expect("a new file");
    assert!(scene.record("true").stderr(scene.file("said")).status().expect("it runs").success());
    scene.await_cleared_up();
    assert_eq!(scene.read("trace.msgpack"), "earlier");
    scene.await_that("the watcher says so", |s| s.read("said").contains("made no call of MPI: there is no trace"));
}

#[test]
fn the_watcher_says_how_a_killed_run_ended() {
    let scene = Scene::new();
    let script = format!("cp $RING $MPITRACE_PARTS; {}", Waiting::SCRIPT);
    let mut rank = Waiting::start(scene.record(&script).stderr(scene.file("said")));
    rank.child.kill().expect("it is our child");
    rank.child.wait().expect("it is our child");
    scene.await_that("there is a trace", |s| s.path("trace.msgpack").exists());
    scene.await_that("the watcher says so", |s| s.read("said").contains("Next: mpisim check"));
    let said = scene.read("said");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[1].contains("rank 0: without MPI_Finalize"), "{said}");
}

#[test]
fn of_ranks_that_start_at_once_one_puts_the_old_trace_aside() {
    let scene = Scene::new();
    fs::write(scene.path("trace.msgpack"), "old").expect("a new file");
    fs::create_dir(scene.path("trace.msgpack.parts")).expect("a new directory");
    fs::write(scene.path("trace.msgpack.parts/lost.ring"), "lost").expect("a new file");
    // Each writes the trace as soon as it runs: were a later one to put it aside again, it would not be there in the end.
    let script = format!("echo new > $MPITRACE_OUTPUT; {}", Waiting::SCRIPT);
    let mut commands: Vec<Command> = (0..8).map(|rank| scene.record_rank("job", rank, 8, &script)).collect();
    let ranks: Vec<Waiting> = std::thread::scope(|scope| {
        let threads: Vec<_> = commands.iter_mut().map(|c| scope.spawn(|| Waiting::start(c))).collect();
        threads.into_iter().map(|t| t.join().expect("a rank that starts")).collect()
    });
    let roll = fs::read_dir(scene.path("trace.msgpack.parts/nodes")).expect("a node").next().expect("one").expect("ours").path();
    let entries: Vec<String> =
        fs::read_dir(roll).expect("a roll").map(|e| e.expect("ours").file_name().into_string().expect("ASCII")).collect();
    assert_eq!(entries.iter().filter(|n| n.starts_with("watcher-")).count(), 1, "{entries:?}");
    assert_eq!(entries.len(), 8 + 1, "{entries:?}");
    ranks.into_iter().for_each(Waiting::end);
    scene.await_cleared_up();
    assert_eq!(scene.read("trace.msgpack"), "new\n");
    assert_eq!(scene.read("trace.msgpack.old"), "old");
    assert_eq!(scene.read("trace.msgpack.parts.old/lost.ring"), "lost", "segments are data, too");
}

#[test]
fn the_watcher_survives_the_kill_of_the_process_group_and_joins_what_is_left() {
    let scene = Scene::new();
    let script = format!("cp $RING $MPITRACE_PARTS; {}", Waiting::SCRIPT);
    let mut rank = Waiting::start(scene.record(&script).process_group(0));
    let group = Pid::from_child(&rank.child);
    assert!(!scene.path("trace.msgpack").exists());
    kill_process_group(group, Signal::KILL).expect("it is our own");
    rank.child.wait().expect("it is our child");
    scene.await_that("there is a trace", |s| s.path("trace.msgpack").exists());
    scene.await_cleared_up();
    let trace = traces::open(&scene.path("trace.msgpack")).expect("it is whole");
    assert_eq!(trace.processes.iter().map(|p| p.pid).collect::<Vec<_>>(), [4711]);
}

#[test]
fn nobody_waits_for_the_watcher_and_the_watcher_waits_for_all() {
    let scene = Scene::new();
    let first = Waiting::start(&mut scene.record_rank("job", 0, 2, &format!("cp $RING $MPITRACE_PARTS; {}", Waiting::SCRIPT)));
    let second = Waiting::start(&mut scene.record_rank("job", 1, 2, Waiting::SCRIPT));
    // Comes back only when nobody else, such as the watcher, holds the first one's output.
    first.end();
    assert!(scene.path("trace.msgpack.parts/a.ring").exists() && !scene.path("trace.msgpack").exists());
    second.end();
    scene.await_that("there is a trace", |s| s.path("trace.msgpack").exists());
    scene.await_cleared_up();
}

#[test]
fn segments_beside_a_trace_of_the_same_run_are_kept() {
    let scene = Scene::new();
    // As if the ranks had joined theirs, and another process had recorded besides.
    let script = "cp $RING $MPITRACE_PARTS; echo joined > $MPITRACE_OUTPUT";
    assert!(scene.record(script).status().expect("it runs").success());
    scene.await_that("the watcher has gone", |s| {
        !s.path("trace.msgpack.parts/nodes").exists() || is_empty(s, "trace.msgpack.parts/nodes")
    });
    assert_eq!(scene.read("trace.msgpack"), "joined\n");
    assert!(scene.path("trace.msgpack.parts/a.ring").exists());
}

#[test]
fn a_run_in_which_every_rank_waits_is_told_of_and_stopped() {
    let scene = Scene::new();
    scene.hang_in_a_barrier("hung.ring");
    let mut command = scene.mpitrace();
    let script = format!("cp hung.ring $MPITRACE_PARTS; {}", Waiting::SCRIPT);
    command.args(["record", "--hang-after", "1", "--on-hang", "stop", "sh", "-c", &script]);
    let mut rank = Waiting::start(command.stderr(scene.file("said")));
    scene.await_that("there is a trace", |s| s.path("trace.msgpack").exists());
    assert!(!rank.child.wait().expect("it is our child").success(), "its input has not ended before: it was killed");
    let said = scene.read("said");
    assert!(said.contains("no call has ended for 1 s: rank 0 in MPI_Barrier"), "{said}");
    assert!(said.contains("every rank waits: the run is stopped"), "{said}");
}

#[test]
fn a_run_that_computes_is_told_of_and_goes_on() {
    let scene = Scene::new();
    scene.compute_after_a_barrier("busy.ring");
    let mut command = scene.mpitrace();
    let script = format!("cp busy.ring $MPITRACE_PARTS; {}", Waiting::SCRIPT);
    command.args(["record", "--hang-after", "1", "--on-hang", "stop", "sh", "-c", &script]);
    let mut rank = Waiting::start(command.stderr(scene.file("said")));
    scene.await_that("it is told of", |s| s.read("said").contains("rank 0 outside of MPI since MPI_Barrier"));
    assert!(rank.child.try_wait().expect("it is our child").is_none(), "it goes on");
    rank.end();
}

fn is_empty(scene: &Scene, name: &str) -> bool {
    fs::read_dir(scene.path(name)).is_ok_and(|mut entries| entries.next().is_none())
}

#[test]
fn around_a_launcher_all_that_still_record_are_waited_for() {
    let scene = Scene::new();
    // The launcher is gone while a rank still has a file of the segments mapped, here its own program, and records at the very end.
    script(
        &scene.path("mpiexec"),
        "#!/bin/sh\n\
         cp \"$(command -v sh)\" $MPITRACE_PARTS/rank\n\
         mkfifo go\n\
         $MPITRACE_PARTS/rank -c 'echo started >> log; read word < go; cp $RING $MPITRACE_PARTS/late.ring' >/dev/null 2>&1 &\n\
         while ! [ -s log ]; do :; done\n",
    );
    let output = scene.mpitrace().args(["record", "./mpiexec", "-n", "1"]).output().expect("mpitrace exists");
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("recording what ./mpiexec starts on this machine"), "{said}");
    fs::write(scene.path("go"), "go\n").expect("somebody reads it");
    scene.await_that("there is a trace", |s| s.path("trace.msgpack").exists());
    scene.await_cleared_up();
}
