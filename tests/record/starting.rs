//! The program that is recorded is what it would be without, and is told what it has to know.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::scene::{Scene, script};

fn output_of(command: &mut Command) -> String {
    let output = command.output().expect("mpitrace exists");
    String::from_utf8(output.stdout).expect("the script prints ASCII")
}

#[test]
fn status_signal_and_number_are_the_programs_own() {
    let scene = Scene::new();
    assert_eq!(scene.record("exit 7").status().expect("it runs").code(), Some(7));
    assert_eq!(scene.record("kill -SEGV $$").status().expect("it runs").signal(), Some(11));
    let child = scene.record("echo $$").stdout(Stdio::piped()).spawn().expect("it runs");
    let pid = child.id();
    let output = child.wait_with_output().expect("it is our child");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{pid}\n"));
}

#[test]
fn signals_are_ignored_and_blocked_as_without() {
    let scene = Scene::new();
    let states = |options: &[&str], words: &[&str]| output_of(scene.program("env").args(options).args(words));
    for options in [&[][..], &["--ignore-signal=PIPE", "--ignore-signal=USR1", "--block-signal=USR2"]] {
        let script = ["sh", "-c", "grep -E 'Sig(Blk|Ign)' /proc/self/status"];
        let plainly = states(options, &script);
        assert!(plainly.contains("SigIgn"));
        for record in [&["record", "-q"][..], &["record", "-o", "/proc/trace"]] {
            let recorded = states(options, &[&[env!("CARGO_BIN_EXE_mpitrace")], record, &script].concat());
            assert_eq!(recorded, plainly, "{options:?} {record:?}");
        }
    }
}

#[test]
fn an_environment_that_is_nearly_full_keeps_no_program_from_running() {
    let scene = Scene::new();
    // The largest environment with which the kernel starts the recorder: what that adds is too much.
    let with = |bytes: usize| {
        let mut command = scene.record("exit 7");
        let filling = "x".repeat(100_000);
        (0..bytes / filling.len()).for_each(|n| _ = command.env(format!("FILLING{n}"), &filling));
        command.env("REST", "x".repeat(bytes % filling.len())).stderr(Stdio::piped());
        command
    };
    let (mut fits, mut fails) = (0, 16 << 20);
    while fits + 64 < fails {
        let middle = usize::midpoint(fits, fails);
        let starts = with(middle).spawn().and_then(std::process::Child::wait_with_output).is_ok();
        if starts { fits = middle } else { fails = middle }
    }
    let output = with(fits).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains("with a larger environment; it runs, and is not recorded"), "{said}");
}

#[test]
fn what_cannot_be_run_has_the_codes_of_the_shells() {
    let scene = Scene::new();
    fs::write(scene.path("data"), "").expect("a new file");
    script(&scene.path("orphan"), "#!/no/such/interpreter\n");
    let run = |arguments: &[&str]| {
        let output = scene.mpitrace().args(arguments).output().expect("mpitrace exists");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (arguments, code, said) in [
        (&["record", "no-such-program"][..], 127, "no-such-program: no such program"),
        (&["record", "./no-such-program"], 127, "no such program"),
        (&["record", "./orphan"], 127, "its interpreter does not exist"),
        (&["record", "./data"], 126, "permission denied"),
        (&["record", "./"], 126, "it is a directory"),
        (&["record", "--no-such-flag", "true"], 125, "--no-such-flag"),
        (&["record", "--preload", "none.so", "true"], 125, "none.so"),
        (&["record", "--last", "1MiB", "--payload", "full", "true"], 125, "choose one"),
        (&["no-such-command"], 2, "no-such-command"),
    ] {
        let (found, text) = run(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
    scene.await_cleared_up();
    assert_eq!(scene.names(), ["a.ring", "cache", "data", "orphan"], "nothing is left of what never ran");
}

#[test]
fn a_place_that_cannot_take_a_trace_does_not_keep_the_program_from_running() {
    let scene = Scene::new();
    fs::write(scene.path("data"), "").expect("a new file");
    for (place, said) in [(".", "is not a file"), ("data/trace", "data"), ("/proc/trace", "/proc")] {
        let mut command = scene.mpitrace();
        let output = command.args(["record", "-o", place, "sh", "-c", "echo $LD_PRELOAD; exit 7"]).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(7), &b"\n"[..]), "{place}: {text}");
        assert!(text.contains(said) && text.ends_with("the program runs, and is not recorded\n"), "{place}: {text}");
        assert_eq!(text.lines().count(), 1, "{place}: {text}");
    }
    let mut second = scene.mpitrace();
    second.args(["record", "-o", ".", "sh", "-c", "exit 7"]).env("PMIX_NAMESPACE", "j").env("PMIX_RANK", "1");
    let output = second.output().expect("it runs");
    assert_eq!((output.status.code(), output.stderr), (Some(7), Vec::new()), "one rank says it for all");
    assert_eq!(scene.names().iter().filter(|name| name.contains("trace")).count(), 0, "{:?}", scene.names());
}

#[test]
fn the_program_is_told_where_its_trace_goes() {
    let scene = Scene::new();
    let mut command = scene.mpitrace();
    command.args(["record", "-o", "deep/er.msgpack", "--payload", "none", "--quiet", "env"]);
    let output = command.output().expect("mpitrace exists");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "it was told to be quiet");
    let text = String::from_utf8(output.stdout).expect("variables in ASCII");
    let place = scene.path("deep/er.msgpack");
    for line in [
        format!("MPITRACE_OUTPUT={}", place.display()),
        format!("MPITRACE_PARTS={}.parts", place.display()),
        "MPITRACE_PAYLOAD=none".to_owned(),
        "MPITRACE_QUIET=1".to_owned(),
    ] {
        assert!(text.lines().any(|l| l == line), "no {line} in:\n{text}");
    }
    let library = text.lines().find_map(|l| l.strip_prefix("LD_PRELOAD=")).expect("a library to preload");
    assert!(library.starts_with(&format!("{}/mpitrace/", scene.path("cache").display())), "{library}");
    assert!(text.contains("MPITRACE_JOB="));
}

