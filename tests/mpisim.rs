//! The command `mpisim` as a user meets it: exit codes, messages, where results go. The traces are made by hand, with no MPI.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use traces::{Ending, Function, Process, Trace, TraceBuilder, Value, constant, mpi};

fn mpisim(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpisim"));
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.current_dir(directory).args(arguments).output().expect("mpisim starts")
}

/// The exit code, standard output and standard error.
fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    (output.status.code().expect("mpisim is not killed"), text(&output.stdout), text(&output.stderr))
}

/// Makes the calls of one rank after the other.
struct Program(TraceBuilder);

impl Program {
    fn new(ranks: u32) -> Program {
        Program(TraceBuilder::with_ranks(ranks))
    }

    fn call(&mut self, rank: usize, function: Function, arguments: &[(&str, i64)], returns: bool) {
        let arguments: Vec<(&str, Value)> = arguments.iter().map(|(name, number)| (*name, Value::Int(*number))).collect();
        self.0.push(rank, function, 1, &arguments, returns.then_some(&[]));
    }

    fn written(self, directory: &Path) {
        write(&self.0.finish(), directory);
    }
}

fn write(trace: &Trace, directory: &Path) {
    traces::write(&directory.join("trace.msgpack"), trace).expect("the trace is written");
}

/// Both ranks come to MPI_Finalize by way of a barrier.
fn correct() -> Program {
    let mut program = Program::new(2);
    for rank in 0..2 {
        program.call(rank, mpi::INIT, &[], true);
        program.call(rank, mpi::BARRIER, &[("comm", constant::COMM_WORLD)], true);
        program.call(rank, mpi::FINALIZE, &[], true);
    }
    program
}

/// Both ranks wait for the other one to send.
fn deadlocked() -> Trace {
    let mut program = Program::new(2);
    for rank in 0..2 {
        program.call(rank, mpi::INIT, &[], true);
        let source = ("source", 1 - rank as i64);
        let message = [("count", 1), ("datatype", 0x209), source, ("tag", 0), ("comm", constant::COMM_WORLD)];
        program.call(rank, mpi::RECV, &message, false);
    }
    let mut trace = program.0.finish();
    for process in &mut trace.processes {
        process.ending = Ending::Unfinished;
    }
    trace
}

#[test]
fn a_correct_program_is_exit_code_0() {
    let home = tempfile::tempdir().unwrap();
    correct().written(home.path());
    let (code, out, err) = said(&mpisim(home.path(), &["check"]));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("nothing wrong in 2 ranks, 6 calls"), "{out}");
    let (code, zero, _) = said(&mpisim(home.path(), &["check", "trace.msgpack", "--buffering", "zero", "--fail-on", "note"]));
    assert_eq!(code, 0, "{zero}");
}

#[test]
fn a_finding_is_exit_code_1_in_every_form_of_the_report() {
    let home = tempfile::tempdir().unwrap();
    write(&deadlocked(), home.path());
    let (code, out, err) = said(&mpisim(home.path(), &["check"]));
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(out.starts_with("error[deadlock/cycle]: "), "{out}");
    assert!(!out.contains('\x1b'), "no colours in a pipe");
    let (code, colored, _) = said(&mpisim(home.path(), &["check", "--color", "always"]));
    assert!(code == 1 && colored.contains("\x1b[1;31merror[deadlock/cycle]"), "{colored}");

    let (code, json, _) = said(&mpisim(home.path(), &["check", "--format", "json"]));
    assert_eq!(code, 1);
    let report: serde_json::Value = serde_json::from_str(&json).expect("the report is JSON");
    assert_eq!((&report["schema"], &report["findings"][0]["rule"]), (&1.into(), &"deadlock/cycle".into()));
    assert_eq!(said(&mpisim(home.path(), &["check", "--format", "json"])).1, json, "the same bytes every time");

    let (code, out, _) = said(&mpisim(home.path(), &["check", "--format", "json", "--output", "report.json"]));
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(fs::read_to_string(home.path().join("report.json")).unwrap(), json);
}

