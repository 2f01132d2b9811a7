//! Runs on two hosts that share no file system: one trace comes of it, or one of each host that can be put together.
//!
//! The hosts are namespaces, made by the script `two-hosts`, which needs root. Their clocks are three days apart.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use traces::{Ending, Trace};

use crate::mpi::{Mpi, OVERSUBSCRIBE, works};
use crate::{program, workplace};

/// Something to try, and its name; launchers could not take an agent whose path has a space.
type Case = (&'static str, fn(&Mpi, &Scene) -> Result<(), String>);

const CASES: [Case; 4] = [
    ("two_hosts_make_one_trace", makes_one_trace),
    ("two_hosts_and_one_cannot_be_written_to", makes_one_trace_where_one_host_cannot_be_written_to),
    ("two_hosts_and_one_is_not_recorded", waits_in_vain_and_goes_on),
    ("two_hosts_and_a_kill", leaves_a_trace_on_each_host),
];

/// The tests of a library. Intel MPI is told not to look for a network here.
pub fn trials(mpi: &Mpi) -> Vec<Trial> {
    if !["openmpi", "openmpi5", "mpich", "wheel"].contains(&mpi.name) {
        return Vec::new();
    }
    let is_possible = can_make_hosts();
    if !is_possible {
        println!("{}: no tests on two hosts, which need root, namespaces and ip", mpi.name);
    }
    let trial = |(name, test): Case| {
        let (mpi, directory) = (mpi.clone(), workplace(mpi, name));
        Trial::test(format!("{}::{name}", mpi.name), move || Ok(test(&mpi, &Scene::new(directory)?)?))
            .with_ignored_flag(!is_possible)
    };
    CASES.map(trial).into()
}

fn can_make_hosts() -> bool {
    let spaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--time", "--fork", "--mount-proc"];
    works(Path::new("unshare"), &[&spaces[..], &["true"]].concat()) && works(Path::new("ip"), &["-V"])
}

/// A directory, and the two hosts that come and go in it.
struct Scene {
    directory: PathBuf,
}

/// Where the hosts and how many ranks each has are said.
#[derive(Clone, Copy)]
enum Hosts {
    InFile,
    OnCommandLine,
}

impl Scene {
    fn new(directory: PathBuf) -> Result<Scene, String> {
        _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
        Ok(Scene { directory })
    }

    fn program(&self, mpi: &Mpi, name: &str) -> Result<PathBuf, String> {
        let mut words = program::build(&program::directory().join(name), mpi, &self.directory.join("build"))?;
        words.pop().ok_or_else(|| "a C program is one word".into())
    }

    /// The launcher that starts two ranks on each host.
    fn launcher(&self, mpi: &Mpi, hosts: Hosts) -> Result<Vec<String>, String> {
        let path = |name: &str| self.directory.join(name).display().to_string();
        let list = "nodea:2,nodeb:2".to_owned();
        let is_open_mpi = is_open_mpi(mpi);
        let lines = if is_open_mpi { "nodea slots=2\nnodeb slots=2\n" } else { "nodea:2\nnodeb:2\n" };
        fs::write(path("hostfile"), lines).map_err(|e| e.to_string())?;
        let [agent, hosts] = match (is_open_mpi, hosts) {
            (true, Hosts::InFile) => [vec!["--mca".into(), "plm_rsh_agent".into()], vec!["--hostfile".into(), path("hostfile")]],
            (true, Hosts::OnCommandLine) => [vec!["--mca".into(), "plm_rsh_agent".into()], vec!["--host".into(), list]],
            (false, Hosts::InFile) => [hydra(), vec!["-f".into(), path("hostfile")]],
            (false, Hosts::OnCommandLine) => [hydra(), vec!["-hosts".into(), list]],
        };
        // There are as many ranks as the hosts are said to have room for.
        let launcher = mpi.launcher.iter().filter(|word| *word != OVERSUBSCRIBE).cloned().collect();
        Ok([launcher, agent, vec![path("agent")], hosts].concat())
    }

    /// Runs a command on the first host; gives what it said, and whether it came to its end by itself.
    fn run(&self, mpi: &Mpi, command: &[String], variables: &[(&str, &str)]) -> Result<(String, bool), String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/two-hosts");
        let mut hosts = Command::new("unshare");
        hosts.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]).arg(script).arg(&self.directory).args(command);
        hosts.envs(mpi.variables()).envs(variables.iter().copied()).stdin(Stdio::null());
        let output = hosts.output().map_err(|e| format!("unshare: {e}"))?;
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        match output.status.code() {
            Some(0) => Ok((said, true)),
            // Killed, by the script.
            Some(137) => Ok((said, false)),
            _ => Err(format!("{command:?} ended so: {} ({:?})\n{said}", output.status, output.status.signal())),
        }
    }

    /// What lies on a host in the end.
    fn left(&self, host: &str) -> Vec<String> {
        let entries = fs::read_dir(self.directory.join(host)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn trace(&self, host: &str) -> PathBuf {
        self.directory.join(host).join("trace.msgpack")
    }
}

/// Open MPI's launchers take other arguments than all others.
fn is_open_mpi(mpi: &Mpi) -> bool {
    mpi.launcher.iter().any(|word| word == OVERSUBSCRIBE)
}

fn hydra() -> Vec<String> {
    ["-launcher", "ssh", "-launcher-exec"].map(String::from).into()
}

/// `mpitrace record` of a program.
fn record(options: &[&str], program: &Path) -> Vec<String> {
    let mut words = vec![env!("CARGO_BIN_EXE_mpitrace").to_owned(), "record".into()];
    words.extend(options.iter().map(|option| (*option).to_owned()));
    words.extend(["--".into(), program.display().to_string()]);
    words
}

fn makes_one_trace(mpi: &Mpi, scene: &Scene) -> Result<(), String> {
    one_trace(mpi, scene, Hosts::InFile, &[])
}

fn makes_one_trace_where_one_host_cannot_be_written_to(mpi: &Mpi, scene: &Scene) -> Result<(), String> {
    one_trace(mpi, scene, Hosts::OnCommandLine, &[("READ_ONLY", "nodeb")])
}

/// A ring over both hosts.
fn one_trace(mpi: &Mpi, scene: &Scene, hosts: Hosts, variables: &[(&str, &str)]) -> Result<(), String> {
    let program = scene.program(mpi, "ring.c")?;
    let command = [scene.launcher(mpi, hosts)?, vec!["-n".into(), "4".into()], record(&[], &program)].concat();
    // MPICH 4.0 may hang in MPI_Finalize between hosts, recorded or not: all calls have come by then.
    let enough = [("ENOUGH", "test -e trace.msgpack.parts/rank-3.part -a -e trace.msgpack.parts/rank-2.part")];
    let variables = [variables, if mpi.name == "mpich" { &enough } else { &[] }].concat();
    let (said, by_itself) = scene.run(mpi, &command, &variables)?;
    let wrong = |what: &str| format!("{what}\nhosts: {:?} {:?}\n{said}", scene.left("nodea"), scene.left("nodeb"));
    if scene.left("nodea") != ["trace.msgpack"] || !scene.left("nodeb").is_empty() {
        return Err(wrong("there should be one trace, on the host of rank 0"));
    }
    let trace = traces::open(&scene.trace("nodea")).map_err(|e| wrong(&e.to_string()))?;
    let hosts: Vec<&str> = trace.processes.iter().map(|process| process.host.as_str()).collect();
    if hosts != ["nodea", "nodea", "nodeb", "nodeb"] || !trace.damage.is_empty() {
        return Err(wrong(&format!("ranks of both hosts should be in it: {hosts:?} {:?}", trace.damage)));
    }
    if by_itself && !said.contains("trace.msgpack: 4 ranks") {
        return Err(wrong("it should say what the trace holds"));
    }
    if by_itself && trace.processes.iter().any(|process| process.ending != Ending::Finalized) {
        return Err(wrong("all ranks came to the end of MPI_Finalize"));
    }
    // The clocks are three days apart. What remains is what comparing them through messages leaves.
    is_in_order(&trace, 1_000_000_000).map_err(|e| wrong(&e))?;
    let (_, aligned) = mpitrace::opening::open(Some(&scene.trace("nodea"))).map_err(|e| e.to_string())?;
    is_in_order(&aligned, 0).map_err(|e| wrong(&e))
}

/// Whether all 40 messages were found, none arrived before it was sent by more than so much, and nothing is wrong.
fn is_in_order(trace: &Trace, tolerance_ns: u64) -> Result<(), String> {
    let report = sim::check(trace, &sim::Options::default());
    let event = |place: sim::Place| &trace.lanes[place.lane as usize].events[place.event as usize];
    let early = report.messages.iter().map(|m| event(m.send).start_ns.saturating_sub(event(m.received).end_ns()));
    let worst = early.max().unwrap_or(0);
    let findings = report.findings.iter().filter(|finding| !finding.rule.name.starts_with("run/"));
    let findings: Vec<&str> = findings.map(|finding| finding.title.as_str()).collect();
    if report.messages.len() != 40 || worst > tolerance_ns || !findings.is_empty() {
        let messages = report.messages.len();
        return Err(format!("{messages} messages of 40, one arrives {worst} ns before it was sent; findings: {findings:?}"));
    }
    Ok(())
}

/// Ranks that are not recorded take no part in what the recorder has to say: its ranks give up, and the program ends well.
fn waits_in_vain_and_goes_on(mpi: &Mpi, scene: &Scene) -> Result<(), String> {
    let program = scene.program(mpi, "ring.c")?;
    let launcher = scene.launcher(mpi, Hosts::OnCommandLine)?;
    let two = || vec!["-n".to_owned(), "2".to_owned()];
    let colon = vec![":".to_owned()];
    // Open MPI's hosts are said of each program anew.
    let again = if is_open_mpi(mpi) { vec!["--host".to_owned(), "nodea:2,nodeb:2".to_owned()] } else { Vec::new() };
    let recorded = record(&["--gather-patience", "1"], &program);
    let command = [launcher, two(), recorded, colon, again, two(), vec![program.display().to_string()]].concat();
    // MPICH 4.0 may hang in MPI_Finalize between hosts, recorded or not.
    let enough = [("ENOUGH", "test -e trace.msgpack.parts/apart && sleep 5")];
    let variables: &[_] = if mpi.name == "mpich" { &enough } else { &[] };
    let (said, _) = scene.run(mpi, &command, variables)?;
    let wrong = |what: &str| format!("{what}\nhosts: {:?} {:?}\n{said}", scene.left("nodea"), scene.left("nodeb"));
    if !said.contains("the token is 40") || !said.contains("mpitrace join") {
        return Err(wrong("the program should end well, and it should be said where its calls are"));
    }
    let trace = traces::open(&scene.trace("nodea")).map_err(|e| wrong(&e.to_string()))?;
    let ranks: Vec<_> = trace.processes.iter().map(|process| process.rank).collect();
    if ranks != [Some(0), Some(1)] || !scene.left("nodeb").is_empty() {
        return Err(wrong(&format!("there should be a trace of the recorded ranks: {ranks:?}")));
    }
    Ok(())
}

/// A deadlock across both hosts, killed: each host has a trace, and together they show it.
fn leaves_a_trace_on_each_host(mpi: &Mpi, scene: &Scene) -> Result<(), String> {
    let program = scene.program(mpi, "deadlock_ssend_ring.c")?;
    let command = [scene.launcher(mpi, Hosts::InFile)?, vec!["-n".into(), "4".into()], record(&[], &program)].concat();
    let waits = |ranks: &str| {
        format!("mpitrace info trace.msgpack.parts | grep -q '^ended  *{ranks}: without MPI_Finalize, in MPI_Ssend'")
    };
    let binaries = Path::new(env!("CARGO_BIN_EXE_mpitrace")).parent().unwrap_or(Path::new("/")).display();
    let there = format!("{}/agent nodeb", scene.directory.display());
    let enough = format!(
        "PATH={binaries}:$PATH; {} && {there} \"cd {}/run; {}\"",
        waits("ranks 0, 1"),
        scene.directory.display(),
        waits("ranks 2, 3")
    );
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap_or_default());
    let (said, by_itself) = scene.run(mpi, &command, &[("ENOUGH", &enough), ("PATH", &path)])?;
    let wrong = |what: &str| format!("{what}\nhosts: {:?} {:?}\n{said}", scene.left("nodea"), scene.left("nodeb"));
    if by_itself || [scene.left("nodea"), scene.left("nodeb")] != [["trace.msgpack"], ["trace.msgpack"]] {
        return Err(wrong("each host should have a trace"));
    }
    if !["nodea:trace.msgpack", "nodeb:trace.msgpack"].iter().all(|place| said.contains(place)) {
        return Err(wrong("it should be said where each host's calls are"));
    }
    let all = scene.directory.join("all.msgpack");
    let mut join = Command::new(env!("CARGO_BIN_EXE_mpitrace"));
    join.args(["join", "-o"]).arg(&all).args([scene.trace("nodeb"), scene.trace("nodea")]);
    program::must(&mut join)?;
    let (_, trace) = mpitrace::opening::open(Some(&all)).map_err(|e| e.to_string())?;
    let report = sim::check(&trace, &sim::Options::default());
    let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.name).collect();
    if !rules.contains(&"deadlock/cycle") {
        return Err(wrong(&format!("both together should show the deadlock, and show {rules:?}, {:?}", trace.damage)));
    }
    Ok(())
}