#[test]
fn variables_that_say_nothing_count_as_not_set() {
    let scene = Scene::new();
    let mut command = scene.mpitrace();
    command.args(["record", "env"]).env("MPITRACE_OUTPUT", "").env("MPITRACE_QUIET", "perhaps");
    let output = command.output().expect("mpitrace exists");
    let text = String::from_utf8(output.stdout).expect("variables in ASCII");
    assert!(text.contains("/trace.msgpack\n") && text.contains("MPITRACE_QUIET=0\n"), "{text}");
    assert!(!output.stderr.is_empty(), "it says where it records to");
    scene.await_cleared_up();
}

#[test]
fn arguments_after_the_program_are_its_own() {
    let scene = Scene::new();
    let arguments = ["-o", "x", "--", "--help", "--quiet"];
    assert_eq!(output_of(scene.mpitrace().args(["record", "echo"]).args(arguments)), "-o x -- --help --quiet\n");
    assert_eq!(output_of(scene.mpitrace().args(["record", "--", "echo"]).args(arguments)), "-o x -- --help --quiet\n");
}

#[test]
fn the_program_has_the_descriptors_that_it_would_have() {
    let scene = Scene::new();
    // Launchers hand over a socket by its number (PMI_FD).
    let shell = |program: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec 9</dev/null; exec {program} sh -c 'cd /proc/$$/fd; echo *'")]);
        output_of(command.current_dir(scene.path("")).env("XDG_CACHE_HOME", scene.path("cache")))
    };
    let bare = shell("");
    assert!(bare.contains('9'));
    assert_eq!(shell(&format!("{} record -q", env!("CARGO_BIN_EXE_mpitrace"))), bare);
}

#[test]
fn a_static_program_runs_and_one_line_says_that_it_is_not_recorded() {
    let scene = Scene::new();
    fs::write(scene.path("five.c"), "int main(void) { return 5; }").expect("a new file");
    let compiled = Command::new("cc").args(["-static", "-o", "five", "five.c"]).current_dir(scene.path("")).status();
    assert!(compiled.expect("there is a C compiler").success());
    let run = |rank: usize| {
        let mut command = scene.mpitrace();
        command.args(["record", "./five"]).env("PMIX_NAMESPACE", "j").env("PMIX_RANK", rank.to_string());
        let output = command.output().expect("mpitrace exists");
        assert_eq!(output.status.code(), Some(5));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(run(0).contains("linked statically"));
    assert_eq!(run(1), "", "one rank says it for all");
    assert_eq!(scene.names(), ["a.ring", "five", "five.c"]);
}

#[test]
fn a_recording_in_a_recording_to_the_same_trace_is_one() {
    let scene = Scene::new();
    let inner = format!("echo $MPITRACE_JOB; {} record sh -c 'echo $MPITRACE_JOB'", env!("CARGO_BIN_EXE_mpitrace"));
    let text = output_of(&mut scene.record(&inner));
    let jobs: Vec<&str> = text.lines().collect();
    assert_eq!(jobs.len(), 2);
    assert_eq!(jobs[0], jobs[1]);
    scene.await_cleared_up();
}

/// What asks in each way whether there is an MPI, and says so.
const ASKS_FOR_MPI: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
extern int MPI_Initialized(int *) __attribute__((weak));
int main(void) {
    void *all = dlopen(0, RTLD_LAZY);
    printf("%d%d%d%d", MPI_Initialized != 0, dlsym(RTLD_DEFAULT, "MPI_Init") != 0, dlsym(RTLD_NEXT, "PMPI_Init") != 0,
           dlsym(all, "MPI_Initialized") != 0);
}
"#;

#[test]
fn a_program_without_mpi_finds_none() {
    let scene = Scene::new();
    fs::write(scene.path("asks.c"), ASKS_FOR_MPI).expect("a new file");
    // The reference must be left to the dynamic linker.
    let flags = ["-fPIC", "-pie", "-Wl,-z,dynamic-undefined-weak", "-o", "asks", "asks.c", "-ldl"];
    let built = Command::new("cc").args(flags).current_dir(scene.path("")).status().expect("there is a C compiler");
    assert!(built.success());
    assert_eq!(output_of(scene.mpitrace().args(["record", "./asks"])), "0000");
}