#[test]
fn a_senseless_command_line_is_exit_code_2() {
    let home = tempfile::tempdir().unwrap();
    correct().written(home.path());
    let wrong: [&[&str]; 6] = [
        &[],
        &["check", "--buffering", "some"],
        &["check", "--format", "yaml"],
        &["check", "one", "two"],
        &["explain", "match/tags"],
        &["check", "--output", "no/such/directory/report"],
    ];
    for arguments in wrong {
        let (code, out, err) = said(&mpisim(home.path(), arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(!err.is_empty());
    }
    let (_, _, err) = said(&mpisim(home.path(), &["explain", "match/tags"]));
    assert!(err.contains("match/tag'"), "the nearest rule is offered: {err}");
}

#[test]
fn what_is_no_trace_is_exit_code_3_and_says_which_file_and_what_next() {
    let home = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| {
        let (code, out, err) = said(&mpisim(home.path(), arguments));
        assert_eq!((code, out.as_str()), (3, ""), "{arguments:?}: {err}");
        err
    };
    let err = refused(&["check"]);
    assert!(err.contains("trace.msgpack") && err.contains("mpiexec -n 4 mpitrace record ./app"), "{err}");

    fs::create_dir(home.path().join("trace.msgpack.parts")).unwrap();
    let err = refused(&["check"]);
    assert!(err.contains("trace.msgpack.parts"), "the segments of a run that ended badly are looked for: {err}");

    fs::write(home.path().join("empty"), "").unwrap();
    let err = refused(&["check", "empty"]);
    assert!(err.contains("empty: at byte 0"), "{err}");

    fs::write(home.path().join("letter"), "Dear Sir or Madam").unwrap();
    let err = refused(&["check", "letter"]);
    assert!(err.contains("letter: at byte 0"), "{err}");
}

#[test]
fn a_cut_trace_with_nothing_found_is_exit_code_4() {
    let home = tempfile::tempdir().unwrap();
    correct().written(home.path());
    let path = home.path().join("trace.msgpack");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
    let (code, out, err) = said(&mpisim(home.path(), &["check"]));
    assert_eq!((code, err.as_str()), (4, ""), "{out}");
    assert!(out.contains("undecided") && out.contains("trace.msgpack: at byte "), "{out}");
}

#[test]
fn a_trace_without_a_call_is_exit_code_4() {
    let home = tempfile::tempdir().unwrap();
    let mut builder = TraceBuilder::new();
    builder.process(Process { command: vec!["./app".to_owned()], ..Process::default() });
    write(&builder.finish(), home.path());
    let (code, out, _) = said(&mpisim(home.path(), &["check"]));
    assert!(code == 4 && out.contains("no call of MPI is in the trace"), "{code}: {out}");
}

#[test]
fn a_replay_is_the_same_bytes_every_time_and_another_network_is_another_time() {
    let home = tempfile::tempdir().unwrap();
    correct().written(home.path());
    let replayed = |network: &str, to: &str| {
        fs::write(home.path().join("network.json"), network).unwrap();
        let (code, out, err) = said(&mpisim(home.path(), &["replay", "--network", "network.json", "-o", to]));
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.contains("rank 1 ") && out.lines().last().unwrap().starts_with("all "), "{out}");
        fs::read(home.path().join(to)).unwrap()
    };
    let first = replayed("{}", "first.msgpack");
    assert_eq!(replayed("{}", "second.msgpack"), first);
    assert_ne!(replayed(r#"{"latency_ns": 9000000}"#, "slow.msgpack"), first);
    let (code, out, _) = said(&mpisim(home.path(), &["check", "slow.msgpack"]));
    assert!(code == 0 && out.starts_with("nothing wrong"), "a simulated trace is a trace: {out}");
}

#[test]
fn a_replay_of_a_run_that_hung_says_who_is_stuck() {
    let home = tempfile::tempdir().unwrap();
    write(&deadlocked(), home.path());
    let (code, out, err) = said(&mpisim(home.path(), &["replay"]));
    assert!(code == 0 && out.contains("rank 1 "), "{out}");
    let stuck = "mpisim: this run does not end: rank 0 never comes out of MPI_Recv, and 1 more rank in a call of its own";
    assert!(err.starts_with(stuck), "{err}");
}

#[test]
fn a_run_that_broke_off_is_exit_code_4() {
    let home = tempfile::tempdir().unwrap();
    let mut program = Program::new(1);
    program.call(0, mpi::INIT, &[], true);
    let mut trace = program.0.finish();
    trace.processes[0].ending = Ending::Unfinished;
    write(&trace, home.path());
    let (code, out, _) = said(&mpisim(home.path(), &["check"]));
    assert!(code == 4 && out.contains("warning[run/unfinished]") && out.contains("undecided"), "{code}: {out}");
    assert_eq!(said(&mpisim(home.path(), &["check", "--fail-on", "warning"])).0, 1);
}

#[test]
fn a_senseless_network_is_exit_code_2_and_says_where() {
    let home = tempfile::tempdir().unwrap();
    correct().written(home.path());
    for (network, complaint) in [
        ("{\n  \"latency\": 5\n}", "line 2"),
        ("{", "line 1"),
        (r#"{"bytes_per_second": 0}"#, "bytes_per_second is 0"),
        (r#"{"compute_scale": -1}"#, "compute_scale is -1"),
        (r#"{"latency_ns": 18446744073709551615}"#, "latency_ns is 18446744073709551615"),
        (r#"{"overhead_ns": 18446744073709551615}"#, "overhead_ns is 18446744073709551615"),
    ] {
        fs::write(home.path().join("network.json"), network).unwrap();
        let (code, out, err) = said(&mpisim(home.path(), &["replay", "--network", "network.json"]));
        assert_eq!((code, out.as_str()), (2, ""), "{network}: {err}");
        assert!(err.contains("network.json: ") && err.contains(complaint), "{network}: {err}");
    }
    let (code, _, err) = said(&mpisim(home.path(), &["replay", "--network", "none.json"]));
    assert!(code == 2 && err.contains("none.json"), "{err}");
}

#[test]
fn each_rule_is_listed_and_explained() {
    let (code, list, _) = said(&mpisim(Path::new("."), &["explain"]));
    assert_eq!((code, list.lines().count()), (0, sim::rules::ALL.len()));
    for rule in sim::rules::ALL {
        assert!(list.lines().any(|line| line.starts_with(rule.name) && line.ends_with(rule.summary)));
        let (code, text, _) = said(&mpisim(Path::new("."), &["explain", rule.name]));
        assert!(code == 0 && text.contains(rule.explanation), "{}", rule.name);
    }
}

#[test]
fn a_rule_is_found_by_what_the_report_prints_and_by_its_group() {
    let explained = |name: &str| said(&mpisim(Path::new("."), &["explain", name]));
    assert_eq!(explained("error[match/tag]"), explained("match/tag"));
    assert_eq!(explained("warning[match/tag]:"), explained("match/tag"));
    for group in ["match", "match/", "match/*"] {
        let (code, list, _) = explained(group);
        assert!(code == 0 && list.lines().count() > 1, "{group}: {list}");
        assert!(list.lines().all(|line| line.starts_with("match/")), "{group}: {list}");
    }
    let (code, _, err) = explained("foo");
    assert!(code == 2 && err.contains("`mpisim explain` lists all rules") && err.len() < 200, "{err}");
}

#[test]
fn manual_pages_go_into_a_directory_that_is_made_and_keep_their_columns() {
    let home = tempfile::tempdir().unwrap();
    let (code, out, err) = said(&mpisim(home.path(), &["generate", "man", "--directory", "new/man"]));
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    let page = fs::read_to_string(home.path().join("new/man/mpisim-check.1")).unwrap();
    assert!(page.contains(".nf\n  0  nothing found at or above \\-\\-fail\\-on\n  1  findings\n"), "{page}");
    fs::write(home.path().join("file"), "").unwrap();
    let (code, _, err) = said(&mpisim(home.path(), &["generate", "man", "--directory", "file/man"]));
    assert!(code == 2 && err.starts_with("mpisim: file/man: "), "{code}: {err}");
}

#[test]
fn a_full_disk_is_exit_code_2() {
    let home = tempfile::tempdir().unwrap();
    correct().written(home.path());
    for arguments in [&["generate", "man"][..], &["generate", "completion", "bash"], &["explain"], &["check"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mpisim"));
        let status = command.current_dir(home.path()).args(arguments).stdout(full).stderr(Stdio::null()).status();
        assert_eq!(status.unwrap().code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_has_examples_and_the_exit_codes() {
    for arguments in [&["--help"][..], &["check", "--help"]] {
        let (code, help, _) = said(&mpisim(Path::new("."), arguments));
        assert!(code == 0 && help.contains("Examples:") && help.contains("\n  4  undecided"), "{help}");
    }
}

#[test]
fn who_reads_may_stop_to() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpisim"));
    let child = command.arg("explain").stdout(writer).stderr(Stdio::piped()).spawn().expect("mpisim starts");
    drop(command);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}

/// Ranks 1 and 2 send to rank 0, which takes one from anybody and then one from rank 2: it was lucky.
fn lucky() -> Trace {
    let mut program = Program::new(3);
    let message = |peer, rank: i64| [("count", 1), ("datatype", 0x209), (peer, rank), ("tag", 0), ("comm", constant::COMM_WORLD)];
    for (source, from) in [(constant::ANY_SOURCE, 1), (2, 2)] {
        let arguments: Vec<(&str, Value)> = message("source", source).iter().map(|(n, v)| (*n, Value::Int(*v))).collect();
        program.0.push(0, mpi::RECV, 1, &arguments, Some(&[("status", Value::Ints([from, 0, 4, 0].into()))]));
    }
    for rank in 1..3 {
        program.call(rank, mpi::SEND, &message("dest", 0), true);
    }
    for rank in 0..3 {
        program.call(rank, mpi::FINALIZE, &[], true);
    }
    program.0.finish()
}

#[test]
fn another_schedule_is_found_told_and_replayed() {
    let home = tempfile::tempdir().unwrap();
    write(&lucky(), home.path());
    let (code, out, _) = said(&mpisim(home.path(), &["check"]));
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("error[deadlock/missing-rank]: rank 0 waits in MPI_Recv for rank 2"), "{out}");
    assert!(out.contains("takes the message of rank 2"), "{out}");
    assert!(out.contains("by buffering: infinite deadlock, zero deadlock, any deadlock"), "{out}");
    let token = out.split('\'').nth(1).expect("a token in quotes");
    let (code, replayed, _) = said(&mpisim(home.path(), &["check", "--schedule", token]));
    assert!(code == 1 && replayed.contains("rank 0 waits in MPI_Recv for rank 2"), "{replayed}");
    let (code, as_recorded, _) = said(&mpisim(home.path(), &["check", "--schedule", "infinite::"]));
    assert_eq!(code, 0, "{as_recorded}");
}

#[test]
fn threads_change_no_byte_and_a_proof_no_answer() {
    let home = tempfile::tempdir().unwrap();
    write(&lucky(), home.path());
    let report = |more: &[&str]| said(&mpisim(home.path(), &[&["check", "--format", "json"], more].concat())).1;
    assert_eq!(report(&["--threads", "4"]), report(&[]));
    assert_eq!(report(&["--certify"]), report(&[]));
}

#[test]
fn a_limit_that_is_reached_is_exit_code_4() {
    let home = tempfile::tempdir().unwrap();
    write(&lucky(), home.path());
    for limit in [["--time", "0"], ["--memory", "0"]] {
        let (code, out, _) = said(&mpisim(home.path(), &[&["check"][..], &limit].concat()));
        assert_eq!(code, 4, "{out}");
        assert!(out.contains("a limit was reached before all schedules were decided"), "{out}");
        assert!(out.contains("infinite undecided"), "{out}");
    }
}

#[test]
fn what_the_user_says_of_findings_decides_the_exit_code() {
    let home = tempfile::tempdir().unwrap();
    write(&deadlocked(), home.path());
    let check = |more: &[&str]| said(&mpisim(home.path(), &[&["check"], more].concat()));
    assert_eq!(check(&["--export", "known.json", "--export", "report.html"]).0, 1);
    assert!(fs::read_to_string(home.path().join("report.html")).unwrap().starts_with("<!DOCTYPE html>"));

    // The run itself did not come to its end, so that nothing is left but doubt.
    let (code, out, err) = check(&["--baseline", "known.json"]);
    assert_eq!((code, err.as_str()), (4, ""), "{out}");
    assert!(out.contains("1 finding does not count: 1 (in the baseline)"), "{out}");
    assert_eq!(check(&["--allow", "deadlock/*"]).0, 4);
    assert_eq!(check(&["--allow", "deadlock/*", "--deny", "deadlock/cycle"]).0, 1);

    let suppressions = "[[suppress]]\nrule = 'deadlock/cycle'\nreason = 'a demonstration'\n\n[[suppress]]\nrule = 'leak/*'\nreason = 'by design'\n";
    fs::write(home.path().join("mpisim.toml"), suppressions).unwrap();
    let (code, out, err) = check(&["--suppressions", "mpisim.toml"]);
    assert_eq!(code, 4, "{out}");
    assert!(out.contains("1 (a demonstration)"), "{out}");
    assert_eq!(err, "mpisim: nothing was found that mpisim.toml suppresses: leak/* (by design)\n");
}

#[test]
fn a_senseless_policy_is_exit_code_2_and_says_where() {
    let home = tempfile::tempdir().unwrap();
    write(&deadlocked(), home.path());
    let refused = |more: &[&str], why: &str| {
        let (code, out, err) = said(&mpisim(home.path(), &[&["check"], more].concat()));
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(why), "{err}");
    };
    refused(&["--allow", "deadlok/*"], "no rule is called so");
    refused(&["--export", "report.pdf"], "its form is to be told by its ending");
    refused(&["--baseline", "none.json"], "none.json: ");
    refused(&["--baseline", "trace.msgpack"], "trace.msgpack: ");
    let suppressions = home.path().join("mpisim.toml");
    for (text, why) in [
        ("[[suppress]]\nrule = 'leak/*'\n", "missing field `reason`"),
        ("[[suppress]]\nrule = 'leak/*'\nreason = ' '\n", "the suppression of leak/* has no reason"),
        ("[[suppress]]\nrule = 'laek/*'\nreason = 'x'\n", "laek/*: no rule is called so"),
        ("[[suppress]]\nrule = 'leak/*'\nreason = 'x'\nline = 7\n", "unknown field `line`"),
    ] {
        fs::write(&suppressions, text).unwrap();
        refused(&["--suppressions", "mpisim.toml"], why);
    }
}
